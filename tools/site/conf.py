"""
How Sphinx makes the site of the documents: the pages as they stand in the project, so that links between them are the
same in a folder, on a page of the repository and in the site.

`make docs` builds it, `make docs-links` asks the network.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

from pygments.lexers import TextLexer
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

sys.path.insert(0, str(Path(__file__).parent))

from chinese import PAIRS, WORDS

from zonesim.version import __version__

ROOT: Final = Path(__file__).resolve().parents[2]

project = "zonesim"
author = "the zonesim authors"
project_copyright = ""
html_show_copyright = False
version = release = __version__
language = "en"

root_doc = "docs/index"
include_patterns = [
    "docs/**.md",
    "experiments/README.md",
    "README.md",
    "README.zh.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
]
exclude_patterns = [".*", "build", "dist", "results", "tests", "zonesim", "bench", "scenarios", "schema"]

extensions = ["myst_parser"]
myst_heading_anchors = 6  # links to headings, as the pages have them
myst_links_external_new_tab = False
suppress_warnings = ["myst.header"]  # a page may begin its sections at the second level

templates_path = ["templates"]
html_theme = "pydata_sphinx_theme"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_title = "zonesim"
html_sidebars: dict[str, list[str]] = {
    page: []
    for page in (
        *("CHANGELOG", "CONTRIBUTING", "README", "experiments/README"),
        *(f"docs/{name}" for name in ("design", "gallery", "performance", "tutorial", "validation", "verification")),
        "docs/why/decisions",
    )
}  # pages that stand in no section
html_show_search_summary = False  # it would fetch pages, which a browser does not do in a folder
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {
    "navbar_start": ["navbar-logo"],
    "navbar_end": ["languages", "theme-switcher"],
    "navbar_persistent": ["search-button-field"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
    "show_prev_next": True,
    "show_nav_level": 1,
    "navigation_with_keys": False,
    "logo": {"text": "zonesim"},
}

linkcheck_timeout = 20
linkcheck_workers = 4
linkcheck_anchors = False  # pages of newspapers make theirs by script


def _page(_: Sphinx, pagename: str, __: str, context: dict[str, Any], ___: object) -> None:
    """Give a page its languages: where the other one leads, and in Chinese pages the words of the theme."""
    chinese = pagename.startswith("docs/zh/") or pagename.endswith(".zh")
    pairs = {**PAIRS, **{zh: en for en, zh in PAIRS.items()}}
    context["other_language"] = pairs.get(pagename, "docs/zh/index")
    context["in_chinese"] = chinese
    context["only_english"] = not chinese and pagename not in PAIRS
    if chinese:
        context["language"] = "zh-CN"
        context["_"] = lambda text, *_: WORDS.get(str(text), str(text))


class Folders(SphinxPostTransform):
    """Let a link to a folder of the project, which is no page, be its text."""

    default_priority = 5  # before links are followed

    def run(self, **_: Any) -> None:  # noqa: ANN401
        """Replace such links in a page."""
        for link in list(self.document.findall(pending_xref)):
            beside = Path(self.env.doc2path(self.env.docname)).parent / str(link.get("reftarget", ""))
            if link.get("reftype") == "myst" and (ROOT / beside).is_dir():
                link.replace_self(link.children)


def _front(app: Sphinx, failed: Exception | None) -> None:
    """Let the folder itself lead to the front page."""
    if failed is None and app.builder.name == "html":
        page = '<!doctype html><meta charset="utf-8"><title>zonesim</title>'
        page += '<meta http-equiv="refresh" content="0; url=docs/index.html"><a href="docs/index.html">zonesim</a>\n'
        (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what is done beside the theme."""
    app.add_lexer("csv", TextLexer)
    app.connect("html-page-context", _page)
    app.add_post_transform(Folders)
    app.connect("build-finished", _front)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
