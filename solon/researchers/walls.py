"""The command that puts walls around a command: bubblewrap's namespaces, a user, and limits.

Run by root, bubblewrap makes the namespaces and the command then becomes a user that nothing else
is, whose processes the kernel counts. Run by anyone else it makes a user namespace, in which the
kernel counts too (Linux 5.14 and later); before that only the watch does.
"""

from __future__ import annotations

import itertools
import os
import platform
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from solon.errors import SettingError
from solon.researchers.limits import Limits
from solon.researchers.workspace import MB

WORK = "/work"
VENV = "/opt/venv"
LINKED = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
TAKEN = (WORK, VENV, "/proc", "/dev", "/tmp", "/usr", "/etc", *LINKED)  # noqa: S108 - inside
SHOWN = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime")
ADDRESSES_MB = 8192
# only the user whose folder it is may enter it, and bubblewrap is not that user
ENTER = ("/bin/sh", "-c", f'cd {WORK} && exec "$@"', "sh")
USERS = range(61184, 65520)  # from systemd's range of such
TURNS = itertools.count(int.from_bytes(os.urandom(4)))


def user() -> int | None:
    """A user of its own for one run where we are root, else None.

    Never that of another run of this process: with a run all that its user runs is ended.
    """
    return USERS[next(TURNS) % len(USERS)] if os.geteuid() == 0 else None


def environment(limits: Limits, path: str, home: str) -> dict[str, str]:
    """All of the environment: nothing of ours is in it."""
    threads = str(limits.threads)
    return {
        "PATH": f"{path}:/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
    }


def bubblewrap(
    command: Sequence[str],
    *,
    workspace: Path,
    read_only: Sequence[tuple[Path, str]],
    limits: Limits,
    uid: int | None,
    pipes: tuple[int, int],
) -> list[str]:
    """``pipes`` are those of the filter of system calls and of bubblewrap's reports."""
    size = ["--perms", "1777", "--size", str(limits.file_mb * MB), "--tmpfs"]
    new = ["--unshare-all", "--unshare-user", "--disable-userns"]
    if uid is not None:
        new = [f"--unshare-{one}" for one in ("ipc", "pid", "net", "uts", "cgroup-try")]
    kept = ["SETUID", "SETGID", "SETPCAP"] if uid is not None else []
    return [
        *(_bwrap(), *new, "--die-with-parent", "--new-session", "--clearenv"),
        *("--cap-drop", "ALL", *(word for cap in kept for word in ("--cap-add", f"CAP_{cap}"))),
        *_parents([*SHOWN, *_bases(), VENV, *(at for _, at in read_only)]),
        *_system(),
        *("--proc", "/proc", "--dev", "/dev", *size, "/dev/shm", *size, "/tmp"),  # noqa: S108
        *("--bind", os.fspath(workspace), WORK),
        *(word for path, at in read_only for word in ("--ro-bind", os.fspath(path), free(at))),
        *("--remount-ro", "/", "--remount-ro", "/dev", "--hostname", "sandbox"),
        *_set(environment(limits, f"{_prefix()}/bin", WORK)),
        *("--seccomp", str(pipes[0]), "--json-status-fd", str(pipes[1]), "--"),
        *_become(uid),
        *ENTER,
        *limited(_within(command), limits, counted=uid is not None or _counted_apart()),
    ]


def limited(command: Sequence[str], limits: Limits, *, counted: bool) -> list[str]:
    """The command under the kernel's own limits, of which a process can only lower its own."""
    cpu = limits.cpu_seconds
    return [
        _tool("prlimit"),
        f"--as={(limits.memory_mb + ADDRESSES_MB) * MB}",
        f"--cpu={cpu}:{cpu + 1}",
        f"--fsize={limits.file_mb * MB}",
        "--nofile=256",
        "--core=0",
        *([f"--nproc={limits.processes}"] if counted else []),
        "--",
        *command,
    ]


def _bwrap() -> str:
    return _tool("bwrap")


def _tool(name: str) -> str:
    """Its path; SettingError where this machine has none."""
    found = shutil.which(name, path="/usr/bin:/bin:/usr/local/bin")
    if found is None:
        package = "bubblewrap" if name == "bwrap" else "util-linux"
        raise SettingError(f"sandbox: expected the program {name} (package {package}), got none")
    return found


def _system() -> list[str]:
    """The system's libraries and this interpreter's, and no other folder."""
    words = ["--ro-bind", "/usr", "/usr"]
    for name in LINKED:
        path = Path(name)
        if path.is_symlink():
            words += ["--symlink", os.fspath(path.readlink()), name]
        elif path.is_dir():
            words += ["--ro-bind", name, name]
    for name in SHOWN:
        words += ["--ro-bind-try", name, name]
    for base in _bases():
        if PurePosixPath(base).is_relative_to(WORK):
            raise SettingError(f"sandbox: expected an interpreter outside {WORK}, got {base}")
        words += ["--ro-bind", base, base]
    return words + (["--ro-bind", sys.prefix, VENV] if _prefix() == VENV else [])


def _bases() -> list[str]:
    """The interpreter's own folder, by the name it knows and by its true one."""
    names = {sys.base_prefix, os.path.realpath(sys.base_prefix)}
    return sorted(name for name in names if not PurePosixPath(name).is_relative_to("/usr"))


def _parents(places: Sequence[str]) -> list[str]:
    """The folders above these places, open to all: bubblewrap's own would be root's alone."""
    above = {str(one) for place in places for one in PurePosixPath(place).parents} - {"/"}
    return [word for one in sorted(above) for word in ("--perms", "0755", "--dir", one)]


def _prefix() -> str:
    """Where the interpreter stands inside; a virtual environment may lie anywhere, and is moved."""
    return VENV if sys.prefix != sys.base_prefix else sys.base_prefix


def _within(command: Sequence[str]) -> list[str]:
    first, *rest = command
    python = f"{_prefix()}/bin/{Path(sys.executable).name}"
    return [python if first in {sys.executable, "python"} else first, *rest]


def free(at: str) -> str:
    """The place, where something may be shown at it; else SettingError."""
    path = PurePosixPath(at)
    if not path.is_absolute() or ".." in path.parts or len(path.parts) < 2:
        raise SettingError(f"sandbox: expected an absolute place to show a path at, got {at}")
    if any(path.is_relative_to(one) for one in TAKEN):
        raise SettingError(f"sandbox: expected a place outside {', '.join(TAKEN)}, got {at}")
    return at


def _become(uid: int | None) -> list[str]:
    if uid is None:
        return []
    none = ("--clear-groups", "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all")
    return [_tool("setpriv"), f"--reuid={uid}", f"--regid={uid}", *none, "--"]


def _set(values: dict[str, str]) -> list[str]:
    return [word for key, value in values.items() for word in ("--setenv", key, value)]


def _counted_apart() -> bool:
    """Before Linux 5.14 a user's processes outside the namespace counted against its limit."""
    found = re.match(r"(\d+)\.(\d+)", platform.release())
    return found is not None and (int(found[1]), int(found[2])) >= (5, 14)
