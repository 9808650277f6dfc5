"""Writers, one a layout."""
