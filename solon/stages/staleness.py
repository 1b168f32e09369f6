"""How old the weights are that drew a batch, as its records tell."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from solon.errors import SettingError
from solon.records import Rollout
from solon.seams.feedback import Metrics


def staleness(policy: str, rollouts: Sequence[Rollout]) -> Metrics:
    """Updates between the weights that drew each rollout and those of ``policy``, by their ids.

    Raises SettingError where an id does not end in a number of updates.
    """
    now = _version(policy)
    behind = [now - _version(rollout.completion.policy) for rollout in rollouts]
    return {"staleness": fmean(behind), "staleness_max": float(max(behind))} if behind else {}


def _version(policy: str) -> int:
    _, _, version = policy.rpartition("@")
    if not version.isdecimal():
        raise SettingError(
            f"ahead: expected a policy whose id is name@updates, so that staleness can be told, "
            f"got {policy!r}"
        )
    return int(version)
