"""A conversation with a model that may call tools, one turn at a time: a seam, and a server."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from solon.errors import SettingError
from solon.records import Abstains

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One tool that the model wants called; nothing in it was checked.

    Example:
        Call(id="call_0", name="read", arguments='{"path": "notes.md"}')
    """

    id: str
    """What the answer must name."""
    name: str
    """Of the tool, if there is such a one."""
    arguments: str
    """JSON, if the model kept to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a model said, and what it wants called; without calls it has come to an end.

    Example:
        Turn(text="I look at my notes.", calls=(call,), tokens_in=900, tokens_out=40)
    """

    text: str = ""
    """Words beside the calls."""
    calls: tuple[Call, ...] = ()
    """In the order to be made."""
    cut: bool = False
    """Whether it ran out of tokens before its end."""
    tokens_in: int = 0
    """Read, failed attempts included; at worst where the server does not count."""
    tokens_out: int = 0
    """Written, in the same way."""


class Chat(Protocol):
    """A model that may call tools, its messages and tools in the format of OpenAI's chat."""

    def reply(
        self, messages: Sequence[Message], tools: Sequence[Message], /
    ) -> Turn | Abstains: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointChat:
    """A model behind an OpenAI-compatible server. Satisfies ``Chat``.

    Example:
        EndpointChat(model="qwen3-8b", base_url="http://localhost:8000/v1")
    """

    model: str
    """Model, as the server names it."""
    base_url: str = "https://api.openai.com/v1"
    """Where the server is, up to /v1."""
    key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key, which goes nowhere but into the request."""
    temperature: float | None = None
    """Sampling temperature; none takes the server's own, the only one that some models allow."""
    max_new_tokens: int = 8192
    """Longest turn, in tokens."""
    timeout: float = 600.0
    """Seconds that bound one attempt."""
    attempts: int = 6
    """Attempts of a turn; those that met a 429 do not count."""
    patience: float = 600.0
    """Seconds for which a turn that meets 429s is tried again."""

    def __post_init__(self) -> None:
        url = urlsplit(self.base_url)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise SettingError(f"base_url: expected http(s)://host/path, got {self.base_url!r}")
        if url.username or url.password or url.query:
            raise SettingError(
                f"base_url: expected no credentials in it; put them in {self.key_env}"
            )
        for name in ("timeout", "patience"):
            if not 0 < (came := getattr(self, name)) < math.inf:
                raise SettingError(f"{name}: expected a positive number, got {came}")
        for name in ("attempts", "max_new_tokens"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name}: expected at least 1, got {getattr(self, name)}")

    def reply(self, messages: Sequence[Message], tools: Sequence[Message], /) -> Turn | Abstains:
        """Abstains where the server refused this turn; EndpointError where it refuses all."""
        from solon.engines.endpoint.tools import Talker

        talker = Talker.of(
            model=self.model,
            base_url=self.base_url,
            key_env=self.key_env,
            timeout=self.timeout,
            attempts=self.attempts,
            patience=self.patience,
        )
        sampling = {} if self.temperature is None else {"temperature": self.temperature}
        said = talker.ask(messages, tools, longest=self.max_new_tokens, **sampling)
        if isinstance(said, Abstains):
            return said
        return Turn(
            text=said.text,
            calls=tuple(Call(id=one, name=name, arguments=of) for one, name, of in said.calls),
            cut=said.finish == "length",
            tokens_in=said.tokens_in,
            tokens_out=said.tokens_out,
        )
