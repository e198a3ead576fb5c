"""Arms as experiments write them: measures with parameters, a start and zones, and what can be wrong with them."""

from __future__ import annotations

import pytest

from tests.helper import ROOT
from zonesim.faults import Faults
from zonesim.policy import Arm, Chosen, arm_from, load_world, resolve
from zonesim.scenario import read_text

TYPICAL = ROOT / "scenarios" / "typical_zone.yaml"


def written(text: str) -> Arm:
    """Return the arm whose list of measures is `text`, as an experiment file gives it."""
    document = read_text(f"arms:\n  a: {text}\n", "demand.yaml")
    return arm_from("a", document.tree["arms"]["a"], load_world(TYPICAL), document, ("arms", "a"))


def test_a_measure_is_chosen_by_name_or_number():
    """
    Both forms mean the same, with or without parameters; an empty list is an arm without measures.
    """
    both = (Chosen("m10"), Chosen("m11"))

    assert written("[m10, 11]") == Arm("a", both)
    assert written("[{10: {}}, m11]") == Arm("a", both)
    assert written("[]") == Arm("a")
    assert written('[{m11: {coverage: 60 %, start: "2018-10-08", zones: [TYP]}}]') == Arm(
        "a", (Chosen("m11", (("coverage", "60 %"),), "2018-10-08", ("TYP",)),)
    )


def test_a_parameter_of_an_arm_sets_the_share():
    """
    `coverage: 60 %` is followed by 60 % where the library's own value is 90 %, and the other arm keeps that.
    """
    world = load_world(TYPICAL)

    assert resolve(world, written("[{m11: {coverage: 60 %}}]")).shares["m11.gate"] == 0.6
    assert resolve(world, written("[m11]")).shares["m11.gate"] == 0.9


def test_a_value_outside_its_bounds_is_allowed_and_said():
    """
    The bounds of a parameter are doubt, no law: what lies outside runs, with a warning.
    """
    world = load_world(TYPICAL)

    assert resolve(world, written("[{m11: {coverage: 70 %}}]")).warnings == []
    assert resolve(world, written("[{m11: {coverage: 100 %}}]")).warnings == [
        "measure m11: coverage 100 % lies outside the doubt about it, 60 % to 98 %"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("m11", "demand.yaml:2:6: arm 'a' must be a list of measures, found 'm11'\n    Write [m11], or [] for the baseline."),
        ("[m99]", "demand.yaml:2:7: no measure 'm99' in the library"),
        ("[[m11]]", "demand.yaml:2:7: expected a measure, found a list\n    Write m11, or {m11: {coverage: 60 %}}."),
        ("[{m11: 60 %}]", "demand.yaml:2:13: what is said of measure 'm11' must be a mapping, found '60 %'\n    Write {m11: {coverage: 60 %}}."),
        ("[{m11: {coverge: 60 %}}]", "demand.yaml:2:23: measure 'm11' has no parameter 'coverge'\n    Did you mean 'coverage'?"),
        ("[{m11: {coverage: 60 h}}]", "demand.yaml:2:24: parameter 'coverage' of measure 'm11': '60 h' is a duration, but a share is due\n    Write a share such as '5 %'."),
        ("[{m11: {coverage: 160 %}}]", "demand.yaml:2:24: parameter 'coverage' of measure 'm11': '160 %' is more than 100 %\n    A share lies between 0 % and 100 %."),
        ("[m11, {11: {coverage: 60 %}}]", "demand.yaml:2:17: measure 'm11' stands twice in arm 'a'\n    Keep one of them."),
        ("[{m11: {start: 3}}]", "demand.yaml:2:21: expected a date, found '3'\n    Write a date such as \"2018-10-08\"."),
        ('[{m11: {start: "2018-13-08"}}]', "demand.yaml:2:21: expected a date, found '2018-13-08'\n    Write a date such as \"2018-10-08\"."),
        ('[{m11: {start: "2018-09-02"}}]', "demand.yaml:2:21: measure 'm11' starts on 2018-09-02, outside the run\n    The run lasts from 2018-09-03 to 2018-11-11."),
        ('[{m11: {start: "2018-11-12"}}]', "demand.yaml:2:21: measure 'm11' starts on 2018-11-12, outside the run\n    The run lasts from 2018-09-03 to 2018-11-11."),
        ("[{m11: {zones: SIP}}]", "demand.yaml:2:21: expected a list of zones, found 'SIP'\n    Write zones: [SIP], or leave it out for all zones."),
        ("[{m11: {zones: []}}]", "demand.yaml:2:21: no zones are listed\n    Write zones: [SIP], or leave it out for all zones."),
        ("[{m11: {zones: [TYPE]}}]", "demand.yaml:2:21: no zone 'TYPE' in the scenario, to which measure 'm11' is limited\n    Did you mean 'TYP'?"),
        ("[{m11: {zones: [PARTNER]}}]", "demand.yaml:2:21: zone 'PARTNER', to which measure 'm11' is limited, lies outside the model\n    Name zones that are not `outside: true`."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_arm(text, message):
    """
    Each fault stands at its place and says what would be right.
    """
    with pytest.raises(Faults) as caught:
        written(text)

    assert str(caught.value).startswith(message)


def test_all_faults_of_an_arm_are_said_at_once():
    """
    A wrong parameter and a wrong zone of one measure, and an unknown measure beside it, are three faults.
    """
    with pytest.raises(Faults) as caught:
        written("[{m11: {coverage: 60 h, zones: [TYPE]}}, m99]")

    assert len(caught.value.faults) == 3


def test_a_parameter_from_the_command_line_is_checked_too():
    """
    A value of `--set` that is of another kind is a fault at `--set`.
    """
    from zonesim.policy import apply, parse_setting

    world = load_world(TYPICAL)
    apply(world, [parse_setting("measures.m10.coverage=9 h")])
    with pytest.raises(Faults) as caught:
        resolve(world, Arm("11", (Chosen("m11"),)))

    assert str(caught.value) == (
        "--set measures.m10.coverage=9 h: parameter 'coverage' of measure 'm10': '9 h' is a duration, but a share is due\n"
        "    Write a share such as '5 %'."
    )


@pytest.mark.parametrize(
    ("text", "name", "measures"),
    [
        ("", "R1", ()),
        ("R1", "R1", ()),
        ("11", "11", (Chosen("m11"),)),
        ("m10+m11", "10+11", (Chosen("m10"), Chosen("m11"))),
        ("{m11: {coverage: 60 %}}", "11 (coverage 60 %)", (Chosen("m11", (("coverage", "60 %"),)),)),
        (
            "[m10, {m11: {start: 2018-10-08, zones: [TYP]}}]",
            "10+11 (from 2018-10-08, in TYP)",
            (Chosen("m10"), Chosen("m11", (), "2018-10-08", ("TYP",))),
        ),
    ],
)
def test_an_arm_on_the_command_line(text, name, measures):
    """
    Numbers and names joined by +, or a list as in an experiment file; its name says what is special.
    """
    from zonesim.policy import arm_named

    assert arm_named(load_world(TYPICAL), text) == Arm(name, measures)


def test_what_is_wrong_with_an_arm_on_the_command_line():
    """
    The place is the option.
    """
    from zonesim.policy import arm_named

    with pytest.raises(Faults) as caught:
        arm_named(load_world(TYPICAL), "{m11: {zones: [TYPE]}}")
    assert str(caught.value).endswith(
        "no zone 'TYPE' in the scenario, to which measure 'm11' is limited\n    Did you mean 'TYP'?"
    )
    assert str(caught.value).startswith("--arm {m11: ")


def test_show_says_where_and_from_when():
    """
    The shares, the changes and the process map of an arm tell its zones and its start; the copy of one entry has a map of its own.
    """
    from zonesim.jobs.show import show_text

    text = show_text(
        TYPICAL,
        ["traffic.transfer_in.flow.close.take=1 h"],
        "{m11: {coverage: 70 %, start: 2018-10-08, zones: [TYP]}}",
        "F5",
    )
    lines = text.splitlines()

    assert lines[0] == "m11: coverage 70 %, from 2018-10-08, in TYP"
    assert any(
        line.split() == ["m11.transfer", "50", "%", "70", "%", "from", "2018-10-08", "(before:", "50", "%)"]
        for line in lines
    )
    assert "m11.transfer, from" in text
    assert "Zone-to-zone transfer  <m11.transfer 70 % from 2018-10-08 (before: 50 %)>" in text
    assert any(line.startswith("traffic.transfer_in: R1") for line in lines)
    assert any(line.startswith("traffic.transfer_in.flow.close.take") and " 1 h " in line for line in lines)
