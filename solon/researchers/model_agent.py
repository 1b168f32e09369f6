"""A researcher that is a language model: fresh conversations, joined by the notes that it keeps.

After the loop of Anthropic's automated weak-to-strong researcher (2026), where each iteration is a
fresh session. Deviations: (1) five tools, where it has more, the web among them; (2) sessions end
after a number of turns or tokens, and not by a clock.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from solon.errors import InputError, SettingError
from solon.records import Abstains
from solon.researchers.calls import TOOLS, checked
from solon.researchers.chat import Call, Chat, Turn
from solon.researchers.scorer import AGENT
from solon.researchers.tools import Tools, clip
from solon.text.hostile import neutralise
from solon.text.template import Template

Ended = Literal["stopped", "turns", "tokens", "refused"]
CALLS = 16  # of one turn: more are there to wear the tools out
REMEMBERED = 8000  # characters of its own words that a conversation carries on
LATE = 3
MARGIN = 200
LEFT_OUT = "(left out, as it is long ago)"
CUT = "Your reply was cut at its longest. Go on, with a shorter one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One conversation: how long it was, what it cost, and why it ended.

    Example:
        Session(turns=12, calls=15, tokens_in=80_000, tokens_out=6_000, ended="stopped")
    """

    turns: int = 0
    """Replies of the model."""
    calls: int = 0
    """Of tools, refused ones included."""
    tokens_in: int = 0
    """Read by the model."""
    tokens_out: int = 0
    """Written by it."""
    ended: Ended = "turns"
    """The model made no call, the turns or tokens ran out, or the server refused."""
    reason: str = ""
    """Of the refusal."""


@dataclass(frozen=True, slots=True)
class ModelAgent:
    """One agent. What it knows between two sessions is in its folder, so it can end at any time.

    Example:
        ModelAgent("ada", "Look inside.", EndpointChat(model="qwen3-8b"), tools).run()
    """

    name: str
    """Its tools' agent."""
    direction: str
    """Where it is told to look."""
    chat: Chat = field(repr=False)
    """The model."""
    tools: Tools
    """All that it can do."""
    turns: int = 60
    """Of one conversation."""
    iterations: int = 10
    """Conversations of one run."""
    tokens: int = 5_000_000
    """Read and written in one run; the turn that passes it is the last."""
    context: int = 400_000
    """Characters of a conversation; past it the results of its oldest calls are left out."""
    prompt: str = "researcher/system"
    """The template that a conversation begins with."""

    def __post_init__(self) -> None:
        if self.name != self.tools.agent or not AGENT.fullmatch(self.name):
            raise SettingError(f"name: expected its tools' {self.tools.agent!r}, got {self.name!r}")
        for name in ("turns", "iterations", "tokens", "context"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name}: expected at least 1, got {getattr(self, name)}")

    def run(self) -> tuple[Session, ...]:
        """EndpointError and SettingError where the server or the sandbox does not work at all."""
        self.tools.sandbox.probe()
        sessions, left = list[Session](), self.tokens
        for _ in range(self.iterations):
            sessions.append(self.iterate(left))
            left -= sessions[-1].tokens_in + sessions[-1].tokens_out
            if left <= 0:
                break
        return tuple(sessions)

    def iterate(self, tokens: int | None = None) -> Session:
        """One conversation, from the notes."""
        talk = _Talk(agent=self, tokens=self.tokens if tokens is None else tokens)
        self.note("begins", {"direction": self.direction})
        while talk.step():
            pass
        self.note("ends", {name: getattr(talk, name) for name in ("ended", "reason", "turns")})
        return talk.session

    def opening(self) -> list[dict[str, Any]]:
        """The messages that a conversation begins with."""
        values = {
            "agent": self.name,
            "direction": self.direction,
            "turns": str(self.turns),
            "notes": self.tools.notes() or "(none yet)",
        }
        turns = Template.load(self.prompt).render(values)
        return [{"role": turn.role, "content": turn.text} for turn in turns]

    def note(self, what: str, detail: dict[str, object]) -> None:
        self.tools.trace.append(self.name, what, detail)


@dataclass(slots=True, kw_only=True)
class _Talk:
    """A conversation while it lasts."""

    agent: ModelAgent
    tokens: int
    turns: int = 0
    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    ended: Ended = "turns"
    reason: str = ""
    messages: list[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.messages = self.agent.opening()

    @property
    def session(self) -> Session:
        return Session(
            turns=self.turns,
            calls=self.calls,
            tokens_in=self.tokens_in,
            tokens_out=self.tokens_out,
            ended=self.ended,
            reason=self.reason,
        )

    def step(self) -> bool:
        """One turn and its calls; whether another may follow."""
        self._shorten()
        turn = self.agent.chat.reply(self.messages, self.agent.tools.definitions)
        if isinstance(turn, Abstains):
            self.ended, self.reason = "refused", turn.reason
            return False
        self.turns += 1
        self.tokens_in += turn.tokens_in
        self.tokens_out += turn.tokens_out
        self._say(turn)
        if not turn.calls and not turn.cut:
            self.ended = "stopped"
            return False
        self._answer(turn)
        if self.tokens_in + self.tokens_out >= self.tokens:
            self.ended = "tokens"
            return False
        return self.turns < self.agent.turns

    def _say(self, turn: Turn) -> None:
        """The model's own turn, as a server will take it back."""
        used = {"in": turn.tokens_in, "out": turn.tokens_out, "calls": len(turn.calls)}
        self.agent.note("said", {"text": turn.text, **used})
        said: dict[str, Any] = {"role": "assistant", "content": _again(turn.text)}
        if turn.calls:
            said["tool_calls"] = [_kept(one) for one in turn.calls[:CALLS]]
        self.messages.append(said)

    def _answer(self, turn: Turn) -> None:
        for one in turn.calls[:CALLS]:
            self.calls += 1
            result = self.agent.tools.call(one.name, one.arguments)
            self.messages.append({"role": "tool", "tool_call_id": one.id, "content": result})
        notes = self._notes(turn)
        if not turn.calls:
            self.messages.append({"role": "user", "content": " ".join([CUT, *notes])})
        elif notes:
            self.messages[-1]["content"] += f"\n\n({' '.join(notes)})"

    def _shorten(self) -> None:
        """Down to half of what there may be: a server that keeps beginnings reads few anew."""
        size = sum(map(_size, self.messages))
        if size <= self.agent.context:
            return
        for one in self.messages[:-1]:
            if size > self.agent.context // 2 and _size(one) > len(LEFT_OUT) + MARGIN:
                before = _size(one)
                if one["role"] == "tool":
                    one["content"] = LEFT_OUT
                elif "tool_calls" in one:
                    one["tool_calls"] = [_bare(call) for call in one["tool_calls"]]
                size -= before - _size(one)

    def _notes(self, turn: Turn) -> Sequence[str]:
        left, notes = self.agent.turns - self.turns, list[str]()
        if len(turn.calls) > CALLS:
            notes.append(f"{len(turn.calls) - CALLS} calls more were not made: at most {CALLS}.")
        if left <= LATE:
            notes.append(f"{left} replies are left: notes.md is all that you will remember.")
        return notes


def _kept(call: Call) -> dict[str, Any]:
    """A call as the conversation carries it on: servers refuse bad names, and what is no JSON."""
    name = call.name if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", call.name) else "unknown"
    try:
        given = checked(call.arguments, TOOLS[name][1]) if name in TOOLS else {}
    except InputError:
        given = {}
    arguments = orjson.dumps({key: _again(value) for key, value in given.items()}).decode()
    return {"id": call.id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _bare(call: dict[str, Any]) -> dict[str, Any]:
    return call | {"function": call["function"] | {"arguments": "{}"}}


def _size(message: dict[str, Any]) -> int:
    calls = message.get("tool_calls", ())
    return len(message["content"]) + sum(len(one["function"]["arguments"]) for one in calls)


def _again(text: str) -> str:
    return neutralise(clip(text, REMEMBERED))
