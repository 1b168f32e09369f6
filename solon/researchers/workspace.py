"""The folder that sandboxed code wrote: nothing in it is trusted, not even what kind of file is."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from solon.errors import DataError

MB = 1 << 20
SPARE_MB = 512
DEPTH = 64  # of folders: what goes deeper is there to break whoever walks it
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def read_text(workspace: Path, name: str, *, most: int = 16 * MB) -> str:
    """What ``read_bytes`` reads, as UTF-8; DataError where it is not."""
    try:
        return read_bytes(workspace, name, most=most).decode()
    except UnicodeDecodeError as error:
        came = f"another byte at {error.start}"
        raise DataError(name, expected="UTF-8", came=came) from None


def read_bytes(workspace: Path, name: str, *, most: int = 16 * MB) -> bytes:
    """A plain file beneath the workspace, no step of whose path is a link.

    DataError for a link, for what lies outside, for a pipe or a device, and past ``most`` bytes.
    """
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/") or "\0" in name:
        raise DataError(repr(name), expected="a name beneath the workspace", came="one outside")
    file = os.open(workspace, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for left, part in enumerate(parts, start=1 - len(parts)):
            file = _step(file, part, name, last=left == 0)
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise DataError(name, expected="a plain file", came=stat.filemode(found.st_mode))
        with os.fdopen(os.dup(file), "rb") as opened:
            read = opened.read(most + 1)
    finally:
        os.close(file)
    if len(read) > most:
        raise DataError(name, expected=f"at most {most} bytes", came="more")
    return read


def _step(folder: int, part: str, name: str, *, last: bool) -> int:
    """The next file on the way, opened without following a link; closes the folder it was in."""
    # opening a pipe that nobody writes to would block for ever
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | (0 if last else os.O_DIRECTORY)
    try:
        opened = os.open(part, flags, dir_fd=folder)
    except OSError as error:
        raise DataError(name, expected="a file without links", came=error.strerror) from None
    os.close(folder)
    return opened


def give(workspace: Path, uid: int) -> None:
    """The folder and all in it to this user; a link is given itself, never what it points to.

    A file of several names keeps its owner: another of its names may lie outside.
    """
    os.chown(workspace, uid, uid, follow_symlinks=False)
    try:
        for _, folders, files, folder in os.fwalk(workspace, follow_symlinks=False):
            for name in (*folders, *files):
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode) or found.st_nlink == 1:
                    os.chown(name, uid, uid, dir_fd=folder, follow_symlinks=False)
    except (OSError, RecursionError) as error:
        came = type(error).__name__
        raise DataError(workspace, expected="a folder that can be walked", came=came) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much a workspace may hold, and how much its disk must keep free.

    The second catches what a walk cannot see: files that are open and have no name.

    Example:
        Room.of(Path("work"), mb=1024, files=20_000).passed()
    """

    workspace: Path
    """The folder that is walked."""
    mb: int
    """On the disk, all together."""
    files: int
    """Files and folders, all together."""
    spare: int
    """Bytes of the disk."""

    @classmethod
    def of(cls, workspace: Path, *, mb: int, files: int) -> Room:
        """The disk must keep 512 MB free, or half of what is free now where that is less."""
        spare = min(SPARE_MB * MB, _free(workspace) // 2)
        return cls(workspace=workspace, mb=mb, files=files, spare=spare)

    def passed(self) -> bool:
        """Whether there is more than there may be."""
        if _free(self.workspace) < self.spare:
            return True
        size = count = 0
        try:
            for found, depth in _entries(self.workspace):
                size, count = size + found.st_blocks * 512, count + 1
                if size > self.mb * MB or count > self.files or depth > DEPTH:
                    return True
        except OSError:  # a path too long to name, or a folder shut to us, hides what it holds
            return True
        return False


def clear(folder: Path) -> None:
    """Removes all that a folder holds, however deep; nobody may be writing to it.

    ``shutil.rmtree`` recurses, and gives up on a thousand folders in each other.
    """
    at, names = os.open(folder, FOLDER), list[str]()
    try:
        while (below := _unlink(at)) or names:
            if below:
                os.chmod(below, 0o700, dir_fd=at)
                after = os.open(below, FOLDER, dir_fd=at)
                names.append(below)
            else:
                after = os.open("..", FOLDER, dir_fd=at)
                os.rmdir(names.pop(), dir_fd=after)
            os.close(at)
            at = after
    finally:
        os.close(at)


def _unlink(at: int) -> str:
    """Unlinks what is no folder; the name of one folder that is left, or none."""
    below = ""
    with os.scandir(at) as entries:
        for entry in list(entries):
            if entry.is_dir(follow_symlinks=False):
                below = entry.name
            else:
                os.unlink(entry.name, dir_fd=at)
    return below


def _entries(top: Path) -> Iterator[tuple[os.stat_result, int]]:
    """What stands below, and how deep."""
    waiting = [(os.fspath(top), 1)]
    while waiting:
        path, depth = waiting.pop()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    found = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(found.st_mode):
                        waiting.append((entry.path, depth + 1))
                    yield found, depth
        except (FileNotFoundError, NotADirectoryError):
            continue  # gone since it was listed


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
