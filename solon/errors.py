"""Every exception that Solon raises on purpose.

    SolonError                 anything below; the command line prints its line, no traceback
    ├── InputError             what the user gave is wrong: exit code 2
    │   ├── SettingError       a key or a value of a recipe or a bench
    │   └── DataError          a file, a row or a field
    ├── BudgetSpent            the run's cap on money or calls: stops cleanly, can be resumed
    ├── TooManyFailures        more judgements failed than the run allows
    ├── EndpointError          a server refused everything (wrong key, unknown model)
    ├── ClusterError           copies on a cluster died too often, or found no room
    └── RunError               a run directory that does not fit the command

Each is also the standard error that a reader would expect (``ValueError``, ``RuntimeError``).
"""

from __future__ import annotations

__all__ = [
    "BudgetSpent",
    "ClusterError",
    "DataError",
    "EndpointError",
    "InputError",
    "RunError",
    "SettingError",
    "SolonError",
    "TooManyFailures",
]


class SolonError(Exception):
    """Anything that Solon raises on purpose."""

    exit_code = 1


class InputError(SolonError, ValueError):
    """What the user gave is wrong; the message names it, what was expected and what came."""

    exit_code = 2


class SettingError(InputError):
    """A key or a value of a recipe or a bench is wrong."""


def at_least(part: object, **least: float) -> None:
    """Raises SettingError for a field of the part that is below its least, or no number."""
    for name, lowest in least.items():
        value = getattr(part, name)
        if not value >= lowest:
            raise SettingError(f"{name}: expected at least {lowest:g}, got {value}")


class DataError(InputError):
    """A file, a row or a field is wrong.

    Example:
        DataError("labels.jsonl", row=3, field="chosen", expected="text", came="null")
        # labels.jsonl, row 3, field 'chosen': expected text, got null
    """

    def __init__(
        self,
        file: object,
        *,
        expected: str,
        came: object,
        row: int | None = None,
        field: str | None = None,
    ) -> None:
        where = f"{file}"
        where += f", row {row}" if row is not None else ""
        where += f", field {field!r}" if field is not None else ""
        super().__init__(f"{where}: expected {expected}, got {came}")


class BudgetSpent(SolonError, RuntimeError):
    """The run's cap on money or calls would be passed by the next call."""

    exit_code = 3


class TooManyFailures(SolonError, RuntimeError):
    """More judgements failed than the run allows: its rewards would not be measurements."""


class EndpointError(SolonError, RuntimeError):
    """A server refused every call for the same reason (wrong key, unknown model)."""


class ClusterError(SolonError, RuntimeError):
    """Copies on a cluster died too often, or found no room."""


class RunError(SolonError, RuntimeError):
    """A run directory does not fit the command that opened it."""
