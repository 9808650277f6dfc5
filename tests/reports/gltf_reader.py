"""A small reader of GLB files by the specification: arrays, transforms at a time, skinned meshes."""

import json
import struct

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

DTYPES = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Glb:
    """``tree`` is the JSON; `nodes` finds a node by its name."""

    def __init__(self, raw):
        magic, version, length = struct.unpack_from("<4sII", raw)
        assert (magic, version, length) == (b"glTF", 2, len(raw))
        size, kind = struct.unpack_from("<I4s", raw, 12)
        assert kind == b"JSON"
        assert size % 4 == 0
        self.tree = json.loads(raw[20 : 20 + size])
        self.bin_size, kind = struct.unpack_from("<I4s", raw, 20 + size)
        assert kind == b"BIN\0"
        self.bin = raw[28 + size :]
        assert len(self.bin) == self.bin_size == self.tree["buffers"][0]["byteLength"]
        self.nodes = {node["name"]: index for index, node in enumerate(self.tree["nodes"])}
        self.worlds = {}
        self.parents = {c: i for i, n in enumerate(self.tree["nodes"]) for c in n.get("children", [])}

    def array(self, index):
        entry = self.tree["accessors"][index]
        view = self.tree["bufferViews"][entry["bufferView"]]
        assert view["byteOffset"] % 4 == 0
        width = WIDTHS[entry["type"]]
        values = np.frombuffer(
            self.bin, DTYPES[entry["componentType"]], entry["count"] * width, view["byteOffset"]
        )
        assert values.nbytes == view["byteLength"]
        return values.reshape(-1, width) if width > 1 else values

    def animated(self, node, path, seconds):
        """A node's property at a time; None where no channel moves it."""
        for animation in self.tree.get("animations", []) if seconds is not None else []:
            for channel in animation["channels"]:
                if channel["target"] == {"node": node, "path": path}:
                    sampler = animation["samplers"][channel["sampler"]]
                    assert sampler["interpolation"] == "LINEAR"
                    times, values = self.array(sampler["input"]), self.array(sampler["output"])
                    return interpolated(times, values.reshape(len(times), -1), seconds, path)
        return None

    def world(self, node, seconds=None):
        """(4, 4) of a node in the frame of glTF."""
        if (node, seconds) not in self.worlds:
            above = self.world(self.parents[node], seconds) if node in self.parents else np.eye(4)
            self.worlds[node, seconds] = above @ self.local(node, seconds)
        return self.worlds[node, seconds]

    def local(self, node, seconds):
        found = self.tree["nodes"][node]
        moved = {path: self.animated(node, path, seconds) for path in ("rotation", "translation")}
        turn = moved["rotation"] if moved["rotation"] is not None else found.get("rotation", [0, 0, 0, 1])
        at = moved["translation"] if moved["translation"] is not None else found.get("translation", [0, 0, 0])
        local = np.eye(4)
        local[:3, :3] = Rotation.from_quat(turn).as_matrix() * found.get("scale", [1, 1, 1])
        local[:3, 3] = at
        return local

    def mesh(self, name, seconds=None):
        """Vertices (V, 3) of a named node in the frame of glTF, morphed and skinned, and triangles (F, 3)."""
        index = self.nodes[name]
        node = self.tree["nodes"][index]
        mesh = self.tree["meshes"][node["mesh"]]
        primitive = mesh["primitives"][0]
        verts = self.array(primitive["attributes"]["POSITION"]).astype(float)
        weights = self.animated(index, "weights", seconds)
        weights = mesh.get("weights", []) if weights is None else weights
        for weight, target in zip(weights, primitive.get("targets", []), strict=True):
            verts = verts + weight * self.array(target["POSITION"])
        faces = self.array(primitive["indices"]).reshape(-1, 3)
        verts = np.column_stack([verts, np.ones(len(verts))])
        if "skin" not in node:
            return (verts @ self.world(index, seconds).T)[:, :3], faces
        blended = np.einsum("vj,jab->vab", self.weights(name), self.joint_matrices(node["skin"], seconds))
        return np.einsum("vab,vb->va", blended, verts)[:, :3], faces

    def joint_matrices(self, index, seconds):
        skin = self.tree["skins"][index]
        binds = self.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
        return np.stack(
            [self.world(j, seconds) @ bind for j, bind in zip(skin["joints"], binds, strict=True)]
        )

    def weights(self, name):
        """Skinning weights (V, J) of a named node."""
        node = self.tree["nodes"][self.nodes[name]]
        attributes = self.tree["meshes"][node["mesh"]]["primitives"][0]["attributes"]
        joints = self.tree["skins"][node["skin"]]["joints"]
        total = np.zeros((self.tree["accessors"][attributes["POSITION"]]["count"], len(joints)))
        for k in range(sum(key.startswith("JOINTS_") for key in attributes)):
            ids, shares = self.array(attributes[f"JOINTS_{k}"]), self.array(attributes[f"WEIGHTS_{k}"])
            np.add.at(total, (np.arange(len(total))[:, None], ids), shares)
        return total


def interpolated(times, values, seconds, path):
    """A sampler's output, held before its first and after its last key frame."""
    at = np.clip(seconds, times[0], times[-1])
    if path == "rotation":
        return Slerp(times, Rotation.from_quat(values))(at).as_quat()
    return np.array([np.interp(at, times, column) for column in values.T])
