"""Where code that nobody has read is run, with nothing but what it is given.

Under bubblewrap it sees the system's libraries, this interpreter, a workspace at ``/work`` and what
it is shown read-only: no network, no other folder, no process outside, no variable of ours. It
shares the kernel, so a hole in the kernel is a hole in it.
"""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from solon.errors import InputError, SettingError
from solon.researchers import bare, bubble
from solon.researchers.limits import Limits, Ran
from solon.researchers.workspace import read_bytes, read_text

__all__ = ["Limits", "Ran", "Sandbox", "read_bytes", "read_text"]

Kind = Literal["auto", "bubblewrap", "process", "refuse"]
ADVICE = (
    "install the packages bubblewrap and util-linux, allow user namespaces, or insist with "
    "sandbox.kind=process, which has no walls"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """Runs commands one by one, each behind new walls.

    Example:
        Sandbox().run(["python", "main.py"], workspace=Path("ada"))
    """

    kind: Kind = "auto"
    """auto is bubblewrap where it works, else an error; process has no walls; refuse runs none."""
    limits: Limits = Limits()
    """What each run may use."""

    def __post_init__(self) -> None:
        kinds = get_args(Kind)
        if self.kind not in kinds:
            raise SettingError(f"sandbox.kind: expected {', '.join(kinds)}, got {self.kind}")

    @property
    def weakness(self) -> str:
        """What this kind does not hold back, in one line."""
        if self.kind == "refuse":
            return ""
        if self.kind != "process":
            return "the code shares this machine's kernel and processors"
        says = "the code has the network and can read every file that its user can"
        if os.geteuid() == 0:
            return f"{says}; that user is nobody, who may not reach a Python below /root"
        return f"{says}; a process that leaves its group lives on"

    def probe(self) -> None:
        """SettingError where this kind does not work here, with what to do."""
        if self.kind == "refuse":
            raise SettingError("sandbox.kind: expected auto to run code, got refuse")
        if self.kind != "process" and (reason := _broken()):
            raise SettingError(f"sandbox: expected bubblewrap to work, got '{reason}'; {ADVICE}")

    def run(
        self,
        command: Sequence[str],
        *,
        workspace: Path,
        read_only: Sequence[tuple[Path, str]] = (),
        stdin: bytes = b"",
    ) -> Ran:
        """Runs the command in the workspace, the one folder that it can write to and that remains.

        ``python`` or ``sys.executable`` as its first word is this interpreter. When this returns
        no process of the command is left (but see ``weakness``). Where we are root the workspace
        goes to another user, to whom what is shown must be readable.
        """
        self.probe()
        if not command:
            raise InputError("sandbox: expected a command, got no words")
        if workspace.is_symlink() or not workspace.is_dir():
            raise InputError(f"sandbox: expected a folder as workspace, got {workspace}")
        missing = [path for path, _ in read_only if not path.exists()]
        if missing:
            raise InputError(f"sandbox: expected what is shown to exist, got {missing[0]}")
        shown = [(path.resolve(), at) for path, at in read_only]
        start = bare.run if self.kind == "process" else bubble.run
        return start(command, workspace.resolve(), shown, stdin, self.limits)


@functools.cache
def _broken() -> str:
    """Why bubblewrap does not work here, found by running it once; empty where it does."""
    with tempfile.TemporaryDirectory(prefix="solon-probe-") as made:
        try:
            ran = bubble.run(["/bin/sh", "-c", "echo works"], Path(made), [], b"", Limits())
        except (SettingError, OSError) as error:
            return str(error)
    worked = ran.rc == 0 and ran.stdout == b"works\n"
    return "" if worked else f"{ran.why or ran.rc}: {ran.stderr.decode(errors='replace')[:200]}"
