"""What calls as files cost this process: CPU a call and peak memory, on one loopback server.

    python benches/batches.py [--calls 50000]

The server answers at once and has a process of its own: a real one takes hours.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from solon.engines.endpoint import Batches, Endpoint, Reply
from solon.records import Prompt
from solon.run.run import Run
from tests.wire.batch_server import BatchServer, batching

PAD = "\n" + "a pair of completions to be judged " * 60  # a prompt of 2 kB


def serve(pipe: Connection) -> None:
    with batching(BatchServer(looks=1)) as server:
        pipe.send(server.url)
        pipe.recv()
        pipe.send((len(server.paid), sum(server.paid.values())))


def ours(url: str, calls: int) -> int:
    prompts = [Prompt.of(f"row {i}{PAD}", id=f"r{i}") for i in range(calls)]
    spec = Endpoint(
        model="m", base_url=url, price_in=1.0, price_out=1.0, batch=True,
        timeout=600.0, batches=Batches(poll=0.5),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        with Run(where / "run", cache=where / "replies.sqlite", budget=1e9) as run:
            return sum(isinstance(reply, Reply) for reply in spec.open(run).ask(prompts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=50_000)
    calls = parser.parse_args().calls
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there,))
    process.start()
    url = here.recv()
    began, cpu = time.perf_counter(), time.process_time()
    done = ours(url, calls)
    cpu, seconds = time.process_time() - cpu, time.perf_counter() - began
    here.send("stop")
    unique, paid = here.recv()
    process.join()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{calls:,} calls: {1e3 * cpu / calls:.3f} ms CPU/call, {calls - done} lost, {paid:,} paid "
        f"of {unique:,} different, {seconds:.0f} s, peak {peak:.0f} MiB"
    )


if __name__ == "__main__":
    main()
