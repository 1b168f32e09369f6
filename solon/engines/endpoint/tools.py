"""One turn of a model that may call tools: one request, retried, and its answer read strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import orjson

from solon.engines.endpoint import wire
from solon.engines.endpoint.exchange import Outcome, Server, posted, tried
from solon.engines.endpoint.loop import wait
from solon.engines.endpoint.prices import OPENAI
from solon.engines.endpoint.secret import secret
from solon.engines.endpoint.wire import Reply
from solon.errors import SettingError
from solon.records import Abstains

ASKED = re.compile(r"[A-Za-z0-9_-]{1,64}")
KEY_LENGTH = 8  # a shorter key ("EMPTY") is no secret, and is a word that models use


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(Reply):
    """A reply and the calls in it: id, the tool's name, and arguments as the model wrote them.

    Example:
        Said(text="", calls=(("call_0", "read", '{"path": "notes.md"}'),), tokens_in=9)
    """

    calls: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Talker:
    """Asks one server for turns. The server's ``headers`` hold the key: keep it out of logs.

    Example:
        Talker.of(model="qwen3-8b", base_url="http://localhost:8000/v1").ask([turn], [])
    """

    server: Server

    @classmethod
    def of(
        cls,
        *,
        model: str,
        base_url: str,
        key_env: str = "OPENAI_API_KEY",
        timeout: float = 600.0,
        attempts: int = 6,
        patience: float = 600.0,
    ) -> Talker:
        """SettingError where OpenAI's own server is meant and the variable holds no key."""
        url = base_url.rstrip("/") + "/chat/completions"
        key = secret(key_env, needed=OPENAI in base_url)
        headers = {"Content-Type": "application/json"}
        server = Server(
            url=url,
            headers=headers | ({"Authorization": f"Bearer {key}"} if key else {}),
            secret=key,
            key_env=key_env,
            model=model,
            timeout=timeout,
            attempts=attempts,
            patience=patience,
        )
        return cls(server=server)

    def ask(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]],
        *,
        longest: int = 4096,
        **sampling: Any,
    ) -> Said | Abstains:
        """EndpointError where the server refuses everything, or none answers."""
        body = {"model": self.server.model, "messages": messages} | sampling
        # OpenAI's newer models refuse max_tokens, and other servers do not all know its successor
        newer = OPENAI in self.server.url
        body["max_completion_tokens" if newer else "max_tokens"] = longest
        if tools:
            body["tools"] = tools
        try:
            sent = orjson.dumps(body)
        except orjson.JSONEncodeError as error:
            raise SettingError(f"messages: expected values of JSON, got {error}") from None
        return wait(self._answered(sent, longest))

    async def _answered(self, sent: bytes, longest: int) -> Said | Abstains:
        """The reply with the tokens of every attempt, since all are paid."""
        used = (0, 0)

        async def attempt(_: int) -> Outcome[Said]:
            nonlocal used
            outcome = await posted(self.server, sent, self._read)
            # what says nothing of its tokens is taken at worst: no tokenizer makes more than bytes
            read, written = (len(sent), longest) if outcome.tokens is None else outcome.tokens
            used = (used[0] + read, used[1] + written)
            return outcome

        answer = await tried(self.server, attempt)
        if isinstance(answer, Abstains):
            return answer
        return replace(answer, tokens_in=used[0], tokens_out=used[1])

    def _read(self, status: int, headers: Mapping[str, str], body: bytes) -> Outcome[Said]:
        if status == HTTPStatus.OK:
            return self._spoken(body)
        return self.server.refused(status, headers, body)

    def _spoken(self, body: bytes) -> Outcome[Said]:
        tokens = wire.billed(body)
        try:
            answer = read(body)
        except wire.Malformed as error:
            return Outcome(reason=str(error), tokens=tokens)
        if isinstance(answer, Said):
            calls = ((one, name, self._clean(said)) for one, name, said in answer.calls)
            answer = replace(answer, text=self._clean(answer.text), calls=tuple(calls))
        return Outcome(answer=answer, tokens=tokens)

    def _clean(self, text: str) -> str:
        """What the model said without our key, which a server may have shown it."""
        kept = len(self.server.secret) >= KEY_LENGTH
        return text.replace(self.server.secret, "***") if kept else text


def read(body: bytes) -> Said | Abstains:
    """The first choice of a 200 with its calls, whatever these hold; Malformed where it has none.

    What the model wrote is not judged here: a name or arguments of another type come as "".
    """
    try:
        choice = orjson.loads(body)["choices"][0]
        message, finish = choice["message"], choice.get("finish_reason")
        text, asked = message.get("content"), message.get("tool_calls") or []
        refused = message.get("refusal")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise wire.Malformed(f"malformed body ({type(error).__name__})") from error
    if finish == "content_filter":
        return Abstains(reason="the server filtered the answer")
    if refused and not text and not asked:
        return Abstains(reason="the model refused to answer")
    if not isinstance(text, str | None) or not isinstance(asked, list):
        raise wire.Malformed("neither text nor calls")
    calls = tuple(_call(one, place) for place, one in enumerate(asked))
    if len({one for one, _, _ in calls}) < len(calls):  # two of one id cannot both be answered
        calls = tuple((f"call_{n}", name, given) for n, (_, name, given) in enumerate(calls))
    return Said(text=text or "", finish="length" if finish == "length" else "stop", calls=calls)


def _call(one: Any, place: int) -> tuple[str, str, str]:
    asked = one if isinstance(one, dict) else {}
    made = asked.get("function")
    function = made if isinstance(made, dict) else {}
    number, name, said = asked.get("id"), function.get("name"), function.get("arguments")
    if isinstance(said, dict):  # some servers send the object itself
        said = orjson.dumps(said).decode()
    return (
        number if isinstance(number, str) and ASKED.fullmatch(number) else f"call_{place}",
        name if isinstance(name, str) else "",
        said if isinstance(said, str) else "",
    )
