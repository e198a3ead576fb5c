"""The evaluation of zones: what is told of each, with marks of its sources, and that nothing is scored."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.helper import ROOT
from zonesim.cli import app
from zonesim.faults import Faults
from zonesim.jobs.evaluate import evaluate_job
from zonesim.scenario import check, load_catalogue, read_text
from zonesim.scenario.evaluation import EvaluationDocument

PROVINCE = (ROOT / "scenarios" / "jiangsu_2019.yaml").read_text(encoding="utf-8")
THREE = "".join(line for line in PROVINCE.splitlines(keepends=True) if "like: " not in line)
"""The province with a zone of each size: SIP, NJ, HA."""

TYPICAL = ROOT / "scenarios" / "typical_zone.yaml"


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """Return the file of three zones."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "zonesim.toml").touch()
    (folder / "three.yaml").write_text(THREE, encoding="utf-8")
    return folder / "three.yaml"


def zones(file: Path, arm: str = ""):
    """What is told of the zones of a file, and of each zone."""
    document = evaluate_job(file, (), arm, csv=False).document
    return document, {each["zone"]: each for each in document["zones"]}


def test_indicators_of_a_zone_by_hand(three):
    """
    Suzhou Industrial Park trades 155.6 bn CNY on 5.28 km²; 60 + 100 + 200 + 100 consignments a day cross its second line, for no
    value is known; nine flows of goods pass its gates.
    """
    document, found = zones(three)
    park = found["SIP"]

    assert list(found) == ["SIP", "NJ", "HA"]
    assert park["trade_per_area"]["value"] == pytest.approx(155.6 / 5.28)
    assert park["trade_per_area"]["kind"] == "assumed"
    assert park["second_line"]["value"] == pytest.approx(460, rel=1e-9)
    assert park["second_line"]["volume_a_day"]
    assert sorted(park["active_flows"]) == ["F1", "F1air", "F2", "F2air", "F3", "F4a", "F4b", "F5", "F6"]
    assert "F1air" not in found["HA"]["active_flows"]
    assert (document["time_score"], document["total"]) == (None, None)


def test_who_follows_a_measure_depends_on_arm_and_zone(three):
    """
    In the baseline half of the transfers follow measure 11 in Huai'an and the gate of Suzhou Industrial Park is automatic; in the
    arm with measure 11 its practice is followed there too. Measures that act on nothing that is run are not told.
    """

    def followed(arm: str, zone: str) -> dict[str, tuple[str, float]]:
        return {own["measure"]: (own["practice"], own["share"]) for own in zones(three, arm)[1][zone]["followed"]}

    assert followed("", "HA") == {"m11": ("m11.transfer", 0.5), "m21": ("m21.enter_first", 0.3)}
    assert followed("", "SIP")["m11"][1] == 1
    assert followed("11", "HA")["m11"][1] > 0.5
    assert "m14" not in followed("", "SIP")


def test_a_value_of_the_second_line_is_told_where_a_zone_has_one(tmp_path):
    """
    A setting `second_line_value` takes the place of the volume, with its own source.
    """
    text = THREE.replace(
        "  SIP:\n    from: SIP\n",
        "  SIP:\n    from: SIP\n    second_line_value: {value: 61.5, source: {kind: found, title: a yearbook, body: SIP, confidence: high}}\n",
    )
    (tmp_path / "zonesim.toml").touch()
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    _, found = zones(tmp_path / "s.yaml")

    assert found["SIP"]["second_line"] == {"value": 61.5, "kind": "found", "volume_a_day": False, "at_least": False}
    assert found["NJ"]["second_line"]["volume_a_day"]


def test_what_is_not_known_is_not_told():
    """
    A zone without trade and area has none of them; it is never 0.
    """
    (zone,) = evaluate_job(TYPICAL, (), "", csv=False).document["zones"]

    assert zone["trade"]["value"] is None
    assert zone["trade_per_area"]["value"] is None
    assert zone["second_line"]["value"] > 0


def test_weights_are_those_of_the_methods():
    """
    The trial method weighs its classes 50/20/10/20, that of 2024 the first two 30/35 and the others unknown.
    """
    evaluation = load_catalogue().evaluation
    assert evaluation is not None

    assert {name: dict(each.weights) for name, each in evaluation.methods.items()} == {
        "trial_2020": {"scale": "50 %", "quality": "20 %", "land": "10 %", "outreach": "20 %"},
        "method_2024": {"scale": "30 %", "quality": "35 %"},
    }


def test_the_table_says_what_it_does_not_tell(three):
    """
    In both languages: marks of sources, that volumes stand for values, that there is neither a score of time nor a total.
    """
    english, chinese = (
        CliRunner().invoke(app, ["evaluate", str(three), "--lang", language]).stdout for language in ("en", "zh")
    )

    assert "no score of time: the national method has no indicator of time or of gates" in english
    assert "no total: of the 27 indicators of the trial method of 2020" in english
    assert "29.47*" in english
    assert "not found" in english
    assert "不计时间得分" in chinese
    assert "苏州工业园综合保税区" in chinese
    assert "公布" in chinese


def test_the_table_as_csv_and_json(three):
    """
    CSV and JSON hold the same numbers.
    """
    rows, document = (
        CliRunner().invoke(app, ["evaluate", str(three), "--arm", "11", form]).stdout for form in ("--csv", "--json")
    )
    table = {row["zone"]: row for row in csv.DictReader(io.StringIO(rows))}

    for zone in json.loads(document)["zones"]:
        assert float(table[zone["zone"]]["trade_per_area"]) == zone["trade_per_area"]["value"]
        assert int(table[zone["zone"]]["active_flows"]) == len(zone["active_flows"])
        assert table[zone["zone"]]["arm"] == "11"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("classes: {a: {en: a}}\nmethods: {m: {label: {en: m}, weights: {a: 60 %, b: 50 %}, source: plan}}\nindicators: {}\n", "the weights add up to 110 %\n    They are at most 100 % together."),
        ("classes: {a: {en: a}}\nmethods: {m: {label: {en: m}, weights: {b: 50 %}, source: plan}}\nindicators: {}\n", "no class of indicators 'b'\n    Name it under `classes`."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_evaluation(body, message):
    """
    Weights beyond all and classes that nobody names are refused in words.
    """
    document = read_text(f"zonesim: 1\nkind: evaluation\nname: own\n{body}", "own.yaml")
    with pytest.raises(Faults) as caught:
        check(EvaluationDocument, document.tree, document.places, document.keys, file="own.yaml")

    assert message in str(caught.value)
