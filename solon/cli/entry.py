"""From the arguments to a command, and from what went wrong to one line and an exit code."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from solon.cli.parser import parse
from solon.errors import SolonError

__all__ = ["main"]

AGAIN = "the same command goes on from here"
SHORTER = "expected the path of a file or a folder, got a name that is too long"
STORAGE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO}


def main(argv: Sequence[str] | None = None) -> None:
    """Runs one command; a mistake of the user's ends in one line and exit code 2."""
    arguments = parse(argv)
    try:
        arguments.command(arguments)
    except SolonError as error:
        print(f"solon: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except BrokenPipeError:  # the reader of the output has left, as `head` does
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - open until the process ends
        raise SystemExit(1) from None
    except OSError as error:
        if mistaken := _mistaken(error):
            print(f"solon: {mistaken}", file=sys.stderr)
            raise SystemExit(2) from None
        if error.errno not in STORAGE:
            raise
        where = f"{error.filename}: " if error.filename else ""
        what = error.strerror or error  # pyarrow's errors have no such part
        print(f"solon: {where}{what}; what was written is kept, {AGAIN}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print(f"solon: stopped; {AGAIN}", file=sys.stderr)
        raise SystemExit(130) from None


def _mistaken(error: OSError) -> str:
    """What is wrong with a path that the user gave; empty where it is not the path."""
    path = Path(str(error.filename or ""))
    match error.errno:
        case errno.EEXIST if not path.is_dir():
            return f"{path}: expected a folder, got a file"
        case errno.ENOTDIR:
            return f"{path}: expected a folder, got a path below a file"
        case errno.ENAMETOOLONG:
            longest = max(path.parts, key=len, default="")
            return f"{longest[:60]}...: {SHORTER}"
        case _:
            return ""
