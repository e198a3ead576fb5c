"""What declarations of KPIs may say, and the words in which a wrong one is refused."""

from __future__ import annotations

import pytest

from zonesim.faults import Faults
from zonesim.kpi import definitions
from zonesim.scenario import check, read_text
from zonesim.scenario.kpis import KpisDocument, limit_of, quantile_of

HEAD = "zonesim: 1\nkind: kpis\nname: own\nkpis:\n  k:\n"

LIBRARY = {
    "flow": (
        "dwell.mean dwell.median dwell.p90 dwell.p95 dwell.within_24h dwell.within_48h dwell.missing clearance.mean"
        " clearance.p95 customs.mean customs.p95 customs.within_24h declarations.day pending.mean inspected.rate"
        " stage.mean stay.mean stay.p95 stay.missing inside.mean arrived.day completed.day truck_hours.day"
    ),
    "step": (
        "wait.mean wait.p95 wait.share service.mean stay.mean visits.day open.share gave_up.share wait_all.mean"
        " interruptions.day interrupted.mean"
    ),
    "gate": (
        "lane.mean wait.mean wait.p95 queue_and_lane.mean pass.mean pass.median pass.p95 pass.missing passes.day"
        " exceptions.rate manual.rate automatic.rate"
    ),
    "resource": "availability utilisation queue.mean queue.peak busy_hours.day load",
    "account": "level.mean level.end credited.day debited.day",
    "truth": "missed.share missed.day caught.share caught.day cases.day false_stops.rate",
    "all": "officer_hours.day truck_hours.day",
}
"""The KPIs of the library by scope, in the order in which they are told."""

WRONG = {
    "nothing that is measured": (
        "better: lower",
        "exactly one of time, stages, share, count, inside, visits, resource, account, truth, hours, cost is due, found"
        " none\n    Write e.g. time: {from: called, to: served}.",
    ),
    "two things that are measured": ("visits: wait\n    count: {mark: a}", "found count and visits\n"),
    "a scope that it has not": (
        "visits: wait\n    scope: all",
        "'visits' is not told of the scope 'all'\n    Write `scope: step or gate`.",
    ),
    "a statistic that it has not": (
        "visits: service\n    statistics: {p95: {}}",
        "no statistic 'p95' of visits service\n    Of this there are: mean.",
    ),
    "a share of both": (
        "share: {marked: a, unmarked: b}",
        "a share is of those marked or of those unmarked\n    Write {marked: inspected}.",
    ),
    "a share of those without a mark in a flow": (
        "share: {unmarked: a}\n    statistics: {rate: {}}",
        "a share of those without a mark is told at a gate only\n    Write {marked: …}.",
    ),
    "stages that end elsewhere": (
        "stages: {through: [a, b], to: c}",
        "the way through a, b has no 'c'\n    End at one of its marks.",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_declaration_is_refused_in_words(case):
    """
    A declaration that does not fit together says what is wrong with it, and what would be right.
    """
    body, expected = WRONG[case]
    statistics = "" if "statistics:" in body else "\n    statistics: {mean: {}}"
    document = read_text(f"{HEAD}    {body}{statistics}\n", "own.yaml")
    with pytest.raises(Faults) as found:
        check(KpisDocument, document.tree, document.places, document.keys, file="own.yaml")

    assert expected in str(found.value)
    assert str(found.value).startswith("own.yaml:")


def test_the_library_declares_the_kpis_that_it_always_had():
    """
    Scope by scope the library has these KPIs in this order; ids that people use in files keep their meaning.
    """
    found: dict[str, list[str]] = {}
    for each in definitions():
        found.setdefault(each.scope, []).append(each.what)

    assert {scope: " ".join(names) for scope, names in found.items()} == LIBRARY


def test_every_kpi_has_words_in_both_languages():
    """
    Each statistic of the library has a label and a definition in English and in Chinese.
    """
    for each in definitions():
        assert each.en != each.zh, each.what
        assert each.meaning, each.what
        assert each.meaning_zh not in {"", each.meaning}, each.what


def test_statistics_say_their_share_and_their_limit():
    """
    A percentile is a share below it, a limit a number of ms; other statistics are neither.
    """
    assert (quantile_of("median"), quantile_of("p95"), quantile_of("mean"), quantile_of("p100")) == (
        0.5,
        0.95,
        None,
        None,
    )
    assert limit_of("within_10min") == (10, "min", 600_000)
    assert (limit_of("within_2h"), limit_of("within_0h"), limit_of("within_1week")) == ((2, "h", 7_200_000), None, None)
