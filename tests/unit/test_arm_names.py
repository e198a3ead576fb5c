"""How arms are called: in words of both languages, never as a list of numbers."""

from __future__ import annotations

import pytest

from zonesim.briefing.text.arm_names import ArmNames, NamedArm
from zonesim.briefing.text.words import CHINESE, ENGLISH
from zonesim.policy import Chosen


def names(say, **arms):
    """Return the names of arms with some measures, of which 4, 10 and 11 are all that act."""
    made = [NamedArm(name, {}, tuple(map(Chosen, own))) for name, own in arms.items()]
    return ArmNames(say, made, {"m04", "m10", "m11"})


@pytest.mark.parametrize(
    ("measures", "english", "chinese", "short"),
    [
        ((), "without measures", "不采取措施", "without measures"),
        (("m04", "m10", "m11"), "all measures", "全部措施", "all measures"),
        (
            ("m11",),
            "measure 11: Automatic comparison, automatic release, point-to-point transfer",
            "措施11：数据自动比对、卡口自动核放、点对点流转",
            "measure 11",
        ),
        (
            ("m10", "m08"),
            "measure 10: Simplified entry of goods without declaration and measure 8: Top credit rating at once",
            "措施10：便捷进出区管理，措施8：直接赋予最高信用等级",
            "measures 10, 8",
        ),
        (("m01", "m02", "m03", "m04"), "4 measures together", "4项措施组合", "4 measures together"),
        (
            ("t05",),
            "task 5 of the plan: Two gates become one pool",
            "方案任务5：整合优化：两个卡口合并为一进一出",
            "measure t05",
        ),
    ],
)
def test_an_arm_is_called_by_its_measures(measures, english, chinese, short):
    """
    None and all have words of their own, up to three are named with their labels, more are counted.
    """
    assert names(ENGLISH, a=measures).title("a") == english
    assert names(CHINESE, a=measures).title("a") == chinese
    assert names(ENGLISH, a=measures).short("a") == short


def test_a_label_comes_first_and_names_stay_apart():
    """
    What people call an arm is its name, as is its own name where it has changes of its own; two that would be called
    alike have their own names behind.
    """
    arms = [
        NamedArm("two_lanes", {"en": "Two lanes", "zh": "两条通道"}, ()),
        NamedArm("night_shift", {}, (), edited=True),
        NamedArm("R1", {}, ()),
        NamedArm("R2", {}, ()),
    ]
    found = ArmNames(CHINESE, arms)

    assert [found.title(arm.name) for arm in arms] == [
        "两条通道",
        "night shift",
        "不采取措施（R1）",
        "不采取措施（R2）",
    ]


def test_a_measure_with_parameters_says_so():
    """
    What sets the choice of a measure apart stands behind its label.
    """
    arm = NamedArm("11", {}, (Chosen("m11", (("coverage", "60 %"),)),))

    assert ArmNames(ENGLISH, [arm]).title("11").endswith("point-to-point transfer (coverage 60 %)")


def test_the_legend_tells_every_measure():
    """
    Beside the short name of an arm stand all of its measures.
    """
    ((short, told),) = names(ENGLISH, a=("m01", "m02", "m03", "m04")).legend()

    assert short == "4 measures together"
    assert [text.partition(":")[0] for text in told] == ["measure 1", "measure 2", "measure 3", "measure 4"]
