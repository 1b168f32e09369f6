"""One run under bubblewrap: started, watched, and ended with all that it started."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from solon.errors import SettingError
from solon.researchers import seccomp, walls
from solon.researchers.census import inside
from solon.researchers.limits import Limits, Ran
from solon.researchers.watch import Watch, started
from solon.researchers.workspace import Room, give

PATIENCE = 10.0
Shown = Sequence[tuple[Path, str]]


def run(command: Sequence[str], workspace: Path, shown: Shown, stdin: bytes, limits: Limits) -> Ran:
    """SettingError where bubblewrap itself did not come as far as the command."""
    uid = walls.user()
    if uid is not None:
        give(workspace, uid)
    room = Room.of(workspace, mb=limits.workspace_mb, files=limits.workspace_files)
    began = time.monotonic()
    with ExitStack() as stack:
        rules = stack.enter_context(_rules())
        report, told = (stack.enter_context(pipe) for pipe in _pipe())
        words = walls.bubblewrap(
            command,
            workspace=workspace,
            read_only=shown,
            limits=limits,
            uid=uid,
            pipes=(rules, told.fileno()),
        )
        # its own environment can be read inside, at /proc/1/environ
        process = stack.enter_context(started(words, {}, Path("/"), (rules, told.fileno())))
        told.close()
        first, handle = stack.enter_context(_first(process, report))
        watch = Watch(process=process, limits=limits, room=room, members=inside(first))
        try:
            why = watch.run(stdin)
        finally:
            _end(process, handle)
        why = why or watch.drain() or ("disk" if room.passed() else "")
        if not why and b'"exit-code"' not in report.read():
            raise SettingError(f"bubblewrap did not start: {_line(bytes(watch.err))}")
    return watch.ended(why, time.monotonic() - began)


def _end(process: subprocess.Popen[bytes], handle: int) -> None:
    """Ends the namespace's first process, with which the kernel ends all others, and waits."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    ended, _, _ = select.select([handle], [], [], PATIENCE)
    if not ended:
        raise RuntimeError(f"sandbox: expected its processes to end within {PATIENCE} s of a kill")


@contextmanager
def _first(process: subprocess.Popen[bytes], report: IO[bytes]) -> Generator[tuple[int, int]]:
    """The namespace's first process: its number, and a handle that never means another one."""
    ready, _, _ = select.select([report], [], [], PATIENCE)
    line = report.readline() if ready else b""
    if not line:
        process.kill()
        said = process.communicate()[1]
        raise SettingError(f"bubblewrap did not start: {_line(said)}")
    number = int(json.loads(line)["child-pid"])
    handle = os.pidfd_open(number)
    try:
        yield number, handle
    finally:
        os.close(handle)


@contextmanager
def _rules() -> Generator[int]:
    """A file descriptor that holds the filter of system calls."""
    program = seccomp.program()
    if not program:
        raise SettingError("expected a machine of kind x86_64 or aarch64, got another")
    file = os.memfd_create("rules")
    try:
        os.write(file, program)
        os.lseek(file, 0, os.SEEK_SET)
        yield file
    finally:
        os.close(file)


def _pipe() -> tuple[IO[bytes], IO[bytes]]:
    read, write = os.pipe()
    return os.fdopen(read, "rb", buffering=0), os.fdopen(write, "wb", buffering=0)


def _line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "it said nothing"
