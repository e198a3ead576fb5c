"""The Chinese of the site: which pages are there in both languages, and the words of the theme."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_DOCS: Final = Path(__file__).resolve().parents[2] / "docs"

PAIRS: Final = {
    "docs/index": "docs/zh/index",
    "docs/tutorial": "docs/zh/tutorial",
    "docs/how-to/index": "docs/zh/how-to",
    "README": "README.zh",
    **{f"docs/how-to/{page.stem}": f"docs/zh/how-to/{page.stem}" for page in (_DOCS / "zh" / "how-to").glob("*.md")},
}
"""English pages and the Chinese ones that say the same."""

WORDS: Final = {
    "Skip to main content": "跳到正文",
    "Back to top": "返回顶部",
    "Search": "搜索",
    "Search the docs ...": "搜索文档……",
    "On this page": "本页内容",
    "Section Navigation": "本节导航",
    "Site Navigation": "导航",
    "Site navigation": "导航",
    "Table of Contents": "目录",
    "Breadcrumb": "所在位置",
    "previous": "上一页",
    "next": "下一页",
    "previous page": "上一页",
    "next page": "下一页",
    "More": "更多",
    "Home": "首页",
    "light/dark": "浅色/深色",
    "Color mode": "显示模式",
    "System Settings": "跟随系统",
    "Light": "浅色",
    "Dark": "深色",
    "Collapse Sidebar": "收起侧栏",
    "Expand Sidebar": "展开侧栏",
    "Primary sidebar": "主侧栏",
    "Secondary Sidebar": "副侧栏",
}
