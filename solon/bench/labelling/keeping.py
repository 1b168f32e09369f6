"""Small files that say whose a folder's labels are: written whole, and read with suspicion."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from solon.errors import RunError


def keep(path: Path, told: Mapping[str, Any]) -> None:
    """All of it or nothing."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(orjson.dumps(dict(told), option=orjson.OPT_INDENT_2))
    partial.replace(path)


def kept(path: Path, *names: str) -> dict[str, Any]:
    """What stands there under those names. RunError where the file is torn, or somebody else's."""
    try:
        before = orjson.loads(path.read_bytes())
        return {name: before[name] for name in names}
    except (FileNotFoundError, KeyError, TypeError, ValueError) as error:
        raise not_ours(path, error) from error


def not_ours(path: Path, error: Exception) -> RunError:
    """The error for a file of the folder that no labelling wrote, or not to its end."""
    came = f"nothing named {error}" if isinstance(error, KeyError) else error
    return RunError(
        f"{path}: expected what solon label keeps there, got {came}: give another --out"
    )
