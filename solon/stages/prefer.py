"""Learning from preferences without a reward model: pairs, an objective, an anchor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

import torch

from solon.objectives.adam import Adam
from solon.objectives.noise import Evidence
from solon.objectives.pairwise import DPO
from solon.records import Completion, Preference, Prompt, flat
from solon.run.run import Run
from solon.seams.feedback import Metrics, Prompts
from solon.seams.learning import Frozen, Learner, PairObjective, Scorer, Weighing
from solon.stages.fit_reward import both, split


@dataclass(frozen=True, kw_only=True)
class Prefer:
    """Fit a policy to preferences."""

    batch: int = 64
    """Preferences per update."""
    epochs: int = 1
    """Passes over the preferences."""
    holdout: float = 0.1
    """Share of the preferences kept aside to measure it; whole dialogues are kept aside."""
    adam: Adam = Adam(lr=1e-6, warmup=150)
    """Optimiser; a rate that stays keeps the order of the data from mattering by its size."""
    objective: PairObjective = field(default_factory=DPO)
    """Loss."""
    probe: int = 64
    """Prompts whose sampled completions give KL and length; 0 samples none."""
    every: int = 50
    """Updates between two such looks; the last update is always looked at."""

    def __call__(
        self,
        run: Run,
        policy: Learner,
        data: Sequence[Preference],
        prompts: Prompts,
        *,
        anchor: Frozen,
    ) -> None:
        """One update a batch, in shuffled order."""
        probes = prompts.take(self.probe) if self.probe else []
        held, kept = split(data, self.holdout, seed=run.seed_for("holdout"))
        kept = weighed(run, kept, self.objective, anchor)
        policy.optimise(self.adam)
        turns = run.batches(kept, self.batch, epochs=self.epochs)
        for step, batch in run.steps(turns, policy):
            last = step + 1 == len(turns)
            metrics = dict(policy.fit_pairs(batch, self.objective, anchor=anchor))
            if last or (step + 1) % self.every == 0:
                metrics |= look(policy, anchor, probes, held)
            run.log(step, **metrics)
            run.show(step, policy, last=last)


def look(
    policy: Learner, anchor: Frozen, probes: Sequence[Prompt], held: Sequence[Preference]
) -> Metrics:
    """KL to the anchor and length of what the policy samples, and its accuracy on held-out pairs.

    The KL is the mean of log policy - log anchor over sampled completions: exact in expectation
    at sampling temperature 1, and noise may take it below 0.
    """
    seen: dict[str, float] = {}
    if probes:
        texts = flat(policy.sample(probes))
        seen["kl"] = fmean(log_ratios(policy, anchor, texts))
        seen["length"] = fmean(policy.lengths(texts))
        seen["eos_rate"] = fmean(one.finish == "stop" for one in texts)
    if held:
        margins = implicit_margins(policy, anchor, held)
        seen["heldout_accuracy"] = fmean(margin > 0 for margin in margins)
        seen["heldout"] = float(len(held))
    return seen


def log_ratios(policy: Scorer, anchor: Scorer, completions: Sequence[Completion]) -> list[float]:
    """log policy - log anchor of each completion in nats: DPO's implicit reward over beta."""
    own, other = policy.logp(completions), anchor.logp(completions)
    return [a - b for a, b in zip(own, other, strict=True)]


def implicit_margins(policy: Scorer, anchor: Scorer, data: Sequence[Preference]) -> list[float]:
    """The log-ratio of each chosen completion less that of its rejected one, in nats."""
    ratios = log_ratios(policy, anchor, both(data))
    return [a - b for a, b in zip(ratios[::2], ratios[1::2], strict=True)]


def weighed(
    run: Run, data: Sequence[Preference], objective: PairObjective, anchor: Scorer
) -> list[Preference]:
    """The data with the weights that the objective gives it once, before learning begins."""
    if not isinstance(objective, Weighing):
        return list(data)
    weights: list[float] = objective.weigh(evidence(data, objective.history, anchor)).tolist()
    found = [replace(one, weight=weight) for one, weight in zip(data, weights, strict=True)]
    run.save("weighed", found)
    run.note(f"{sum(w > 0 for w in weights)} of {len(weights)} pairs have weight above 0")
    return found


def evidence(data: Sequence[Preference], history: Sequence[int], anchor: Scorer) -> Evidence:
    """What the anchor alone says of each pair, also with the history cut to its last turns."""
    lengths = torch.tensor(anchor.lengths(both(data)), dtype=torch.float32)
    cuts = [_margins([_shortened(one, turns) for one in data], anchor) for turns in history]
    return Evidence(
        margin=_margins(data, anchor),
        truncated=torch.stack(cuts, 1) if cuts else torch.zeros(len(data), 0),
        chosen_tokens=lengths[::2],
        rejected_tokens=lengths[1::2],
    )


def _margins(data: Sequence[Preference], anchor: Scorer) -> torch.Tensor:
    """Mean token log-probability of chosen less that of rejected."""
    texts = both(data)
    means = torch.tensor(anchor.logp(texts)) / torch.tensor(anchor.lengths(texts))
    return means[::2] - means[1::2]


def _shortened(one: Preference, turns: int) -> Preference:
    messages = one.chosen.prompt.messages[-turns:]
    prompt = replace(one.chosen.prompt, messages=messages)
    chosen, rejected = (replace(text, prompt=prompt) for text in (one.chosen, one.rejected))
    return replace(one, chosen=chosen, rejected=rejected)
