"""A policy that learns in the driver's process, and is sampled and scored by copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from solon.engines.local.frozen import FrozenPolicy
from solon.engines.local.policy import LocalPolicy
from solon.engines.local.transformer import Transformer
from solon.engines.local.voice import Voice
from solon.engines.ray.copies import Copies
from solon.engines.ray.onray import OnRay
from solon.engines.ray.pushing import Pushed, Sampled
from solon.objectives.adam import Adam, Sgd
from solon.records import Abstains, Completion, Group, Mark, Preference, Prompt, Rollout
from solon.run.ahead import begin
from solon.run.run import Run
from solon.seams.feedback import Metrics
from solon.seams.learning import (
    Frozen,
    MarkObjective,
    PairObjective,
    RolloutObjective,
    TextObjective,
)


@dataclass(slots=True, kw_only=True)
class Elsewhere:
    """Copies that are asked with given weights, which are put into the object store once.

    The driver reads the same words, so that it counts what was truncated as if it had answered.
    """

    copies: Copies
    voice: Voice
    _serials: count[int] = field(default_factory=lambda: count(1))

    def push(self, id: str, weights: Mapping[str, Tensor]) -> Pushed:  # noqa: A002 - the seam's word
        return Pushed.of(id, weights, serial=next(self._serials))

    def sample(self, prompts: Sequence[Prompt], n: int, pushed: Pushed) -> list[Group]:
        for prompt in prompts:
            self.voice.words.prompt(prompt)
        return self.copies.ask("sample", prompts, n=n, pushed=pushed)

    def logp(self, completions: Sequence[Completion], pushed: Pushed) -> list[float]:
        self.voice.rows(completions)
        return self.copies.ask("logp", completions, pushed=pushed)

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[str], cue: str, pushed: Pushed
    ) -> list[tuple[float, ...] | Abstains]:
        return self.copies.ask("choose", prompts, choices=choices, cue=cue, pushed=pushed)


@dataclass(slots=True, kw_only=True)
class RayFrozen(FrozenPolicy):
    """A frozen local policy, which copies sample and score; a learner takes it as its anchor.

    What ``fit_*`` asks of an anchor, token by token, is computed and remembered in this process.
    """

    place: Elsewhere
    weights: Mapping[str, Tensor]
    _pushed: Pushed | None = None

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return self.place.sample(prompts, n, self._push())

    def logp(self, completions: Sequence[Completion], /) -> list[float]:
        return self.place.logp(completions, self._push())

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[str], *, cue: str = ""
    ) -> list[tuple[float, ...] | Abstains]:
        return self.place.choose(prompts, choices, cue, self._push())

    def _push(self) -> Pushed:
        if self._pushed is None:
            self._pushed = self.place.push(self.id, self.weights)
        return self._pushed


@dataclass(slots=True, kw_only=True)
class RayLearner:
    """Weights that learn here and answer there. Satisfies Learner, Chooser and Stateful.

    ``start`` is the adapter before any update, where there is one: the frozen start wears none,
    which is the same.
    """

    elsewhere: ClassVar[bool] = True

    local: LocalPolicy
    place: Elsewhere
    start: Mapping[str, Tensor]
    _pushed: Pushed | None = None
    _frozen: tuple[FrozenPolicy, RayFrozen] | None = None

    @property
    def id(self) -> str:
        return self.local.id

    @property
    def cut(self) -> str:
        """As LocalPolicy's."""
        return self.local.cut

    # -- a policy

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        """n completions of each prompt, by copies with these very weights."""
        return self.place.sample(prompts, n, self._push())

    def begin_sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> Future[list[Group]]:
        """The same, drawn while more is learnt."""
        pushed = self._push()
        return begin(lambda: self.place.sample(prompts, n, pushed), name="sample")

    def lengths(self, completions: Sequence[Completion], /) -> list[int]:
        """Tokens of each completion, EOS included."""
        return self.local.lengths(completions)

    def logp(self, completions: Sequence[Completion], /) -> list[float]:
        """Summed log-probabilities in nats, at temperature 1."""
        return self.place.logp(completions, self._push())

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[str], *, cue: str = ""
    ) -> list[tuple[float, ...] | Abstains]:
        """Log-probabilities in nats of the choices as the next words."""
        return self.place.choose(prompts, choices, cue, self._push())

    def _push(self) -> Pushed:
        """These weights, in the object store once for each id."""
        if self._pushed is None or self._pushed.id != self.id:
            self._pushed = self.place.push(self.id, self.local.voice.decoder.trained())
        return self._pushed

    def freeze(self) -> RayFrozen:
        """These weights as they are now; the same object until the next update."""
        local = self.local.freeze()
        if self._frozen is None or self._frozen[0] is not local:
            self._frozen = (local, self._apart(local))
        return self._frozen[1]

    def _apart(self, local: FrozenPolicy) -> RayFrozen:
        if local.shared:
            weights = self.start if local.adapter is None else local.adapter
        else:
            own = dict(local.voice.decoder.model.named_parameters())
            weights = {name: own[name] for name in self.local.voice.decoder.trained()}
        return RayFrozen(
            id=local.id,
            voice=local.voice,
            shared=local.shared,
            adapter=local.adapter,
            place=self.place,
            weights=weights,
        )

    def save(self, folder: Path, /) -> None:
        """A folder that transformers' AutoModelForCausalLM loads, adapters folded in."""
        self.local.save(folder)

    # -- learning

    def optimise(self, adam: Adam | Sgd, /) -> None:
        """A fresh optimiser: called at the start of a stage of learning."""
        self.local.optimise(adam)

    def fit_texts(self, batch: Sequence[Completion], objective: TextObjective, /) -> Metrics:
        return self.local.fit_texts(batch, objective)

    def fit_pairs(
        self, batch: Sequence[Preference], objective: PairObjective, /, *, anchor: Frozen
    ) -> Metrics:
        return self.local.fit_pairs(batch, objective, anchor=anchor)

    def fit_marks(
        self, batch: Sequence[Mark], objective: MarkObjective, /, *, anchor: Frozen
    ) -> Metrics:
        return self.local.fit_marks(batch, objective, anchor=anchor)

    def fit_rollouts(
        self, batch: Sequence[Rollout], objective: RolloutObjective, /, *, anchor: Frozen
    ) -> Metrics:
        return self.local.fit_rollouts(batch, objective, anchor=anchor)

    # -- state

    def save_state(self, folder: Path, /) -> None:
        self.local.save_state(folder)

    def load_state(self, folder: Path, /) -> None:
        """Goes back to what ``save_state`` kept; copies get it before their next answer."""
        self.local.load_state(folder)
        self._pushed = self._frozen = None


def open_learner(spec: OnRay, policy: Transformer, run: Run) -> RayLearner:
    """The policy opened here, and its copies."""
    local = policy.open(run)
    copies = Copies.begin(spec, Sampled(policy=policy), run)
    decoder = local.voice.decoder
    start = decoder.snapshot() if decoder.adapter is not None else {}
    return RayLearner(local=local, place=Elsewhere(copies=copies, voice=local.voice), start=start)
