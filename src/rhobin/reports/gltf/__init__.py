"""A predicted person and object as one rigged, animated glTF 2.0 binary; see `rhobin.reports.gltf.scene`."""
