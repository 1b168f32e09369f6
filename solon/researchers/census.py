"""Which processes a run has, and what they hold together, read from /proc."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
Members = Callable[[], Sequence[Path]]
"""The folders in /proc of the processes that run now."""


def holds_more(folders: Sequence[Path], most: int) -> bool:
    """Whether these processes hold more memory than that, with shared pages counted once."""
    if sum(_resident(folder) for folder in folders) <= most:  # counts what is shared many times
        return False
    return sum(_proportional(folder) for folder in folders) > most


def inside(pid: int) -> Members:
    """The processes in the namespace whose first process is this one: what its own /proc lists."""
    proc, ours = Path(f"/proc/{pid}/root/proc"), Path("/proc").stat().st_dev

    def members() -> list[Path]:
        try:
            if proc.stat().st_dev == ours:
                return []  # it has not left our root yet, nor run anything
            return [one for one in proc.iterdir() if one.name.isdecimal()]
        except (FileNotFoundError, ProcessLookupError, NotADirectoryError):
            return []  # its first process ended, and every other with it

    return members


def grouped(group: int, uid: int | None) -> Members:
    """The processes of this group or, where it has one, of this user."""

    def members() -> list[Path]:
        return [folder for folder in Path("/proc").glob("[0-9]*") if _belongs(folder, group, uid)]

    return members


def _belongs(folder: Path, group: int, uid: int | None) -> bool:
    try:
        if int((folder / "stat").read_text().rpartition(")")[2].split()[2]) == group:
            return True
        if uid is None:
            return False
        lines = (folder / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return any(line.startswith("Uid:") and str(uid) in line.split() for line in lines)


def _resident(folder: Path) -> int:
    try:
        return int((folder / "statm").read_text().split()[1]) * PAGE
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0


def _proportional(folder: Path) -> int:
    """A process that hides its maps is counted in full."""
    try:
        for line in (folder / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        return 0
    except PermissionError:
        pass
    return _resident(folder)


def available() -> int:
    """Bytes of memory that this machine could still give."""
    with Path("/proc/meminfo").open() as lines:
        for line in lines:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 1 << 62
