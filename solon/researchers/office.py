"""The folder of a scorer's process: what it holds, how it is founded, how it is opened again."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from solon.researchers.labels import Holdout
from solon.researchers.ledger import Budget, Ledger
from solon.researchers.method import Rerun
from solon.researchers.problem import Problem
from solon.researchers.rules import Rules
from solon.researchers.sandbox import Limits, Sandbox
from solon.researchers.scorer import Scorer
from solon.researchers.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The folder of a scorer's process, of mode 700: labels, records, trace, tokens.

    Example:
        Office(folder=Path("office")).found(problem, holdout, agents=["ada"])
    """

    folder: Path
    secret: int | None = field(default=None, repr=False)
    """Fixes the scorer's seeds; none draws it when the folder is founded."""

    def found(
        self,
        problem: Problem,
        holdout: Holdout,
        *,
        agents: Sequence[str],
        rules: Rules = Rules(),
        sandbox: Sandbox = Sandbox(),
    ) -> dict[str, str]:
        """Writes all that the process needs; each agent's token, which is what makes it that one.

        Names without tokens would let one agent ask as many.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)
        problem.write(self.folder / "problem")
        holdout.write(self.folder / "holdout")
        tokens = {agent: secrets.token_hex(16) for agent in agents}
        settings = {
            "rules": asdict(rules),
            "sandbox": asdict(sandbox),
            "secret": secrets.randbits(63) if self.secret is None else self.secret,
            "tokens": tokens,
        }
        (self.folder / "settings.json").write_bytes(orjson.dumps(settings))
        return tokens

    def settings(self) -> dict[str, Any]:
        return orjson.loads((self.folder / "settings.json").read_bytes())

    def open(self) -> Scorer:
        """The scorer as its records left it; DataError where others can enter the folder."""
        holdout, settings = Holdout.read(self.folder / "holdout"), self.settings()
        rules, sandbox = settings["rules"], settings["sandbox"]
        # JSON has no infinity: what has no bound came back as null, and null is the default
        budget = {key: value for key, value in rules["budget"].items() if value is not None}
        rules["budget"], sandbox["limits"] = Budget(**budget), Limits(**sandbox["limits"])
        return Scorer(
            problem=Problem.read(self.folder / "problem"),
            holdout=holdout,
            execute=Rerun(sandbox=Sandbox(**sandbox)),
            ledger=Ledger(self.folder / "records.jsonl"),
            trace=Trace(self.folder / "trace.jsonl"),
            secret=settings["secret"],
            rules=Rules(**rules),
            sources=self.folder / "methods",
        )
