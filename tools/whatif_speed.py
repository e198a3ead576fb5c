"""
How fast the page that simulates answers: `python tools/whatif_speed.py [PAGE]`, in headless Chromium without a network.

Levers are moved one after the other, each time to a combination that was not asked before; what is told is how long it
took until the first replication of both arms was there, and until eight were, at the 50th and at the 95th percentile.
Without a page one of the typical zone with measures 11 and 10 is written first, and how long that takes is told too.
Exit code 1: a question had no answer though its levers compose.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parent.parent

_SET = """([id, value]) => {
  const lever = document.getElementById(id);
  lever.value = value;
  lever.dispatchEvent(new Event("input", { bubbles: true }));
}"""


def main() -> int:
    """Run it; return the exit code."""
    command = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    command.add_argument("page", nargs="?", type=Path, help="a page of `zonesim whatif`")
    command.add_argument("--questions", type=int, default=40, help="how many are asked (40)")
    command.add_argument("--seed", type=int, default=1, help="of the levers that are moved (1)")
    asked = command.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        page = asked.page.resolve() if asked.page else _written(Path(folder) / "page.html")
        print(f"load {' '.join(f'{each:.1f}' for each in os.getloadavg())} on {os.cpu_count()} cores")
        return _asked(page, asked.questions, asked.seed)


def _written(page: Path) -> Path:
    from zonesim.jobs.whatif import whatif_job  # noqa: PLC0415  slow to import

    began = time.perf_counter()
    file = ROOT / "scenarios" / "typical_zone.yaml"
    job = whatif_job(file, ["11", "10"], (), page, "en", "short", os.cpu_count() or 1, lambda _: None)
    print(f"page written in {time.perf_counter() - began:.0f} s, {job.document['bytes'] / 1e6:.2f} MB")
    return page


def _asked(page: Path, count: int, seed: int) -> int:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  only here

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        raise SystemExit("needs a browser: Debian's chromium")
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        window = browser.new_context(offline=True).new_page()
        window.goto(page.as_uri())
        window.wait_for_selector("body[data-ended=yes]", timeout=120_000)
        opened = window.evaluate("whatif.timings()")
        print(f"opened: first {opened['first']:.0f} ms, eight of both arms {opened['eight']:.0f} ms")
        found, lost = _questions(window, count, seed)
        browser.close()
    for kind in ("one arm new", "both arms new"):
        own = [each for each in found if each["kind"] == kind]
        for what in ("first", "eight") if own else ():
            middle, far = np.percentile([each[what] for each in own], [50, 95])
            print(f"{kind}, {what}: {middle:.0f} ms at the 50th, {far:.0f} ms at the 95th percentile of {len(own)}")
    if lost:
        print(f"{lost} questions had no answer", file=sys.stderr)
    return 1 if lost else 0


def _drawn(seed: int) -> Iterator[int]:
    """Yield numbers that look drawn, the same on every machine (Lehmer's generator, Park and Miller 1988)."""
    number = seed
    while True:
        number = 48_271 * number % (2**31 - 1)
        yield number


def _questions(window: Page, count: int, seed: int) -> tuple[list[dict[str, Any]], int]:
    """Return what was found of so many questions, and how many had no answer that should have one."""
    drawn = _drawn(seed)
    levers = window.evaluate(
        "[...document.querySelectorAll('input[type=range]')].map((own) => [own.id, Number(own.max), Number(own.value)])"
    )
    state = {name: value for name, _, value in levers}
    seen, lost = {tuple(state.values())}, 0
    found: list[dict[str, Any]] = []
    for _ in range(50 * count):
        if len(found) == count:
            break
        name, most, _ = levers[next(drawn) % len(levers)]
        before = state[name]
        state[name] = next(drawn) % (most + 1)
        if tuple(state.values()) in seen:
            state[name] = before
            continue
        seen.add(tuple(state.values()))
        window.evaluate(_SET, [name, state[name]])
        window.wait_for_selector("body[data-ended=yes]", timeout=60_000)
        if window.get_attribute("body", "data-complete") == "yes":
            kind = "both arms new" if window.evaluate("(id) => whatif.everywhere(id)", name) else "one arm new"
            found.append({**window.evaluate("whatif.timings()"), "kind": kind})
            continue
        lost += "cannot be combined" not in window.inner_text("#notes")
        state[name] = before  # levers that do not compose: back to where it was
        window.evaluate(_SET, [name, before])
        window.wait_for_selector("body[data-ended=yes]", timeout=60_000)
    return found, lost


if __name__ == "__main__":
    sys.exit(main())
