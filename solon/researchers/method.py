"""A submitted method: its source, its digest, and its runs on problems.

axes: M test examples, K classes.
"""

from __future__ import annotations

import ast
import hashlib
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import solon
from solon.errors import InputError
from solon.researchers.problem import Problem, read_answer
from solon.researchers.workspace import clear
from solon.seams.classifying import Floats

if TYPE_CHECKING:
    from solon.researchers.sandbox import Ran, Sandbox

START = """import sys
package, given, out = sys.argv[1:]
sys.path.insert(0, package)
from solon.researchers.execute import main
sys.exit(main((given, f"{given}/method.py", out)))
"""
ANSWER = "probabilities.npy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A source that defines ``method(problem)``, and the digest of what it says.

    The digest is of the parsed source: other comments and spaces do not make another method.

    Example:
        Method.of("def method(problem): ...")
    """

    source: str
    digest: str

    @classmethod
    def of(cls, code: object, *, most: int = 65536) -> Method:
        """InputError where it is not the source of a method; ``most`` bounds its bytes."""
        if not isinstance(code, str):
            came = type(code).__name__
            raise InputError(f"code: expected the source of a method as text, got {came}")
        if len(code.encode("utf-8", "replace")) > most:
            raise InputError(f"code: expected at most {most} bytes, got {len(code)} characters")
        try:
            tree = ast.parse(code)
            said = ast.dump(tree)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", None)
            raise InputError(f"code: expected Python, got an error at line {line}") from None
        defined = [one.name for one in tree.body if isinstance(one, ast.FunctionDef)]
        if "method" not in defined:
            raise InputError(
                "code: expected 'def method(problem)', got none; predictions are no code"
            )
        return cls(source=code, digest=hashlib.sha256(said.encode("utf-8", "replace")).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """What one run of a method gave: probabilities [M K], or None and the reason in one line.

    Example:
        Answer(probabilities=None, seconds=60.0, reason="method: ran out of time")
    """

    probabilities: Floats | None
    seconds: float
    reason: str = ""


class Execute(Protocol):
    """Runs a method on a problem; never raises for what the method does."""

    def __call__(self, method: Method, problem: Problem, /) -> Answer: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """Each run in a fresh sandbox that holds the problem, the method and this package, only.

    Example:
        Rerun(sandbox=Sandbox())
    """

    sandbox: Sandbox

    def __call__(self, method: Method, problem: Problem, /) -> Answer:
        with tempfile.TemporaryDirectory(prefix="solon-method-") as made:
            given, workspace = Path(made, "given"), Path(made, "workspace")
            problem.write(given)
            (given / "method.py").write_text(method.source, encoding="utf-8")
            workspace.mkdir()
            Path(made).chmod(0o755)  # a sandbox may run as another user, and nothing here is secret
            package = Path(solon.__path__[0])
            ran = self.sandbox.run(
                (sys.executable, "-c", START, "/package", "/given", ANSWER),
                workspace=workspace,
                read_only=[(package, "/package/solon"), (given, "/given")],
            )
            answer = _answer(ran, workspace / ANSWER, problem)
            clear(workspace)
            return answer


def _answer(ran: Ran, file: Path, problem: Problem) -> Answer:
    if ran.why:
        return Answer(probabilities=None, seconds=ran.seconds, reason=f"method: stopped: {ran.why}")
    if ran.rc:
        return Answer(probabilities=None, seconds=ran.seconds, reason=_last_line(ran.stderr))
    try:
        found = read_answer(file, len(problem.test_inputs), problem.classes)
    except InputError as error:
        return Answer(probabilities=None, seconds=ran.seconds, reason=str(error))
    return Answer(probabilities=found, seconds=ran.seconds)


def _last_line(stderr: bytes | str) -> str:
    text = stderr.decode("utf-8", "replace") if isinstance(stderr, bytes) else stderr
    lines = [line for line in text.splitlines() if line.strip()]
    line = "".join(letter for letter in (lines or [""])[-1] if letter.isprintable())
    return line[:240] if line.startswith("method: ") else "method: ended without an answer"
