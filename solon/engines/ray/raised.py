"""An exception as a value: it crosses processes, and comes out as itself."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Any, Self

from ray import cloudpickle


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """What the inner part of a copy raised.

    Ray would raise an error of its own in its place, and rebuild it by its constructor, which not
    every error's arguments fit.

    Example:
        Raised.of(SettingError("model: ..."), copy=2).error()
    """

    kind: type[Exception]
    args: tuple[Any, ...]
    state: dict[str, Any]
    note: str

    @classmethod
    def of(cls, error: Exception, *, copy: int) -> Self:
        """Where its arguments cannot travel, its text stands for them."""
        said = "".join(traceback.format_exception(error))
        found = cls(
            kind=type(error),
            args=error.args,
            state=dict(vars(error)),
            note=f"in copy {copy} on Ray:\n{said}",
        )
        try:
            cloudpickle.loads(cloudpickle.dumps(found))
        except Exception:  # noqa: BLE001 - whatever keeps it from travelling, its text can
            return cls(kind=RuntimeError, args=(f"{error!r}",), state={}, note=found.note)
        return found

    def error(self) -> Exception:
        error = self.kind.__new__(self.kind, *self.args)
        error.args = self.args
        vars(error).update(self.state)
        error.add_note(self.note)
        return error
