"""What makes a label: everything that could have changed it, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from solon.records import digest
from solon.run.spec import plain

# An endpoint's settings that change when an answer comes and what it costs, never the answer.
SERVING = frozenset(
    {"key_env", "concurrency", "timeout", "attempts", "patience", "price_in", "price_out"}
    | {"batch", "batches"}
)
# Where a judge's copies run makes no label either.
ON_RAY = "solon.engines.ray.onray.OnRay"
# Settings whose text may be a path: what stands there makes the label as well.
PATHS = frozenset(
    {"model", "tokenizer", "path", "standards", "constitution", "preamble"}
    | {"template", "reason_template", "critique", "refine"}
)
WHOLE, BLOCKS, BLOCK = 2**20, 64, 2**16  # bytes; larger files are read in so many places


def made_by(judge: Any, *, seed: int) -> str:
    """Sixteen digits of the judge's settings, of the files and model folders they name, and the
    seed. Of a large file, 64 places and its size stand for the whole.
    """
    return digest(list(_told(plain(judge))), seed)


def _told(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Each setting by its dotted name, and the content of what it names."""
    if isinstance(value, Mapping):
        settings = cast("Mapping[str, Any]", value)
        if settings.get("kind") == ON_RAY:
            yield from _told(settings["inner"], at)
            return
        served = "base_url" in settings
        for key in sorted(settings):
            if not (served and key in SERVING):
                yield from _told(settings[key], f"{at}.{'server ' if served else ''}{key}")
        return
    if isinstance(value, list):
        listed = cast("list[Any]", value)
        for place, one in enumerate(listed):
            yield from _told(one, f"{at}.{place}")
        return
    yield at, repr(value)
    if at.rpartition(".")[2] in PATHS and value and Path(str(value)).exists():
        yield at, _content(Path(str(value)))


def _content(path: Path) -> str:
    if path.is_file():
        return _sampled(path)
    files = sorted(one for one in path.rglob("*") if one.is_file())
    return digest(*((str(one.relative_to(path)), _sampled(one)) for one in files))


def _sampled(file: Path) -> str:
    size = file.stat().st_size
    seen = hashlib.blake2b(str(size).encode(), digest_size=8)
    with file.open("rb") as content:
        if size <= WHOLE:
            seen.update(content.read())
        else:
            for place in range(BLOCKS):
                content.seek(place * (size - BLOCK) // (BLOCKS - 1))
                seen.update(content.read(BLOCK))
    return seen.hexdigest()
