"""What the flows of special goods and of retail parcels promise: the order of their steps, failure paths, ledgers."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helper import ROOT, Timeline, column, kpis, plan_of_file, run_plan

GOODS = ROOT / "scenarios" / "goods.yaml"
DAYS = ("clock.warm_up=0 d", "clock.measure=14 d", "clock.cool_down=40 d")
QUIET = tuple(f"traffic.{entry}.rate=0.1 /d" for entry in ("orders", "freight", "freight_zjg"))
UNFIT = (
    *("truth.parcel_irregular.all=100 %", "library.F7b.inspect.share=10 %", "truth.plants_unfit.all=50 %"),
    *("truth.food_unfit.all=50 %", "truth.irregular.ordinary=50 %", "truth.irregular.AEO=50 %"),
)
"""Much is irregular or unfit, so that few goods show what becomes of it."""
DAY = 24 * 60


def timeline(*settings: str) -> Timeline:
    """Return a run of two weeks of arrivals and what becomes of them."""
    return run_plan(plan_of_file(GOODS, *DAYS, *QUIET, *settings))


@pytest.fixture(scope="module")
def line() -> Timeline:
    """Two weeks in which much is irregular or unfit."""
    return timeline(*UNFIT, "traffic.cars.rate=0.01 /d")


def by_consignment(line: Timeline, mark: str, entry: str) -> dict[str, float]:
    """Return when the last token of each consignment of an entry that came in the two weeks reached a mark (minutes)."""
    came = {name for name, when in line.marks("arrived").items() if when < 14 * DAY}
    found: dict[str, float] = {}
    for name, when in line.marks(mark).items():
        whose = name.partition("/")[0]
        if whose.rstrip("0123456789") == entry and whose in came:
            found[whose] = max(when, found.get(whose, 0))
    return found


def test_parcels_sent_abroad_are_released_one_by_one_and_leave_together(line):
    """
    A van's parcels come through the gate together, are declared and released each for itself, and trucks with many of them leave; who is
    irregular and found is seized and does not go abroad.
    """
    marks = {
        mark: by_consignment(line, mark, "parcels_abroad")
        for mark in ("in_zone", "declared", "released", "inspected", "seized", "out_of_zone")
    }
    trucks = set(marks["out_of_zone"].values())

    assert len(marks["out_of_zone"]) > 1_500
    assert 0.07 < len(marks["inspected"]) / len(marks["declared"]) < 0.13
    assert 0.8 < len(marks["seized"]) / len(marks["inspected"]) < 0.98
    assert not set(marks["seized"]) & set(marks["out_of_zone"])
    assert all(marks["in_zone"][name] < when for name, when in marks["released"].items())
    assert len(trucks) < len(marks["out_of_zone"]) / 5


def test_plants_wait_for_the_laboratory_at_the_port(line):
    """
    Plant and animal products are in quarantine, sampled and tested before they leave the port, at least 3 d; what fails (here half) never comes.
    """
    marks = {
        mark: by_consignment(line, mark, "plants")
        for mark in ("inspected", "tested", "refused", "port_left", "in_zone")
    }

    assert len(marks["tested"]) > 25
    assert all(marks["tested"][name] - when >= 3 * DAY for name, when in marks["inspected"].items())
    assert 0.25 < len(marks["refused"]) / len(marks["tested"]) < 0.75
    assert set(marks["refused"]) | set(marks["in_zone"]) == set(marks["tested"])
    assert not set(marks["refused"]) & set(marks["in_zone"])
    assert all(marks["tested"][name] <= when for name, when in marks["port_left"].items())


def test_food_that_is_sampled_waits_in_the_zone(line):
    """
    All milk powder is sampled and one usual batch in five; these wait in the zone for the certificate, at least 5 d, and what fails
    is destroyed there and taken off the ledger.
    """
    sampled = {entry: by_consignment(line, "inspected", entry) for entry in ("food", "milk_powder")}
    inside = {entry: by_consignment(line, "posted", entry) for entry in sampled}
    sale = {entry: by_consignment(line, "for_sale", entry) for entry in sampled}
    refused = by_consignment(line, "refused", "milk_powder")

    assert set(sampled["milk_powder"]) == set(inside["milk_powder"])
    assert 0.05 < len(sampled["food"]) / len(inside["food"]) < 0.35
    for entry, found in sampled.items():
        for name, when in sale[entry].items():
            assert when == inside[entry][name] or when - found[name] >= 5 * DAY
    assert 0.25 < len(refused) / len(inside["milk_powder"]) < 0.75
    assert not set(refused) & set(sale["milk_powder"])
    assert set(refused) <= set(line.marks("ledger.debited")) | set(line.marks("GDS.ledger.debited"))


def test_vaccines_are_all_opened_at_the_airport(line):
    """
    Every consignment of vaccines is opened for 1 to 4 d before it is picked up; what is irregular and found is sent back.
    """
    checks = np.array([end - start for _, start, end in line.visits("check").values() if end > 0]) / DAY
    came, refused = (by_consignment(line, mark, "vaccines") for mark in ("in_zone", "refused"))

    assert len(checks) > 25
    assert checks.min() >= 1
    assert checks.max() <= 4
    assert 0.2 < len(refused) / (len(came) + len(refused)) < 0.7
    assert not set(came) & set(refused)


def test_a_car_is_taxed_when_it_lands():
    """
    Cars come by the shipload, queue for their inspection in office hours, and are taxed within days of landing, long before anybody buys them.
    """
    line = timeline("traffic.cars.rate=0.5 /d", "library.F14.sale.take=20 d", "traffic.parcels_abroad.rate=0.1 /d")
    arrived = line.marks("arrived")
    taxed, sold = (by_consignment(line, mark, "cars") for mark in ("taxed", "sold"))
    deferred = np.array([when - arrived[name] for name, when in taxed.items()]) / DAY
    waits = np.array([start - queued for queued, start, _ in line.visits("inspect").values()])

    assert len(sold) > 200
    assert np.mean(deferred) < 8
    assert all(sold[name] - taxed[name] > 10 * DAY for name in sold)
    assert np.mean(waits > 60) > 0.5


@pytest.mark.slow
def test_levels_are_of_the_size_that_was_written_down_first():
    """
    The comments of the flows say how long each lasts if it is real: parcels abroad 6 h, plants 10 to 13 d, usual food 5 d and milk powder 14 d,
    vaccines 3 d, cars 70 to 80 d.
    """
    found = kpis(plan_of_file(GOODS), replications=4)

    def hours(kpi: str) -> float:
        return float(column(found, f"{kpi}.dwell.mean").mean())

    assert 4 < hours("F7b") < 8
    assert 10 < hours("F11") / 24 < 13
    assert 4.5 < hours("food") / 24 < 6.5
    assert 12 < hours("milk_powder") / 24 < 16
    assert 2.5 < hours("F13") / 24 < 4
    assert 70 < hours("F14") / 24 < 80
