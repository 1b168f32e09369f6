"""Where a run's folder comes from: the same command finds the same folder again."""

from __future__ import annotations

import datetime
import os
import platform
import re
import shlex
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson

from solon.run.guard import Guard
from solon.run.spec import digest_of, name_of, plain

CREDENTIALS = re.compile(rb"""://[^/@\s"']*@""")  # in a URL: a mistake that need not stay on disk
LIBRARIES = ("solon", "torch", "transformers", "tokenizers", "peft", "numpy", "pyarrow", "aiohttp")


def find_folder(
    root: Path, recipe: Any, *, bench: str, seed: int, fresh: bool = False, guard: Guard = Guard()
) -> Path:
    """``root/date-recipe-bench-digest-seed``: the newest that fits, or a new one.

    A guard that may stop the training is a part of what the run is.
    """
    what = digest_of((recipe, guard) if guard.mode == "stop" else recipe)
    tail = f"{name_of(recipe)}-{bench}-{what[:8]}-s{seed}"
    found = sorted(path for path in root.glob(f"*-{tail}*") if path.is_dir())
    if found and not fresh:
        return found[-1]
    today = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    folder = root / f"{today}-{tail}"
    again = 2
    while folder.exists():
        folder = root / f"{today}-{tail}-{again}"
        again += 1
    return folder


def write_manifest(
    folder: Path, recipe: Any, *, bench: str, seed: int, guard: Guard = Guard()
) -> None:
    """manifest.json: the whole recipe as typed JSON, where and how it ran. Written once."""
    path = folder / "manifest.json"
    if path.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {
        "recipe": name_of(recipe),
        "bench": bench,
        "seed": seed,
        "digest": digest_of(recipe),
        "command": _command(),
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "git": _git(),
        "versions": {"python": platform.python_version()} | _versions(),
        "devices": {"machine": platform.machine(), "cores": os.cpu_count()},
        "settings": plain(recipe),
        "guard": plain(guard),
    }
    partial = path.with_suffix(".partial")  # a torn manifest would shut its run for good
    told = orjson.dumps(manifest, option=orjson.OPT_INDENT_2)
    partial.write_bytes(CREDENTIALS.sub(rb"://***@", told))
    partial.replace(path)


def _command() -> str:
    """The command as typed, by its short name."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # an extra that is not installed has no version to record
            continue
    return found


def _git() -> str:
    """The commit of the working folder, with a mark where it has changes; empty outside git."""
    try:
        answer = subprocess.run(
            # whichever git the user has; it is not to write the repository's index
            ["git", "--no-optional-locks", "describe", "--always", "--dirty"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):  # no git: the manifest says so by an empty field
        return ""
    return answer.stdout.strip()
