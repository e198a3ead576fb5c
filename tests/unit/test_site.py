"""The site of the documents: every page is in it, every link leads somewhere, and it opens from a folder without a network."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.helper import ROOT

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = pytest.mark.slow


class _Links(HTMLParser):
    """What a page names: links, what it loads, and the places in it that a link can lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag, attrs) -> None:
        named = dict(attrs)
        if named.get("id"):
            self.ids.add(named["id"])
        if tag == "a" and named.get("href"):
            self.links.append(named["href"])
        if tag in {"script", "img"} and named.get("src"):
            self.loads.append(named["src"])
        if tag == "link" and named.get("rel") == "stylesheet":
            self.loads.append(named["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the folder of the site, built without a warning."""
    pytest.importorskip("sphinx", reason="sphinx is not installed")
    out = tmp_path_factory.mktemp("site")
    words = ["-W", "--keep-going", "-q", "-b", "html", "-d", str(out / "doctrees"), "-c", "tools/site", "."]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *words, str(out / "html")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    return out / "html"


@pytest.fixture(scope="module")
def pages(site):
    """Return what each page of the site names."""
    found = {}
    for path in site.rglob("*.html"):
        if "_static" in path.parts:
            continue  # templates of the theme
        reader = _Links()
        reader.feed(path.read_text(encoding="utf-8"))
        found[path] = reader
    return found


def test_every_document_is_in_the_site(site):
    """
    All Markdown of docs, the README in both languages and the page of the experiments have a page.
    """
    documents = [
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "experiments/README.md",
        ROOT / "README.md",
        ROOT / "README.zh.md",
    ]

    assert [path for path in documents if not (site / path.relative_to(ROOT).with_suffix(".html")).exists()] == []


def test_every_how_to_is_in_both_lists():
    """
    No how-to is left out of the list of how-tos, in either language.
    """
    names = {path.name for path in (ROOT / "docs/how-to").glob("*.md")} - {"index.md"}
    for page in ("docs/how-to/index.md", "docs/zh/how-to.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert names - set(re.findall(r"([\w-]+\.md)\)", text)) == set(), page


def test_every_link_leads_somewhere(pages):
    """
    Each link within the site leads to a file that is there, and to a place in it that is there.
    """
    lost = []
    for page, own in pages.items():
        for link in own.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not target.exists() or (parts.fragment and unquote(parts.fragment) not in pages[target].ids):
                lost.append((page.name, link))

    assert len(pages) > 35
    assert lost == []


def test_nothing_is_loaded_from_elsewhere(site, pages):
    """
    Scripts, styles, pictures and fonts are files of the site.
    """
    for page, own in pages.items():
        for load in own.loads:
            parts = urlsplit(load)
            assert not parts.scheme, (page.name, load)
            assert not parts.netloc, (page.name, load)
            assert (page.parent / unquote(parts.path)).exists(), (page.name, load)
    for style in site.rglob("*.css"):
        for url in re.findall(r"url\(([^)]*)\)", style.read_text(encoding="utf-8")):
            assert not re.match(r"['\"]?(https?:)?//", url), (style.name, url)


def test_each_language_leads_to_the_other(site):
    """
    Front page, tutorial, how-tos and README lead to each other; a page that is there in English only says so, and pages say which language they are in.
    """
    for english, chinese in (
        ("docs/index", "docs/zh/index"),
        ("docs/tutorial", "docs/zh/tutorial"),
        ("docs/how-to/index", "docs/zh/how-to"),
        ("README", "README.zh"),
    ):
        own, other = ((site / f"{name}.html").read_text(encoding="utf-8") for name in (english, chinese))
        (there,) = set(re.findall(r'<a href="([^"]*)" lang="zh-CN" hreflang="zh-CN">中文</a>', own))
        (back,) = set(re.findall(r'<a href="([^"]*)" lang="en" hreflang="en">English</a>', other))
        assert (site / f"{english}.html").parent.joinpath(there).resolve() == site / f"{chinese}.html"
        assert (site / f"{chinese}.html").parent.joinpath(back).resolve() == site / f"{english}.html"
        assert re.search(r'<html[^>]* lang="en"', own)
        assert re.search(r'<html[^>]* lang="zh-CN"', other)
    assert "此页只有英文" in (site / "docs/validation.html").read_text(encoding="utf-8")


def test_the_site_opens_from_a_folder(site):
    """
    With the network off, in a browser, pages in both languages load without an error or a request that leaves the folder, are no wider than a phone, and the
    search finds a page.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM} (Debian: chromium)")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        context = browser.new_context(offline=True, viewport={"width": 390, "height": 844})
        page, wrong = context.new_page(), []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("requestfailed", lambda request: wrong.append(request.url))
        page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else wrong.append(asked.url))
        for name in ("index", "docs/index", "docs/zh/tutorial", "docs/gallery", "docs/reference/measures", "README.zh"):
            page.goto((site / f"{name}.html").as_uri())
            page.wait_for_load_state("load")
            if name == "index":
                page.wait_for_url("**/docs/index.html")
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
            assert page.evaluate("[...document.images].every((each) => each.complete && each.naturalWidth > 0)"), name
        page.goto(f"{(site / 'search.html').as_uri()}?q=briefing")
        page.wait_for_selector("#search-results li")
        browser.close()

    assert wrong == []
