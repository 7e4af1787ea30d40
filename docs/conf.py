"""The documentation build: `python -m sphinx -W -b html docs docs/_build`."""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent), str(DOCS / "_ext")]

import losscli  # noqa: E402  found by the path above

project = "losscli"
author = "the losscli authors"
copyright = author  # noqa: A001  the name that Sphinx reads
version = release = losscli.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton", "losscli_docs"]
exclude_patterns = ["_build", "_generated"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
smartquotes = False  # quotes in tables are those that are typed
default_role = "code"  # docstrings write code in single backticks

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = f"losscli {version}"
html_static_path = ["_static"]
html_css_files = ["losscli.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
pygments_style = "friendly"
pygments_dark_style = "monokai"

man_pages = [("reference/man", "losscli", "evaluate loss functions", author, 1)]
