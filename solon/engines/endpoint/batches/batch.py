"""A batch, as the server tells it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

OVER = frozenset({"completed", "failed", "expired", "cancelled"})
ID = re.compile(r"[\w.:=-]{1,512}")  # it becomes part of a path


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a file was not taken; ``line`` counts from 1, and is 0 where the whole is meant."""

    line: int
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch and its two files; ``done`` counts the rows that were answered or failed.

    Example:
        Batch.of({"id": "batch_abc123", "status": "completed", "output_file_id": "file-abc"})
    """

    id: str
    status: str
    done: int = 0
    output: str = ""
    errors: str = ""
    faults: tuple[Fault, ...] = ()

    @property
    def over(self) -> bool:
        return self.status in OVER

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Batch:
        """Raises ValueError and its like for what is no batch."""
        counts = plain.get("request_counts") or {}
        faults = (plain.get("errors") or {}).get("data") or ()
        output, errors = plain.get("output_file_id"), plain.get("error_file_id")
        return cls(
            id=id_of(plain),
            status=str(plain["status"]).lower(),
            done=int(counts.get("completed") or 0) + int(counts.get("failed") or 0),
            output=id_of({"id": output}) if output else "",
            errors=id_of({"id": errors}) if errors else "",
            faults=tuple(_fault(one) for one in faults),
        )


NO_BATCH = Batch(id="", status="none")  # the server has none of that tag


def id_of(plain: dict[str, Any]) -> str:
    """The id of a file or a batch; ValueError for one that no server gives."""
    if not isinstance(plain["id"], str) or not ID.fullmatch(plain["id"]):
        raise ValueError("no id")
    return plain["id"]


def _fault(plain: dict[str, Any]) -> Fault:
    number, code = plain.get("line"), str(plain.get("code") or "")
    message = re.sub(r"[^ -~]+", " ", str(plain.get("message") or code))[:200]
    return Fault(line=number if isinstance(number, int) else 0, code=code, message=message)
