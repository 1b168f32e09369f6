"""Runs one method file on one problem folder: ``python -m solon.researchers.execute``.

It stands inside the sandbox, beside code that may be hostile: whatever it promises, whoever reads
its file checks again.
"""

from __future__ import annotations

import runpy
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from solon.errors import InputError
from solon.researchers.problem import Problem, checked


def execute(problem: Path, method: Path, out: Path) -> str:
    """Writes the probabilities; the reason, in one line, where there are none."""
    posed = Problem.read(problem)
    try:
        found = runpy.run_path(str(method), run_name="method")["method"](posed)
        probabilities = checked(found, len(posed.test_inputs), posed.classes)
    except InputError as error:
        return str(error)
    except BaseException as error:  # noqa: BLE001 - SystemExit too is a method without an answer
        return _line(error, method)
    np.save(out, np.ascontiguousarray(probabilities, dtype="<f8"), allow_pickle=False)
    return ""


def _line(error: BaseException, method: Path) -> str:
    """The kind of the error, the line of the method's file it came from, and its words."""
    steps = traceback.extract_tb(error.__traceback__)
    at = [step.lineno for step in steps if step.filename == str(method)]
    where = f"line {at[-1]}" if at else "its import"
    words = " ".join(str(error).split())[:160]
    return f"method: {where}: {type(error).__name__}: {words}"


def main(arguments: Sequence[str]) -> int:
    """Arguments: the problem's folder, the method's file, the file to write."""
    problem, method, out = (Path(one) for one in arguments)
    reason = execute(problem, method, out)
    if reason:
        sys.stderr.write(f"\n{reason}\n")
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
