"""The OpenAI wire format: what is sent, what came back, and the digest of all that made it."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

import orjson

from solon.engines.endpoint.choices import Alternatives
from solon.records import Abstains, Finish

VERSION = 1  # of this module's reading: a change asks everything anew
MAX_BODY = 8 * 2**20  # bytes; a larger answer is no answer
MAX_ALTERNATIVES = 128
MOST_SAID = 2000  # characters of an error that are looked at


class Malformed(ValueError):
    """A body that is not what the protocol says; worth another try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer of a server. ``alternatives`` are the next token's texts with logp in nats.

    Example:
        Reply(text="1", finish="stop", tokens_in=812, tokens_out=1, alternatives=(("1", -0.1),))
    """

    text: str
    finish: Finish = "stop"
    tokens_in: int = 0
    tokens_out: int = 0
    alternatives: Alternatives = ()


class Asked(Protocol):
    """A call as far as its reader and its payer know it: without its words."""

    @property
    def key(self) -> bytes: ...

    @property
    def logprobs(self) -> bool: ...

    @property
    def worst_in(self) -> int: ...

    @property
    def worst_out(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, its content address, and the most tokens that it can be billed for."""

    body: bytes
    key: bytes
    logprobs: bool
    worst_in: int
    worst_out: int


def call(url: str, body: Mapping[str, Any], index: int, *, limit: int) -> Call:
    """A request to ``url``; sibling ``index`` of its prompt may write ``limit`` tokens."""
    whole = orjson.dumps([VERSION, url, body, index], option=orjson.OPT_SORT_KEYS)
    sent = orjson.dumps(body)
    return Call(
        body=sent,
        key=hashlib.blake2b(whole, digest_size=16).digest(),
        logprobs="logprobs" in body,
        worst_in=len(sent),  # no tokenizer makes more tokens than bytes
        worst_out=limit,
    )


def kept(reply: Reply) -> bytes:
    """The reply as the cache keeps it."""
    return orjson.dumps(reply)


def recalled(value: bytes) -> Reply:
    """The reply that ``kept`` wrote."""
    fields = orjson.loads(value)
    fields["alternatives"] = tuple((text, logp) for text, logp in fields["alternatives"])
    return Reply(**fields)


def read(body: bytes, *, logprobs: bool) -> Reply | Abstains:
    """The first choice of a 200; Abstains where the server withheld it. Raises Malformed."""
    try:
        whole = orjson.loads(body)
        choice = whole["choices"][0]
        tokens = used(whole)
        message = choice.get("message")
        if choice.get("finish_reason") == "content_filter":
            return Abstains(reason="the server filtered the answer")
        if message and message.get("refusal") and not message.get("content"):
            return Abstains(reason="the model refused to answer")
        text = _text(choice)
        listed = alternatives(choice.get("logprobs")) if logprobs else ()
    except (LookupError, ArithmeticError, ValueError, TypeError, AttributeError) as error:
        raise Malformed(f"malformed body ({type(error).__name__})") from error
    tokens_in, tokens_out = tokens or (0, 0)
    finish: Finish = "length" if choice.get("finish_reason") == "length" else "stop"
    return Reply(
        text=text, finish=finish, tokens_in=tokens_in, tokens_out=tokens_out, alternatives=listed
    )


def used(whole: Any) -> tuple[int, int] | None:
    """Tokens read and written by the server's own count; None where it gave none."""
    usage = whole.get("usage") if isinstance(whole, dict) else None
    if not isinstance(usage, dict):
        return None
    read, written = usage.get("prompt_tokens"), usage.get("completion_tokens", 0)
    if not (isinstance(read, int) and isinstance(written, int)) or min(read, written) < 0:
        return None
    return read, written


def billed(body: bytes) -> tuple[int, int] | None:
    """Tokens that a body says were used, whatever else is wrong with it."""
    try:
        return used(orjson.loads(body))
    except ValueError:
        return None


def said(body: bytes) -> str:
    """The server's own words about an error, in one line of printable text."""
    try:
        error = orjson.loads(body)
        error = error.get("error", error)
        text = error if isinstance(error, str) else error["message"]
    except (ValueError, KeyError, TypeError, AttributeError):
        text = None
    if not isinstance(text, str):
        text = body[:MOST_SAID].decode(errors="replace")
    return re.sub(r"[^ -~]+", " ", text).strip()[:MOST_SAID]


def alternatives(logprobs: Any) -> Alternatives:
    """The first token's alternatives, likeliest first, from chat's list or completions' map."""
    if not logprobs:
        return ()
    if logprobs.get("content"):
        rows = logprobs["content"][0].get("top_logprobs") or ()
        pairs = [(spelt(row["token"], row.get("bytes")), row["logprob"]) for row in rows]
    else:
        first = (logprobs.get("top_logprobs") or [None])[0] or {}
        pairs = [(spelt(token), logp) for token, logp in first.items()]
    if not all(isinstance(logp, int | float) and math.isfinite(logp) for _, logp in pairs):
        raise Malformed("a log-probability that is no number")
    ranked = sorted(((text, min(float(logp), 0.0)) for text, logp in pairs), key=lambda p: -p[1])
    return tuple(ranked[:MAX_ALTERNATIVES])


def spelt(token: str, raw: object = None) -> str:
    r"""The text of a token: its bytes where given, else without its vocabulary's marks.

    Marks: "▁" and "Ġ" for a space, "Ċ" for a line end, "<0x31>" and "bytes:\x31" for a byte.
    """
    if isinstance(raw, list) and raw:  # of a number bytes() would make as many zeros
        return bytes(cast("list[int]", raw)).decode(errors="replace")
    if re.fullmatch(r"<0x[0-9A-Fa-f]{2}>", token):
        return bytes([int(token[3:5], 16)]).decode(errors="replace")
    if token.startswith("bytes:"):
        found = re.findall(r"\\x([0-9a-fA-F]{2})", token)
        return bytes(int(pair, 16) for pair in found).decode(errors="replace")
    return token.replace("▁", " ").replace("Ġ", " ").replace("Ċ", "\n")


def _text(choice: Mapping[str, Any]) -> str:
    """The answer's text; none at all is an answer only of a model that ran out of tokens."""
    text = choice["message"].get("content") if "message" in choice else choice["text"]
    if text is None and choice.get("finish_reason") == "length":
        return ""
    if not isinstance(text, str):
        raise Malformed("no text")
    return text
