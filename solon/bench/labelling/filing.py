"""How many rows a judge is best asked at once that sends its calls as files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from solon.engines.endpoint import Endpoint


def rows_of_a_file(judge: Any) -> int:
    """Rows of the smallest file that an endpoint in the judge may send; 0 where none sends files.

    A file takes hours, whatever is in it, so that one for each few rows would never end.
    """
    return min((one.batches.rows for one in _endpoints(judge) if one.batch), default=0)


def _endpoints(part: Any) -> Iterator[Endpoint]:
    if isinstance(part, Endpoint):
        yield part
    elif isinstance(part, tuple):
        for one in part:
            yield from _endpoints(one)
    elif is_dataclass(part) and not isinstance(part, type):
        for field in fields(part):
            yield from _endpoints(getattr(part, field.name))
