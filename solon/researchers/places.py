"""Where a campaign keeps what: who is killed goes on from here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from solon.researchers.forum import Forum
from solon.researchers.ledger import Ledger
from solon.researchers.notebook import Notebook
from solon.researchers.office import Office
from solon.researchers.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The campaign's folder, part by part.

    Example:
        Places(folder=Path("campaign")).notebook("embedded-1").read("embedded-1").best
    """

    folder: Path
    """The whole; no agent's code can reach it."""

    @property
    def office(self) -> Path:
        """The scorer's own: labels, records, trace, tokens, sources; of mode 700."""
        return self.folder / "office"

    @property
    def problem(self) -> Path:
        """What agents may see."""
        return self.folder / "problem"

    @property
    def forum(self) -> Forum:
        return Forum(folder=self.folder / "forum")

    @property
    def rounds(self) -> Path:
        """A line for each round that began."""
        return self.folder / "rounds.jsonl"

    @property
    def transfer(self) -> Path:
        """A line for each method and problem that it was tried on."""
        return self.folder / "transfer.jsonl"

    def copy(self, agent: str) -> Forum:
        """The forum as this agent has heard of it."""
        return Forum(folder=self.folder / "agents" / agent / "forum")

    def notebook(self, agent: str) -> Notebook:
        return Notebook(path=self.folder / "agents" / agent / "notebook.json")

    def workspace(self, agent: str) -> Path:
        """The one folder that a language model's code writes to."""
        return self.folder / "agents" / agent / "work"

    @property
    def trace(self) -> Trace:
        return Trace(self.office / "trace.jsonl")

    def ledger(self) -> Ledger:
        """Read anew; only while no scorer writes to it, as what a kill left is mended."""
        return Ledger(self.office / "records.jsonl")

    def secret(self) -> int:
        """What the campaign's draws are fixed by."""
        return int(Office(folder=self.office).settings()["secret"])

    def source(self, digest: str) -> str:
        """Of a method that was submitted."""
        return (self.office / "methods" / f"{digest}.py").read_text(encoding="utf-8")
