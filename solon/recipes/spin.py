"""SPIN: the policy learns to tell people's completions from its own former self's, round by round.

Chen et al., "Self-Play Fine-Tuning Converts Weak Language Models to Strong Language Models" (arXiv
2401.01335, ICML 2024), equation 4.7: the data's completion is always chosen, the opponent's always
rejected, and the opponent, the policy of the round before, is the anchor as well. ``DPO`` is the
loss, its beta the paper's lambda (``prefer.objective=hinge`` is the code's other loss).

At the optimum of a round p_new ~ p (data / p)^(1 / lambda): rounds fitted to the end converge only
where lambda > 1/2, and diverge below. The paper's 0.1 needs rounds that stop early.

Deviations from the paper
1. The optimiser is AdamW, and its rate stays within a round; the authors use RMSprop and let it
   fall linearly.
2. lambda stays; the authors' scripts raise it from 0.1 to 5 in the last round.
3. Two passes a round, as the paper says; the scripts schedule six and stop early.
4. A data's completion that is longer than the opponent's can be is cut to its length and, like the
   opponent's that was cut, has no end: neither length nor end tells the sides apart.
5. A pair of equal texts is recorded with weight 0 and not learnt from.
6. A share of the dialogues is kept aside, in every round the same, to measure the classifier.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Protocol, runtime_checkable

from numpy import sign

from solon.errors import SettingError
from solon.objectives.adam import Adam
from solon.records import Completion, Preference, Prompt
from solon.run.run import Run
from solon.seams.feedback import Demonstrations, Metrics, Spec
from solon.seams.learning import Frozen, Learner, Scorer
from solon.stages.fit_reward import split
from solon.stages.imitate import Imitate
from solon.stages.prefer import Prefer, implicit_margins


@dataclass(frozen=True, kw_only=True)
class Spin:
    """Play against the policy of the round before, whose completions are always the rejected."""

    policy: Spec[Learner]
    demonstrations: Spec[Demonstrations]
    """People's completions: the supervised start imitates them, and every round chooses them."""

    imitate: Imitate = Imitate()
    iterations: int = 4
    """Rounds, each against the policy of the round before."""
    take: int = 0
    """Demonstrations that every round plays with; 0 takes all."""
    prefer: Prefer = Prefer(epochs=2, adam=Adam(lr=5e-7, warmup=150))
    """How a round is fitted; beta of the objective is the paper's lambda."""
    rates: tuple[float, ...] = (1.0, 1.0, 0.2)
    """Learning rate of each round as a share of prefer.adam.lr; the last one stays."""

    def __call__(self, run: Run) -> Frozen:
        """Start; then draw the opponent's completions, tell them from the data, become it."""
        if not self.rates:
            raise SettingError("rates: expected at least one share of prefer.adam.lr, got none")
        policy = self.policy.open(run)
        opponent = self.imitate.start(run, policy, self.demonstrations)
        with run.stage("cut"):
            data = self.cut(run, opponent, self.demonstrations.open(run).demonstrate(self.take))

        earlier: list[Preference] = []
        for turn in range(self.iterations):
            with run.stage(f"play-{turn}"):
                held, kept = self.play(run, turn, opponent, data)

            with run.stage(f"prefer-{turn}"):
                fit = replace(self.prefer, holdout=0.0, adam=self.adam(turn))
                # the pairs of the round before stay in play
                fit(run, policy, kept + earlier, Asked(held), anchor=opponent)

            with run.stage(f"tell-{turn}"):
                run.log(0, **told(policy, opponent, held))
                opponent, earlier = policy.freeze(), kept
                run.keep(f"m{turn}", opponent)

        run.keep("final", policy.freeze())
        return policy.freeze()

    def adam(self, turn: int) -> Adam:
        """The optimiser of that round."""
        share = self.rates[min(turn, len(self.rates) - 1)]
        return replace(self.prefer.adam, lr=share * self.prefer.adam.lr)

    def cut(self, run: Run, opponent: Frozen, data: Sequence[Completion]) -> list[Completion]:
        """The data as long as the opponent could have said it."""
        if not isinstance(self.policy, Limited):
            run.note("the policy tells no limit of its completions: the data's are not cut")
            return list(data)
        limit = self.policy.max_new_tokens
        sizes = opponent.lengths(data)
        whole = [size <= limit for size in sizes]
        run.log(0, demonstrations=len(data), cut=whole.count(False))
        return [
            one if fits else beginning(opponent, one, limit)
            for one, fits in zip(data, whole, strict=True)
        ]

    def play(
        self, run: Run, turn: int, opponent: Frozen, data: Sequence[Completion]
    ) -> tuple[list[Preference], list[Preference]]:
        """(held, kept): the data against the opponent's completions, drawn for this round."""

        def paired(batch: Sequence[Completion]) -> list[Preference]:
            groups = opponent.sample([one.prompt for one in batch])
            drawn = [group.completions[0] for group in groups]
            return [against(real, own) for real, own in zip(batch, drawn, strict=True)]

        pairs: list[Preference] = run.map(f"preferences-{turn}", paired, data)
        held, kept = split(pairs, self.prefer.holdout, seed=run.seed_for("holdout"))
        learnt = [one for one in kept if one.weight > 0]
        equal = sum(one.weight == 0 for one in pairs)
        run.log(0, pairs=len(pairs), equal=equal, held=len(held), learnt=len(learnt))
        return held, learnt


@runtime_checkable
class Limited(Protocol):
    """A policy's value that tells how long its completions can be."""

    @property
    def max_new_tokens(self) -> int: ...


@dataclass(frozen=True)
class Asked:
    """The prompts of some pairs, as a source of prompts."""

    pairs: Sequence[Preference]

    def take(self, n: int, *, split: str = "train") -> list[Prompt]:
        del split
        return [one.chosen.prompt for one in self.pairs[:n]]


def against(real: Completion, own: Completion) -> Preference:
    """The data's completion over the opponent's; of weight 0 where both say the same."""
    weight = 0.0 if real.text == own.text else 1.0
    return Preference(chosen=real, rejected=own, source="spin", weight=weight)


def beginning(reader: Scorer, one: Completion, limit: int) -> Completion:
    """As much of the completion as fits into ``limit`` tokens, without an end."""

    def tokens(characters: int) -> int:
        return reader.lengths([_first(one, characters)])[0]

    return _first(one, bisect_right(range(len(one.text) + 1), limit, key=tokens) - 1)


def _first(one: Completion, characters: int) -> Completion:
    return replace(one, text=one.text[:characters].rstrip(), tokens=(), logps=(), finish="length")


def told(policy: Frozen, opponent: Frozen, held: Sequence[Preference]) -> Metrics:
    """How well the policy, as a classifier, tells people's completions from its opponent's.

    An equal pair cannot be told apart: it counts as a half. ``nll`` is of people's completions, in
    nats each: the forward KL from people to the policy, up to people's own entropy.
    """
    if not held:
        return {}
    margins = implicit_margins(policy, opponent, held)
    signs = [sign(m) if one.weight else 0.0 for m, one in zip(margins, held, strict=True)]
    nll = -fmean(policy.logp([one.chosen for one in held]))
    return {"told_apart": (1 + fmean(signs)) / 2, "told_margin": fmean(margins), "nll": nll}
