"""A language model at work in a campaign: one conversation after another, as far as they go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from solon.errors import SettingError
from solon.researchers.chat import Chat
from solon.researchers.crew import Role
from solon.researchers.model_agent import ModelAgent
from solon.researchers.places import Places
from solon.researchers.rules import Client
from solon.researchers.sandbox import Sandbox
from solon.researchers.sittings import sittings
from solon.researchers.tools import Tools
from solon.run import lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Talks:
    """What each language model may use in all its conversations.

    Example:
        Talks(iterations=3, tokens=500_000)
    """

    iterations: int = 10
    """Conversations, each from the notes of those before."""
    turns: int = 60
    """Replies of one conversation."""
    tokens: int = 5_000_000
    """Read and written in all of them; the turn that passes it is the last."""
    context: int = 400_000
    """Characters of a conversation; past it the results of its oldest calls are left out."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) < 1:
                raise SettingError(f"talks.{name}: expected 1 or more, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Talker:
    """One model; its conversations and tokens so far are those in the trace.

    Example:
        Talker(role=role, chat=chat, talks=Talks(), places=places, client=client,
               sandbox=Sandbox(), moved=print)()
    """

    role: Role
    chat: Chat = field(repr=False)
    talks: Talks
    places: Places
    """Where its folder, the forum and the trace lie."""
    client: Client = field(repr=False)
    """The scorer."""
    sandbox: Sandbox
    moved: Callable[[str, int], None]
    """Told its name and how many conversations it has had."""

    def __call__(self) -> None:
        """A conversation that a kill ended is begun anew, and its tokens are spent."""
        agent = self.agent()
        so_far = sittings(
            row for row in lines.read(self.places.trace.path) if row["agent"] == self.role.name
        )
        done = sum(one.ended != "killed" for one in so_far)
        left = self.talks.tokens - sum(one.tokens_in + one.tokens_out for one in so_far)
        while done < self.talks.iterations and left > 0:
            session = agent.iterate(left)
            done, left = done + 1, left - session.tokens_in - session.tokens_out
            self.moved(self.role.name, done)

    def agent(self) -> ModelAgent:
        workspace = self.places.workspace(self.role.name)
        workspace.mkdir(parents=True, exist_ok=True)
        tools = Tools(
            agent=self.role.name,
            workspace=workspace,
            problem=self.places.problem,
            client=self.client,
            forum=self.places.forum,
            trace=self.places.trace,
            sandbox=self.sandbox,
        )
        return ModelAgent(
            self.role.name,
            self.role.direction.text,
            self.chat,
            tools,
            turns=self.talks.turns,
            context=self.talks.context,
        )
