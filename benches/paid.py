"""``solon label`` against a server on loopback: memory, calls a second, and what is asked twice.

    python benches/paid.py [--rows 100000] [--concurrency 64] [--latency 0.02] [--folder FOLDER]

A first process is killed (-9) half way, a second at its first new label, a third does the rest, and
a fourth finds nothing left to do. The server counts every call and every call that it has seen
before: no more of those may come than calls were in the air when a process was killed.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import multiprocessing
import os
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

import orjson
from aiohttp import web
from labelling import Took, command, first_label, labelled, run, write_rows

REPLY = {
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "1"},
            "logprobs": {
                "content": [
                    {
                        "token": "1",
                        "logprob": -0.2,
                        "bytes": [49],
                        "top_logprobs": [
                            {"token": "1", "logprob": -0.2, "bytes": [49]},
                            {"token": "2", "logprob": -1.8, "bytes": [50]},
                        ],
                    }
                ]
            },
        }
    ],
    "usage": {"prompt_tokens": 250, "completion_tokens": 1},
}


BENCH = """
from solon.bench.bench import Bench
from solon.engines.endpoint import Endpoint
from solon.judges.logits import LogitJudge

model = Endpoint(model="m", base_url="{url}", concurrency={concurrency})
bench = Bench(name="one-order", judge=LogitJudge(policy=model))
"""


def serve(pipe: Connection, latency: float) -> None:
    """Counts calls, and those that it has seen before; holds eight bytes of each."""
    seen: set[bytes] = set()
    calls, body = 0, orjson.dumps(REPLY)

    async def answer(request: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        seen.add(hashlib.blake2b(await request.read(), digest_size=8).digest())
        await asyncio.sleep(latency)
        return web.Response(body=body, content_type="application/json")

    async def live() -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        pipe.send(f"http://127.0.0.1:{runner.addresses[0][1]}/v1")
        await asyncio.to_thread(pipe.recv)
        pipe.send((calls, calls - len(seen)))

    asyncio.run(live())


def measure(given: argparse.Namespace, folder: Path) -> None:
    rows, out = folder / "rows.jsonl", folder / "out"
    os.environ["SOLON_CACHE"] = str(folder / "replies.sqlite")
    write_rows(rows, given.rows)
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there, given.latency))
    server.start()
    bench = folder / "one_order.py"
    bench.write_text(BENCH.format(url=here.recv(), concurrency=given.concurrency))
    words = command(rows, bench, out)
    half = run(words, stop=out, at=given.rows // 2)
    begins = first_label(words, out)
    done = labelled(out)
    rest = run(words)
    again = run(words)
    assert labelled(out) == given.rows
    here.send("end")
    calls, repeated = here.recv()
    server.join()
    kept = sum(one.stat().st_size for one in folder.glob("replies.sqlite*"))
    labels = sum(one.stat().st_size for one in out.rglob("*") if one.is_file())
    tell(given, (half, rest, again), begins=begins, rate=(given.rows - done) / rest.seconds)
    print(
        f"the server saw {calls:,} calls, {repeated:,} of them again; bytes a label: "
        f"{kept / given.rows:.0f} in the cache, {labels / given.rows:.0f} in the labels"
    )


def tell(
    given: argparse.Namespace, took: tuple[Took, Took, Took], *, begins: float, rate: float
) -> None:
    half, rest, again = took
    cpu = 1e3 * (half.cpu + rest.cpu) / given.rows
    print(
        f"{given.rows:,} rows, {given.concurrency} at a time, {1e3 * given.latency:g} ms a call: "
        f"peak {half.memory:.0f} and {rest.memory:.0f} MiB, {rate:.0f} labels/s after a resume, "
        f"{cpu:.2f} ms CPU a label; first new label {begins:.1f} s after a resume; nothing to do "
        f"{again.seconds:.1f} s (half {half.seconds:.0f} s, rest {rest.seconds:.0f} s, "
        f"load {os.getloadavg()[0]:.1f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--latency", type=float, default=0.02, help="seconds a call")
    parser.add_argument("--folder", type=Path, help="where all of it stands meanwhile")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        measure(given, Path(folder))


if __name__ == "__main__":
    main()
