"""The kernel that pages carry gives the same rows, totals and faults as the compiled engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests import wasm_kernel
from tests.helper import ROOT, plan_of_file, shipped
from tests.properties.agreement import difference, outcome
from tests.properties.hunt import differs
from tests.properties.plans import model_of
from zonesim.compiled.streams import run_key, uniform
from zonesim.engine import wasm
from zonesim.engine.kernel_input import input_of
from zonesim.engine.sampling import sample
from zonesim.faults import ScenarioFault


@pytest.fixture(autouse=True)
def _module():
    wasm_kernel.module()


@pytest.mark.parametrize("seed", range(0, 20, 20))
def test_the_module_runs_random_models_as_the_compiled_engine_does(seed):
    """
    Twenty models: rows as a sequence of bytes, totals field by field, faults word for word.
    """
    for number in range(seed, seed + 20):
        found = differs(model_of(number), "compiled", wasm_kernel.simulate, replications=1)

        assert not found, f"{found}\n{number}"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20, 1020, 100))
def test_the_module_runs_many_random_models_as_the_compiled_engine_does(seed):
    """
    A thousand models.
    """
    for number in range(seed, seed + 100):
        found = differs(model_of(number), "compiled", wasm_kernel.simulate, replications=1)

        assert not found, f"{found}\n{number}"


def test_the_module_runs_a_gate_as_the_compiled_engine_does():
    """
    A busy gate for its whole ten weeks.
    """
    _same(ROOT / "scenarios" / "busy_gate.yaml")


@pytest.mark.slow
@pytest.mark.parametrize("path", shipped())
def test_the_module_runs_shipped_scenarios_as_the_compiled_engine_does(path):
    """
    Every shipped scenario.
    """
    _same(path)


def _same(path: Path) -> None:
    plan = plan_of_file(path)
    found = difference(plan, outcome(plan, "compiled"), outcome(plan, wasm_kernel.simulate))

    assert not found, found


def test_the_module_draws_the_same_numbers():
    """
    Keys of runs, uniform numbers and quantiles have the same bits.
    """
    module = wasm_kernel.module()
    draws = input_of(plan_of_file(ROOT / "scenarios" / "busy_gate.yaml")).draws
    for seed, replication in ((1, 0), (2**63 - 1, 7)):
        key = run_key(seed, replication)
        found = module.call("key", np.uint64(seed), np.uint64(replication))

        assert key.tobytes() == found
        stream, zero = np.uint64(0x123456789ABCDEF), np.int64(0)
        drawn = uniform(key, stream, 5, 0, 0)
        assert np.float64(drawn).tobytes() == module.call("uniform", key, stream, np.int64(5), zero, zero)
        for row in range(len(draws.distributions)):
            value = sample(draws.distributions, draws.numbers, row, drawn, 0)
            found = module.call("quantile", draws.distributions, draws.numbers, np.int64(row), np.float64(drawn))
            assert np.float64(value).tobytes() == found


def test_a_module_that_is_not_there_says_how_to_get_it(tmp_path, monkeypatch):
    """
    Without the module, or with one that was made of other sources, there is one line that says what to do.
    """
    monkeypatch.setattr(wasm, "MODULE", tmp_path / "kernel.wasm")
    with pytest.raises(ScenarioFault) as found:
        wasm.module_bytes()
    assert str(found.value) == (
        "kernel.wasm: the kernel has not been built for browsers\n"
        "    In the source tree: make wasm. A wheel of zonesim carries it."
    )
    wasm.MODULE.write_bytes(b"\0asm\1\0\0\0\0\x18\7zonesim0123456789abcdef")
    with pytest.raises(ScenarioFault, match="the kernel was built for browsers of other sources than these"):
        wasm.module_bytes()
