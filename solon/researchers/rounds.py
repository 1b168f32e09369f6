"""Embedded agents in rounds: in each, all take one turn at the same time.

An agent hears in a round what was posted before it began, so the order in which the scorer comes to
them changes nothing, and a campaign that was killed ends as if it had not been. Our formulation.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from solon.researchers.embedded import Embedded
from solon.researchers.ledger import Ledger
from solon.researchers.notebook import Notes
from solon.researchers.parallel import together
from solon.researchers.places import Places
from solon.researchers.rules import Client, Reply
from solon.run import lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """All rounds of some agents, from the first that is not finished.

    Example:
        Rounds(agents=agents, turns=6, places=places, clients=clients, moved=print)()
    """

    agents: Sequence[Embedded]
    turns: int
    """Submissions of each."""
    places: Places
    """Where notes and posts lie."""
    clients: Mapping[str, Client]
    """The scorer, by agent."""
    moved: Callable[[str, int], None]
    """Told which agent has taken how many turns."""

    def __call__(self) -> None:
        for turn in range(1, self.turns + 1):
            self._begin(turn)
            together([partial(self._turn, agent, turn) for agent in self.agents])

    def settle(self) -> None:
        """Brings notes and posts to where a kill kept them from; before the scorer is started."""
        ledger = self.places.ledger()
        for agent in self.agents:
            book = self.places.notebook(agent.name)
            notes = settled(book.read(agent.name), ledger)
            book.write(notes)
            agent.tell(self.places.copy(agent.name), notes)
            self._share(agent.name)
            self.moved(agent.name, len(notes.tries))

    def _begin(self, turn: int) -> None:
        """Copies the forum to all agents, once a round."""
        if len(lines.read(self.places.rounds)) < turn:
            self.places.forum.sync([self.places.copy(one.name).folder for one in self.agents])
            lines.append(self.places.rounds, {"round": turn, "began": time.time()})

    def _turn(self, agent: Embedded, turn: int) -> None:
        """Nothing for who took it before a kill, and for who ended in an earlier round."""
        book = self.places.notebook(agent.name)
        if len(book.read(agent.name).tries) != turn - 1:
            return
        agent.turn(self.clients[agent.name], self.places.copy(agent.name), book)
        self._share(agent.name)
        self.moved(agent.name, turn)

    def _share(self, agent: str) -> None:
        for post in self.places.copy(agent).posts()[0]:
            if post.agent == agent:
                self.places.forum.share(post)


def settled(notes: Notes, ledger: Ledger) -> Notes:
    """The notes with the answer that a kill kept back, or without a try that it kept from scoring.

    Then the agent has the same idea again, as its draws are fixed by how often it tried.
    """
    if not notes.tries or notes.tries[-1].answered:
        return notes
    scored = ledger.of(notes.agent, "score")
    if scored and scored[-1].digest == notes.tries[-1].digest:
        last = scored[-1]
        told = ledger.best(notes.agent)
        return notes.answered(Reply(pgr=told, improved=last.improved, reason=last.reason))
    return replace(notes, tries=notes.tries[:-1])
