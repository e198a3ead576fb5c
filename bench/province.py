"""
A scenario of every zone in the library's list, each with every flow: `python -m bench.province > province.yaml`.

Zones are alike but for their size. What a zone has and how much comes is that of the scenarios of Suzhou Industrial
Park (L), the typical zone (M) and the small zone with every flow (S); goods in transfer go from each zone to the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final

import yaml

from bench.measuring import ROOT

CLOCK: Final = ("1 week", "3 week", "1 week")
"""Warm-up, measured window and cool-down."""


@dataclass(frozen=True)
class Size:
    """Units of resources in the order of `ROLES`, and how much comes, as a multiple of the typical zone."""

    units: tuple[int, ...]
    traffic: float


ROLES: Final = ("lanes_in", "lanes_out", "gate_officers", "exception_desk", "officers", "inspectors", "docks", "yard")
SIZES: Final = {
    "L": Size((6, 6, 24, 4, 36, 8, 160, 300), 8.0),
    "M": Size((3, 3, 6, 1, 6, 3, 24, 25), 1.0),
    "S": Size((1, 1, 2, 1, 3, 2, 12, 10), 0.2),
}
OFFICERS: Final = {
    "gate_officers": "",
    "exception_desk": "",
    "officers": ", open: office",
    "inspectors": ", open: office",
}

TRAFFIC: Final[tuple[tuple[str, str, str, float], ...]] = (
    ("import_sea", "F1", "zone: {zone}, port_km: {port}", 20),
    ("import_enter_first", "F1b", "zone: {zone}, port_km: {port}", 5),
    ("import_air", "F1air", "zone: {zone}, airport_km: {airport}", 10),
    ("export", "F2", "zone: {zone}, port_km: {port}", 15),
    ("domestic_sale", "F3", "zone: {zone}", 15),
    ("domestic_supply", "F4a", "zone: {zone}", 8),
    ("domestic_goods", "F4b", "zone: {zone}", 30),
    ("domestic_stock", "F4c", "zone: {zone}", 8),
    ("domestic_lots", "F6", "zone: {zone}", 15),
    ("transfer", "F5", "sender: {zone}, receiver: {next}, km: 70 km", 6),
    ("freight", "visit", "zone: {zone}, vehicle: freight, yard: detour", 60),
    ("cars", "visit", "zone: {zone}, vehicle: other, yard: none", 50),
)
"""Entries: name, flow, arguments, and arrivals a day in a zone of size M."""

PARTIES: Final = {"transfer": 2, "cars": 0}


def listed() -> Mapping[str, Mapping[str, str]]:
    """Return the library's list of zones."""
    text = resources.files("zonesim.library").joinpath("zones.yaml").read_text(encoding="utf-8")
    zones: dict[str, Mapping[str, str]] = yaml.safe_load(text)["zones"]
    return zones


def province(clock: tuple[str, str, str] = CLOCK) -> str:
    """Return the scenario."""
    return "\n".join(_lines(clock)) + "\n"


def _lines(clock: tuple[str, str, str]) -> Iterator[str]:
    zones = listed()
    warm_up, measure, cool_down = clock
    yield "zonesim: 1\nkind: scenario\nname: province\nlabel: {en: Every zone (synthetic), zh: 全部综保区（虚构）}"
    yield "synthetic: true\nregime: R1"
    yield f'clock: {{start: "2018-09-03", warm_up: {warm_up}, measure: {measure}, cool_down: {cool_down}}}'
    yield "zones:"
    for name, zone in zones.items():
        yield f"  {name}:"
        yield f"    from: {name}"
        for role, units in zip(ROLES, SIZES[zone["size"]].units, strict=True):
            kind = "officer" if role in OFFICERS else role.partition("_")[0].removesuffix("s")
            yield f"    {role}: {{units: {units}, role: {kind}{OFFICERS.get(role, '')}, source: assumed}}"
        yield "    ledger: {account: 1000000, unit: consignments, source: assumed}"
    whole = (ROOT / "scenarios" / "suzhou_industrial_park.yaml").read_text(encoding="utf-8")
    yield whole[whole.index("firms:") : whole.index("traffic:")].rstrip()
    yield "traffic:"
    names = list(zones)
    for number, (name, zone) in enumerate(zones.items()):
        where = {"zone": name, "next": names[(number + 1) % len(names)], "port": zone["waigaoqiao_km"]}
        where["airport"] = zone["pudong_air_km"]
        for entry, flow, arguments, rate in TRAFFIC:
            a_day = f"{rate * SIZES[zone['size']].traffic:g} /d"
            more = f", parties: {PARTIES[entry]}" if entry in PARTIES else ""
            yield (
                f"  {entry}_{name}: {{flow: {flow}, with: {{{arguments.format(**where)}}}, rate: {a_day},"
                f" profile: plant_day{more}, source: assumed}}"
            )


if __name__ == "__main__":
    print(province(), end="")
