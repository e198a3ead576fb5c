"""What a split and a join change besides: accounts, statuses, attributes and marks."""

from __future__ import annotations

from tests.helper import run

SCENE = """clock: {measure: 1 h}
zones: {Z: {stock: {account: 10, unit: pieces}}}
flows:
  f:
    steps:
      begin: {set: {status: bonded}}
      trucks: {split: {into: truck, count: 2}, set: {status: declared}, mark: loaded}
      drive: {when: {status: declared}, take: 5 min}
      together: {join: trucks, set: {status: released, credit: {Z.stock: 3}}, mark: there}
      wait: {when: {status: released}, take: 7 min}
traffic: {t: {flow: f, at: [1 min]}}
"""


def test_a_split_and_a_join_change_what_they_say(engine):
    """
    Before the split the goods become declared, which its children are too; at the join, once, they are released and the stock grows.
    """
    line = run(SCENE, engine=engine)

    assert line.marks("loaded") == {"t0": 1}
    assert line.marks("status.declared") == {"t0": 1}
    assert {name: end for name, (_, _, end) in line.visits("drive").items()} == {"t0/1": 6, "t0/2": 6}
    assert line.marks("there") == {"t0": 6}
    assert line.marks("status.released") == {"t0": 6}
    assert line.ends("wait") == {"t0": 13}
    assert line.totals.levels.tolist() == [13]
