"""Scripts that try Triton's kernels, each batch in a process of its own."""

import importlib.util
import os
import subprocess
import sys

import pytest

from tests.support.media import ROOT

needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="Triton is not installed"
)


def run_scripts(begin, scripts):
    """What scripts came to, all in one process: a new one takes seconds to import torch.

    Kernels run on the card, or by Triton's interpreter where there is none.
    """
    import torch

    environment = dict(os.environ)
    if not torch.cuda.is_available():
        environment["TRITON_INTERPRET"] = "1"
    whole = f"""
import traceback
for name, script in {scripts!r}.items():
    try:
        exec({begin!r} + script)
        print(name, "same")
    except Exception:
        print(name, traceback.format_exc())
"""
    done = _python(whole, environment)
    return done.stdout + done.stderr


def run_compiler(script, folder):
    """Run a script that compiles kernels for a card that is not there; return what it printed."""
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    done = _python(COMPILED + script, environment | {"TRITON_CACHE_DIR": str(folder)})
    return done.stdout.strip() or done.stderr


COMPILED = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

def compiled(kernel, constants, kinds, **options):
    kinds = {p.name: "constexpr" if p.is_constexpr else kinds(p.name) for p in kernel.params}
    multiples = {
        (i,): [["tt.divisibility", 16]]
        for i, p in enumerate(kernel.params)
        if not (p.is_constexpr or p.do_not_specialize or p.do_not_specialize_on_alignment)
        and kinds[p.name] != "fp32"
    }
    source = ASTSource(kernel, kinds, constants, multiples)
    return triton.compile(source, target=GPUTarget("cuda", 80, 32), options=options)
"""


def _python(code, environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
