"""Watches one run: its clock, its output, and what its processes hold together.

A limit of the kernel is of one process, so a hundred that each stay below it do not. What they hold
together is read every 50 ms; in between it can grow by what the machine can write in that time.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from solon.researchers.census import Members, available, holds_more
from solon.researchers.limits import Limits, Ran
from solon.researchers.workspace import MB, SPARE_MB, Room

TICK = 0.05
WHYS = {128 + signal.SIGXCPU: "cpu", -signal.SIGXCPU: "cpu"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Watch:
    """What is looked at, and the limits.

    Example:
        Watch(process=started, limits=Limits(), room=room, members=inside(pid)).run(b"")
    """

    process: subprocess.Popen[bytes]
    """Bubblewrap, or the command itself, with its three pipes."""
    limits: Limits
    """What ends it."""
    room: Room
    """What its workspace may hold."""
    members: Members
    """Finds its processes."""
    out: bytearray = field(default_factory=bytearray)
    """What came on stdout; reading stops past ``output_kb``."""
    err: bytearray = field(default_factory=bytearray)
    """What came on stderr; reading stops past ``output_kb``."""
    spare: int = field(default_factory=lambda: min(SPARE_MB * MB, available() // 2))
    """What the machine must keep available, whoever holds the rest."""

    def run(self, stdin: bytes) -> str:
        """Until it ends, or why it must: "time", "output", "memory", "processes" or "disk"."""
        began, next_look, looks = time.monotonic(), 0.0, 0
        ended = os.pidfd_open(self.process.pid)
        try:
            with selectors.DefaultSelector() as selector:
                self._listen(selector, stdin)
                selector.register(ended, selectors.EVENT_READ)
                while self.process.poll() is None:
                    self._pass(selector, TICK)
                    if (now := time.monotonic()) - began > self.limits.seconds:
                        return "time"
                    if self._flooded():
                        return "output"
                    if now >= next_look:
                        if why := self._over(looks):
                            return why
                        looks, next_look = looks + 1, time.monotonic() + TICK
        finally:
            os.close(ended)
        return ""

    def drain(self) -> str:
        """What was still in the pipes; "output" where all is too much."""
        with selectors.DefaultSelector() as selector:
            self._listen(selector, b"")
            while not self._flooded() and self._pass(selector, 0):
                pass
        return "output" if self._flooded() else ""

    def ended(self, why: str, seconds: float) -> Ran:
        """Once the process is waited for."""
        rc, most = self.process.returncode, self.limits.output_kb * 1024
        return Ran(
            rc=rc,
            stdout=bytes(self.out[:most]),
            stderr=bytes(self.err[:most]),
            seconds=seconds,
            why=why or WHYS.get(rc, ""),
        )

    def _listen(self, selector: selectors.BaseSelector, stdin: bytes) -> None:
        for pipe, kept in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe.fileno(), selectors.EVENT_READ, kept)
        if self.process.stdin is None or self.process.stdin.closed:
            return
        if not stdin:
            self.process.stdin.close()
            return
        os.set_blocking(self.process.stdin.fileno(), False)
        selector.register(self.process.stdin, selectors.EVENT_WRITE, memoryview(stdin))

    def _pass(self, selector: selectors.BaseSelector, wait: float) -> bool:
        """Takes what is ready; whether anything was."""
        moved = False
        for key, _ in selector.select(wait):
            if isinstance(key.data, bytearray):
                moved |= _take(selector, key, key.data)
            elif isinstance(key.data, memoryview):
                self._put(selector, key.data)
        return moved

    def _put(self, selector: selectors.BaseSelector, rest: memoryview) -> None:
        pipe = self.process.stdin
        assert pipe is not None
        try:
            rest = rest[os.write(pipe.fileno(), rest) :]
        except BrokenPipeError:
            rest = rest[:0]
        if rest:
            selector.modify(pipe, selectors.EVENT_WRITE, rest)
            return
        selector.unregister(pipe)
        pipe.close()

    def _flooded(self) -> bool:
        return max(len(self.out), len(self.err)) > self.limits.output_kb * 1024

    def _over(self, looks: int) -> str:
        folders = self.members()
        if len(folders) > self.limits.processes + 4:  # prlimit, setpriv, bubblewrap's own
            return "processes"
        if holds_more(folders, self.limits.memory_mb * MB) or available() < self.spare:
            return "memory"
        return "disk" if looks % 5 == 0 and self.room.passed() else ""


def started(
    words: Sequence[str],
    values: dict[str, str],
    folder: Path,
    pipes: Sequence[int],
    *,
    uid: int | None = None,
) -> subprocess.Popen[bytes]:
    """A process in a session of its own, with this environment and no more open files."""
    return subprocess.Popen(  # noqa: S603 - the command is the caller's, that is the point
        words,
        env=values,
        cwd=folder,
        pass_fds=pipes,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        user=uid,
        group=uid,
        extra_groups=None if uid is None else [],
    )


def _take(selector: selectors.BaseSelector, key: selectors.SelectorKey, kept: bytearray) -> bool:
    try:
        read = os.read(key.fd, 65536)
    except BlockingIOError:
        return False
    kept += read
    if not read:
        selector.unregister(key.fd)
    return bool(read)
