"""How Sphinx builds this folder: `make docs`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "rhobin"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "repository"]
root_doc = "index"
exclude_patterns = ["_build", "_ext"]
html_theme = "furo"
html_title = "rhobin"
html_copy_source = False
html_show_copyright = False

myst_heading_anchors = 4
nb_execution_mode = "cache"
nb_execution_cache_path = str(Path(__file__).parent / "_build" / "notebooks")
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
nb_output_stderr = "remove"

default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_use_type_comments = False  # there are none, and looking for them parses every source
autodoc_default_options = {"members": True}
napoleon_use_ivar = True
napoleon_attr_annotations = False  # shapes such as *B are no reStructuredText
