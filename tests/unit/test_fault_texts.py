"""The exact text of faults: place, what is wrong, what would be right; and that no kind of fault is without a test."""

from __future__ import annotations

import importlib.util
import re
import sys

import pytest
from typer.testing import CliRunner

from tests.helper import ROOT, RowLog, plan_of_world
from zonesim import cli
from zonesim.briefing.figures.results_context import results_context
from zonesim.engine import simulate
from zonesim.experiment import CellTags, Runs, load_results, plain_design, study_document, write_study
from zonesim.faults import Place, RunFault, ZonesimError
from zonesim.jobs.plot import plot_job
from zonesim.jobs.show import show_text
from zonesim.policy import Request, apply, baseline, load_world, parse_setting, world_of
from zonesim.scenario import Edit, check, read_file, read_text
from zonesim.scenario.experiment_documents import Experiment
from zonesim.scenario.policy_documents import Measure

SCENARIO = """\
zonesim: 1
kind: scenario
name: faulty
clock: {measure: 1 d}
calendars: {shift: {mon-fri: ["08:00-12:00"]}}
profiles: {flat: {hours: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}}
zones: {Z: {desk: {units: 2}, slot: {units: 1, open: shift}, km: {value: 5 km}}}
firms: {count: 3, credit: {AEO: 40 %, plain: 60 %}}
truth: {wrong: {all: 5 %}}
flows:
  sub: {params: {mode: [fast, slow], zone: zone}, steps: {pass: {take: {by: mode, fast: 1 min, slow: 2 min}}}}
  f:
    steps:
      a: {hold: {d: Z.desk}, take: 5 min}
      b: {share: 10 %, take: 1 min}
traffic:
  t: {flow: f, rate: 3 /h}
"""

FLAT = [1] * 24

MEASURE = """\
zonesim: 1
kind: measure
name: m99
annex: 99
label: {en: Test, zh: 测试}
basis: [{text: none, date: "2019-06-07"}]
practices:
  p:
    label: {en: Test, zh: 测试}
    adoption: {share: 50 %}
    edits:
      - EDIT
"""

CASES = {
    "a duration beyond all time": (
        [("take: 5 min", "take: 1e20 d")],
        ["faulty.yaml:14:36: '1e20 d' is too large", "    Write a duration such as '15 min'."],
    ),
    "shares that add up wrongly once the arguments are known": (
        [
            ("  f:\n    steps:", "  f:\n    params: {p: {kind: share, default: 30 %}}\n    steps:"),
            ("take: 5 min", "take: {discrete: {5 min: $p, 9 min: 50 %}}"),
        ],
        ["faulty.yaml:15:36: the shares add up to 80 %", "    They must add up to 100 %."],
    ),
    "a step that is named like a key": (
        [("a: {hold", "take: {hold")],
        ["faulty.yaml:14:7: 'take' is a key of the format and cannot name a step", "    Choose another name."],
    ),
    "a split that notes a deadline": (
        [("hold: {d: Z.desk}, take: 5 min", "split: {count: 2}, due: {promise: 10 min}")],
        ["faulty.yaml:14:30: a split or join notes no deadline", "    Note it at a step before."],
    ),
    "a step with a strange name": (
        [("a: {hold", "a-b: {hold")],
        ["faulty.yaml:14:7: 'a-b' cannot name a step", "    Use letters, digits and _."],
    ),
    "with but no call": (
        [("take: 5 min}", "take: 5 min, with: {x: 1}}")],
        ["faulty.yaml:14:10: 'with' without 'call'", "    Name the flow to call."],
    ),
    "during but no take": (
        [("b: {share: 10 %, take: 1 min}", "b: {share: 10 %, during: shift, mark: m}")],
        ["faulty.yaml:15:10: 'during' without 'take'", "    Say how long it takes."],
    ),
    "priority but no hold": (
        [("take: 1 min}", "take: 1 min, priority: 2}")],
        ["faulty.yaml:15:10: 'priority' without 'hold'", "    Say which resource is waited for."],
    ),
    "a background step that gives up": (
        [("a: {hold", "a: {background: true, patience: {longest: 1 min}, hold")],
        ["faulty.yaml:14:10: a background step that gives up goes nowhere", "    Remove 'patience', or 'background'."],
    ),
    "a conditional split": (
        [("b: {share: 10 %, take: 1 min}", "b: {share: 10 %, split: {count: 2}}")],
        [
            "faulty.yaml:15:10: a split or join cannot be conditional",
            "    Put the condition on the steps between them.",
        ],
    ),
    "a mark that is set by itself": (
        [("take: 1 min}", "take: 1 min, mark: left}")],
        ["faulty.yaml:15:10: the mark 'left' is set by itself", "    Choose another name."],
    ),
    "a background step with next": (
        [("b: {share: 10 %, take: 1 min}", "b: {background: true, take: 1 min, next: a}")],
        ["faulty.yaml:15:10: a background step cannot say what is next", "    Remove 'next'."],
    ),
    "shares of next": (
        [("take: 1 min}", "take: 1 min, next: {a: 70 %, end: 50 %}}")],
        ["faulty.yaml:15:10: the shares of next add up to 120 %", "    They may add up to 100 % at most."],
    ),
    "a strange number of children": (
        [("b: {share: 10 %, take: 1 min}", "b: {split: {count: {discrete: {many: 100 %}}}}")],
        ["faulty.yaml:15:38: 'many' is not a number of tokens from 1 to 63", "    Write {1: 80 %, 2: 20 %}."],
    ),
    "either an opening or a closing": (
        [("b: {share: 10 %, take: 1 min}", "b: {wait_until: {opening: shift, closing: shift}}")],
        ["faulty.yaml:15:23: either an opening or a closing is due", "    Write {closing: office}."],
    ),
    "days that run backward": (
        [('mon-fri: ["08', 'fri-mon: ["08')],
        ["faulty.yaml:5:21: 'fri-mon' runs backward", "    Write sat,sun,mon as a list."],
    ),
    "days of the month that run backward": (
        [('mon-fri: ["08', '20-10: ["08')],
        ["faulty.yaml:5:21: '20-10' is no day of a month", "    Write a number from 1 to 31, or last."],
    ),
    "a moment without its zero": (
        [("08:00-12:00", "6:00")],
        [
            "faulty.yaml:5:31: expected opening hours, found '6:00'",
            '    Write a span such as "08:30-17:00", or a moment such as "06:00".',
        ],
    ),
    "a period below another key than every": (
        [('{mon-fri: ["08:00-12:00"]}', "{each: 8 h}")],
        [
            "faulty.yaml:5:21: unknown key 'each'",
            '    Write {every: 8 h}, or days with their hours: {mon-fri: ["08:30-17:00"]}.',
        ],
    ),
    "hours that are no list": (
        [('["08:00-12:00"]', '"08:00-12:00"')],
        ["faulty.yaml:5:21: the hours of 'mon-fri' must be a list, found '08:00-12:00'", '    Write ["08:00-12:00"].'],
    ),
    "a law without the name of its parameter": (
        [("take: 5 min", "take: {exponential: 3 min}")],
        [
            "faulty.yaml:14:50: 'exponential' must be a mapping, found '3 min'",
            "    Write a mapping such as {mean: 3 min}.",
        ],
    ),
    "a stock without its amount": (
        [("take: 5 min", "draw: Z.stock")],
        ["faulty.yaml:14:36: 'draw' must be a mapping, found 'Z.stock'", "    Write a mapping such as {Z.stock: 3}."],
    ),
    "a key of set beside it": (
        [("take: 5 min", "debit: {Z.stock: 2}")],
        ["faulty.yaml:14:30: unknown key 'debit'", "    Write `set: {debit: …}`."],
    ),
    "a key that belongs below one of two": (
        [("take: 5 min", "class: AEO")],
        ["faulty.yaml:14:30: unknown key 'class'", "    Write `when: {class: …}` or `set: {class: …}`."],
    ),
    "a case of a choice of resources that is misspelt": (
        [
            ("slot: {units: 1, open: shift}", "slow: {units: 1}"),
            ("{d: Z.desk}, take: 5 min", "{d: {any: [Z.desk, Z.slow]}}, take: {by: d, Z.desk: 5 min, Z.slo: 9 min}"),
        ],
        ["faulty.yaml:14:76: 'd' is never 'Z.slo' here", "    Did you mean 'Z.slow'?"],
    ),
    "no opening hours": (
        [('"08:00-12:00"', '"morning"')],
        [
            "faulty.yaml:5:31: expected opening hours, found 'morning'",
            '    Write a span such as "08:30-17:00", or a moment such as "06:00".',
        ],
    ),
    "hours beyond a day": (
        [('"08:00-12:00"', '"22:00-06:00"')],
        [
            "faulty.yaml:5:31: '22:00-06:00' does not lie within a day",
            '    Write "22:00-24:00" and "00:00-06:00" for a night.',
        ],
    ),
    "hours that overlap": (
        [('["08:00-12:00"]', '["08:00-12:00", "11:00-13:00"]')],
        ["faulty.yaml:5:46: opening hours overlap or are not in order", "    Write them in ascending order."],
    ),
    "weights that are all 0": (
        [
            (
                "hours: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]",
                "hours: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]",
            )
        ],
        ["faulty.yaml:6:18: all weights are 0", "    Give at least one hour, one day and one month a weight."],
    ),
    "hours and parts together": (
        [("hours: [1,", "parts: [1, 2], hours: [1,")],
        ["faulty.yaml:6:18: hours and parts together", "    Keep one of them."],
    ),
    "a day in three parts": (
        [
            (
                "hours: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]",
                "parts: [1, 2, 3]",
            )
        ],
        [
            "faulty.yaml:6:19: 3 weights do not divide a day",
            "    Give 48 (half hours), 96 (quarters of an hour), 144 (ten minutes) or 288 (five minutes).",
        ],
    ),
    "a cv below what is drawn": (
        [("take: 5 min", "take: {gamma: {mean: 5 min, cv: 0.0001}}")],
        [
            "faulty.yaml:14:62: expected a cv from 0.001 to 100, found '0.0001'",
            "    Write a number such as 0.8; without spread, {constant: 10 min}.",
        ],
    ),
    "a shape above what is drawn, once it is known": (
        [
            ("  f:\n    steps:", "  f:\n    params: {k: {kind: name, default: 2000000}}\n    steps:"),
            ("take: 5 min", "take: {weibull: {shape: $k, mean: 5 min}}"),
        ],
        [
            "faulty.yaml:15:36: expected a shape from 0.01 to 1,000,000, found '2000000'",
            "    Write a number such as 2; without spread, {constant: 10 min}.",
        ],
    ),
    "half a phase, once it is known": (
        [
            ("  f:\n    steps:", "  f:\n    params: {k: {kind: name, default: 2.5}}\n    steps:"),
            ("take: 5 min", "take: {erlang: {shape: $k, mean: 5 min}}"),
        ],
        [
            "faulty.yaml:15:36: expected a whole number of phases from 1 to 1,000,000, found '2.5'",
            "    Write a number such as 3; without spread, {constant: 10 min}.",
        ],
    ),
    "no spread, and every value below what may be": (
        [("take: 5 min", "take: {normal: {mean: 5 min, sd: 0 s, low: 6 min}}")],
        [
            "faulty.yaml:14:36: a normal law without spread (sd 0) has no value above its low",
            "    Lower low, or raise mean or sd.",
        ],
    ),
    "a haul that stands still": (
        [("take: 5 min", "take: {distance: 5 km, speed: 0.0 km/h}")],
        ["faulty.yaml:14:60: at '0.0 km/h' nothing arrives", "    Write a speed such as '45 km/h'."],
    ),
    "a haul that outlasts all runs": (
        [("take: 5 min", "take: {distance: 5 km, speed: 1e-300 km/h}")],
        [
            "faulty.yaml:14:36: a haul of '5 km' at '1e-300 km/h' takes longer than any run",
            "    Check the units: distances are in km or m, speeds in km/h.",
        ],
    ),
    "a name that is none": (
        [("calendars: {shift", "note: true\ncalendars: {shift")],
        ["faulty.yaml:5:7: expected a name, found 'true'", "    Write text; true and null stand in quotes."],
    ),
    "a mapping for a quantity": (
        [("take: 5 min", "take: {exponential: {mean: {about: 5 min, or: 6 min}}}")],
        [
            "faulty.yaml:14:57: expected a duration, found a mapping",
            "    Write a value, or {uncertain: [low, mode, high]}.",
        ],
    ),
    "doubt in the wrong order": (
        [("share: 10 %", "share: {uncertain: [10 %, 5 %, 20 %]}")],
        ["faulty.yaml:15:18: low, mode and high are not in order", "    Write {uncertain: [low, mode, high]}."],
    ),
    "half a haul": (
        [("take: 5 min", "take: {distance: 5 km, cv: 0.2}")],
        [
            "faulty.yaml:14:36: a haul has a distance and a speed",
            "    Write {distance: 99 km, speed: 45 km/h, cv: 0.2}.",
        ],
    ),
    "spawned with a class": (
        [("t: {flow: f, rate: 3 /h}", "t: {flow: f, rate: 3 /h}\n  s: {flow: f, spawned: true, class: AEO}")],
        ["faulty.yaml:18:6: spawned tokens have the class of who starts them", "    Remove the class."],
    ),
    "spawned in batches": (
        [("t: {flow: f, rate: 3 /h}", "t: {flow: f, rate: 3 /h}\n  s: {flow: f, spawned: true, batch: 2}")],
        ["faulty.yaml:18:6: spawned tokens come one by one", "    Remove the batch."],
    ),
    "a profile without a rate": (
        [("rate: 3 /h", "at: [0 min], profile: flat")],
        ["faulty.yaml:17:6: a profile without a rate", "    Remove the profile."],
    ),
    "times out of order": (
        [("rate: 3 /h", "at: [5 min, 0 min]")],
        ["faulty.yaml:17:6: the listed times are not in ascending order", "    Sort them."],
    ),
    "a character that YAML forbids": (
        [("name: faulty", "name: fau\x01lty")],
        ["faulty.yaml:3:10: a character that YAML forbids: '\\x01'", "    Take it out."],
    ),
    "a file that is nested too deep": (
        [
            (
                "name: faulty",
                "note: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\nname: faulty",
            )
        ],
        ["faulty.yaml:3:47: nested deeper than 40 levels", "    Write it flatter."],
    ),
    "a zone that is none": (
        [("b: {share: 10 %, take: 1 min}", "b: {call: sub, with: {mode: fast, zone: Y}}")],
        ["faulty.yaml:15:47: no zone 'Y' for parameter 'zone' of flow 'sub'", "    Known zones: Z."],
    ),
    "an argument that is not allowed": (
        [("b: {share: 10 %, take: 1 min}", "b: {call: sub, with: {mode: middling, zone: Z}}")],
        ["faulty.yaml:15:35: 'middling' is not allowed for parameter 'mode' of flow 'sub'", "    Known: fast, slow."],
    ),
    "an argument for which no time is given": (
        [(", slow: 2 min", ""), ("b: {share: 10 %, take: 1 min}", "b: {call: sub, with: {mode: slow, zone: Z}}")],
        ["faulty.yaml:11:72: 'mode' is 'slow' here, for which no value is given", "    Known cases: fast."],
    ),
    "a resource of a zone that is none": (
        [
            (
                "  f:\n    steps:",
                "  f:\n    params: {where: {kind: name, default: Y}}\n    steps:\n      z: {hold: {d: $where.desk}, take: 1 min}",
            )
        ],
        ["faulty.yaml:15:10: '$where' is 'Y', which is no zone", "    Known zones: Z."],
    ),
    "a flow that calls itself": (
        [("b: {share: 10 %, take: 1 min}", "b: {call: f}")],
        ["faulty.yaml:15:17: calls nested deeper than 12", "    A flow may not call itself."],
    ),
    "too many children": (
        [
            (
                "b: {share: 10 %, take: 1 min}",
                "b: {split: {count: 60}}\n      c: {split: {count: 2}}\n      e: {take: 1 min}\n      g: {join: c}\n      h: {join: b}",
            )
        ],
        [
            "faulty.yaml:16:10: a consignment can become more than 63 tokens here",
            "    Use smaller splits, or several traffic entries.",
        ],
    ),
    "no value for a class": (
        [("share: 10 %", "share: {AEO: 10 %}")],
        ["faulty.yaml:15:18: no value for class plain", "    Name every class, or add `all:`."],
    ),
    "a resource that is never open": (
        [('mon-fri: ["08:00-12:00"]', 'sun: ["08:00-12:00"]')],
        ["faulty.yaml:7:54: Z.slot is never open in this run", "    Choose other opening hours."],
    ),
    "a profile for days that divides them differently": (
        [(f"hours: {FLAT}", f"parts: {{mon: {[1] * 48}, tue: {[1] * 96}}}")],
        [
            "faulty.yaml:6:178: 96 weights, where other days have 48",
            "    Divide all days into as many parts.",
        ],
    ),
    "a profile that names a day twice": (
        [(f"hours: {FLAT}", f"hours: {{mon: {FLAT}, mon-fri: {FLAT}}}")],
        ["faulty.yaml:6:106: 'mon-fri' names a day twice", "    Give each day once."],
    ),
    "a profile of dates alone": (
        [(f"hours: {FLAT}", f"hours: {{'2018-10-01': {FLAT}}}")],
        ["faulty.yaml:6:18: all weights are 0", "    Give at least one hour, one day and one month a weight."],
    ),
    "room without departures": (
        [("b: {share: 10 %, take: 1 min}", "b: {gather: {number: 3, most: 2}}")],
        [
            "faulty.yaml:15:19: `most` without `until`, the calendar at whose openings so many go",
            "    Write {until: barges, most: 20}; a batch that is complete with 20 has {number: 20}.",
        ],
    ),
    "departures that need not wait for their time": (
        [("b: {share: 10 %, take: 1 min}", "b: {gather: {until: shift, within: 1 h, most: 2}}")],
        [
            "faulty.yaml:15:19: `most` goes at the openings of `until` alone, but here is another end of the wait",
            "    Leave out `number` and `within`, or `most`.",
        ],
    ),
    "a resource that opens for moments": (
        [('mon-fri: ["08:00-12:00"]', 'mon-fri: ["08:00", "12:00"]')],
        [
            "faulty.yaml:7:54: 'shift' has moments alone and is never open for any time",
            '    Write opening hours such as "08:30-17:00", or give it `lasts`.',
        ],
    ),
    "work during moments": (
        [
            ('{mon-fri: ["08:00-12:00"]}', '{mon-fri: ["08:00-12:00"]}, barges: {every: 8 h}'),
            ("take: 5 min}", "take: 5 min, during: barges}"),
        ],
        [
            "faulty.yaml:14:51: 'barges' has moments alone and is never open for any time",
            '    Write opening hours such as "08:30-17:00", or give it `lasts`.',
        ],
    ),
    "a moment of no day": (
        [('"08:00-12:00"', '"24:00"')],
        ["faulty.yaml:5:31: '24:00' is no time of day", '    Write a moment such as "08:30".'],
    ),
    "a moment within opening hours": (
        [('"08:00-12:00"', '"08:00-12:00", "12:00"')],
        ["faulty.yaml:5:46: opening hours overlap or are not in order", "    Write them in ascending order."],
    ),
    "a period and days": (
        [("{mon-fri:", "{every: 8 h, mon-fri:")],
        ["faulty.yaml:5:21: 'every' together with days", "    Keep one of them."],
    ),
    "a first time without a period": (
        [("{mon-fri:", "{first: 8 h, mon-fri:")],
        ["faulty.yaml:5:21: 'first' without 'every'", "    Write {every: 8 h, first: 2 h}, or days."],
    ),
    "a period shorter than its opening": (
        [('{mon-fri: ["08:00-12:00"]}', "{every: 1 h, lasts: 2 h}")],
        ["faulty.yaml:5:21: a period that ends before its opening does", "    Give `every` a longer time."],
    ),
    "a table of units and a calendar": (
        [("slot: {units: 1, open", "slot: {units: {mon: {'08:00-12:00': 1}}, open")],
        [
            "faulty.yaml:7:72: `open` together with a table of units, which says itself when they are on duty",
            "    Leave `open` out; times that the table does not name are closed.",
        ],
    ),
    "a table of units without a day": (
        [("desk: {units: 2}", "desk: {units: {}}")],
        [
            "faulty.yaml:7:27: a table of units without a day",
            '    Write {mon-sun: {"06:00-14:00": 4, "14:00-22:00": 6}}.',
        ],
    ),
    "a table of units that names a day twice": (
        [("desk: {units: 2}", "desk: {units: {mon-fri: {'08:00-12:00': 1}, fri: {}}}")],
        ["faulty.yaml:7:57: 'fri' names a day twice", "    Give each day once."],
    ),
    "a table of units for times that overlap": (
        [("desk: {units: 2}", "desk: {units: {mon: {'08:00-12:00': 1, '11:00-14:00': 2}}}")],
        ["faulty.yaml:7:52: times overlap or are not in order", "    Write them in ascending order."],
    ),
    "a table of units for a time of no day": (
        [("desk: {units: 2}", "desk: {units: {mon: {'22:00-06:00': 1}}}")],
        [
            "faulty.yaml:7:34: '22:00-06:00' does not lie within a day",
            '    Write "22:00-24:00" and "00:00-06:00" for a night.',
        ],
    ),
    "a table of units that divides no day": (
        [("desk: {units: 2}", "desk: {units: {mon: [1, 2, 3]}}")],
        [
            "faulty.yaml:7:28: 3 numbers do not divide a day",
            "    Give 24 (hours), 48, 96, 144 or 288 of them, or times.",
        ],
    ),
    "a table of units with half a unit": (
        [("desk: {units: 2}", "desk: {units: {mon: {'08:00-12:00': 1.5}}}")],
        [
            "faulty.yaml:7:49: expected a number of units on duty, found '1.5'",
            "    Write a whole number, 0 where nobody is.",
        ],
    ),
    "a table of units that has none in this run": (
        [("desk: {units: 2}", "desk: {units: {sun: {'08:00-12:00': 2}}}")],
        ["faulty.yaml:7:27: Z.desk is never open in this run", "    Choose other opening hours."],
    ),
    "units that are kept while some of them leave": (
        [
            ("desk: {units: 2}", "desk: {units: {mon: {'08:00-12:00': 2, '12:00-14:00': 1}}, at_shift_end: pause}"),
            ("a: {hold: {d: Z.desk}, take: 5 min}", "a: {hold: {d: Z.desk, s: Z.slot}, take: 5 min}"),
        ],
        [
            "faulty.yaml:14:17: work with Z.desk can be interrupted, so it is taken alone: one unit, with nothing else in hand",
            "    Take it in a step of its own, or leave out `preempt` and, where it breaks down or some of its units leave, write"
            " `at_shift_end: finish`.",
        ],
    ),
    "two resources that pause at different hours": (
        [
            (
                "slot: {units: 1, open: shift}",
                "slot: {units: 1, open: shift, at_shift_end: pause}, late: {units: 1, open: office, at_shift_end: pause}",
            ),
            ("a: {hold: {d: Z.desk}", "a: {hold: {d: Z.late, e: Z.slot}"),
        ],
        [
            "faulty.yaml:14:10: two resources that pause at different hours are held at once",
            "    Give them the same opening hours.",
        ],
    ),
    "a parameter outside a flow": (
        [("units: 2", "units: $many")],
        ["faulty.yaml:7:27: expected a number of units, found '$many'", "    Write a whole number, or unlimited."],
    ),
}

SETTINGS = {
    "zones.Z.desk.units": [
        "--set zones.Z.desk.units: expected PATH=VALUE",
        "    Write --set zones.TYP.lanes_in.units=4.",
    ],
    "traffic.t=1": [
        "--set traffic.t=1: --set sets 'traffic.t', which is not one value but a mapping",
        "    Set what stands below it. Known keys: flow, rate.",
    ],
    "measures.m11={}": [
        "--set measures.m11={}: --set sets 'measures.m11', which is not one value but a mapping",
        "    Set what stands below it. Known keys: coverage, fewer_detours.",
    ],
    "adopted={m11: 1}": [
        "--set adopted={m11: 1}: 'm11' must be a mapping, found '1'",
        "    Write keys and values below it.",
    ],
    "zones.Z.km=null": [
        "--set zones.Z.km=null: a value is due",
        "    Write --set zones.TYP.lanes_in.units=4; `edits: [{remove: zones.Z.km}]` in the file drops a key.",
    ],
    "traffic={}": ["--set traffic={}: 'traffic' has 0 entries, 1 is due", "    Leave some out, or add some."],
    "flows.f.a.hold*=2": [
        "--set flows.f.a.hold*=2: --set scales 'flows.f.a.hold', which has nothing to scale",
        "    Scale a quantity or a law.",
    ],
}

EDITS = {
    "{set: a.b, remove: a.b, to: 1}": [
        "m99.yaml:12:9: an edit is exactly one of set, scale, add, remove",
        "    Write {set: PATH, to: VALUE}.",
    ],
    "{set: a.b}": ["m99.yaml:12:9: 'set' needs 'to'", "    Write {set: PATH, to: VALUE}."],
    "{remove: a.b, to: 2}": ["m99.yaml:12:9: 'remove' takes no 'to'", "    Write {set: PATH, to: VALUE}."],
    "{scale: a.b}": ["m99.yaml:12:9: 'scale' needs 'by'", "    Write {scale: PATH, by: 0.5}."],
    "{set: a.b, to: 1, by: 2}": ["m99.yaml:12:9: 'set' takes no 'by'", "    Write {scale: PATH, by: 0.5}."],
    "{set: a.b, to: 1, after: c}": ["m99.yaml:12:9: 'after' and 'before' belong to 'add'", "    Remove them."],
    "{scale: a.b, by: 0}": ["m99.yaml:12:9: 'by' must be above 0", "    Write {scale: PATH, by: 0.5}."],
}


def said(text: str, *settings: str) -> str:
    """Return the message that a scenario ends with, read, edited and compiled."""
    try:
        world = world_of(read_text(text, "faulty.yaml"))
        apply(world, [parse_setting(setting) for setting in settings])
        plan_of_world(world)
    except ZonesimError as fault:
        return str(fault)
    return ""


@pytest.mark.parametrize("case", CASES)
def test_a_fault_of_a_scenario_says_where_what_and_how(case):
    """
    A scenario with one thing wrong ends with exactly this message.
    """
    changes, expected = CASES[case]
    text = SCENARIO
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)

    assert said(text).split("\n") == expected


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_fault_of_a_setting_says_what_and_how(setting):
    """
    A --set that cannot be carried out ends with exactly this message.
    """
    assert said(SCENARIO, setting).split("\n") == SETTINGS[setting]


@pytest.mark.parametrize("edit", EDITS)
def test_a_fault_of_an_edit_says_where_what_and_how(edit):
    """
    A measure with a wrong edit is refused with exactly this message.
    """
    document = read_text(MEASURE.replace("EDIT", edit), "m99.yaml")
    with pytest.raises(ZonesimError) as found:
        check(Measure, document.tree, document.places, document.keys, file="m99.yaml")

    assert str(found.value).split("\n") == EDITS[edit]


WORLD = {
    "a parameter that nothing has": (
        "zones.Z.km.value=$far",
        "--set zones.Z.km.value=$far: a parameter ($name) stands where none is known",
    ),
}


@pytest.mark.parametrize("case", WORLD)
def test_a_fault_behind_an_edit_is_placed_at_the_edit(case):
    """
    What a setting makes wrong is said at the setting.
    """
    setting, expected = WORLD[case]

    assert said(SCENARIO, setting).splitlines()[0] == expected


def test_edits_that_add_need_a_new_name_and_a_neighbour():
    """
    A value that exists is not added again, and nothing is added beside what does not exist.
    """
    world = world_of(read_text(SCENARIO, "faulty.yaml"))
    place = Place("m99.yaml", 12, 9)
    again = Request(Edit(add="flows.f.a", to={"take": "1 min"}), "m99.p", place)
    beside = Request(Edit(add="flows.f.c", to={"take": "1 min"}, after="aa"), "m99.p", place)
    with pytest.raises(ZonesimError) as exists:
        apply(world, [again])
    with pytest.raises(ZonesimError) as alone:
        apply(world, [beside])

    assert str(exists.value) == "m99.yaml:12:9: measure 'm99.p' adds 'flows.f.a', which exists\n    Use set."
    assert str(alone.value).startswith("m99.yaml:12:9: measure 'm99.p' adds next to 'aa', which does not exist\n    ")


def test_a_child_that_meets_itself_ends_the_run():
    """
    A background branch that is still under way when its parent comes round again is named with its place.
    """
    text = (
        SCENARIO.replace("a: {hold: {d: Z.desk}, take: 5 min}", "a: {background: true, take: 1 h}")
        .replace("take: 1 min}", "take: 1 min, next: {a: 100 %}}")
        .replace("b: {share: 10 %, ", "b: {")
    )
    plan = plan_of_world(world_of(read_text(text, "faulty.yaml")))
    with pytest.raises(RunFault) as found:
        simulate(plan, 1, 0, RowLog())

    assert str(found.value) == "'a' of traffic 't' makes a child that still exists: a split inside a loop"


def test_files_that_cannot_be_read_say_why(tmp_path):
    """
    A scenario that is not UTF-8, and results of another version, are refused by their place.
    """
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"name: caf\xe9\n")
    with pytest.raises(ZonesimError) as latin:
        read_file(path)
    (tmp_path / "study.json").write_text('{"format": 99}', encoding="utf-8")
    with pytest.raises(ZonesimError) as study:
        load_results(tmp_path)

    assert str(latin.value) == f"{path}: is not UTF-8 text (byte 9)\n    Save it as UTF-8."
    assert str(study.value) == (
        f"{tmp_path}/study.json: is no study of this version (ValueError: format 99)\n    Run the experiment again."
    )


def test_results_without_a_replication_cannot_be_drawn(tmp_path):
    """
    A folder in which no replication is finished in all arms says how to go on.
    """
    (tmp_path / "desk.yaml").write_text(SCENARIO, encoding="utf-8")
    document = study_document(*nothing_done(tmp_path / "desk.yaml"))
    write_study(tmp_path, document)
    with pytest.raises(ZonesimError) as found:
        results_context(tmp_path, "en", ())

    with pytest.raises(ZonesimError) as late:
        plot_job(tmp_path, "en", "png", None, [], ["zones.Z.desk.units=3"])

    assert str(found.value) == (
        f"{tmp_path}: no replication is finished in all arms\n    Run the same command again to go on."
    )
    assert str(late.value) == "--set: results have been computed already\n    Run again with this --set instead."


def nothing_done(path):
    """Return a design of which nothing has run, with what belongs to it."""
    world = load_world(path)
    design = plain_design(path, world, [baseline(world)], [], seed=1, replications=1)
    runs = Runs(finished={pair: [] for pair in design.cells}, failures={pair: [] for pair in design.cells})
    return design, runs, dict.fromkeys(design.cells, CellTags())


def test_a_flow_that_the_traffic_does_not_use_cannot_be_shown(tmp_path):
    """
    `show --flow` names the flows in use.
    """
    (tmp_path / "faulty.yaml").write_text(SCENARIO, encoding="utf-8")
    with pytest.raises(ZonesimError) as found:
        show_text(tmp_path / "faulty.yaml", [], "", "g")

    assert str(found.value) == "--flow: no flow 'g' in the traffic of this scenario\n    Known flows: f."


def test_an_arm_that_sets_nothing_is_refused():
    """
    An experiment whose arm sets a path to nothing says that a value is due.
    """
    text = "zonesim: 1\nkind: experiment\nname: e\nscenario: s.yaml\narms: {one: {set: {zones.Z.desk.units: }}}\n"
    document = read_text(text, "e.yaml")
    with pytest.raises(ZonesimError) as found:
        check(Experiment, document.tree, document.places, document.keys, file="e.yaml")

    assert str(found.value).startswith("e.yaml:5:")
    assert str(found.value).endswith("a value is due, found nothing\n    Write a value such as 2 or 12 /h.")


def test_logs_that_cannot_be_used_say_why(tmp_path):
    """
    `fit` of a log without a line of column names, or with holidays that nobody lists, says so.
    """
    (tmp_path / "log.csv").write_text('""\n""\n', encoding="utf-8")
    bare = CliRunner().invoke(cli.app, ["fit", str(tmp_path / "log.csv"), "--time-in", "t"])
    (tmp_path / "log.csv").write_text("t\n2018-09-03 08:00:00\n", encoding="utf-8")
    days = CliRunner().invoke(cli.app, ["fit", str(tmp_path / "log.csv"), "--time-in", "t", "--holidays", "xx"])

    assert (
        str(bare.exception) == f"{tmp_path}/log.csv:1:1: no line with column names\n    Give a CSV file with a header."
    )
    assert str(days.exception).startswith("--holidays: no table of holidays 'xx'\n")


SHORTEST = 8
"""A message is known by its longest fixed part; shorter parts say nothing."""


def fault_sites():
    """Return the module that reads messages from the source, which the page of faults is made with too."""
    spec = importlib.util.spec_from_file_location("fault_sites", ROOT / "tools" / "fault_sites.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


NOT_PROVOKED = {
    "' without a column": "a file of the library; its own tests exclude it",
    "', which holds for everybody": "a measure of the library; its own tests exclude it",
    "expected a number, found": "no measure of the library has a parameter that is a plain number",
    "traffic entries": "needs 257 entries",
    "' needs more than": "needs 64 flags",
    "the log has more than": "needs twenty million rows",
    "cannot write there": "tests run as any user, root included, whom no folder refuses",
    "unknown kind '": "a file of the library; its own tests exclude it",
}
"""Fixed parts of messages that no test provokes, each with the reason."""


def test_every_message_is_in_a_test():
    """
    The fixed part of every fault that the package raises stands in a test, so a new kind of fault needs a test of its text.
    """
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    tests = re.sub(r'"\s*\n\s*f?"', "", tests).replace("\\'", "'").replace("\\n", "\n")
    missing = [
        f"{path.relative_to(ROOT)}:{site.line}: {site.fixed}"
        for path in sorted((ROOT / "zonesim").rglob("*.py"))
        for site in fault_sites().sites(path)
        if len(site.fixed) >= SHORTEST and site.fixed not in NOT_PROVOKED and site.fixed not in tests
    ]

    assert missing == []
