"""Agents without a language model: they improve, remember, read posts strictly, and differ."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import orjson
import pytest

from solon.errors import DataError, InputError, SettingError
from solon.researchers.diversity import diversity
from solon.researchers.embedded import (
    DIRECTIONS,
    UNDIRECTED,
    Client,
    Direction,
    Embedded,
    post_of,
    reported,
)
from solon.researchers.forum import Forum, Post
from solon.researchers.method import Method
from solon.researchers.notebook import Idea, Notebook, Notes
from solon.researchers.parts import BASELINES, FAMILIES, LIBRARY, Part, labelled
from solon.researchers.rules import Reply
from solon.researchers.server import ScorerClient

GAINS = {"self_trained": 0.25, "relabelled": 0.2, "co_trained": 0.2, "selected": 0.15, "voted": 0.1}


@dataclass
class Table:
    """A scorer whose score is a sum over the parts that a method holds, told through a ladder."""

    gains: dict[str, float] = field(default_factory=lambda: dict(GAINS))
    fails: str = ""
    queries: int = 10_000
    best: dict[str, float] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def score(self, agent: str, code: object) -> Reply:
        if len(self.asked) >= self.queries:
            return Reply(pgr=self.best.get(agent), reason="budget: all are spent")
        held = re.findall(r"^def (\w+)\(", str(code), re.MULTILINE)
        self.asked.append((agent, Method.of(code).digest))
        if self.fails in held:
            return Reply(pgr=self.best.get(agent), reason="method: line 9: ValueError: no")
        raw = 0.2 + sum(gain for name, gain in self.gains.items() if name in held)
        improved = agent not in self.best or raw > self.best[agent] + 0.05
        if improved:
            self.best[agent] = round(raw / 0.05) * 0.05
        return Reply(pgr=self.best[agent], improved=improved)


def places(folder: Path, agent: str = "ada") -> tuple[Forum, Notebook]:
    return Forum(folder=folder / "forum"), Notebook(path=folder / agent / "notebook.json")


@pytest.mark.parametrize("seed", range(4))
def test_an_agent_improves_on_its_baseline_and_sends_nothing_twice(
    tmp_path: Path, seed: int
) -> None:
    client: Table = Table()
    notes = Embedded(name="ada", seed=seed).run(client, *places(tmp_path), turns=60)
    assert notes.tries[0].parts == labelled(BASELINES["naive"])
    assert notes.tries[0].pgr == pytest.approx(0.2)
    assert notes.best is not None
    assert notes.best.pgr is not None
    assert notes.best.pgr >= 0.45
    digests = [digest for _, digest in client.asked]
    assert len(digests) == len(set(digests)) == 60
    assert tuple(digests) == tuple(one.digest for one in notes.tries)


def test_the_clients_protocol_is_the_scorers() -> None:
    client: Client = ScorerClient(path=Path("scorer.sock"), token="t")
    assert callable(client.score)


def test_a_resumed_agent_goes_on_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    whole = Embedded(name="ada").run(Table(), *places(tmp_path / "whole"), turns=24)
    client = Table()
    for turns in (1, 9, 24):
        parts = Embedded(name="ada").run(client, *places(tmp_path / "parts"), turns=turns)
    assert parts == whole
    posts = [{one.name for one in places(tmp_path / x)[0].posts()[0]} for x in ("whole", "parts")]
    assert posts[0] == posts[1]
    assert len(posts[0]) == 24


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_embedded import Table, places
from solon.researchers.embedded import Embedded
class Killed(Table):
    def score(self, agent, code):
        reply = super().score(agent, code)
        with Path(sys.argv[1], "asked").open("a") as file:
            file.write(self.asked[-1][1] + chr(10))
        if len(self.asked) == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return reply
Embedded(name="ada").run(Killed(), *places(Path(sys.argv[1])), turns=9)
"""


def test_after_a_kill_nothing_that_was_scored_is_sent_again(tmp_path: Path) -> None:
    command = (sys.executable, "-c", KILLED, str(tmp_path), str(Path(__file__).parent))
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    scored = (tmp_path / "asked").read_text().split()
    assert len(scored) == 4
    client = Table()
    notes = Embedded(name="ada").run(client, *places(tmp_path), turns=30)
    assert [one.answered for one in notes.tries] == [True] * 3 + [False] + [True] * 26
    assert [one.digest for one in notes.tries[:4]] == scored
    assert not set(scored) & {digest for _, digest in client.asked}


def test_a_lost_answer_is_known_by_the_next_one() -> None:
    notes = Notes(agent="ada")
    names = ("naive", "voted", "bagged")
    first, lost, last = (Idea(parts=(LIBRARY[name],), lead=name) for name in names)
    notes = notes.sent(first).answered(Reply(pgr=0.2, improved=True))
    notes = notes.sent(lost).sent(last).answered(Reply(pgr=0.4))
    assert notes.best is not None
    assert (notes.best.lead, notes.best.pgr) == ("voted", 0.4)
    assert not notes.best.answered


def test_a_post_that_a_kill_kept_back_is_told_by_the_next_step(tmp_path: Path) -> None:
    forum, notebook = places(tmp_path)
    Embedded(name="ada").run(Table(), forum, notebook, turns=3)
    for path in forum.folder.glob("*.json"):
        path.unlink()
    Embedded(name="ada").run(Table(), forum, notebook, turns=4)
    assert len(forum.posts()[0]) == 2


def test_a_spent_budget_ends_it_and_leaves_no_try(tmp_path: Path) -> None:
    client = Table(queries=5)
    notes = Embedded(name="ada").run(client, *places(tmp_path), turns=20)
    assert len(notes.tries) == len(client.asked) == 5
    assert places(tmp_path)[1].read("ada") == notes


def test_what_fails_is_told_as_an_error_and_never_becomes_its_best(tmp_path: Path) -> None:
    forum, notebook = places(tmp_path)
    agent = Embedded(name="ada", prior={"ensemble": 1.0, "self-training": 1.0})
    notes = agent.run(Table(fails="self_trained"), forum, notebook, turns=30)
    failed = [one for one in notes.tries if one.reason]
    assert failed
    assert all("self-trained" in one.parts and not one.improved for one in failed)
    kinds = [one.kind for one in forum.posts()[0]]
    assert kinds.count("error") == len(failed)
    assert kinds.count("result") == sum(one.improved for one in notes.tries)
    assert len(kinds) == 30


def test_a_notebook_of_another_agent_or_of_other_json_is_refused(tmp_path: Path) -> None:
    _, notebook = places(tmp_path)
    notebook.write(Notes(agent="bob"))
    with pytest.raises(DataError, match="the notes of ada"):
        notebook.read("ada")
    for written in (b"[]", b"{", orjson.dumps({"agent": "ada", "tries": [{"parts": "x"}]})):
        notebook.path.write_bytes(written)
        with pytest.raises(DataError, match="an agent's notes"):
            notebook.read("ada")


def result(agent: str, *parts: Part, lead: str = "", digest: str = "") -> Post:
    idea = Idea(parts=parts, lead=parts[-1].name)
    text = f"{labelled(parts)}\n{lead or idea.lead}\n\nPGR 0.9"
    title = labelled(parts)
    return Post(agent=agent, kind="result", title=title, text=text, digest=digest or idea.digest)


def test_a_report_is_believed_only_about_the_method_it_names() -> None:
    part = LIBRARY["paced"]
    told = result("bob", part)
    assert reported(told) == Idea(parts=(part,), lead="paced")
    assert reported(replace(told, kind="insight")) is None
    assert reported(replace(told, digest="9f" * 32)) is None
    assert reported(replace(told, text="paced(stages=2)\nvoted\n")) is None
    assert reported(replace(told, text="")) is None
    assert reported(replace(told, text="import os\npaced\n")) is None


def test_a_reported_part_comes_into_its_own_ideas(tmp_path: Path) -> None:
    agent = Embedded(name="ada", prior={"loss function": 1.0})
    forum, notebook = places(tmp_path)
    notes = agent.run(Table(), forum, notebook, turns=20)
    assert set(notes.families) == {"loss function"}
    forum.share(result("bob", LIBRARY["paced"]))
    notes = agent.run(Table(), forum, notebook, turns=60)
    assert {one.lead for one in notes.tries} >= {"paced"}
    assert notes.families[:20] == ("loss function",) * 20


def test_chances_follow_what_worked_as_the_temperature_says() -> None:
    ideas = [Idea(parts=(LIBRARY[name],), lead=name) for name in ("voted", "bagged", "paced")]
    naive = Idea(parts=BASELINES["naive"], lead="naive")
    agent = Embedded(name="ada", temperature=0.5)
    chances = agent.chances([*ideas, naive])
    assert sum(chances.values()) == pytest.approx(1)
    # shares of 2/8, 1/8 and 0
    assert chances["ensemble"] / chances["curriculum"] == pytest.approx(np.exp((1 / 8) / 0.5))
    assert chances["curriculum"] / chances["other"] == pytest.approx(np.exp((1 / 8) / 0.5))
    cold = replace(agent, temperature=1e9).chances(ideas)
    assert cold == pytest.approx(dict.fromkeys(FAMILIES, 1 / 11))


def test_settings_that_mean_nothing_are_refused() -> None:
    with pytest.raises(SettingError, match="temperature"):
        Embedded(name="ada", temperature=0)
    for prior in ({}, {"ensemble": -1.0, "other": 2.0}, {"alchemy": 1.0}, {"other": 0.0}):
        with pytest.raises(SettingError, match="prior"):
            Embedded(name="ada", prior=prior)  # pyright: ignore[reportArgumentType]


def test_directions_are_short_and_lean_where_no_other_does() -> None:
    assert len({one.text for one in DIRECTIONS}) == len(DIRECTIONS) == 9
    assert max(len(one.text.split()) for one in DIRECTIONS) <= 8
    leanings = [frozenset(f for f, w in one.prior.items() if w == 1) for one in DIRECTIONS]
    assert len(set(leanings)) == 9
    assert frozenset.union(*leanings) == set(FAMILIES)
    assert set(UNDIRECTED.prior.values()) == {1.0}
    with pytest.raises(InputError):
        Embedded.of(Direction(text="?", prior={}), name="ada")


def bits(directions: Sequence[Direction], *, seed: int, temperature: float = 0.2) -> float:
    """Mean entropy of the families over the last half of twelve steps of nine agents."""
    client, posts = Table(), list[Post]()
    agents = [
        Embedded.of(one, name=f"agent-{k}", seed=seed, temperature=temperature)
        for k, one in enumerate(directions)
    ]
    notes = {one.name: Notes(agent=one.name) for one in agents}
    for agent in agents * 12:
        idea = agent.step(notes[agent.name], posts)
        assert idea is not None
        reply = client.score(agent.name, idea.source)
        notes[agent.name] = notes[agent.name].sent(idea).answered(reply)
        posts.append(post_of(agent.name, notes[agent.name].tries[-1]))
    found = diversity({name: one.families for name, one in notes.items()}, draws=2)
    assert [one.bits.n for one in found] == [9] * 12
    return float(np.mean([one.bits.estimate for one in found[6:]]))


def test_directed_agents_differ_more_than_undirected_ones() -> None:
    directed = np.array([bits(DIRECTIONS, seed=seed) for seed in range(4)])
    undirected = np.array([bits([UNDIRECTED] * 9, seed=seed) for seed in range(4)])
    assert (directed > undirected).all(), (directed, undirected)
    assert np.mean(directed - undirected) > 0.5


def test_undirected_agents_grow_alike_because_they_follow_reports() -> None:
    deaf = bits([UNDIRECTED] * 9, seed=0, temperature=1e9)
    assert deaf > bits([UNDIRECTED] * 9, seed=0) + 0.5
