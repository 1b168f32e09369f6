"""Memory and time of ``solon label`` against the number of rows, by a judge that costs nothing.

    python benches/labelling.py [--rows 10000 100000 1000000] [--folder FOLDER]

Each size is labelled in processes of its own, whose peak of memory the system tells: one is killed
(-9) half way, one that is timed up to its first new label, one that does the rest, and one that
finds nothing left to do.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

BENCH = '''
from dataclasses import dataclass

from solon.bench.bench import Bench
from solon.records import Judgement, Prefers, digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Longer:
    """Prefers the longer one; abstains from nothing."""

    id: str = "longer"

    def open(self, run, /):
        return self

    def __call__(self, questions, /):
        return [
            Judgement(
                question=one,
                answer=Prefers(p_first=0.9 if len(one.first.text) > len(one.second.text) else 0.1),
                judge=self.id,
                digest=digest(self.id, one.first.text, one.second.text),
            )
            for one in questions
        ]


bench = Bench(name="longer", judge=Longer())
'''
TEXT = "a judge compares two answers and says which of them is the better one for whoever asks"
WORDS = TEXT.split()


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """One process: seconds, peak of resident memory in MiB, and CPU seconds."""

    seconds: float
    memory: float
    cpu: float


def write_rows(path: Path, count: int) -> None:
    """Pairs of about 60 and 45 words after a prompt of 20: about a kilobyte a row."""
    rng = np.random.default_rng(0)
    with path.open("w") as file:
        for start in range(0, count, 10_000):
            some = min(10_000, count - start)
            drawn = rng.integers(len(WORDS), size=(some, 125))
            for number, one in enumerate(drawn, start):
                text = [WORDS[i] for i in one]
                cut = 60 + int(one[0])
                row = {
                    "prompt": f"{number}: {' '.join(text[:20])}?",
                    "first": " ".join(text[20 : 20 + cut]),
                    "second": " ".join(text[20 + cut :]),
                }
                file.write(json.dumps(row) + "\n")


def command(rows: Path, bench: Path, out: Path) -> list[str]:
    code = "from solon.cli import main; main()"
    return [sys.executable, "-c", code, "label", str(rows), "--on", str(bench), "--out", str(out)]


def run(words: list[str], *, stop: Path | None = None, at: int = 0) -> Took:
    """Runs to the end, or kills where the journal has so many rows."""
    began = time.monotonic()
    child = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    if stop is not None:
        while labelled(stop) < at and child.poll() is None:
            time.sleep(0.05)
        child.send_signal(signal.SIGKILL)
    _, status, used = os.wait4(child.pid, 0)
    assert stop is not None or status == 0, f"exit status {status}"
    return Took(
        seconds=time.monotonic() - began,
        memory=used.ru_maxrss / 1024,
        cpu=used.ru_utime + used.ru_stime,
    )


def labelled(out: Path) -> int:
    journal = out / "labelled.jsonl"
    text = journal.read_text() if journal.exists() else ""
    return sum(
        json.loads(line)["rows"] for line in text.splitlines(keepends=True) if line[-1] == "\n"
    )


def first_label(words: list[str], out: Path) -> float:
    """Seconds from the command to the first rows that are labelled anew; then it is killed."""
    before, began = labelled(out), time.monotonic()
    child = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    while labelled(out) == before and child.poll() is None:
        time.sleep(0.02)
    seconds = time.monotonic() - began
    child.kill()
    child.wait()
    return seconds


def measure(count: int, folder: Path) -> None:
    rows, bench = folder / f"{count}.jsonl", folder / "longer.py"
    bench.write_text(BENCH)
    write_rows(rows, count)
    out = folder / f"out-{count}"
    half = run(command(rows, bench, out), stop=out, at=count // 2)
    begins = first_label(command(rows, bench, out), out)
    done = labelled(out)
    rest = run(command(rows, bench, out))
    again = run(command(rows, bench, out))
    assert labelled(out) == count
    files = sum(one.stat().st_size for one in out.rglob("*") if one.is_file())
    shutil.rmtree(out)
    rate = (count - done) / rest.seconds
    cpu = 1e6 * (half.cpu + rest.cpu) / count
    print(
        f"{count:>9,} rows ({rows.stat().st_size / 2**20:4.0f} MiB in, {files / 2**20:4.0f} out)  "
        f"peak {half.memory:4.0f} and {rest.memory:4.0f} MiB  {rate:5.0f} rows/s after a resume, "
        f"{cpu:4.0f} µs CPU a row  first new label {begins:4.1f} s after a resume  "
        f"nothing to do {again.seconds:4.1f} s  "
        f"(half {half.seconds:.0f} s, rest {rest.seconds:.0f} s, load {os.getloadavg()[0]:.1f})",
        flush=True,
    )
    rows.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--folder", type=Path, help="where the rows and labels stand meanwhile")
    given = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores", flush=True)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        for count in given.rows:
            measure(count, Path(folder))


if __name__ == "__main__":
    main()
