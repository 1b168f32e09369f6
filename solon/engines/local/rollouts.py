"""Learning from rollouts: credit once over the whole batch, then epochs of minibatches.

axes: S sequences, T tokens of the longest completion
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from solon.engines.local.fitting import Mean, Optimiser
from solon.engines.local.layout import Row, cut
from solon.engines.local.values import Critic
from solon.engines.local.voice import Logps, Voice, by_row, matrix
from solon.errors import SolonError
from solon.objectives.batch import Credit, Loss, RolloutLogps
from solon.objectives.batch import rows as rows_of
from solon.records import Rollout
from solon.seams.learning import RolloutObjective


class AnchorLogps(Protocol):
    """The anchor's token log-probabilities; None where the anchor is the policy itself."""

    def __call__(self, rows: Sequence[Row], temperature: float, /) -> list[Logps] | None: ...


@dataclass(slots=True, kw_only=True)
class RolloutFit:
    """One call of fit_rollouts; ``policy`` is the id of the weights as they are now."""

    voice: Voice
    optimiser: Optimiser
    critic: Critic | None
    policy: str
    batch: Sequence[Rollout]
    objective: RolloutObjective
    seed: int

    def run(self, rows: Sequence[Row], anchor: AnchorLogps) -> tuple[dict[str, float], int]:
        """Metrics, and by how much the version rises; ``rows`` are the batch's, in order."""
        single = self.objective.epochs == self.objective.minibatches == self.voice.ranks.count == 1
        if single and len(cut([[row] for row in rows], self.voice.tokens_per_chunk)) == 1:
            logps, values = self._forward(rows)
            x = self._measured(rows, logps.detach(), _detached(values), anchor)
            credit = self.objective.credit(x)
            loss = self.objective(replace(x, logps=logps, values=values), credit)
            return self._told([self._update([loss])], credit)
        x = self._measured(rows, *self._said(rows), anchor)
        credit = self.objective.credit(x)
        found = [
            self._update(self._losses(rows, x, credit, minibatch))
            for minibatch in self._minibatches(x.groups)
        ]
        return self._told(found, credit)

    def _told(
        self, found: Sequence[dict[str, float]], credit: Credit
    ) -> tuple[dict[str, float], int]:
        """What the updates found, each metric over those that report it; ``skipped`` is a share of
        all of them. Skipped ones do not count.
        """
        mean, skipped = Mean(), [one.get("skipped", 0.0) for one in found]
        for one in found:
            mean.add(one)
        share = {"skipped": sum(skipped) / len(found)} if any(skipped) else {}
        # noise follows the version: were it to stand still, the same prompts would bring the same
        # batch, which taught nothing, for ever
        updates = max(skipped.count(0.0), min(1, len(found)))
        return {**dict(mean), **share, **self._logged(credit)}, updates

    def _said(self, rows: Sequence[Row]) -> tuple[Tensor, Tensor | None]:
        """Log-probabilities and values of the whole batch, before any update."""
        device = self.voice.decoder.device
        logps = matrix(self.voice.token_logps(rows, self.voice.manner.scale), device)
        if self.critic is None:
            return logps, None
        return logps, matrix(self._values(self.critic, rows), device)

    def _values(self, critic: Critic, rows: Sequence[Row]) -> list[Logps]:
        def said(chunk: list[int]) -> list[Logps]:
            members = [rows[i] for i in chunk]
            return by_row(critic.values(members), members)

        with torch.no_grad():
            return replace(self.voice.shares, spread=critic.spread).found(
                [[row] for row in rows], said
            )

    def _logged(self, credit: Credit) -> dict[str, float]:
        """The credit's metrics, without the KL where no anchor was asked."""
        asked = self.objective.anchored
        return {name: x for name, x in credit.metrics.items() if asked or name != "kl"}

    def _forward(self, rows: Sequence[Row]) -> tuple[Tensor, Tensor | None]:
        logps, _ = self.voice.decoder.logps(rows, self.voice.manner.scale)
        return logps, self.critic.values(rows) if self.critic else None

    def _measured(
        self, rows: Sequence[Row], logps: Tensor, values: Tensor | None, anchor: AnchorLogps
    ) -> RolloutLogps:
        """The whole batch as its objective sees it, without gradient."""
        device = logps.device
        lengths = torch.as_tensor([len(row.completion) for row in rows], device=device)
        mask = (torch.arange(logps.size(1), device=device) < lengths[:, None]).to(logps.dtype)
        scale = self.voice.manner.scale
        anchored = anchor(rows, scale) if self.objective.anchored else None
        finished = [rollout.completion.finish == "stop" for rollout in self.batch]
        return RolloutLogps(
            logps=logps,
            old=self._old(rows, logps),
            anchor=logps if anchored is None else matrix(anchored, device),
            mask=mask,
            rewards=torch.as_tensor(
                [r.reward for r in self.batch], dtype=logps.dtype, device=device
            ),
            groups=torch.as_tensor([r.group for r in self.batch], device=device),
            finished=torch.as_tensor(finished, device=device),
            values=values,
        )

    def _old(self, rows: Sequence[Row], logps: Tensor) -> Tensor:
        """What the sampler said: these very weights' own words are computed anew, so that the first
        ratio is exactly 1; of older or other weights, the recorded log-probabilities count.
        """
        old = logps.clone()
        for number, (row, rollout) in enumerate(zip(rows, self.batch, strict=True)):
            completion = rollout.completion
            if completion.policy == self.policy:
                continue
            if len(completion.logps) < len(row.completion):
                raise SolonError(
                    f"rollout {number} (prompt {completion.prompt.id!r}): expected the sampler's "
                    f"log-probability of each of its {len(row.completion)} tokens, since it was "
                    f"drawn by {completion.policy!r} and not by {self.policy!r}; "
                    f"got {len(completion.logps)}"
                )
            recorded = completion.logps[: len(row.completion)]
            old[number, : len(recorded)] = torch.as_tensor(recorded, dtype=old.dtype)
        return old

    def _minibatches(self, groups: Tensor) -> Iterator[list[int]]:
        """Whole groups, in a new seeded order each epoch."""
        generator = np.random.default_rng(self.seed)
        numbers = groups.cpu().numpy()
        distinct = np.unique(numbers)
        for _ in range(self.objective.epochs):
            parts = np.array_split(generator.permutation(distinct), self.objective.minibatches)
            for part in parts:
                if len(part):
                    yield np.flatnonzero(np.isin(numbers, part)).tolist()

    def _losses(
        self, rows: Sequence[Row], x: RolloutLogps, credit: Credit, minibatch: Sequence[int]
    ) -> Iterator[Loss]:
        def loss_of(chunk: list[int]) -> Loss:
            members = [minibatch[i] for i in chunk]
            logps, values = self._forward([rows[i] for i in members])
            index = torch.as_tensor(members, device=logps.device)
            width = x.logps.size(1)
            mine = replace(rows_of(x, index), logps=_widened(logps, width))
            if values is not None:
                mine = replace(mine, values=_widened(values, width))
            return self.objective(mine, rows_of(credit, index))

        return self.voice.shares.losses([[rows[i]] for i in minibatch], loss_of)

    def _update(self, losses: Iterator[Loss] | list[Loss]) -> dict[str, float]:
        return self.optimiser.update(losses, what=f"fit_rollouts of {self.policy}")


def _detached(values: Tensor | None) -> Tensor | None:
    return None if values is None else values.detach()


def _widened(x: Tensor, columns: int) -> Tensor:
    """[S t] with zeros up to [S T]."""
    return F.pad(x, (0, columns - x.size(1)))
