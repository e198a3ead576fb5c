"""Generated demand: the law of gravity between zones, and zones that take over facts and entries."""

from __future__ import annotations

import pytest

from tests.helper import HEAD, kpis, plan_of, plan_of_world
from zonesim.faults import Faults
from zonesim.policy import apply, parse_setting, register, world_of
from zonesim.policy.demand import Site, great_circle, pairs
from zonesim.scenario import load_catalogue, read_text
from zonesim.scenario.traffic import Gravity
from zonesim.units import DAY

SCENARIO = """
clock: {measure: 2 d}
zones:
  KS: {from: KS, dock: {units: 3}}
  SIP: {from: SIP, like: KS, outside: true}
  WX: {from: WX, like: KS, trade: {value: 75}}
flows:
  haul: {params: {sender: zone, receiver: zone, km: distance}, steps: {load: {hold: {d: $sender.dock}, take: 1 min}, drive: {take: {distance: $km, speed: 45 km/h}}}}
traffic:
  transfers:
    flow: haul
    with: {sender: $from, receiver: $to, km: $km}
    generate: {gravity: {zones: [KS, SIP, WX], total: 90 /d}}
    label: {en: Transfers, zh: 流转}
    source: assumed
"""


def _world(text=SCENARIO, *settings):
    world = world_of(read_text(HEAD + text, "timeline.yaml"))
    apply(world, [parse_setting(setting) for setting in settings])
    return world


def _rates(world):
    return {name: float(entry["rate"].removesuffix(" /d")) for name, entry in world.tree["traffic"].items()}


def test_the_roads_of_the_library_are_those_of_the_table():
    """
    Great circle times 1.3 between the library's positions gives the published table of roads, to a kilometre.
    """
    zones = load_catalogue().zones
    sites = {name: Site(name, 1.0, zone["lat"]["value"], zone["lon"]["value"]) for name, zone in zones.items()}
    table = {
        "SIP KS": 30,
        "SIP WX": 52,
        "SIP NJ": 245,
        "KS WX": 76,
        "KS TC": 39,
        "WX ZJG": 62,
        "NJ NT": 236,
        "TC CS": 43,
    }

    assert len(zones) == 21
    for names, km in table.items():
        one, other = names.split()
        assert 1.3 * great_circle(sites[one], sites[other]) == pytest.approx(km, abs=1.0)


def test_shares_follow_weight_and_distance():
    """
    Three zones on the equator, the middle one twice as heavy: shares by hand, both directions, together 1.
    """
    sites = [Site("a", 1, 0, 0), Site("b", 2, 0, 1), Site("c", 1, 0, 2)]
    found = {(pair.sender, pair.receiver): pair.share for pair in pairs(sites, Gravity(total="1 /d"))}

    # a-b and b-c: 2 / 1 each; a-c: 1 / 2; both directions: 2 * (2 + 2 + 0.5) = 9.
    assert found["a", "b"] == found["b", "a"] == pytest.approx(2 / 9)
    assert found["c", "a"] == pytest.approx(0.5 / 9)
    assert sum(found.values()) == pytest.approx(1)


def test_no_exponent_no_distance_and_a_cut():
    """
    With exponent 0 only weights count; beyond the cut nobody exchanges; `through` keeps the pairs of one zone.
    """
    sites = [Site("a", 1, 0, 0), Site("b", 2, 0, 1), Site("c", 3, 0, 2)]

    def shares(**law):
        return {pair.sender + pair.receiver: pair.share for pair in pairs(sites, Gravity(total="1 /d", **law))}

    assert shares(exponent=0)["ac"] == pytest.approx(3 / 22)
    assert set(shares(beyond="200 km")) == {"ab", "ba", "bc", "cb"}
    assert set(shares(through=["a"])) == {"ab", "ac", "ba", "ca"}
    assert sum(shares(through=["a"]).values()) == pytest.approx(1)


def test_one_entry_becomes_one_for_each_way():
    """
    Six entries, whose rates add up to the total, with the road as an argument, each written where the template stands.
    """
    world = _world()
    entry = world.tree["traffic"]["transfers_SIP_KS"]

    assert sorted(world.tree["traffic"]) == sorted(
        f"transfers_{one}_{other}" for one in ("KS", "SIP", "WX") for other in ("KS", "SIP", "WX") if one != other
    )
    assert sum(_rates(world).values()) == pytest.approx(90, rel=1e-5)
    assert entry["with"] == {"sender": "SIP", "receiver": "KS", "km": "30.5 km"}
    assert entry["label"] == {
        "en": "Transfers: Suzhou Industrial Park to Kunshan",
        "zh": "流转：苏州工业园综合保税区 至 昆山综合保税区",
    }
    assert str(world.place(("traffic", "transfers_SIP_KS", "rate"))) == "timeline.yaml:16:55"


def test_a_generated_entry_is_like_a_written_one():
    """
    Each has a stream of its own, edits of all rates reach it, and its rate stands in the register with its source.
    """
    world = _world(SCENARIO, "traffic.*.rate=12 /d")
    plan = plan_of_world(world)

    assert len(plan.names.sources) == 6
    assert len({tuple(row) for row in plan.source_streams.tolist()}) == 6
    assert set(plan.rates["rate"]) == {12 / DAY}
    assert {entry.kind for entry in register(world) if entry.path[0] == "traffic"} == {"assumed"}


def test_generated_entries_are_told_as_one():
    """
    Beside another entry of the same flow, results name the template, not each of its pairs.
    """
    extra = "  other: {flow: haul, with: {sender: KS, receiver: WX, km: 1 km}, rate: 9 /d}\n"
    values = kpis(plan_of(SCENARIO + extra))[0].values

    assert {name.partition(".")[0] for name in values if name.endswith("stay.mean")} == {"haul", "transfers", "other"}
    assert values["transfers.completed.day"] + values["other.completed.day"] == pytest.approx(
        values["haul.completed.day"]
    )


def test_doubt_of_the_total_is_doubt_of_each_rate():
    """
    An uncertain total gives rates that are uncertain in the same proportion.
    """
    world = _world(SCENARIO.replace("total: 90 /d", "total: {uncertain: [45 /d, 90 /d, 180 /d]}"))
    low, mode, high = (
        float(text.removesuffix(" /d")) for text in world.tree["traffic"]["transfers_KS_WX"]["rate"]["uncertain"]
    )

    assert (low / mode, high / mode) == pytest.approx((0.5, 2), rel=1e-4)


def test_what_a_zone_takes_over():
    """
    `like` gives resources and settings that the zone lacks, `from` the facts of the library; the zone's own stay.
    """
    world = _world()
    zones = world.tree["zones"]

    assert zones["SIP"]["dock"]["units"] == 3
    assert zones["SIP"]["trade"]["value"] == 155.6
    assert zones["WX"]["trade"]["value"] == 75
    assert zones["SIP"]["label"]["zh"] == "苏州工业园综合保税区"
    assert zones["SIP"]["near_port_km"]["value"] == "68 km"
    assert str(world.place(("zones", "SIP", "dock", "units"))) == "timeline.yaml:7:32"
    assert str(world.place(("zones", "SIP", "lat", "value"))).startswith("library/zones.yaml:")


def test_an_argument_from_a_zone():
    """
    `$from.near_port_km` in the arguments of a template is the sender's road to its port.
    """
    world = _world(SCENARIO.replace("km: $km}", "km: $from.near_port_km}"))

    assert world.tree["traffic"]["transfers_KS_SIP"]["with"]["km"] == "42 km"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("[KS, SIP, WX]", "[KS, SIP, XW]", "16:43: no zone 'XW'\n    Did you mean 'WX'?"),
        ("total:", "through: [NJ], total:", "'NJ' is none of the zones that exchange\n    Known: KS, SIP, WX."),
        (
            "total:",
            "weight: gold, total:",
            "zone 'KS' has no number 'gold'\n    Give it `gold: {value: …}`, or take it over",
        ),
        ("total:", "beyond: 20 km, total:", "16:25: no two of these zones exchange anything\n    Raise `beyond`"),
        ("km: $km", "km: $mk", "15:46: '$mk' stands for nothing here\n    Known: $from, $to, $km."),
        ("km: $km", "km: $to.port", "15:46: zone 'SIP' has no 'port'"),
        ("like: KS, outside", "like: WX, outside", ""),
        ("from: KS,", "from: KSS,", "7:14: no zone 'KSS' in the library\n    Did you mean 'KS'?"),
        ("from: SIP, like: KS", "from: SIP, like: KT", "8:26: no zone 'KT'\n    Known zones: KS, SIP, WX."),
        (
            "KS: {from: KS,",
            "KS: {from: KS, like: WX,",
            "zone 'WX' is like itself\n    Let one of the zones have entries",
        ),
        ("    label:", "    rate: 3 /d\n    label:", "rate and generate together\n    Keep one of them."),
        (
            "  transfers:",
            "  transfers_KS_WX: {flow: haul, rate: 1 /d}\n  transfers:",
            "'transfers' generates an entry 'transfers_KS_WX'",
        ),
    ],
)
def test_templates_that_are_wrong(old, new, fault):
    """
    Each mistake is named at its place, with what would be right; a longer chain of likeness is no mistake.
    """
    text = SCENARIO.replace(old, new, 1)
    if not fault:
        assert _world(text).tree["zones"]["SIP"]["trade"]["value"] == 75
        return
    with pytest.raises(Faults) as found:
        _world(text)

    assert fault in str(found.value)


def test_too_many_pairs():
    """
    Twenty-one zones, each with each, are more entries than a template may become.
    """
    zones = "".join(f"  Z{number}: {{from: KS}}\n" for number in range(21))
    text = SCENARIO.replace("zones: [KS, SIP, WX], ", "")
    text = text[: text.index("  KS:")] + zones + text[text.index("flows:") :]
    with pytest.raises(Faults) as found:
        _world(text)

    assert (
        "this gives 420 entries, more than 400\n    Name fewer zones, lower `beyond`, raise `least`, or use `through`."
        in str(found.value)
    )


EACH = """clock: {measure: 1 d}
zones:
  KS: {from: KS, lanes: {units: 1}, label: {en: Kunshan, zh: 昆山}}
  TC: {from: TC, like: KS}
  SIP: {from: SIP, like: KS, outside: true}
flows:
  haul: {entity: truck, params: {zone: zone, km: distance}, steps: {drive: {take: {distance: $km, speed: 50 km/h}}, gate: {hold: {lane: $zone.lanes}, take: 1 min}}}
traffic:
  imports:
    flow: haul
    with: {zone: $zone, km: $zone.waigaoqiao_km}
    label: {en: Imports, zh: 进口}
    generate: {each: {by: size, rate: {L: 40 /d, M: {uncertain: [4 /d, 5 /d, 6 /d]}}}}
"""


def test_an_entry_for_every_zone():
    """
    Every zone that is not outside has an entry, at the rate of its size, with what the zone says in its arguments.
    """
    traffic = _world(EACH).tree["traffic"]

    assert list(traffic) == ["imports_KS", "imports_TC"]
    assert [entry["rate"] for entry in traffic.values()] == ["40 /d", {"uncertain": ["4 /d", "5 /d", "6 /d"]}]
    assert [entry["with"] for entry in traffic.values()] == [
        {"zone": "KS", "km": "69 km"},
        {"zone": "TC", "km": "57 km"},
    ]
    assert traffic["imports_KS"]["label"] == {"en": "Imports: Kunshan", "zh": "进口：昆山"}
    assert plan_of(EACH).names.sources == ("imports_KS", "imports_TC")


def test_a_total_goes_to_zones_in_proportion():
    """
    Zones named have their part of the total, by a number that each has: trade of 270 and 20.
    """
    text = EACH.replace(
        "by: size, rate: {L: 40 /d, M: {uncertain: [4 /d, 5 /d, 6 /d]}}", "by: trade, zones: [TC, KS], total: 290 /d"
    )
    traffic = _world(text).tree["traffic"]

    assert {name: entry["rate"] for name, entry in traffic.items()} == {"imports_TC": "20 /d", "imports_KS": "270 /d"}


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("{by: size,", "{by: seize,", "16:27: zone 'KS' has no word 'seize'\n    Give it `seize: {value: …}`"),
        ("rate: {L: 40 /d, M:", "rate: {XL: 40 /d, M:", "no zone here has the size 'XL'\n"),
        ("{by: size,", "{zones: [KX], by: size,", "no zone 'KX'\n    Known zones: KS, TC, SIP."),
        ("rate: {L: 40 /d, M: {uncertain: [4 /d, 5 /d, 6 /d]}}", "total: 3 /d", "zone 'KS' has no number 'size'"),
        (
            "by: size, rate: {L: 40 /d, M: {uncertain: [4 /d, 5 /d, 6 /d]}}",
            "by: size",
            "exactly one of rate and total is due\n    Write rates by word",
        ),
        (
            "{each: {by",
            "{gravity: {total: 1 /d}, each: {by",
            "exactly one of gravity and each is due\n    Write one of them.",
        ),
        (
            "by: size, rate: {L: 40 /d, M: {uncertain: [4 /d, 5 /d, 6 /d]}}",
            "by: none, total: 1 /d",
            "no zone here has more than 0 of 'none'\n    Give a zone some.",
        ),
        ("km: $zone.w", "km: $from.w", "'$from.waigaoqiao_km' stands for nothing here\n    Known: $zone."),
    ],
)
def test_entries_for_every_zone_that_are_wrong(old, new, fault):
    """
    Each mistake is named, with what would be right.
    """
    text = EACH.replace("lanes: {units: 1}", "none: {value: 0}, lanes: {units: 1}").replace(old, new, 1)
    with pytest.raises(Faults) as found:
        _world(text)

    assert fault in str(found.value)


def test_pairs_that_hardly_exchange_are_left_to_the_others():
    """
    Of 90 a day pairs below `least` have none, and the rest keep their proportions and the total.
    """
    whole = _world(SCENARIO).tree["traffic"]
    rates = {name: float(entry["rate"].split()[0]) for name, entry in whole.items()}
    least = sorted(rates.values())[2]
    left = _world(SCENARIO.replace("total:", f"least: {least} /d, total:")).tree["traffic"]
    found = {name: float(entry["rate"].split()[0]) for name, entry in left.items()}

    assert len(found) == 4
    assert sum(found.values()) == pytest.approx(90, rel=1e-4)
    (one, other) = list(found)[:2]
    assert found[one] / found[other] == pytest.approx(rates[one] / rates[other], rel=1e-4)
