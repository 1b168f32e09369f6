"""A policy that learns in the local engine and is sampled by vLLM."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from solon.engines.local.frozen import FrozenPolicy
from solon.engines.local.policy import LocalPolicy
from solon.engines.local.transformer import Transformer
from solon.engines.vllm.channel import Channel
from solon.engines.vllm.engine import Engine
from solon.engines.vllm.frozen import VllmFrozen
from solon.engines.vllm.request import logprobs_mode
from solon.engines.vllm.server import Live, Server
from solon.errors import SettingError
from solon.objectives.adam import Adam, Sgd
from solon.records import Abstains, Completion, Group, Mark, Preference, Prompt, Rollout
from solon.run.run import Run
from solon.seams.feedback import Metrics
from solon.seams.learning import (
    Frozen,
    MarkObjective,
    PairObjective,
    RolloutObjective,
    TextObjective,
)


@dataclass(frozen=True, kw_only=True)
class OnVllm:
    """A policy that learns here and is sampled by vLLM; opens to a VllmLearner.

    Example:
        OnVllm(policy=Transformer(model="models/base"), sampler=Server())
    """

    policy: Transformer = Transformer()
    """What learns, and how it is sampled."""
    sampler: Engine | Server = Engine()
    """vLLM in this process, or a server."""
    ratios: Literal["sampler", "learner"] = "sampler"
    """Whose log-probabilities an objective's ratios are taken against: vLLM's own, so that its
    difference from the learner counts as what it is, or the learner's of the same weights."""
    tolerance: float = 0.2
    """Nats a token, in the mean over a few completions after each push, by which vLLM may differ
    from the learner before the run stops."""

    def open(self, run: Run) -> VllmLearner:
        """Raises SettingError where a setting cannot be met, EndpointError where no server is."""
        if self.tolerance <= 0:
            raise SettingError(f"tolerance: expected more than 0, got {self.tolerance}")
        local = self.policy.open(run)
        logprobs_mode(local.voice.manner)
        sampler = self.sampler.begin(local.voice, run)
        channel = Channel(sampler=sampler, tolerance=self.tolerance)
        return VllmLearner(local=local, channel=channel, ratios=self.ratios)


@dataclass(slots=True, kw_only=True)
class VllmLearner:
    """Weights that learn here and are sampled there. Satisfies Learner, Chooser and Stateful.

    vLLM samples, after a push where the weights changed; scores, choices and anchors' scores are
    the local engine's. After each push a few completions are scored here too: ``mismatch``, the
    mean difference of their tokens' log-probabilities, is among the next update's metrics.
    """

    local: LocalPolicy
    channel: Channel
    ratios: Literal["sampler", "learner"]
    _frozen: tuple[FrozenPolicy, VllmFrozen] | None = None

    @property
    def id(self) -> str:
        return self.local.id

    @property
    def cut(self) -> str:
        """As LocalPolicy's."""
        return self.local.cut

    # -- a policy

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        """n completions of each prompt, by vLLM with these very weights."""
        return self.channel.sample(self.local.voice, self.id, prompts, n)

    @property
    def elsewhere(self) -> bool:
        """Whether a server samples: an engine in this process shares its devices."""
        return isinstance(self.channel.sampler, Live)

    def begin_sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> Future[list[Group]]:
        """The same, drawn by the server while more is learnt; the next push waits for it."""
        return self.channel.begin_sample(self.local.voice, self.id, prompts, n)

    def lengths(self, completions: Sequence[Completion], /) -> list[int]:
        """Tokens of each completion, EOS included."""
        return self.local.lengths(completions)

    def logp(self, completions: Sequence[Completion], /) -> list[float]:
        """Summed log-probabilities in nats, at temperature 1."""
        return self.local.logp(completions)

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[str], *, cue: str = ""
    ) -> list[tuple[float, ...] | Abstains]:
        """Log-probabilities in nats of the choices as the next words."""
        return self.local.choose(prompts, choices, cue=cue)

    def freeze(self) -> VllmFrozen:
        """These weights as they are now; the same object until the next update."""
        local = self.local.freeze()
        if self._frozen is None or self._frozen[0] is not local:
            self._frozen = (local, VllmFrozen.of(local, self.channel))
        return self._frozen[1]

    def save(self, folder: Path, /) -> None:
        """A folder that transformers' AutoModelForCausalLM loads, adapters folded in."""
        self.local.save(folder)

    # -- learning

    def optimise(self, adam: Adam | Sgd, /) -> None:
        """A fresh optimiser: called at the start of a stage of learning."""
        self.local.optimise(adam)

    def fit_texts(self, batch: Sequence[Completion], objective: TextObjective, /) -> Metrics:
        return self._with_mismatch(self.local.fit_texts(batch, objective))

    def fit_pairs(
        self, batch: Sequence[Preference], objective: PairObjective, /, *, anchor: Frozen
    ) -> Metrics:
        return self._with_mismatch(self.local.fit_pairs(batch, objective, anchor=anchor))

    def fit_marks(
        self, batch: Sequence[Mark], objective: MarkObjective, /, *, anchor: Frozen
    ) -> Metrics:
        return self._with_mismatch(self.local.fit_marks(batch, objective, anchor=anchor))

    def fit_rollouts(
        self, batch: Sequence[Rollout], objective: RolloutObjective, /, *, anchor: Frozen
    ) -> Metrics:
        """As LocalPolicy's; with ratios against the sampler, what vLLM drew is another policy's."""
        if self.ratios == "sampler":
            batch = [_drawn_elsewhere(rollout) for rollout in batch]
        return self._with_mismatch(self.local.fit_rollouts(batch, objective, anchor=anchor))

    def _with_mismatch(self, metrics: Metrics) -> Metrics:
        """Once after each push."""
        return {**metrics, **self.channel.told()}

    # -- state

    def save_state(self, folder: Path, /) -> None:
        self.local.save_state(folder)

    def load_state(self, folder: Path, /) -> None:
        """Goes back to what ``save_state`` kept; vLLM gets it before the next sample."""
        self.local.load_state(folder)
        self.channel.forget()


def _drawn_elsewhere(rollout: Rollout) -> Rollout:
    """The rollout under a name that is not the learner's, so that its recorded log-probabilities
    count and are not computed anew.
    """
    completion = rollout.completion
    return replace(rollout, completion=replace(completion, policy=f"{completion.policy} on vLLM"))
