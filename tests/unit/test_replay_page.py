"""The page of a replay in a browser with the network off: what it shows, what it counts, hands and keys."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.helper import RowLog, plan_of_world
from zonesim.engine import simulate
from zonesim.jobs.replay import Asked, replay_job
from zonesim.policy import arm_named, world_of
from zonesim.scenario import read_text
from zonesim.tracing.day import curve_of, day_numbered
from zonesim.units import HOUR, MINUTE

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = pytest.mark.slow

GATE = """\
zonesim: 1
kind: scenario
name: gate
label: {en: A small gate, zh: 小型卡口}
clock: {start: "2018-09-03", warm_up: 1 d, measure: 5 d, cool_down: 2 d}
zones:
  Z:
    label: {en: "Zone <i>Z</i>", zh: 小型综保区}
    lanes_in: {units: 1, role: lane, label: {en: Gate in, zh: 进区卡口}}
    lanes_out: {units: 1, role: lane, label: {en: Gate out, zh: 出区卡口}}
    gate_officers: {units: 2, role: officer, label: {en: Gate officers, zh: 卡口关员}}
    exception_desk: {units: 1, role: officer, label: {en: Exception desk, zh: 异常处置台}}
    docks: {units: 20, role: dock, label: {en: Docks, zh: 装卸月台}}
    yard: {units: 20, role: yard, label: {en: Yard bays, zh: 场站车位}}
firms: {count: 10, credit: {AEO: 40 %, ordinary: 60 %}}
truth: {papers_wrong: {all: 5 %, label: {en: Papers wrong, zh: 单证有误}}}
traffic: {visits: {flow: visit, with: {zone: Z, vehicle: freight, yard: detour}, rate: 250 /d, profile: plant_day}}
"""


@pytest.fixture(scope="module")
def browser():
    """Return a browser, or skip and say what is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM} (Debian: chromium)")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Return the page of a small gate without and with measure 11, on the second day."""
    folder = tmp_path_factory.mktemp("replay")
    (folder / "gate.yaml").write_text(GATE, encoding="utf-8")
    replay_job(Asked(folder / "gate.yaml", (), ("R1", "11"), 2, (), None, 0), "en", folder / "page.html", folder)
    return folder / "page.html"


@pytest.fixture
def page(browser, file):
    """Return the open page, at a desk, with the network off; no error and no request may come."""
    yield from _opened(browser, file, {"width": 1366, "height": 900})


@pytest.fixture
def phone(browser, file):
    """Return the open page on a phone whose owner wants little motion."""
    yield from _opened(browser, file, {"width": 390, "height": 844}, reduced_motion="reduce", has_touch=True)


def _opened(browser, file, viewport, **more):
    context = browser.new_context(viewport=viewport, offline=True, accept_downloads=True, **more)
    page = context.new_page()
    wrong, asked = [], []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_function("window.replay")
    yield page
    context.close()

    assert wrong == []
    assert [url for url in asked if not url.startswith("blob:")] == [file.as_uri()]


def _row(page, counter, arm):
    cells = page.locator("#numbers tbody").nth(counter).locator("tr").nth(arm).locator("td").all_inner_texts()
    return cells[1:4]


def test_the_numbers_of_the_page_are_those_of_the_visits(page):
    """
    At any moment the table says of each counter and arm what the visits say: in line, units in use, and the mean wait of those served since the day began.
    """
    world = world_of(read_text(GATE, "gate.yaml"))
    for number, arm in enumerate(("R1", "11")):
        plan = plan_of_world(world.copy(), arm=arm_named(world, arm))
        log = RowLog()
        simulate(plan, 1, 0, log)
        day = day_numbered(plan, 2)
        names = page.evaluate("replay.doc.counters.map((each) => each.name)")
        resources = [str(each) for each in plan.names.resources]
        for moment in (day.begin, day.begin + 10 * HOUR, day.begin + 15 * HOUR + 7 * MINUTE, day.end - 1):
            page.evaluate("(time) => replay.go(time)", moment)
            for counter, name in enumerate(names):
                curve = curve_of(plan, log.visits, resources.index(name), day.begin, day.end)
                queue, used, served, waited = curve.at(moment)
                shown = _row(page, counter, number)
                assert shown[0] == str(queue)
                assert shown[1].startswith(f"{used} of ")
                assert (shown[2] == "–") == (served == 0)
                if served:
                    assert shown[2] == page.evaluate("(ms) => spanOf(ms, replay.say)", _whole(waited / served))


def _whole(mean):
    return round(mean) if mean < 1000 else mean


def test_who_stands_in_the_picture_stands_in_line(page):
    """
    Of a counter that is the only one asked for at its steps, as many tokens stand in line in the picture as the table counts.
    """
    page.evaluate("replay.goWorst()")
    told = page.evaluate("replay.arms.map((arm) => castAt(arm, replay.doc, replay.time, []).atCounter[0].line.length)")

    assert [str(each) for each in told] == [_row(page, 0, arm)[0] for arm in (0, 1)]
    assert told[0] > 0


def test_a_click_tells_the_story_on_both_sides(page):
    """
    A truck that is clicked is marked in both pictures, and its story stands beside each other, with labels as text.
    """
    page.evaluate("replay.goWorst()")
    at = page.evaluate("[...replay.painter.drawn[0].values()][0]")
    page.locator("#stage0").click(position={"x": at["x"], "y": at["y"]})
    who = page.evaluate("replay.view.marked")

    assert who >= 0
    assert page.locator("#story .side").count() == 2
    assert (
        page.locator("#story h3").inner_text().startswith(page.evaluate("(who) => replay.nameOf({who, child: 0})", who))
    )
    for side in (0, 1):
        assert "arrives" in page.locator("#story .side").nth(side).inner_text()
    assert page.locator("i:not(.legend i)").count() == 0
    page.keyboard.press("Escape")
    assert page.locator("#story").is_hidden()


def test_keys_play_pause_step_and_switch(page):
    """
    Space plays and pauses, arrows go a minute, Shift ten, w to the worst hour, + is faster, l is the other language, and all labels change with it.
    """
    begin = page.evaluate("replay.time")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate("replay.time") == begin + 11 * MINUTE
    page.keyboard.press("+")
    assert page.locator("#speed").input_value() == "20"
    page.keyboard.press("Space")
    page.wait_for_timeout(400)
    page.keyboard.press("Space")
    stopped = page.evaluate("replay.time")
    assert stopped > begin + 11 * MINUTE
    page.wait_for_timeout(100)
    assert page.evaluate("replay.time") == stopped
    page.keyboard.press("w")
    assert page.evaluate("replay.time") % HOUR == 0
    page.keyboard.press("l")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.locator("#play").inner_text() == "播放"
    assert "进区卡口" in page.locator("#numbers").inner_text()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_is_left_unsaid(page, language):
    """
    In either language no word is missing, and every control has a name for those who hear the page.
    """
    if language == "zh":
        page.locator("#language").click()
    page.evaluate("replay.goLongest()")
    text = page.locator("body").inner_text()

    assert "undefined" not in text
    assert "{" not in text
    for control in page.locator("button, select, input").all():
        if control.is_visible():
            named = control.evaluate(
                "(each) => each.getAttribute('aria-label') || each.innerText || (each.labels && each.labels[0].textContent)"
            )
            assert named
    for canvas in page.locator("canvas").all():
        assert len(canvas.get_attribute("aria-label")) > 5
    page.locator("#describe").click()
    assert ("in line" if language == "en" else "排队") in page.locator("#told").inner_text()


def test_on_a_phone(phone):
    """
    Nothing is wider than the phone; who wants little motion sees a picture a second, not a film.
    """
    phone.evaluate("replay.goLongest()")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    begin = phone.evaluate("replay.time")
    phone.evaluate("replay.setPlaying(true)")
    phone.wait_for_timeout(500)
    assert phone.evaluate("replay.time") == begin
    phone.wait_for_timeout(900)
    assert phone.evaluate("replay.time") == begin + 10 * MINUTE
    phone.locator("#language").tap()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_frame_is_saved(page, tmp_path):
    """
    The frame is a picture of 1920 by 1080, named after scenario, run, day and time, and no empty one.
    """
    page.evaluate("replay.goWorst()")
    with page.expect_download() as coming:
        page.locator("#save").click()
    name = coming.value.suggested_filename
    coming.value.save_as(tmp_path / "frame.png")
    data = (tmp_path / "frame.png").read_bytes()

    assert struct.unpack(">II", data[16:24]) == (1920, 1080)
    assert name.startswith(f"gate_{page.evaluate('replay.doc.run')}_2018-09-05_")
    assert len(data) > 30_000


def test_find_by_name(page):
    """
    A consignment is found by its name; one that is not there on the day is told.
    """
    name = page.evaluate("replay.nameOf({who: 3, child: 0})")
    page.locator("#find").fill(name)
    page.locator("#find").press("Enter")
    assert page.evaluate("replay.view.marked") == 3
    page.locator("#find").fill("visits#999999")
    page.locator("#find_go").click()
    assert page.locator("#told").inner_text() == "visits#999999 is not there on this day."
