"""What one run in a sandbox may use, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass

from solon.errors import SettingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run may use; the first that is passed ends it.

    Example:
        Limits(seconds=5, memory_mb=256, processes=16)
    """

    seconds: float = 60
    """By the clock on the wall."""
    memory_mb: int = 2048
    """Of all its processes together, what they share counted once; ``/tmp`` is apart."""
    cpu_seconds: int = 60
    """Of each process."""
    processes: int = 64
    """At one time, and a thread counts as one."""
    threads: int = 1
    """Of its arithmetic: small students are fastest on one, and several runs share the cores."""
    file_mb: int = 64
    """The largest file, and what ``/tmp`` and ``/dev/shm`` may each hold."""
    output_kb: int = 256
    """Of each of stdout and stderr."""
    workspace_mb: int = 1024
    """What the workspace may hold."""
    workspace_files: int = 20_000
    """How many files and folders the workspace may hold."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name) > 0:
                came = getattr(self, name)
                raise SettingError(f"sandbox.limits.{name}: expected above 0, got {came}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended, and the first limit that it passed.

    Example:
        Ran(rc=-9, stdout=b"", stderr=b"", seconds=60.1, why="time")
    """

    rc: int
    """As a shell says it under bubblewrap: 128 and more where a signal ended it."""
    stdout: bytes
    """At most ``output_kb``."""
    stderr: bytes
    """At most ``output_kb``."""
    seconds: float
    """From the start to when all its processes were gone."""
    why: str = ""
    """Empty, or "time", "cpu", "memory", "processes", "output" or "disk"."""
