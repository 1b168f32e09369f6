"""A run: the one object that changes while a recipe works.

A recipe is read from top to bottom each time, also when it resumes: what is finished is read back
instead of computed, so the same command after ``kill -9`` ends with the same records and weights
as an uninterrupted run.

    run.map(name, work, items)      records, durable chunk by chunk
    run.once(name, make)            records, made once
    run.steps(items, learner)       a training loop, continued from the learner's last checkpoint
"""

from __future__ import annotations

import fcntl
import hashlib
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from solon.errors import RunError
from solon.run import lines
from solon.run.alarms import Alarms
from solon.run.checkpoints import kept, load_checkpoint, save_checkpoint
from solon.run.display import Display
from solon.run.guard import Guard
from solon.run.ranks import at_work
from solon.run.shards import read_records, set_aside_torn, shards, write_records
from solon.seams.feedback import Policy, Stateful, Watcher

if TYPE_CHECKING:
    from solon.run.cache import Cache
    from solon.run.ledger import Ledger
    from solon.seams.learning import Frozen

T = TypeVar("T")


class Run:
    """A folder, a seed, and what has been done so far; of several processes the first one writes.

    Raises RunError when another process works in the folder.

    Example:
        with Run(Path("runs/mine"), seed=3) as run: Canonical(...)(run)
    """

    def __init__(
        self,
        folder: Path,
        *,
        seed: int = 0,
        display: Display | None = None,
        budget: float | None = None,
        cache: Path | str | None = None,
        checkpoint_seconds: float = 60.0,
    ) -> None:
        self.dir = folder
        self.seed = seed
        self.ranks = at_work()
        self._writes = not self.ranks.rank
        self.display = display if display and self._writes else Display(quiet=True)
        self.budget = budget
        self.checkpoint_seconds = checkpoint_seconds
        self.policies: dict[str, Frozen] = {}
        self._cache_place = cache
        self._watchers: list[tuple[Watcher, int]] = []
        self._alarms = Alarms(folder=folder)
        self._stage = "setup"
        self._said: dict[str, set[tuple[str, int]]] = {}
        self._open_files = ExitStack()
        self.ranks.agreed(self._begin)

    def _begin(self) -> None:
        """The folder is ours."""
        self.dir.mkdir(parents=True, exist_ok=True)
        lock = self._open_files.enter_context((self.dir / ".lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._open_files.close()
            raise RunError(f"{self.dir}: another process is working in this run") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Writes what is still in memory and lets others open the folder."""
        if "ledger" in self.__dict__:
            self.ledger.close()
        if "cache" in self.__dict__:
            self.cache.close()
        self._open_files.close()

    @cached_property
    def cache(self) -> Cache:
        """Replies paid for earlier, shared between runs."""
        from solon.run.cache import Cache, default_place

        return Cache(self._cache_place or default_place())

    @cached_property
    def ledger(self) -> Ledger:
        """Calls, tokens and money of this run."""
        from solon.run.ledger import Ledger

        if not self._writes:  # it asks no judge that costs: the first process does
            idle = self._open_files.enter_context(tempfile.TemporaryDirectory())
            return Ledger(Path(idle), budget=self.budget, note=self.note)
        return Ledger(self.dir, budget=self.budget, note=self.note)

    # -- draws

    def seed_for(self, *names: object) -> int:
        """A 63-bit seed for that name, the same in every process."""
        key = repr((self.seed, *names)).encode()
        return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest()) >> 1

    def batches(
        self, items: Sequence[T], size: int, *, epochs: int = 1, steps: int | None = None
    ) -> list[list[T]]:
        """Shuffled batches, a new order each epoch; ``steps`` asks for that many instead."""
        if not items:
            raise RunError(f"{self._stage}: there is nothing to learn from")
        per_epoch = -(-len(items) // size)
        wanted = per_epoch * epochs if steps is None else steps
        cut: list[list[T]] = []
        for epoch in range(-(-wanted // per_epoch)):
            order = np.random.default_rng(self.seed_for(self._stage, "batches", epoch))
            turn = [items[i] for i in order.permutation(len(items))]
            cut += [turn[start : start + size] for start in range(0, len(turn), size)]
        return cut[:wanted]

    # -- work that is done once

    @contextmanager
    def stage(self, name: str) -> Generator[None]:
        """Names what happens inside; its time and end are written to stages.jsonl."""
        done = any(line["stage"] == name for line in lines.read(self.dir / "stages.jsonl"))
        self.display.title(f"{name}{'  (done before)' if done else ''}")
        outer, self._stage = self._stage, name
        began, started = time.time(), time.monotonic()
        yield
        self._stage = outer
        if not done:
            seconds = time.monotonic() - started  # a clock that is set back makes no stage negative
            if "ledger" in self.__dict__:
                self.ledger.save()
            self._append(
                "stages", {"stage": name, "began": began, "seconds": seconds, "done": True}
            )

    def map(
        self,
        name: str,
        work: Callable[[Sequence[T]], Sequence[Any]],
        items: Sequence[T],
        *,
        chunk: int = 256,
    ) -> list[Any]:
        """Records of ``work`` over the items; each chunk is on disk before the next begins."""
        folder = self.dir / "records" / name
        starts = range(0, len(items), chunk)
        have = min(self.ranks.agreed(lambda: self._count_whole(folder)), len(starts))
        states = self.dir / "checkpoints" / f"map-{name}"
        remembers = memory(work)
        if have:
            load_checkpoint(states, remembers, at=have, ranks=self.ranks)
        made: list[Any] = read_records(folder) if have else []
        rest = enumerate(starts[have:], have)
        for index, start in self.display.track(rest, name=name, total=len(starts), done=have):
            part = list(work(items[start : start + chunk]))
            if remembers:
                save_checkpoint(states, index + 1, remembers, ranks=self.ranks)
            made += self.ranks.agreed(partial(self._written, folder, part, index))
        return made

    @staticmethod
    def _written(folder: Path, records: list[Any], index: int) -> list[Any]:
        """The records, on disk."""
        write_records(folder, records, index=index)
        return records

    def _count_whole(self, folder: Path) -> int:
        torn = set_aside_torn(folder)
        if torn:
            self.note(torn)
        return len(shards(folder))

    def once(self, name: str, make: Callable[[], Sequence[Any]]) -> list[Any]:
        """Records of ``make``, read back where they stand already."""
        return self.map(name, lambda _: make(), [0])

    def save(self, name: str, records: Sequence[Any], *, step: int = 0) -> None:
        """Writes records of that step (again, when a resumed loop passes it again)."""
        folder = self.dir / "records" / name
        self.ranks.agreed(lambda: write_records(folder, records, index=step))

    # -- learning

    def steps(self, items: Sequence[T], *parts: Stateful) -> Iterator[tuple[int, T]]:
        """Numbers and items of a loop that changes ``parts``, from their last checkpoint on.

        Where the loop is finished, or the guard has ended it, the parts get their final state back
        and nothing is yielded.
        """
        folder = self.dir / "checkpoints" / self._stage
        done = load_checkpoint(folder, parts, ranks=self.ranks)
        self._forget(done)
        saved = time.monotonic()
        rest = [] if self._stopped() else list(enumerate(items))[done:]
        for step, item in self.display.track(rest, name=self._stage, total=len(items), done=done):
            yield step, item
            last = step + 1 == len(items) or self._stopped()
            if last or self.ranks.agreed(partial(self._due, saved)):
                save_checkpoint(folder, step + 1, parts, ranks=self.ranks)
                saved = time.monotonic()
            if last:
                return

    def _stopped(self) -> bool:
        return self.ranks.agreed(lambda: self._alarms.stopped(self._stage))

    def _due(self, saved: float) -> bool:
        return time.monotonic() - saved >= self.checkpoint_seconds

    def _forget(self, done: int) -> None:
        """Drops what a loop said after its last checkpoint: it will say it again."""
        self._alarms.forget(self._stage)
        for name in ("metrics", "watched", "alarms") if self._writes else ():
            lines.keep(
                self.dir / f"{name}.jsonl",
                lambda line: line["stage"] != self._stage or line["step"] < done,
            )
        self._said.clear()

    def log(self, step: int, **metrics: float) -> None:
        """One line of metrics.jsonl for that step of the stage, never a second one."""
        self.display.figures(metrics)
        self._say("metrics", step, {"time": time.time(), **metrics})

    def watch(self, watcher: Watcher, *, every: int = 10) -> None:
        """Lets the watcher look at the policy of every ``every``-th step that a recipe shows."""
        self._watchers.append((watcher, every))

    def guard(self, guard: Guard) -> None:
        """Lets the guard ring, and end a loop where it may, by what is logged and watched."""
        self._alarms = Alarms(folder=self.dir, guard=guard)

    def show(self, step: int, policy: Policy, *, last: bool = False) -> None:
        """Shows the policy to the watchers; what they see goes to watched.jsonl, never back."""
        seen: dict[str, float] = {}
        for watcher, every in self._watchers:
            if step % every == 0 or last:
                seen |= watcher(step, policy)
        if seen:
            self.display.figures(seen)
            self._say("watched", step, {"policy": policy.id, **seen})
        for alarm in self._alarms.heed(self._stage, step) if self._writes else ():
            ends = "; the guard ends this loop here" if self._alarms.ends(alarm) else ""
            self.note(f"alarm at step {step}: {alarm.series} {alarm.says}{ends}")

    def keep(self, name: str, policy: Frozen) -> None:
        """Keeps these weights under a name: in memory for the caller, and as a model folder."""
        self.policies[name] = policy
        folder = self.dir / "policies" / name
        if not self.ranks.agreed((folder / "config.json").exists):
            with kept(folder, self.ranks) as own:
                policy.save(own)

    def note(self, text: str) -> None:
        """One line for the user and for notes.jsonl."""
        self.display.note(text)
        self._append("notes", {"stage": self._stage, "time": time.time(), "note": text})

    def _say(self, name: str, step: int, line: Mapping[str, Any]) -> None:
        """Adds the line unless the file has one of that stage and step."""
        if not self._writes:
            return
        if name not in self._said:
            found = lines.read(self.dir / f"{name}.jsonl")
            self._said[name] = {(line["stage"], line["step"]) for line in found}
        if (self._stage, step) not in self._said[name]:
            self._said[name].add((self._stage, step))
            self._append(name, {"stage": self._stage, "step": step, **line})
            self._alarms.saw(self._stage, step, line)

    def _append(self, name: str, line: Mapping[str, Any]) -> None:
        if self._writes:
            lines.append(self.dir / f"{name}.jsonl", line)


def memory(work: object) -> list[Stateful]:
    """What of the work itself must be kept with a checkpoint: people who label tire."""
    return [work] if isinstance(work, Stateful) and not isinstance(work, Policy) else []
