"""Several researchers at one weak-to-strong problem, beside each other, before one scorer.

After Anthropic's automated weak-to-strong researcher (2026): agents with a direction each, a forum,
a leaderboard, labels on the scorer's side alone; what wins is tried where nobody looked.

Deviations
1. Embedded agents work in rounds and hear in each what was posted before it; models need not wait.
2. A campaign ends after so many submissions or conversations, and not after days.
3. There is no web, and no shell outside the sandbox.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from solon.errors import SettingError
from solon.researchers.chat import EndpointChat
from solon.researchers.crew import Role, roles
from solon.researchers.elsewhere import carry_all
from solon.researchers.embedded import Embedded
from solon.researchers.method import Rerun
from solon.researchers.office import Office
from solon.researchers.parallel import together
from solon.researchers.places import Places
from solon.researchers.posing import Posing
from solon.researchers.progress import Board
from solon.researchers.rounds import Rounds
from solon.researchers.rules import Rules
from solon.researchers.sandbox import Sandbox
from solon.researchers.server import ScorerClient, serving
from solon.researchers.talks import Talker, Talks
from solon.researchers.transfer import Transfer
from solon.run import lines
from solon.run.run import Run


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """Pose a problem, let agents search for methods, try the best of them elsewhere."""

    posing: Posing
    """The problem, and whose labels nobody sees."""
    agents: int = 4
    """Embedded agents, which need no language model."""
    turns: int = 6
    """Submissions of each embedded agent."""
    temperature: float = 0.2
    """How little embedded agents follow what is reported to work."""
    models: int = 0
    """Agents that are language models (``chat.model``, ``chat.base_url``)."""
    directed: bool = True
    """Whether each agent is told to look elsewhere, or all the same."""
    chat: EndpointChat = EndpointChat(model="")
    """The language model, behind an OpenAI-compatible server."""
    talks: Talks = Talks()
    """What each language model may use."""
    rules: Rules = Rules(workers=0)
    """How submissions are scored."""
    sandbox: Sandbox = field(default_factory=Sandbox)
    """Where methods, and models' commands, are run."""
    transfer: Transfer = Transfer()
    """What the best methods are tried on at the end."""

    def check(self) -> None:
        """SettingError for settings that do not go together, before anything is written."""
        if min(self.agents, self.models) < 0 or not self.agents + self.models:
            came = f"{self.agents} and {self.models}"
            raise SettingError(f"agents, models: expected one agent or more, got {came}")
        if self.turns < 1:
            raise SettingError(f"turns: expected 1 or more, got {self.turns}")
        if not self.temperature > 0:
            raise SettingError(f"temperature: expected above 0, got {self.temperature:g}")
        if bool(self.models) != bool(self.chat.model):
            raise SettingError(
                "models, model: expected both (models=1 model=NAME base_url=URL) or neither, "
                f"got models={self.models} model={self.chat.model!r}"
            )
        if self.models and self.sandbox.kind == "process":
            raise SettingError("sandbox.kind: expected auto or bubblewrap for a model, got process")
        self.posing.student()
        self.sandbox.probe()

    def __call__(self, run: Run) -> None:
        """Goes on where it was stopped; what is finished is not done again."""
        done = {line["stage"] for line in lines.read(run.dir / "stages.jsonl")}
        crew = roles(self.agents, self.models, directed=self.directed)
        if "pose" not in done:
            with run.stage("pose"):
                self._pose(run, crew)
        if "search" not in done:
            with run.stage("search"):
                self._search(run, crew)
        if "transfer" not in done:
            with run.stage("transfer"):
                execute = Rerun(sandbox=self.sandbox)
                carry_all(
                    run, self.posing, self.transfer, execute=execute, workers=self.rules.workers
                )

    def _pose(self, run: Run, crew: list[Role]) -> None:
        """The office, whole or not at all.

        Who can read this package and guess a seed can draw a laboratory's labels again: where
        language models work the seed is drawn, and kept with the labels.
        """
        places, partial = Places(folder=run.dir), run.dir / "office.partial"
        if places.office.exists():
            return
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        secret = secrets.randbits(63) if self.models else run.seed_for("secret")
        with Run(partial / "posing", seed=secret) as drawn:
            posed = self.posing.pose(drawn)[0]
        office = Office(folder=partial, secret=secret)
        names = [role.name for role in crew]
        office.found(
            posed.problem, posed.holdout, agents=names, rules=self.rules, sandbox=self.sandbox
        )
        office.open()  # refuses here what it would refuse in a process of its own
        posed.problem.write(places.problem)
        partial.rename(places.office)

    def _search(self, run: Run, crew: list[Role]) -> None:
        places = Places(folder=run.dir)
        tokens = Office(folder=places.office).settings()["tokens"]
        goals = {
            role.name: self.turns if role.kind == "embedded" else self.talks.iterations
            for role in crew
        }
        board = Board(display=run.display, records=places.office / "records.jsonl")
        with tempfile.TemporaryDirectory(prefix="solon-scorer-") as made, board.open(goals):
            path = Path(made, "scorer.sock")  # a socket's path is short, a campaign's may not be
            # every other agent's submission may be before one's own
            patience = len(crew) * self.rules.runs * (self.sandbox.limits.seconds + 10)
            clients = {
                name: ScorerClient(path=path, token=token, seconds=patience)
                for name, token in tokens.items()
            }
            rounds = self._rounds(run, crew, places, clients, board)
            rounds.settle()
            talkers = [
                Talker(
                    role=role,
                    chat=self.chat,
                    talks=self.talks,
                    places=places,
                    client=clients[role.name],
                    sandbox=self.sandbox,
                    moved=board.moved,
                )
                for role in crew
                if role.kind == "model"
            ]
            with serving(places.office, path):
                together([*([rounds] if rounds.agents else []), *talkers])

    def _rounds(
        self,
        run: Run,
        crew: list[Role],
        places: Places,
        clients: Mapping[str, ScorerClient],
        board: Board,
    ) -> Rounds:
        agents = [
            Embedded.of(role.direction, name=role.name, temperature=self.temperature, seed=run.seed)
            for role in crew
            if role.kind == "embedded"
        ]
        return Rounds(
            agents=agents, turns=self.turns, places=places, clients=clients, moved=board.moved
        )
