"""What pair and mark objectives see of a policy: summed log-probabilities, a chunk at a time.

axes: P pairs, S completions
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from solon.engines.local.layout import Row
from solon.engines.local.voice import Voice
from solon.objectives.batch import Loss, MarkLogps, PairLogps
from solon.records import Mark, Preference
from solon.seams.learning import MarkObjective, PairObjective

Sums = Callable[[Sequence[Row]], list[float] | None]
"""The anchor's summed log-probabilities; None where the anchor is these very weights."""


@dataclass(slots=True, kw_only=True)
class PairFit:
    """The losses of one batch of preferences; ``rows`` are all chosen, then all rejected."""

    voice: Voice
    batch: Sequence[Preference]
    objective: PairObjective

    @property
    def rows(self) -> list[Row]:
        chosen = self.voice.rows([one.chosen for one in self.batch])
        return chosen + self.voice.rows([one.rejected for one in self.batch])

    def losses(self, rows: Sequence[Row], anchored: list[float] | None) -> Iterator[Loss]:
        """A pair is never cut apart."""
        n = len(self.batch)

        def loss_of(chunk: list[int]) -> Loss:
            of = [*chunk, *(i + n for i in chunk)]
            logps, mask = self.voice.decoder.logps([rows[i] for i in of])
            sums = logps.sum(1)
            known = _known(sums, anchored, of)
            return self.objective(_pairs(sums, known, mask.sum(1), [self.batch[i] for i in chunk]))

        return self.voice.shares.losses([[rows[i], rows[i + n]] for i in range(n)], loss_of)


@dataclass(slots=True, kw_only=True)
class MarkFit:
    """The losses of one batch of marked completions (KTO, arXiv 2402.01306).

    The reference point is estimated as in the paper's code: every completion is scored once more
    under the next one's prompt, and the mean of log policy - log anchor of those, at least 0, is
    the batch's KL.
    """

    voice: Voice
    batch: Sequence[Mark]
    objective: MarkObjective

    @property
    def rows(self) -> list[Row]:
        return self.voice.rows([one.completion for one in self.batch])

    def losses(self, rows: Sequence[Row], anchor: Sums) -> Iterator[Loss]:
        anchored, kl = anchor(rows), self._kl(mismatched(rows), anchor)

        def loss_of(chunk: list[int]) -> Loss:
            logps, _ = self.voice.decoder.logps([rows[i] for i in chunk])
            sums = logps.sum(1)
            good = torch.tensor([self.batch[i].desirable for i in chunk], device=sums.device)
            return self.objective(
                MarkLogps(
                    logps=sums,
                    anchor=_known(sums, anchored, chunk),
                    desirable=good,
                    kl=torch.full_like(sums, kl).detach(),
                )
            )

        return self.voice.shares.losses([[row] for row in rows], loss_of)

    def _kl(self, rows: Sequence[Row], anchor: Sums) -> float:
        anchored = anchor(rows)
        if anchored is None:
            return 0.0
        own = [float(x.sum(dtype="float64")) for x in self.voice.token_logps(rows, 1.0)]
        gaps = [a - b for a, b in zip(own, anchored, strict=True)]
        return max(0.0, sum(gaps) / len(gaps))


def mismatched(rows: Sequence[Row]) -> list[Row]:
    """Each completion under the next row's prompt, the last under the first's."""
    prompts = [row.prompt for row in rows]
    turned = prompts[1:] + prompts[:1]
    return [
        Row(prompt=prompt, completion=row.completion)
        for prompt, row in zip(turned, rows, strict=True)
    ]


def _known(sums: Tensor, anchored: list[float] | None, of: Sequence[int]) -> Tensor:
    """The anchor's sums of those rows; the policy's own where the anchor is these weights."""
    return sums.detach() if anchored is None else sums.new_tensor([anchored[i] for i in of])


def _pairs(sums: Tensor, known: Tensor, tokens: Tensor, batch: Sequence[Preference]) -> PairLogps:
    """[2P] of chosen then rejected, as pairs."""
    chosen, rejected = sums.chunk(2)
    anchor_chosen, anchor_rejected = known.chunk(2)
    chosen_tokens, rejected_tokens = tokens.to(torch.float32).chunk(2)
    return PairLogps(
        chosen=chosen,
        rejected=rejected,
        anchor_chosen=anchor_chosen,
        anchor_rejected=anchor_rejected,
        p=sums.new_tensor([one.p for one in batch]),
        chosen_tokens=chosen_tokens,
        rejected_tokens=rejected_tokens,
        weight=sums.new_tensor([one.weight for one in batch]),
    )
