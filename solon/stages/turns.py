"""The turns of a climb: sampled and rewarded, some of them ahead of the learner.

With ``ahead=k`` turns t+1 .. t+k are under way while the learner learns from turn t. So turn t is
sampled by the weights that have learnt from t-k turns (AReaL, arXiv 2505.24298, in one process).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import orjson

from solon.errors import SettingError
from solon.judges.questions import Rewarded, rewarded
from solon.records import Abstains, Completion, Group, Prompt, Rollout, flat
from solon.run.ahead import Elsewhere, begin, first, leave, ready
from solon.run.run import Run
from solon.run.shards import read_records, set_aside_torn, shards, write_records
from solon.seams.feedback import Reward, Stateful
from solon.seams.learning import Learner

Order = Literal["fixed", "arrival"]


@dataclass(slots=True, kw_only=True)
class Turns:
    """Batches of prompts, each to become rollouts. Satisfies Stateful: what is under way is kept.

    A turn's rollouts are on disk as soon as it is rewarded, and are read back where the same
    completions come again: no reward is asked twice.

    Example:
        turns.take(3)    # (3, Rewarded(...)), with turns 4 and 5 under way where ahead=2
    """

    run: Run
    policy: Learner
    reward: Reward
    batches: Sequence[Sequence[Prompt]]
    group: int
    ahead: int = 0
    order: Order = "fixed"
    _next: int = 0
    _restored: dict[int, list[Group]] = field(default_factory=dict[int, list[Group]])
    _sampled: dict[int, Future[list[Group]]] = field(default_factory=dict[int, Future[list[Group]]])
    _found: dict[int, Future[Rewarded]] = field(default_factory=dict[int, Future[Rewarded]])
    _known: dict[Completion, float] | None = None

    def __post_init__(self) -> None:
        if self.ahead < 0:
            raise SettingError(f"ahead: expected 0 or more turns, got {self.ahead}")
        if self.ahead and self.run.ranks.count > 1:
            raise SettingError(
                f"ahead: expected 0 in a run of {self.run.ranks.count} processes, whose sampling "
                f"and learning must keep one order, got {self.ahead}"
            )

    @property
    def parts(self) -> tuple[Stateful, ...]:
        """What a checkpoint must hold beside the learner."""
        return (self,) if self.ahead else ()

    def take(self, step: int) -> tuple[int, Rewarded]:
        """The number of the turn to learn from now, and what was measured."""
        if not self.ahead:
            groups = self.policy.sample(self.batches[step], n=self.group)
            return step, self._measured(step, groups, self.reward)
        self._begin()
        turn = first(self._found) if self.order == "arrival" else min(self._found)
        found = self._found[turn].result()
        del self._found[turn], self._sampled[turn]
        return turn, found

    def _begin(self) -> None:
        """Begins turns until ``ahead`` of them are under way beside the one that is due."""
        if self._known is None:
            self._known = self._rewarded_before()
            for turn, groups in self._restored.items():
                self._reward(turn, ready(groups))
            self._restored.clear()
        while self._next < len(self.batches) and len(self._found) <= self.ahead:
            self._reward(self._next, self._sample(self._next))
            self._next += 1

    def _sample(self, turn: int) -> Future[list[Group]]:
        """By the weights as they are now; at once where they share the learner's device."""
        prompts = self.batches[turn]
        if isinstance(self.policy, Elsewhere) and self.policy.elsewhere:
            return self.policy.begin_sample(prompts, n=self.group)
        return ready(self.policy.sample(prompts, n=self.group))

    def _reward(self, turn: int, groups: Future[list[Group]]) -> None:
        reward = _Recalled(self.reward, self._known or {})
        self._sampled[turn] = groups
        self._found[turn] = begin(
            lambda: self._measured(turn, groups.result(), reward), name=f"reward-{turn}"
        )

    def _measured(self, turn: int, groups: Sequence[Group], reward: Reward) -> Rewarded:
        found = rewarded(groups, reward)
        self.run.save("rollouts", found.rollouts, step=turn)
        return found

    def _rewarded_before(self) -> dict[Completion, float]:
        """Rewards that were paid for and not yet learnt from when the run broke off."""
        folder = self.run.dir / "records" / "rollouts"
        torn = set_aside_torn(folder)
        if torn:
            self.run.note(torn)
        due = {*self._restored, *range(self._next, len(self.batches))}
        places = [i for i, path in enumerate(shards(folder)) if int(path.stem) in due]
        rollouts: list[Rollout] = []
        for place in places:
            rollouts += read_records(folder, first=place, last=place + 1)
        return {rollout.completion: rollout.reward for rollout in rollouts}

    # -- what is under way

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        leave(self._found.values())

    def save_state(self, folder: Path, /) -> None:
        """The completions under way; their rewards are on disk, or are asked for after a resume."""
        for turn, groups in self._sampled.items():
            write_records(folder / "completions", flat(groups.result()), index=turn)
        (folder / "turns.json").write_bytes(orjson.dumps({"next": self._next}))

    def load_state(self, folder: Path, /) -> None:
        """Goes back to what ``save_state`` kept; nothing is asked before a turn is taken."""
        self._next = int(orjson.loads((folder / "turns.json").read_bytes())["next"])
        kept = folder / "completions"
        self._restored = {
            int(path.stem): _siblings(read_records(kept, first=place, last=place + 1), self.group)
            for place, path in enumerate(shards(kept))
        }


@dataclass(frozen=True, slots=True)
class _Recalled:
    """A reward that is asked only what is not known of old."""

    reward: Reward
    known: Mapping[Completion, float]

    def __call__(self, completions: Sequence[Completion], /) -> list[float | Abstains]:
        new = [one for one in completions if one not in self.known]
        asked = iter(self.reward(new) if new else ())
        return [self.known[one] if one in self.known else next(asked) for one in completions]


def _siblings(completions: Sequence[Completion], size: int) -> list[Group]:
    starts = range(0, len(completions), size)
    return [Group(completions=tuple(completions[i : i + size])) for i in starts]
