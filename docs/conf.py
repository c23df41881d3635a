"""The documentation is built with strict links: a broken one fails the build."""

from __future__ import annotations

import modelmint

project = "Modelmint (模铸)"
author = "Modelmint contributors"
copyright = "Modelmint contributors, Apache-2.0"  # noqa: A001 - Sphinx reads this name
release = modelmint.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "Modelmint 模铸"
html_static_path: list[str] = []
suppress_warnings: list[str] = []
nitpicky = True
