"""A policy over any Hugging Face causal language model: opened from a value, sampled, and trained.

axes: S sequences, T tokens of the longest completion
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import orjson

from solon.engines.local.choosing import choose
from solon.engines.local.fitting import Optimiser
from solon.engines.local.frozen import FrozenPolicy
from solon.engines.local.layout import Row
from solon.engines.local.pairing import MarkFit, PairFit
from solon.engines.local.rollouts import RolloutFit
from solon.engines.local.saving import load_weights
from solon.engines.local.tensors import write_tensors
from solon.engines.local.values import Critic
from solon.engines.local.voice import Logps, Voice
from solon.errors import SettingError
from solon.objectives.adam import Adam, Sgd
from solon.objectives.batch import Loss, TextLogps
from solon.records import Abstains, Completion, Group, Mark, Preference, Prompt, Rollout
from solon.seams.feedback import Metrics
from solon.seams.learning import (
    Frozen,
    MarkObjective,
    PairObjective,
    RolloutObjective,
    TextObjective,
)


class Opened(Protocol):
    """What a policy keeps of the run that opened it."""

    def seed_for(self, *names: object) -> int: ...

    def note(self, text: str, /) -> None: ...


@dataclass(slots=True, kw_only=True)
class LocalPolicy:
    """Weights that learn here. Satisfies Learner, Chooser and Stateful.

    The version in ``id`` counts updates. Asking the same weights for the same prompts twice gives
    the same completions: for more, ask for more (``n``).
    """

    name: str
    voice: Voice
    optimiser: Optimiser
    version: int = 0
    critic: Critic | None = None
    _frozen: FrozenPolicy | None = field(default=None)

    @property
    def id(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def cut(self) -> str:
        """The setting by which less than the whole distribution is sampled; empty: none."""
        return self.voice.manner.cut

    # -- a policy

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return self.voice.sample(prompts, n, self.id)

    def lengths(self, completions: Sequence[Completion], /) -> list[int]:
        """Tokens of each completion, EOS included."""
        return [len(row.completion) for row in self.voice.rows(completions)]

    def logp(self, completions: Sequence[Completion], /) -> list[float]:
        """Summed log-probabilities in nats, at temperature 1."""
        return self.voice.logp(completions)

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[str], *, cue: str = ""
    ) -> list[tuple[float, ...] | Abstains]:
        """Log-probabilities in nats of the choices as the next words: forward passes only."""
        return choose(self.voice, prompts, choices, cue)

    def freeze(self) -> FrozenPolicy:
        """These weights as they are now; the same object until the next update."""
        if self._frozen is None or self._frozen.id != self.id:
            self._frozen = self._freeze()
        return self._frozen

    def _freeze(self) -> FrozenPolicy:
        decoder = self.voice.decoder
        if decoder.adapter is not None:
            adapter = decoder.snapshot() if self.version else None
            return FrozenPolicy(id=self.id, voice=self.voice, shared=True, adapter=adapter)
        return FrozenPolicy(id=self.id, voice=self.voice.copied())

    def save(self, folder: Path, /) -> None:
        """A folder that transformers' AutoModelForCausalLM loads, adapters folded in."""
        self.voice.save(folder, self.id)

    # -- learning

    def optimise(self, adam: Adam | Sgd, /) -> None:
        """A fresh optimiser: called at the start of a stage of learning."""
        sets = [list(self.voice.decoder.trained().values())]
        if self.critic is not None:
            sets.append(list(self.critic.trained().values()))
        self.optimiser = Optimiser(sets, adam, ranks=self.voice.ranks)

    def fit_texts(self, batch: Sequence[Completion], objective: TextObjective, /) -> Metrics:
        """One update towards (or by) these completions, at temperature 1."""
        rows = self.voice.rows(batch)

        def loss_of(chunk: list[int]) -> Loss:
            logps, mask = self.voice.decoder.logps([rows[i] for i in chunk])
            return objective(TextLogps(logps=logps, mask=mask))

        losses = self.voice.shares.losses([[row] for row in rows], loss_of)
        return self._updated(losses, "fit_texts", rows)

    def fit_pairs(
        self, batch: Sequence[Preference], objective: PairObjective, /, *, anchor: Frozen
    ) -> Metrics:
        """One update on these preferences, at temperature 1."""
        fit = PairFit(voice=self.voice, batch=batch, objective=objective)
        rows = fit.rows
        asked = objective.anchored and not self._is_now(anchor)
        texts = [one.chosen for one in batch] + [one.rejected for one in batch] if asked else []
        anchored = self._anchor_sums(anchor, texts, rows) if asked else None
        return self._updated(fit.losses(rows, anchored), "fit_pairs", rows)

    def fit_marks(
        self, batch: Sequence[Mark], objective: MarkObjective, /, *, anchor: Frozen
    ) -> Metrics:
        """One update on these marked completions, at temperature 1. Two of them at least: each
        is also scored under another's prompt.
        """
        if len(batch) < 2:
            raise SettingError(f"fit_marks: expected a batch of at least 2 marks, got {len(batch)}")
        fit = MarkFit(voice=self.voice, batch=batch, objective=objective)
        rows = fit.rows

        def sums(rows: Sequence[Row]) -> list[float] | None:
            return None if self._is_now(anchor) else self._token_sums(anchor, rows)

        return self._updated(fit.losses(rows, sums), "fit_marks", rows)

    def fit_rollouts(
        self, batch: Sequence[Rollout], objective: RolloutObjective, /, *, anchor: Frozen
    ) -> Metrics:
        """Credit once over the batch, then objective.epochs x objective.minibatches updates, with
        all logits divided by the sampling temperature.
        """
        if objective.values and self.critic is None:
            self._add_critic()
        fit = RolloutFit(
            voice=self.voice,
            optimiser=self.optimiser,
            critic=self.critic if objective.values else None,
            policy=self.id,
            batch=batch,
            objective=objective,
            seed=self.voice.seed_for("minibatches", self.id),
        )
        completions = [rollout.completion for rollout in batch]

        def anchored(rows: Sequence[Row], temperature: float) -> list[Logps] | None:
            return self._anchor_tokens(anchor, completions, rows, temperature)

        rows = self.voice.rows(completions)
        with self.voice.decoder.held():
            metrics, updates = fit.run(rows, anchored)
        self.version += updates
        return {**metrics, **self._counts(rows)}

    def _updated(self, losses: Iterable[Loss], what: str, rows: Sequence[Row]) -> Metrics:
        with self.voice.decoder.held():
            metrics = self.optimiser.update(losses, what=f"{what} of {self.id}")
        self.version += 1
        return {**metrics, **self._counts(rows)}

    def _counts(self, rows: Sequence[Row]) -> dict[str, float]:
        words = self.voice.words
        return {
            "tokens": float(sum(map(len, rows))),
            "truncated_prompts": float(words.truncated_prompts),
            "truncated_completions": float(words.truncated_completions),
        }

    # -- the anchor

    def _is_now(self, anchor: Frozen) -> bool:
        """True for the anchor that was frozen from these very weights: it costs nothing."""
        own = isinstance(anchor, FrozenPolicy) and anchor.voice.words is self.voice.words
        return own and anchor.id == self.id

    def _anchor_sums(
        self, anchor: Frozen, completions: Sequence[Completion], rows: Sequence[Row]
    ) -> list[float]:
        """By these very rows where the anchor reads the same words, else by its own reading."""
        if isinstance(anchor, FrozenPolicy) and anchor.voice.words is self.voice.words:
            return self._token_sums(anchor, rows)
        return anchor.logp(completions)

    def _token_sums(self, anchor: Frozen, rows: Sequence[Row]) -> list[float]:
        if not isinstance(anchor, FrozenPolicy) or anchor.voice.words is not self.voice.words:
            raise SettingError(
                f"anchor: expected weights frozen from this policy, got {anchor.id!r}: "
                "use policy.freeze()"
            )
        return [float(x.sum(dtype="float64")) for x in anchor.token_logps(rows, 1.0)]

    def _anchor_tokens(
        self,
        anchor: Frozen,
        completions: Sequence[Completion],
        rows: Sequence[Row],
        temperature: float,
    ) -> list[Logps] | None:
        if self._is_now(anchor):
            return None
        if not isinstance(anchor, FrozenPolicy):
            raise SettingError(
                f"anchor: expected a frozen local policy, whose tokens can be scored one by one, "
                f"got {anchor.id!r}: use policy.freeze()"
            )
        if anchor.voice.words is not self.voice.words:
            own = anchor.voice.rows(completions)
            if [row.completion for row in own] != [row.completion for row in rows]:
                raise SettingError(f"anchor: {anchor.id!r} reads other tokens than {self.id!r}")
            rows = own
        return anchor.token_logps(rows, temperature)

    # -- values

    def _add_critic(self) -> Critic:
        self.critic = Critic.of(self.voice.decoder)
        self.optimiser.add(list(self.critic.trained().values()))
        return self.critic

    # -- state

    def save_state(self, folder: Path, /) -> None:
        """Weights, value network, optimiser and counters: enough to go on bit for bit, in any
        number of processes.
        """
        folder.mkdir(parents=True, exist_ok=True)
        rank = self.voice.ranks.rank
        write_tensors(folder / "policy.safetensors", self.voice.decoder.trained(), rank=rank)
        if self.critic is not None:
            write_tensors(folder / "critic.safetensors", self.critic.trained(), rank=rank)
        self.optimiser.save(folder / "optimiser.safetensors")
        words = self.voice.words
        state = {
            "version": self.version,
            "truncated_prompts": words.truncated_prompts,
            "truncated_completions": words.truncated_completions,
        }
        (folder / "state.json").write_bytes(orjson.dumps(state))

    def load_state(self, folder: Path, /) -> None:
        """Goes back to what ``save_state`` kept. Raises RunError where it is another model's."""
        load_weights(folder / "policy.safetensors", self.voice.decoder.trained())
        self.critic = None
        self.optimise(self.optimiser.adam)
        if (folder / "critic.safetensors").is_file():
            critic = self._add_critic()
            load_weights(folder / "critic.safetensors", critic.trained())
        self.optimiser.load(folder / "optimiser.safetensors")
        state = orjson.loads((folder / "state.json").read_bytes())
        self.version = int(state["version"])
        self.voice.words.truncated_prompts = int(state["truncated_prompts"])
        self.voice.words.truncated_completions = int(state["truncated_completions"])
        self._frozen = None
