"""One run without walls: another user where we are root, limits of the kernel, and a watch."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from solon.errors import SettingError
from solon.researchers import walls
from solon.researchers.census import grouped
from solon.researchers.limits import Limits, Ran
from solon.researchers.watch import Watch, started
from solon.researchers.workspace import Room, give

Shown = Sequence[tuple[Path, str]]


def run(command: Sequence[str], workspace: Path, shown: Shown, stdin: bytes, limits: Limits) -> Ran:
    """Places that the command names (``/work``, and where paths are shown) are put elsewhere."""
    uid = walls.user()
    if uid is not None:
        give(workspace, uid)
    room = Room.of(workspace, mb=limits.workspace_mb, files=limits.workspace_files)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="solon-shown-") as made:
        stand = Path(made)
        stand.chmod(0o755)
        words = _placed(command, stand, workspace, shown)
        words = walls.limited(words, limits, counted=uid is not None)
        values = walls.environment(limits, os.fspath(Path(sys.executable).parent), str(workspace))
        try:
            process = started(words, values, workspace, (), uid=uid)
        except PermissionError as error:
            raise SettingError(f"sandbox: user {uid} cannot enter {error.filename}") from None
        with process:
            members = grouped(process.pid, uid)
            watch = Watch(process=process, limits=limits, room=room, members=members)
            try:
                why = watch.run(stdin)
            finally:
                _end(process, uid)
            why = why or watch.drain() or ("disk" if room.passed() else "")
    return watch.ended(why, time.monotonic() - began)


def _placed(command: Sequence[str], stand: Path, workspace: Path, shown: Shown) -> list[str]:
    """The command with every place that exists only inside replaced by where it is here."""
    places = {walls.WORK: workspace}
    for path, at in shown:
        link = stand / PurePosixPath(walls.free(at)).relative_to("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
        top = f"/{PurePosixPath(at).parts[1]}"
        places[top] = stand / top[1:]
    first, *rest = command
    words = [sys.executable if first == "python" else first]
    for word in rest:
        top = "/".join(word.split("/")[:2])
        words.append(f"{places[top]}{word[len(top) :]}" if top in places else word)
    return words


def _end(process: subprocess.Popen[bytes], uid: int | None) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if uid is not None:
        # by one call of the kernel: one by one, they could multiply faster than they end
        kill = ["/bin/sh", "-c", "kill -KILL -1"]
        subprocess.run(kill, user=uid, group=uid, extra_groups=[], check=False, env={})  # noqa: S603
    process.wait()
