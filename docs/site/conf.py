"""What Sphinx builds the site from: pages of docs/ by their folders, docstrings, and what the extensions here add."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

import pinnlab  # noqa: E402

project = "pinnlab"
author = copyright = "The pinnlab developers"
version = release = pinnlab.__version__
language = "en"
smartquotes_action = "D"  # dashes alone: u'' is a derivative

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "docstrings",  # before napoleon, whose sections it leaves alone
    "sphinx.ext.napoleon",
    "contents",
    "formulas",
    "notebooks",
]
root_doc = "README"
include_patterns = ["*.md", "docs/**", "experiments/*.md"]
exclude_patterns = ["docs/site/**"]
suppress_warnings = ["misc.highlighting_failure"]  # parts of files, and files with … in them

myst_enable_extensions = ["dollarmath", "html_image"]
myst_heading_anchors = 4
myst_fence_as_directive = ["math"]

autosummary_generate = False
autodoc_default_options = {"members": True, "special-members": "__call__"}
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
autodoc_type_aliases = {"npt.ArrayLike": "ArrayLike"}
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
python_use_unqualified_type_names = True
maximum_signature_line_length = 90
napoleon_numpy_docstring = False
napoleon_use_ivar = True
add_module_names = False
default_role = "code"
toc_object_entries_show_parents = "hide"

html_title = "pinnlab"
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["pinnlab.css"]
html_copy_source = False
html_show_sphinx = False
html_math_renderer = "mathml"
html_theme_options = {"navigation_with_keys": True}
highlight_language = "none"  # indented blocks are formulas
pygments_style = "tango"
pygments_dark_style = "monokai"
