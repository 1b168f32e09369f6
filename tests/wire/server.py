"""A real OpenAI-compatible server on loopback, whose faults are a function of (seed, row, attempt).

The row is the prompt's text up to its first line end; the attempt counts that row's requests.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Fault = str  # "ok" or a name in FAULTS
Next = Callable[[str], Mapping[str, float] | None]  # text so far -> the next token's logps


def never(row: str, attempt: int) -> Fault:
    return "ok"


def by_chance(seed: int, **shares: float) -> Callable[[str, int], Fault]:
    """Faults by their share of requests: the same for the same (seed, row, attempt)."""

    def fault(row: str, attempt: int) -> Fault:
        seen = hashlib.blake2b(f"{seed}|{row}|{attempt}".encode(), digest_size=8).digest()
        x = int.from_bytes(seen) / 2**64
        for name, share in shares.items():
            if x < share:
                return name
            x -= share
        return "ok"

    return fault


def only(
    name: Fault, *, attempts: Iterable[int] = (0,), rows: str = ""
) -> Callable[[str, int], Fault]:
    """That fault on those attempts of the rows that contain that text."""
    chosen = set(attempts)
    return lambda row, attempt: name if attempt in chosen and rows in row else "ok"


@dataclass
class Server:
    fault: Callable[[str, int], Fault] = never
    next_token: Next = lambda text: {"1": -0.2, " 2": -1.9}
    latency: float = 0.0
    hang: float = 30.0
    retry_after: str = "0.05"
    key: str = ""
    model: str = ""
    limit: float = 0.0  # requests a second; above it 429
    asked: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    inside: int = 0
    most_inside: int = 0
    limited: int = 0
    bucket: float = 0.0
    filled: float = 0.0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        text = text_of(body)
        row = text.split("\n")[0]
        if refused := self.refusal(request, body):
            return refused
        attempt, self.asked[row] = self.asked[row], self.asked[row] + 1
        self.bodies.append(body)
        self.inside += 1
        self.most_inside = max(self.inside, self.most_inside)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            return await self.reply(self.fault(row, attempt), request, row, self.answer(body, text))
        finally:
            self.inside -= 1

    def refusal(self, request: web.Request, body: dict[str, Any]) -> web.Response | None:
        sent = request.headers.get("Authorization", "")
        if self.key and sent != f"Bearer {self.key}":
            return error(401, f"Incorrect API key provided: {sent}")
        if self.model and body["model"] != self.model:
            return error(404, f"The model {body['model']} does not exist")
        if self.limit and not self.within_limit():
            self.limited += 1
            return error(429, "Rate limit reached", {"Retry-After": self.retry_after})
        return None

    def within_limit(self) -> bool:
        now = time.monotonic()
        self.bucket = min(self.limit / 10, self.bucket + (now - self.filled) * self.limit)
        self.filled = now
        if self.bucket < 1:
            return False
        self.bucket -= 1
        return True

    async def reply(
        self, fault: Fault, request: web.Request, row: str, whole: dict[str, Any]
    ) -> web.StreamResponse:
        if fault in STATUS:
            status, headers = STATUS[fault]
            named = {k: self.retry_after if v == "" else v for k, v in headers.items()}
            return error(status, f"fault {fault} for {row}", named)
        if fault == "deep":
            message = json.loads("[" * 900 + "]" * 900)
            return web.json_response({"error": {"message": message}}, status=400)
        if fault == "leak_late":  # so that the place where we cut falls into the key
            return error(400, "x" * 170 + " bad key " + request.headers["Authorization"][7:])
        if fault == "leak":
            return error(400, f"bad header {request.headers['Authorization']}")
        if fault in SPOILT:
            whole = SPOILT[fault](whole)
        elif fault != "ok":
            return await self.broken(fault, request, json.dumps(whole).encode())
        self.answered[row] += 1
        return web.json_response(whole)

    async def broken(self, fault: Fault, request: web.Request, data: bytes) -> web.StreamResponse:
        if fault == "truncated":
            return await half(request, data)
        if fault == "slow":
            return await dribble(request, data, self.hang)
        if fault == "malformed":
            return web.Response(body=data[: len(data) // 2], content_type="application/json")
        if fault == "huge":
            return web.Response(body=b'{"x":"' + b"x" * 9 * 2**20 + b'"}')
        assert fault in {"hang", "reset"}, fault
        await asyncio.sleep(self.hang if fault == "hang" else 0)
        assert request.transport
        request.transport.abort()
        return web.Response()

    def answer(self, body: dict[str, Any], text: str) -> dict[str, Any]:
        logprobs = self.next_token(text) if body.get("logprobs") else None
        usage = {"prompt_tokens": len(text) // 4 + 1, "completion_tokens": 8}
        said = f"echo: {text}"
        if "messages" in body:
            choice = {"message": {"role": "assistant", "content": said}, "logprobs": chat(logprobs)}
        else:
            found = {"top_logprobs": [dict(logprobs)]} if logprobs else None
            choice = {"text": said, "logprobs": found}
        return {"choices": [{"index": 0, "finish_reason": "stop", **choice}], "usage": usage}


STATUS: dict[Fault, tuple[int, dict[str, str]]] = {
    "429": (429, {"Retry-After": ""}),
    "429_bare": (429, {}),
    "429_date": (429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    "429_junk": (429, {"Retry-After": "nan"}),
    "400": (400, {}),
    "408": (408, {}),
    "500": (500, {}),
    "503": (503, {"Retry-After": ""}),
    "402": (402, {}),
    "403": (403, {}),
    "503_far": (503, {"Retry-After": "Wed, 21 Oct 20155 07:28:00 GMT"}),
    "302": (302, {"Location": "http://127.0.0.1:9/stolen"}),
}


SPOILT: dict[Fault, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "filtered": lambda whole: (
        whole | {"choices": [whole["choices"][0] | {"finish_reason": "content_filter"}]}
    ),
    "no_choices": lambda whole: whole | {"choices": []},
    "odd_bytes": lambda whole: whole | {"choices": [whole["choices"][0] | {"logprobs": ODD}]},
    "no_usage": lambda whole: {"choices": whole["choices"]},
    "no_logprobs": lambda whole: whole | {"choices": [whole["choices"][0] | {"logprobs": None}]},
}


ODD = {"content": [{"top_logprobs": [{"token": "1", "bytes": 2**63, "logprob": -0.1}]}]}


def text_of(body: dict[str, Any]) -> str:
    if "messages" in body:
        return "\n".join(turn["content"] for turn in body["messages"])
    return body["prompt"]


def chat(logprobs: Mapping[str, float] | None) -> dict[str, Any] | None:
    if logprobs is None:
        return None
    top = [{"token": t, "logprob": p, "bytes": list(t.encode())} for t, p in logprobs.items()]
    return {"content": [{**top[0], "top_logprobs": top}]}


def error(status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"message": text}}, status=status, headers=headers)


async def half(request: web.Request, data: bytes) -> web.StreamResponse:
    got = web.StreamResponse(headers={"Content-Length": str(len(data))})
    await got.prepare(request)
    await got.write(data[: len(data) // 2])
    assert request.transport
    request.transport.close()
    return got


async def dribble(request: web.Request, data: bytes, seconds: float) -> web.StreamResponse:
    got = web.StreamResponse()
    await got.prepare(request)
    for place in range(len(data)):
        await got.write(data[place : place + 1])
        await asyncio.sleep(seconds / len(data))
    return got


@contextmanager
def serving(server: Server | None = None) -> Iterator[Server]:
    """The server, in a thread of its own, on a free port."""
    server = server or Server()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.handle)
    app.router.add_post("/v1/completions", server.handle)
    with listening(app) as server.url:
        yield server


@contextmanager
def listening(app: web.Application) -> Iterator[str]:
    """The base URL of the application, in a thread of its own, on a free port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def start() -> str:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}/v1"

    async def stop() -> None:
        await runner.cleanup()
        hung = asyncio.all_tasks() - {asyncio.current_task()}
        for task in hung:
            task.cancel()
        await asyncio.gather(*hung, return_exceptions=True)

    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
