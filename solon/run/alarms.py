"""The alarms of a run's stages: what its guard makes of metrics.jsonl and watched.jsonl."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from solon.run import lines
from solon.run.guard import Alarm, Guard

Looks = dict[int, dict[str, float]]  # step -> name -> value


@dataclass(slots=True, kw_only=True)
class Alarms:
    """Heeds a guard while a run goes on; what rang stands in alarms.jsonl, once a stage and series.

    Example:
        Alarms(folder=run.dir, guard=Guard(mode="stop")).stopped("climb")
    """

    folder: Path
    guard: Guard = Guard(mode="off")
    _looks: dict[str, Looks] = field(default_factory=dict[str, Looks])

    def heed(self, stage: str, step: int) -> list[Alarm]:
        """What rings at this step and did not before, written down."""
        if self.guard.mode == "off":
            return []
        seen = self._of(stage)
        rings = self.guard.alarms([seen[at] for at in sorted(seen) if at <= step])
        heard = {line["series"] for line in self._rung(stage)} if rings else set[str]()
        new = [alarm for alarm in rings if alarm.series not in heard]
        for alarm in new:
            line = {"stage": stage, "step": step, **asdict(alarm), "stops": self.ends(alarm)}
            lines.append(self.folder / "alarms.jsonl", line)
        return new

    def ends(self, alarm: Alarm) -> bool:
        """Whether the loop ends at this alarm."""
        return alarm.stops and self.guard.mode == "stop"

    def stopped(self, stage: str) -> bool:
        """Whether the guard has ended that stage's loop, in this process or before."""
        return self.guard.mode == "stop" and any(line["stops"] for line in self._rung(stage))

    def saw(self, stage: str, step: int, line: Mapping[str, Any]) -> None:
        """A line that was just logged or watched."""
        if stage in self._looks:  # else it is read from the files when it is asked for
            self._looks[stage].setdefault(step, {}).update(_numbers(line))

    def forget(self, stage: str) -> None:
        """The stage goes back to a checkpoint."""
        self._looks.pop(stage, None)

    def _of(self, stage: str) -> Looks:
        """What the stage logged and its watchers saw: read once, then added to."""
        if stage not in self._looks:
            self._looks[stage] = looks(self.folder, stage)
        return self._looks[stage]

    def _rung(self, stage: str) -> list[dict[str, Any]]:
        written = lines.read(self.folder / "alarms.jsonl")
        return [line for line in written if line["stage"] == stage]


def looks(folder: Path, stage: str) -> Looks:
    """By step, what a run's stage logged and its watchers saw."""
    found: Looks = {}
    for name in ("metrics", "watched"):
        for line in lines.read(folder / f"{name}.jsonl"):
            if line["stage"] == stage:
                found.setdefault(line["step"], {}).update(_numbers(line))
    return found


def _numbers(line: Mapping[str, Any]) -> dict[str, float]:
    """The measures of a line: what is a number and no mark of place or time."""
    return {
        name: float(value)
        for name, value in line.items()
        if isinstance(value, int | float) and name not in {"step", "time"}
    }
