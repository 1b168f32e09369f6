"""A Batch API on loopback: files, batches, and what can go wrong with each; time passes by looks.

The rows of a batch are answered as ``Server`` answers them, and each one that is counts as paid.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from aiohttp import web

from tests.wire.server import SPOILT, Server, error, half, listening, text_of

Row = dict[str, Any]
SILENT = {"reset", "lost"}


def sound(route: str, attempt: int) -> str:
    return "ok"


def first(count: int, fault: str, *, route: str) -> Callable[[str, int], str]:
    """That fault on the first requests of the route."""
    return lambda at, attempt: fault if at == route and attempt < count else "ok"


def quietly(point: str) -> None:
    pass


@dataclass
class BatchServer(Server):
    looks: int = 2  # at a batch, until it is over
    route_fault: Callable[[str, int], str] = sound  # a status, reset, lost (done, not answered)
    point: Callable[[str], None] = quietly  # hears of each step, before and after it is done
    kill: Callable[[], None] = lambda: None
    ends: Callable[[int], str] = lambda number: "completed"
    refuses: Callable[[int, list[Row]], list[Row]] = lambda number, rows: []  # validation
    strays: tuple[str, ...] = ()  # lines that the output holds besides
    asked_at: Counter[str] = field(default_factory=Counter)
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, Row] = field(default_factory=dict)
    paid: Counter[str] = field(default_factory=Counter)
    sent: list[list[str]] = field(default_factory=list)  # texts of each batch's rows

    async def upload(self, request: web.Request) -> web.StreamResponse:
        async def work() -> Row:
            form = await request.post()
            assert form["purpose"] == "batch"
            return {"id": self.keep(form["file"].file.read())}

        return await self.step("upload", request, work)

    async def create(self, request: web.Request) -> web.StreamResponse:
        async def work() -> Row:
            asked = await request.json()
            assert set(asked) == {"input_file_id", "endpoint", "completion_window", "metadata"}
            return self.begin(asked)

        return await self.step("create", request, work)

    async def listed(self, request: web.Request) -> web.StreamResponse:
        async def work() -> Row:
            newest = list(self.batches.values())[::-1]
            ids = [batch["id"] for batch in newest]
            after = request.query.get("after")
            start = ids.index(after) + 1 if after else 0
            stop = start + min(int(request.query["limit"]), 3)
            told = [self.told(one) for one in newest[start:stop]]
            return {"object": "list", "data": told, "has_more": stop < len(newest)}

        return await self.step("list", request, work)

    async def look(self, request: web.Request) -> web.StreamResponse:
        batch = self.batches.get(request.match_info["id"])
        if batch is None:
            return error(404, "No such batch")

        async def work() -> Row:
            batch["looks"] += 1
            return self.told(batch)

        return await self.step("look", request, work)

    async def download(self, request: web.Request) -> web.StreamResponse:
        async def work() -> Row:
            return {}

        got = await self.step("download", request, work)
        if got.status != 200:
            return got
        content = self.files[request.match_info["id"]]
        if self.fault_now == "truncated":
            return await half(request, content)
        return web.Response(body=content)

    async def step(self, route: str, request: web.Request, work: Any) -> web.StreamResponse:
        """One step of a route, with its faults, and a word before it is done and after."""
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return error(401, "no")
        fault = self.route_fault(route, self.asked_at[route])
        self.asked_at[route] += 1
        self.fault_now = fault
        self.point(route)
        if fault.isdigit():
            return error(int(fault), f"fault at {route}", {"Retry-After": self.retry_after})
        plain = {} if fault == "reset" else await work()
        if fault in SILENT:
            assert request.transport
            request.transport.abort()
        self.point(f"{route} done")
        return web.json_response({} if fault == "empty" else plain)

    def others(self, count: int) -> None:
        """That many batches of other people, all newer than those so far."""
        for _ in range(count):
            self.begin({"input_file_id": self.keep(b""), "endpoint": "", "metadata": None})

    def keep(self, content: bytes) -> str:
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return name

    def begin(self, asked: Row) -> Row:
        number = len(self.batches)
        batch = {"id": f"batch_{number}", "looks": 0, **asked}
        rows = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        assert len({row["custom_id"] for row in rows}) == len(rows)
        assert {row["url"] for row in rows} <= {asked["endpoint"]}
        self.sent.append([text_of(row["body"]) for row in rows])
        self.batches[batch["id"]] = batch
        batch["errors"] = self.refuses(number, rows)
        batch["end"] = "failed" if batch["errors"] else self.ends(number)
        batch["total"] = len(rows)
        if not batch["errors"]:
            self.run(batch, rows)
        return self.told(batch)

    def run(self, batch: Row, rows: list[Row]) -> None:
        """Answers the rows, all or the half of them, in an order of its own."""
        over = batch["end"] in {"expired", "cancelled"}
        served = rows[: len(rows) // 2] if over else rows
        kept: dict[str, list[str]] = {"output_file_id": list(self.strays), "error_file_id": []}
        for row in served:
            self.serve(row, kept)
        for row in rows[len(served) :]:
            said = {"code": f"batch_{batch['end']}", "message": f"The batch {batch['end']}."}
            kept["error_file_id"].append(line(row, None, said))
        rng = np.random.default_rng(len(self.batches))
        for name, lines in kept.items():
            order = rng.permutation(len(lines))
            text = "".join(lines[place] + "\n" for place in order)
            batch[name] = self.keep(text.encode()) if text else None

    def serve(self, row: Row, kept: dict[str, list[str]]) -> None:
        text = text_of(row["body"])
        attempt, self.asked[text] = self.asked[text], self.asked[text] + 1
        fault = self.fault(text, attempt)
        whole = self.answer(row["body"], text)
        if fault.isdigit():
            told = {"status_code": int(fault), "body": {"error": {"message": f"fault {fault}"}}}
            kept["error_file_id"].append(line(row, told, None))
            return
        self.paid[text] += 1
        told = {"status_code": 200, "body": SPOILT.get(fault, dict)(whole)}
        if fault == "missing":
            return
        if fault == "bare":
            told = None
        if fault == "cut":
            kept["output_file_id"].append(line(row, told, None)[:-9])
            return
        kept["output_file_id"].append(line(row, told, None))
        if fault == "doubled":
            kept["output_file_id"].append(line(row, told, None))
        if fault == "and_failed":
            kept["error_file_id"].append(line(row, None, {"code": "odd", "message": "Odd."}))

    def told(self, batch: Row) -> Row:
        over = batch["looks"] >= self.looks
        done = batch["total"] if over else batch["total"] * batch["looks"] // self.looks
        status = batch["end"] if over else ("in_progress" if batch["looks"] else "validating")
        files = ("output_file_id", "error_file_id")
        return {
            "id": batch["id"],
            "object": "batch",
            "status": status,
            "input_file_id": batch["input_file_id"],
            "metadata": batch["metadata"],
            "errors": {"object": "list", "data": batch["errors"]} if over else None,
            "request_counts": {"total": batch["total"], "completed": done, "failed": 0},
            **{name: batch.get(name) if over else None for name in files},
        }


def line(row: Row, response: Row | None, failure: Row | None) -> str:
    told = {"id": "batch_req_1", "custom_id": row["custom_id"]}
    return json.dumps(told | {"response": response, "error": failure})


@contextmanager
def batching(server: BatchServer | None = None) -> Iterator[BatchServer]:
    """The server, in a thread of its own, on a free port, with calls one by one beside batches."""
    server = server or BatchServer()
    app = web.Application(client_max_size=2**28)
    app.router.add_post("/v1/chat/completions", server.handle)
    app.router.add_post("/v1/completions", server.handle)
    app.router.add_post("/v1/files", server.upload)
    app.router.add_get("/v1/files/{id}/content", server.download)
    app.router.add_post("/v1/batches", server.create)
    app.router.add_get("/v1/batches", server.listed)
    app.router.add_get("/v1/batches/{id}", server.look)
    with listening(app) as server.url:
        yield server
