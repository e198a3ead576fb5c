import ast
from collections import Counter

import pytest

from tests.helper import ROOT, plan_of_file
from zonesim.plan.assembly import row_of
from zonesim.plan.columns import TABLES
from zonesim.plan.instructions import decoded, rows_where, successors
from zonesim.plan.operations import LETTERS, NOWHERE, OPERATIONS, BranchOn, Op, SetWhat, Units, WaitsFor, Who, column

FORMS = [
    pytest.param(operation, form, id=operation.op.name + (f"-{form.code.name}" if form.code is not None else ""))
    for operation in OPERATIONS.values()
    for form in operation.forms
]

NAMING = ("engine/", "plan/operations.py", "plan/assembly.py", "plan/flows/")
"""Where single operations are named: the engines, the table, and the compiler of flows, which emits them."""


def test_every_operation_and_code_is_declared():
    """
    The table has each operation once, and a form for each code of those that branch or set.
    """
    codes = {op: [form.code for form in operation.forms] for op, operation in OPERATIONS.items()}

    assert set(codes) == set(Op)
    assert set(codes.pop(Op.BRANCH)) == set(BranchOn)
    assert set(codes.pop(Op.SET)) == set(SetWhat)
    assert all(own == [None] for own in codes.values())


@pytest.mark.parametrize(("operation", "form"), FORMS)
def test_the_facts_of_an_operation_speak_of_operands_that_it_has(operation, form):
    """
    Whoever reads a fact finds the operands that belong to it: units their needs and slot, a delay its duration, and so on.
    """
    facts = form.facts
    names = [operand.name for operand in form.operands if operand]
    wanted = {then.to for then in facts.then if then.to}
    wanted |= {"first_need", "needs", "slot"} if facts.units else set()
    wanted |= {"patience", "renege_to", "stream"} if facts.waits is WaitsFor.UNITS else set()
    wanted |= {"group"} if facts.waits is WaitsFor.CHILDREN else set()
    wanted |= {"calendar", "which"} if facts.waits is WaitsFor.INSTANT else set()
    wanted |= {"calendar", "others_to", "by", "stream"} if facts.waits is WaitsFor.BATCH else set()
    wanted |= ({"most"} if facts.departs else {"number", "timeout"}) if facts.waits is WaitsFor.BATCH else set()
    wanted |= {"duration", "stream", "calendar", "interrupted"} if facts.delays else set()
    wanted |= {"mark"} if facts.marks else set()
    wanted |= {"number", "stream", "child", "group"} if any(then.who is Who.CHILD for then in facts.then) else set()
    wanted |= {"source", "delay"} if any(then.who is Who.HEIR for then in facts.then) else set()

    assert wanted <= set(names)
    assert len(set(names)) == len(names) <= len(LETTERS)
    assert {operand.table for operand in form.operands if operand} <= {"", *TABLES}
    assert facts.asks is form.code or facts.sets is form.code
    assert sum(then.who is Who.ITSELF for then in facts.then) == (0 if facts.ends else 2 if _has_two_ways(form) else 1)


def _has_two_ways(form):
    return form.facts.asks is not None or form.facts.waits in {WaitsFor.UNITS, WaitsFor.BATCH}


def test_operands_are_read_by_name():
    """
    A row of nine numbers becomes an instruction with the names of its own form; what leads nowhere has no successor.
    """
    seize, queue, jump, leave = decoded(
        [(0, 7, 3, 1, 2, 4, -1, -1, 0), (7, -1, 3, 5, 2, 9, 0, 0, 0), (8, -1, 4, 1, 0, 0, 0, 0, 0), (13, 8, *(0,) * 7)]
    )

    assert (seize.op, seize.step, seize.slot, seize.patience) == (Op.SEIZE, 7, 4, NOWHERE)
    assert [row for _, row in successors(seize, 10)] == [11]
    assert (queue.resource, queue.length, queue.target) == (5, 2, 9)
    assert [row for _, row in successors(queue, 10)] == [9, 11]
    assert [row for _, row in successors(jump, 10)] == [4]
    assert not list(successors(leave, 10))
    assert column(Op.SEIZE, "patience") == 6
    assert column(Op.BRANCH, "stream", BranchOn.SHARE) == 4


def test_a_row_is_written_by_name():
    """
    Operands stand in the order of the table whatever their order is; one that is missing, or of another form, is refused.
    """
    assert row_of(Op.RELEASE, 4, None, {"slot": 2, "if_held": 1, "needs": 3, "first_need": 9}) == [2, 4, 9, 3, 2, 1]
    assert row_of(Op.BRANCH, -1, BranchOn.FLAG, {"target": 8, "flag": 5}) == [7, -1, 1, 5, 0, 8]
    with pytest.raises(TypeError, match=r"^RELEASE has first_need, needs, slot, if_held, not slot$"):
        row_of(Op.RELEASE, 4, None, {"slot": 2})
    with pytest.raises(TypeError, match=r"^BRANCH has flag, target, not share, target$"):
        row_of(Op.BRANCH, -1, BranchOn.FLAG, {"share": 1, "target": 2})


def test_operands_name_rows_that_there_are():
    """
    In the plan of all flows, an operand that names a row of a table names one of its rows, or none where that has a meaning.
    """
    plan = plan_of_file(ROOT / "scenarios" / "all_flows.yaml")
    seen = Counter()
    for each in plan.code:
        (form,) = [form for form in OPERATIONS[Op(each.op)].forms if form.facts is each.facts]
        for operand in filter(None, form.operands):
            value = getattr(each, operand.name)
            if operand.table and not (operand.table == "needs" and each.needs == 0) and not _is_unused(each, operand):
                assert (NOWHERE if operand.none else 0) <= value < len(getattr(plan, operand.table))
                seen[operand.table] += 1

    assert set(seen) == {
        "needs",
        "priorities",
        "distributions",
        "streams",
        "calendars",
        "program",
        "shares",
        "accounts",
    }


def _is_unused(each, operand):
    """The stream of a longest wait, where the wait has no end."""
    return operand.table == "streams" and NOWHERE in {getattr(each, "patience", 0), getattr(each, "timeout", 0)}


def test_rows_are_found_by_what_they_do():
    """
    `rows_where` is what a look at each row finds.
    """
    plan = plan_of_file(ROOT / "scenarios" / "all_flows.yaml")
    for test in (
        lambda facts: facts.ends,
        lambda facts: facts.asks is BranchOn.FLAG,
        lambda facts: facts.units is Units.SEIZES or facts.delays,
    ):
        found = rows_where(plan.program, test).tolist()

        assert found == [bool(test(each.facts)) for each in plan.code]
        assert any(found)


def test_few_files_name_an_operation():
    """
    Whoever follows tokens through a program reads facts: only the table, what emits operations, and the engines name one.
    """
    named = set()
    for path in sorted((ROOT / "zonesim").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.Name) and node.id == "Op" for node in ast.walk(tree)):
            named.add(path.relative_to(ROOT / "zonesim").as_posix())

    assert not {name for name in named if not name.startswith(NAMING)}
    assert len(named) > len(NAMING)
