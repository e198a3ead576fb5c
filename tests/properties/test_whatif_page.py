"""The page that simulates, in a real browser without a network: its numbers are those of its command, to the last digit."""

from __future__ import annotations

import base64
import json
import math
import re
import shlex
import shutil
import zlib

import pytest

from tests.helper import ROOT, plan_of_file
from tests.unit.test_whatif import DESKS
from tests.wasm_kernel import needs_module
from zonesim.compiled.streams import run_key
from zonesim.engine import simulate
from zonesim.experiment import Execution
from zonesim.faults import RunFault
from zonesim.jobs import serve
from zonesim.jobs.run import run_job
from zonesim.jobs.whatif import SHORT, whatif_job
from zonesim.kpi import Reducer, measure

pytestmark = pytest.mark.slow

N = 8
"""Replications of each arm that a page runs by itself."""


@pytest.fixture(scope="module")
def browser():
    """A browser without a network."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("needs a browser: Debian's chromium")
    needs_module()
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def zone(tmp_path_factory, browser):
    """The page of the typical zone with two measures to choose from."""
    out = tmp_path_factory.mktemp("page") / "zone.html"
    file = ROOT / "scenarios" / "typical_zone.yaml"
    job = whatif_job(file, ["11", "10"], (), out, "en", "short", 2, lambda _: None)

    assert job.document["bytes"] < 2_000_000
    return out


def _opened(browser, page, link="", **settings):
    """Return a page that is opened without a network and has told all; nothing went wrong on it."""
    context = browser.new_context(offline=True, **settings)
    found = context.new_page()
    faults = []
    found.on("pageerror", lambda fault: faults.append(str(fault)))
    found.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    found.on("dialog", lambda dialog: faults.append(dialog.message))
    found.goto(page.as_uri() + link)
    found.wait_for_selector("body[data-complete=yes]", timeout=120_000)
    assert faults == []
    return found


def _of_command(page, folder):
    """Run the command that a page gives, and return its document."""
    words = shlex.split(page.inner_text("#command"))
    assert words[:2] == ["zonesim", "compare"]
    options = {}
    for name, value in zip(words[3::2], words[4::2], strict=True):
        options.setdefault(name, []).append(value)
    assert options["--replications"] == [str(N)]
    job = run_job(
        ROOT / words[2],
        options["--measures"][0].split(","),
        options["--set"],
        N,
        1,
        Execution(2),
        folder,
        only=False,
        with_figures=False,
        by_replication=True,
        parts=False,
        doubts=False,
        changes=options.get("--change", ()),
    )
    return job.document


def _is_none(value):
    return value is None or math.isnan(value)


def _same(told, other):
    return told == other or (_is_none(told) and _is_none(other))


@pytest.mark.parametrize(
    ("link", "arm"),
    [
        ("#m=m11%2Bm10", "11+10"),
        ("#m=m11&TYP.lanes_in=2&TYP.officers=2&m11.coverage=0&demand=3", "11"),
        ("#m=&TYP.gate_officers=1&TYP.yard=2&demand=1", "changed"),
        ("#m=m10&TYP.officers=2&TYP.officers.open=1&doubt.adopted.m21.enter_first=2", "10"),
    ],
)
def test_numbers_are_those_of_the_command(browser, zone, tmp_path, link, arm):
    """
    Means, limits and paired differences of every KPI on the page are equal to those of `compare`, to the last digit.
    """
    page = _opened(browser, zone, link)
    told, document = page.evaluate("whatif.numbers()"), _of_command(page, tmp_path)
    effects = {each["kpi"]: each for each in document["effects"] if each["arm"] == arm}

    compared = 0
    for kpi, own in told.items():
        if _is_none(document["arms"]["R1"][kpi]["value"]) or _is_none(effects[kpi]["difference"]):
            continue  # withheld by what the page does not know, such as another arm or a line that grows
        for name, shown in zip(("R1", arm), own["arms"], strict=True):
            for what in ("value", "low", "high"):
                assert _same(shown[what], document["arms"][name][kpi][what]), (kpi, name, what)
        for what, called in (("value", "difference"), ("low", "low"), ("high", "high")):
            assert _same(own["difference"][what], effects[kpi][called]), (kpi, what)
        compared += 1
    assert compared > 30


def test_random_factors_are_drawn_as_the_engine_draws_them(browser, tmp_path):
    """
    A scenario whose rates are multiplied by factors that are drawn day by day: the same values, replication by
    replication. What figures show, durations and queues, is what the server tells for the same levers.
    """
    file, out = ROOT / "scenarios" / "goods.yaml", tmp_path / "page.html"
    whatif_job(file, [], (), out, "en", "short", 1, lambda _: None)
    page = _opened(browser, out)
    values, drawn = page.evaluate("whatif.values()"), page.evaluate("whatif.drawn()")
    plan = plan_of_file(file, *SHORT)
    served = serve.replicate(serve.served(file, (), "short"), (), (), 5)

    shapes = drawn[0][5]["shapes"]
    assert len(served["shapes"]) > 10
    assert {name: shapes[name] for name in served["shapes"]} == served["shapes"]
    assert len(drawn[0][5]["queue"]) == len(served["queue"])
    for shown, told in zip(drawn[0][5]["queue"], served["queue"], strict=True):
        assert shown == pytest.approx(told)

    for replication in (0, 5):
        reducer = Reducer(plan)
        totals = simulate(plan, 1, replication, reducer)
        told = measure(plan, reducer, totals, {}, run_key(1, replication)).values
        for kpi, value in values[0][replication].items():
            assert _same(value, told[kpi]), (replication, kpi)


def test_a_lever_is_moved_by_keyboard_and_the_link_keeps_it(browser, zone):
    """
    Arrow keys move a lever, the answer is told anew, and the address of the page opens the same state.
    """
    page = _opened(browser, zone)
    page.focus('[id="lever-TYP.lanes_in"]')
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("body[data-complete=yes]")

    assert "--change zones.TYP.lanes_in.units=3" in page.inner_text("#command")
    again = _opened(browser, zone, "#" + page.url.partition("#")[2])
    assert again.inner_text("#command") == page.inner_text("#command")
    old = _opened(browser, zone, "#v=0.0.0")
    assert "The link was made by zonesim 0.0.0" in old.inner_text("#notes")


def _told_by(page, out, change):
    """Write a page again with what it knows changed."""
    text = page.read_text(encoding="utf-8")
    head, packed, tail = re.split(r'(?<=id="data-about">)([^<]*)', text, maxsplit=1)
    about = json.loads(zlib.decompress(base64.b64decode(packed)))
    change(about)
    packed = base64.b64encode(zlib.compress(json.dumps(about).encode())).decode()
    out.write_text(head + packed + tail, encoding="utf-8")
    return out


def test_levers_that_do_not_compose_are_not_moved_together(browser, zone, tmp_path):
    """
    The page says so, tells nothing, and asks no more.
    """

    def set_apart(about):
        for plan in about["plans"]:
            plan["apart"] = {"TYP.officers.open": ["TYP.officers"]}

    out = _told_by(zone, tmp_path / "page.html", set_apart)
    page = browser.new_context(offline=True).new_page()
    page.goto(out.as_uri() + "#m=m11&TYP.officers=2&TYP.officers.open=1")
    page.wait_for_selector("body[data-ended=yes][data-complete=no]")

    assert "cannot be combined with Document officers: units on this page" in page.inner_text("#notes")
    assert "no answer to this: 0 of 8 replications" in page.inner_text("#status")


@pytest.mark.parametrize(
    "wrong", ["self.onmessage = 1 / 0 / nothing;", "broken ((", "open = () => { throw Error('cut'); };"]
)
def test_whatever_ends_a_worker_is_told(browser, zone, tmp_path, wrong):
    """
    Workers that cannot begin: code that stops, code that nobody can read, a module that cannot be opened.
    """
    text, out = zone.read_text(encoding="utf-8"), tmp_path / "page.html"
    out.write_text(
        text.replace("let busy = Promise.resolve();", wrong + "let busy = Promise.resolve();"), encoding="utf-8"
    )
    page = browser.new_context(offline=True).new_page()
    page.goto(out.as_uri())
    page.wait_for_selector("body[data-ended=yes]")

    assert "A replication cannot go on (" in page.inner_text("#notes")


@pytest.mark.parametrize("wrong", ["throw Error('cut');", "answer.later = () => 1;"])
def test_whatever_a_worker_throws_is_told(browser, zone, tmp_path, wrong):
    """
    In the middle of a replication, or with an answer that cannot be passed on: the question ends, and says why.
    """
    text, out = zone.read_text(encoding="utf-8"), tmp_path / "page.html"
    marked = "const answer = await replicate"
    assert marked in text
    place = text.index("\n", text.index(marked))
    out.write_text(text[:place] + wrong + text[place:], encoding="utf-8")
    page = browser.new_context(offline=True).new_page()
    page.goto(out.as_uri())
    page.wait_for_selector("body[data-ended=yes]")

    assert "A replication cannot go on (" in page.inner_text("#notes")
    assert "no answer to this: 0 of 8 replications" in page.inner_text("#status")


def test_the_page_is_chinese_and_fits_a_phone(browser, zone):
    """
    In Chinese no word of the page is English; at a phone's width nothing reaches beyond its edge. Every lever has a
    name.
    """
    page = _opened(browser, zone, "#lang=zh", viewport={"width": 390, "height": 800})

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.get_attribute("html", "lang") == "zh-CN"
    for word in ("Difference", "Replications", "Measures", "units", "assumed", "undefined", "NaN"):
        assert word not in page.inner_text("main"), word
    assert page.locator("input[type=range]").count() == page.locator("label input[type=range]").count() > 8


def test_figures_tell_both_arms(browser, zone):
    """
    Queue, distribution, time by demand and the same consignment are drawn.
    """
    page = _opened(browser, zone)
    page.click("#same_start")
    page.wait_for_selector("#same svg")
    page.click("#knee_start")
    page.wait_for_selector("#knee svg")

    for figure in ("queue", "dwell", "same", "knee"):
        assert page.locator(f"#{figure} svg").count() == 1, figure
    assert page.locator("#same svg rect").count() > 6


DEADLOCK = """\
zonesim: 1
kind: scenario
name: crossed
label: {en: Crossed, zh: 交叉}
clock: {measure: 2 d}
zones: {Z: {a: {units: 1, role: dock, label: {en: A, zh: 甲}}, b: {units: 1, role: dock, label: {en: B, zh: 乙}}}}
flows:
  f: {steps: {one: {hold: {d: Z.a}, steps: {first: {take: 5 min}, two: {hold: {d: Z.b}, take: 5 min}}}}}
  g: {steps: {two: {hold: {d: Z.b}, steps: {first: {take: 5 min}, one: {hold: {d: Z.a}, take: 5 min}}}}}
traffic: {a: {flow: f, rate: 4 /h}, b: {flow: g, rate: 4 /h}}
"""


def test_tokens_that_wait_for_each_other_are_no_answer(browser, tmp_path):
    """
    Where the engine ends a run because tokens wait for each other for ever, the page gives no numbers.
    """
    file, out = tmp_path / "crossed.yaml", tmp_path / "page.html"
    file.write_text(DEADLOCK, encoding="utf-8")
    with pytest.raises(RunFault):
        simulate(plan_of_file(file), 1, 0, Reducer(plan_of_file(file)))
    whatif_job(file, [], (), out, "en", "file", 1, lambda _: None)
    page = browser.new_context(offline=True).new_page()
    page.goto(out.as_uri())
    page.wait_for_selector("#notes:has-text('A replication cannot go on (tokens wait for each other)')")
    page.wait_for_selector("body[data-ended=yes]")

    assert page.evaluate("whatif.values()") == [[], []]


def test_labels_are_text(browser, tmp_path):
    """
    Markup, formulas and dollars in labels are shown as they are written.
    """
    file, out = tmp_path / "desks.yaml", tmp_path / "page.html"
    file.write_text(DESKS, encoding="utf-8")
    whatif_job(file, [], (), out, "en", "file", 1, lambda _: None)
    page = _opened(browser, out)

    assert page.inner_text("h1") == "<script>alert(1)</script> =cmd() $x$"
    assert "<i>desk</i>: units" in page.inner_text("#levers")
    assert page.locator("i, b").count() == 0
