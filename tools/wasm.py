"""
Build `zonesim/engine/kernel.wasm`: the compiled kernel as a WebAssembly module, for pages that simulate.

It is the code that numba makes of the same functions, for a processor without extras, handed to LLVM's WebAssembly
back end and linked by `wasm-ld` (Debian: lld; or the wheel `ziglang`, which carries one). The module imports its
memory and nothing else. Each function that it exports takes two pointers: to its arguments, 8 bytes each, as numba
passes them (an array is seven words: 0, 0, number of items, bytes of an item, address, items, bytes of an item again;
one more count and stride for each further dimension), and to where its result goes, 8 bytes.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
TARGET: Final = ROOT / "zonesim" / "engine" / "kernel.wasm"

TRIPLE: Final = "wasm32-unknown-unknown"
FEATURES: Final = "+simd128,+bulk-memory,+sign-ext,+nontrapping-fptoint,+mutable-globals"
STACK: Final = 1 << 17
"""Bytes of the stack; no function of the kernel calls itself."""

SMALLEST: Final = "scenarios/busy_gate.yaml"
"""A scenario whose arrays have the types of all."""

# What numba compiles must not depend on the machine that builds it.
os.environ["NUMBA_CPU_NAME"] = "generic"
os.environ["NUMBA_CPU_FEATURES"] = ""


def functions() -> dict[str, Any]:
    """Return what is exported, by name: the compiled overload of a kernel."""
    import numba  # noqa: PLC0415  only after the settings above
    import numpy as np  # noqa: PLC0415

    from zonesim.compiled import streams  # noqa: PLC0415
    from zonesim.engine import compiled_engine, sampling  # noqa: PLC0415
    from zonesim.engine.kernel import breakdowns, draws, loop  # noqa: PLC0415
    from zonesim.plan import compile_plan  # noqa: PLC0415
    from zonesim.policy import arms_for, open_world, resolve  # noqa: PLC0415

    world = open_world(ROOT / SMALLEST, [])
    plan = compile_plan(resolve(world, arms_for(world)[0]))
    of_run = compiled_engine.arguments(plan)
    state, given_draws, resources = of_run[0], of_run[2], of_run[4]
    number, word = np.int64(0), np.uint64(0)
    asked: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "run": (loop.run, of_run),
        "start_clocks": (breakdowns.start_clocks, (state, given_draws, resources)),
        "key": (streams._mixed_key, (word, word)),  # noqa: SLF001
        "uniform": (draws._uniform, (word, word, number, number, number)),  # noqa: SLF001
        "quantile": (sampling.quantile_at, (given_draws.distributions, given_draws.numbers, number, 0.5)),
    }
    found = {}
    for name, (function, given) in asked.items():
        types = tuple(map(numba.typeof, given))
        function.compile(types)
        found[name] = function.overloads[types]
    return found


def driver(name: str, symbol: str, text: str) -> str:
    """Return a function of two pointers around a compiled one, whose definition stands in `text`."""
    called = f'@"?{re.escape(symbol)}"?'
    head = re.search(rf"^define [^\n]*{called}\(([^\n]*)\)[^\n]*{{$", text, re.MULTILINE)
    if head is None:
        raise SystemExit(f"{name}: the compiled code has no {symbol[:60]}")
    kinds = [part.split()[0] for part in re.split(r", (?=(?:ptr|i64|double|i32|i8|i1)\b)", head[1])]
    returned = {"run": "i64", "start_clocks": "ptr", "key": "i64", "uniform": "double", "quantile": "double"}[name]
    lines = [
        f"define void @{name}(ptr %arguments, ptr %result) {{",
        f"  %value = alloca {returned}",
        "  %fault = alloca ptr",
    ]
    passed = ["ptr %value", "ptr %fault"]
    for place, kind in enumerate(kinds[2:]):
        lines.append(f"  %at{place} = getelementptr i8, ptr %arguments, i32 {8 * place}")
        lines.append(f"  %w{place} = load {kind}, ptr %at{place}, align 8")
        passed.append(f"{kind} %w{place}")
    lines.append(f'  %status = call i32 @"{symbol}"({", ".join(passed)})')
    lines.append(f"  %found = load {returned}, ptr %value")
    lines.append(f"  store {returned} %found, ptr %result")
    return "\n".join([*lines, "  ret void", "}", ""])


def assembly(compiled: dict[str, Any]) -> str:
    """Return the kernels and their drivers as one LLVM module in text, for the machine it is to run on."""
    import llvmlite.binding as llvm  # noqa: PLC0415

    whole: Any = None
    for name, overload in compiled.items():
        text = str(overload.library._get_module_for_linking())  # noqa: SLF001
        text = retargeted(text) + driver(name, overload.fndesc.llvm_func_name, text)
        module = llvm.parse_assembly(text)
        if whole is None:
            whole = module
        else:
            whole.link_in(module)
    return str(whole)


def retargeted(text: str) -> str:
    """Return LLVM's text for another machine: its layout, no features of a processor, no library of mathematics."""
    layout = str(machine().target_data)
    text = re.sub(r"^target datalayout = .*$", f'target datalayout = "{layout}"', text, flags=re.MULTILINE)
    text = re.sub(r"^target triple = .*$", f'target triple = "{TRIPLE}"', text, flags=re.MULTILINE)
    text = re.sub(r'"(?:target-cpu|target-features|tune-cpu)"="[^"]*"', "", text)
    return re.sub(r"@sqrt\b", "@llvm.sqrt.f64", text)


def machine() -> Any:  # noqa: ANN401
    """Return LLVM's WebAssembly back end."""
    import llvmlite.binding as llvm  # noqa: PLC0415

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    return llvm.Target.from_triple(TRIPLE).create_target_machine(opt=3, features=FEATURES)


def emitted(text: str, exported: list[str]) -> bytes:
    """Return the object file of a module: what is not exported is internal, and gone where nobody calls it."""
    import llvmlite.binding as llvm  # noqa: PLC0415

    module = llvm.parse_assembly(text)
    for function in module.functions:
        if not function.is_declaration and function.name not in exported:
            function.linkage = llvm.Linkage.internal
    for variable in module.global_variables:
        if variable.linkage in {llvm.Linkage.common, llvm.Linkage.linkonce_odr}:
            variable.linkage = llvm.Linkage.internal
    back_end = machine()
    builder = llvm.create_pass_builder(back_end, llvm.create_pipeline_tuning_options(speed_level=3))
    builder.getModulePassManager().run(module, builder)
    module.verify()
    object_file: bytes = back_end.emit_object(module)
    return object_file


def linker() -> list[str]:
    """Return the command of a linker for WebAssembly; exits with how to get one where there is none."""
    for name in ("wasm-ld", *(f"wasm-ld-{version}" for version in range(25, 12, -1))):
        if found := shutil.which(name):
            return [found]
    if importlib.util.find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "wasm-ld"]
    raise SystemExit("no linker for WebAssembly: install Debian's lld, or the wheel ziglang (pip install ziglang)")


def linked(object_file: bytes, exported: list[str]) -> bytes:
    """Return the module that a page loads."""
    with tempfile.TemporaryDirectory() as folder:
        made, out = Path(folder) / "kernel.o", Path(folder) / "kernel.wasm"
        made.write_bytes(object_file)
        subprocess.run(  # noqa: S603
            [
                *linker(),
                "--no-entry",
                "--import-memory",
                "--strip-all",
                "--gc-sections",
                "-z",
                f"stack-size={STACK}",
                "--export=__heap_base",
                *(f"--export={name}" for name in exported),
                str(made),
                "-o",
                str(out),
            ],
            check=True,
        )
        return out.read_bytes()


def is_current(path: Path) -> bool:
    """Return whether a module is there and made of the sources as they are."""
    from zonesim.engine import wasm  # noqa: PLC0415

    return path.exists() and path.read_bytes() == wasm.stamped(path.read_bytes().rpartition(wasm.SECTION)[0][:-3])


def main() -> None:
    """Build the module."""
    parser = argparse.ArgumentParser(description=__doc__.strip().partition("\n")[0])
    parser.add_argument("-o", "--out", type=Path, default=TARGET)
    out = parser.parse_args().out
    sys.path.insert(0, str(ROOT))
    from zonesim.engine import wasm  # noqa: PLC0415

    if is_current(out):
        print(f"{out}: is made of these sources")
        return
    linker()
    compiled = functions()
    names = list(compiled)
    found = wasm.stamped(linked(emitted(assembly(compiled), names), names))
    out.write_bytes(found)
    print(f"{out}: {len(found):,} bytes")


if __name__ == "__main__":
    main()
