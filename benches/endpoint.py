"""What correctness costs: Endpoint beside a bare aiohttp client on one loopback server.

    python benches/endpoint.py [--calls 5000] [--concurrency 64] [--latency 0.1]

CPU is this process's alone (the server has its own), so the ratio holds on a busy machine.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
import orjson

from solon.engines.endpoint import Endpoint, Reply
from solon.records import Prompt
from solon.run.run import Run
from tests.wire.server import Server, by_chance, serving

FAULTS = {"429": 0.02, "500": 0.01, "hang": 0.01, "malformed": 0.01}
PAD = "\n" + "a pair of completions to be judged " * 60  # a prompt of 2 kB


def serve(pipe: Connection, latency: float, limit: float, faults: dict[str, float]) -> None:
    server = Server(latency=latency, limit=limit, fault=by_chance(1, **faults), retry_after="1")
    with serving(server):
        pipe.send(server.url)
        pipe.recv()
        pipe.send((sum(server.asked.values()) + server.limited, server.limited))


async def bare(url: str, prompts: list[Prompt], concurrency: int) -> int:
    todo, done = iter(prompts), 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def work() -> None:
            nonlocal done
            for prompt in todo:
                turns = [{"role": "user", "content": prompt.text}]
                body = {"model": "m", "messages": turns, "temperature": 0.0, "max_tokens": 512}
                async with session.post(f"{url}/chat/completions", data=orjson.dumps(body)) as got:
                    orjson.loads(await got.read())["choices"][0]["message"]["content"]
                    done += 1

        await asyncio.gather(*[work() for _ in range(concurrency)])
    return done


def ours(url: str, prompts: list[Prompt], concurrency: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        with Run(where / "run", cache=where / "replies.sqlite", budget=1e9) as run:
            spec = Endpoint(
                model="m", base_url=url, concurrency=concurrency, timeout=5.0,
                price_in=1.0, price_out=1.0,
            )  # fmt: skip
            return sum(isinstance(reply, Reply) for reply in spec.open(run).ask(prompts))


def measure(name: str, work: Callable[[str], int], calls: int, **server: object) -> float:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(there, *server.values())
    )
    process.start()
    url = here.recv()
    began, cpu = time.perf_counter(), time.process_time()
    done = work(url)
    cpu, seconds = time.process_time() - cpu, time.perf_counter() - began
    here.send("stop")
    asked, limited = here.recv()
    process.join()
    print(
        f"{name:28} {calls / seconds:7.0f} calls/s  {1e3 * cpu / calls:6.3f} ms CPU/call  "
        f"{calls - done:4d} lost  {asked:6d} asked  {limited:5d} rejected  {seconds:6.1f} s"
    )
    return cpu / calls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--latency", type=float, default=0.1)
    given = parser.parse_args()
    calls, places = given.calls, given.concurrency
    prompts = [Prompt.of(f"row {i}{PAD}", id=f"r{i}") for i in range(calls)]
    calm: dict[str, object] = {"latency": given.latency, "limit": 0.0, "faults": {}}

    def run_bare(url: str) -> int:
        return asyncio.run(bare(url, prompts, places))

    def run_ours(url: str) -> int:
        return ours(url, prompts, places)

    plain = measure("bare aiohttp", run_bare, calls, **calm)
    whole = measure("Endpoint", run_ours, calls, **calm)
    print(f"CPU of Endpoint / bare aiohttp: {whole / plain:.2f}")
    measure("Endpoint, faults", run_ours, calls, **(calm | {"faults": FAULTS}))
    prompts = prompts[:2000]
    places = 256
    measure("Endpoint, 200/s, 256 places", run_ours, len(prompts), **(calm | {"limit": 200.0}))


if __name__ == "__main__":
    main()
