"""A scalar reward over a trunk, read at the last real token of a completion.

axes: S sequences, P pairs
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, cast

import orjson
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel

from solon.engines.local.decoder import Decoder
from solon.engines.local.fitting import Optimiser
from solon.engines.local.frozen import FrozenPolicy
from solon.engines.local.layout import Row
from solon.engines.local.policy import LocalPolicy, Opened
from solon.engines.local.probe import settle
from solon.engines.local.recompute import recompute
from solon.engines.local.saving import load_weights, read_card, save_model
from solon.engines.local.sharing import Shares
from solon.engines.local.spread import all_of
from solon.engines.local.tensors import write_tensors
from solon.engines.local.threads import choose_threads
from solon.engines.local.vocabulary import load_tokenizer, with_own_pad
from solon.engines.local.weights import Device, Dtype, load_model, on_device, place, precision
from solon.engines.local.words import Chat, Words
from solon.errors import SettingError
from solon.objectives.adam import Adam
from solon.objectives.batch import Loss, PairRewards
from solon.records import Abstains, Completion, Preference
from solon.run.ranks import Ranks, at_work
from solon.seams.feedback import Metrics
from solon.seams.learning import Frozen, RewardObjective


@dataclass(frozen=True, kw_only=True)
class RewardTransformer:
    """A reward from a folder or the hub, or one that adopts a policy later.

    A folder of a sequence classifier with one label keeps its head; any other gets a fresh one.

    Example:
        RewardTransformer().open(run)   # then .adopt(policy)
    """

    model: str = ""
    """Folder or hub name; empty adopts the policy's weights."""
    name: str = "reward"
    """What judgements and records call it, as name@version."""
    chat: Chat = "auto"
    """Whether prompts go through the tokenizer's chat template; auto does where it has one."""
    max_prompt_tokens: int = 1024
    """Longest prompt, in tokens; a longer one loses its beginning."""
    dtype: Dtype = "auto"
    """Precision of the weights; auto is bfloat16 on CUDA and float32 on a CPU."""
    device: Device = "auto"
    """Where it computes; auto is CUDA where there is one."""
    tokens_per_chunk: int = 16_384
    """Tokens of one pass: lower it when memory runs out; results do not change."""
    packed: Literal["auto", "never"] = "auto"
    """Whether rows stand end to end without padding; auto does where the model allows it."""
    gradient_checkpointing: bool = False
    """Whether layers compute again for the backward pass what they would have to keep for it: a
    third more work, a fraction of the memory; results do not change."""

    def open(self, run: Opened) -> LocalReward:
        reward = LocalReward(name=self.name, run=run, spec=self)
        if self.model:
            reward.load(self.model)
        return reward


@dataclass(slots=True)
class Head:
    """The classifier, how it computes, and how it reads."""

    decoder: Decoder
    words: Words

    @property
    def score(self) -> nn.Linear:
        return cast("nn.Linear", self.decoder.model.score)

    def __call__(self, rows: Sequence[Row]) -> Tensor:
        """[S] raw scores, in float32."""
        layout = self.decoder.lay_out(rows, last=True)
        last = self.decoder.hidden(layout).index_select(0, layout.ends)
        return F.linear(last.float(), self.score.weight.float())[:, 0]


@dataclass(slots=True, kw_only=True)
class LocalReward:
    """A reward that learns here. Satisfies RewardLearner."""

    name: str
    run: Opened
    spec: RewardTransformer
    version: int = 0
    offset: float = 0.0
    optimiser: Optimiser | None = None
    ranks: Ranks = field(default_factory=at_work)
    _head: Head | None = field(default=None)

    @property
    def id(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def head(self) -> Head:
        """Raises SettingError before there are any weights."""
        if self._head is None:
            raise SettingError(
                f"{self.name}: has no weights yet: adopt a policy first, or name a model"
            )
        return self._head

    # -- weights

    def adopt(self, policy: Frozen, /) -> None:
        """Starts from the policy's trunk and tokenizer, with a fresh scalar head."""
        if not isinstance(policy, FrozenPolicy | LocalPolicy):
            raise SettingError(
                f"{self.name}.adopt: expected a local policy, whose weights lie in this process, "
                f"got {policy.id!r}"
            )
        frozen = policy if isinstance(policy, FrozenPolicy) else policy.freeze()
        with frozen.worn():
            source = frozen.voice.decoder.merged()
        self._begin(
            source, replace(frozen.voice.words, truncated_prompts=0, truncated_completions=0)
        )

    def load(self, folder: str) -> None:
        """Weights from a folder or the hub, with their own head where they have one."""
        device = place(self.spec.device)
        dtype = precision(self.spec.dtype, device)
        tokenizer = load_tokenizer(folder, size=0)
        config = AutoConfig.from_pretrained(folder)
        context = int(getattr(config.get_text_config(), "max_position_embeddings", 1 << 20))
        words = Words(
            tokenizer=tokenizer,
            chat=self.spec.chat,
            longest_prompt=min(self.spec.max_prompt_tokens, context - 1),
            context=context,
        )
        scored = any(
            name.endswith("ForSequenceClassification") for name in config.architectures or ()
        )
        if not scored:
            self._begin(load_model(folder, dtype=dtype, device=device), words)
            return
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, num_labels=1, dtype=dtype
        )
        self._take(on_device(model, device), words)
        self.offset = float(read_card(Path(folder)).get("offset", 0.0))

    def _begin(self, source: PreTrainedModel, words: Words) -> None:
        """A classifier with the source's trunk and a fresh head."""
        config = copy.deepcopy(source.config)
        config.num_labels = 1
        try:
            model = AutoModelForSequenceClassification.from_config(config)
        except ValueError as error:
            raise SettingError(
                f"{self.name}: transformers has no sequence classifier for {type(source).__name__}"
            ) from error
        model = on_device(model.to(source.dtype), source.device)
        trunk = source.base_model.state_dict()
        model.base_model.load_state_dict({name: all_of(weight) for name, weight in trunk.items()})
        self.offset = 0.0
        self._take(model, words)
        weight = self.head.score.weight
        generator = torch.Generator().manual_seed(
            self.run.seed_for(self.name, "head", self.version)
        )
        # N(0, 1/(d+1)): scores of about unit size at the start ("N+ implementation details")
        fresh = torch.randn(weight.shape, generator=generator) / math.sqrt(weight.size(1) + 1)
        with torch.no_grad():
            weight.copy_(fresh)

    def _take(self, model: PreTrainedModel, words: Words) -> None:
        words.tokenizer = with_own_pad(words.tokenizer, model)
        decoder = Decoder(model)
        settle(decoder, self.spec.packed, self.run, head=False)
        if self.spec.gradient_checkpointing:
            recompute(model)
        choose_threads(sum(p.numel() for p in model.parameters()), decoder.device, self.run)
        self._head = Head(decoder, words)
        self.version += 1
        self.optimise(Adam())

    # -- a reward

    def __call__(self, completions: Sequence[Completion], /) -> list[float | Abstains]:
        return [
            Abstains(reason=score) if isinstance(score, str) else score - self.offset
            for score in self._raw(completions)
        ]

    def centre(self, completions: Sequence[Completion], /) -> None:
        """Shifts the reward so that its mean over these completions is 0."""
        known = [score for score in self._raw(completions) if isinstance(score, float)]
        if not known:
            raise SettingError(
                f"{self.name}.centre: expected at least one completion with a reward"
            )
        self.offset = math.fsum(known) / len(known)

    def _raw(self, completions: Sequence[Completion]) -> list[float | str]:
        """Scores before the offset, or why there is none."""
        rows = [self.head.words.row(completion) for completion in completions]
        scores: list[float | str] = ["the completion was cut to nothing"] * len(rows)
        read = [
            i for i, row in enumerate(rows) if row.completion and completions[i].finish != "filter"
        ]

        def raw(chunk: list[int]) -> list[float]:
            return self.head([rows[read[i]] for i in chunk]).tolist()

        with torch.no_grad():
            found = self._shares.found([[rows[i]] for i in read], raw)
        for i, score in zip(read, found, strict=True):
            scores[i] = score if math.isfinite(score) else f"the reward is {score}"
        return scores

    @property
    def _shares(self) -> Shares:
        return Shares(budget=self.spec.tokens_per_chunk, ranks=self.ranks)

    # -- learning

    def optimise(self, adam: Adam, /) -> None:
        """A fresh optimiser: called at the start of a stage of learning."""
        trained = list(self.head.decoder.trained().values())
        self.optimiser = Optimiser([trained], adam, ranks=self.ranks)

    def fit(self, batch: Sequence[Preference], objective: RewardObjective, /) -> Metrics:
        """One update on these preferences."""
        assert self.optimiser is not None or self.head, "a head comes with an optimiser"
        words = self.head.words
        pairs = [[words.row(p.chosen), words.row(p.rejected)] for p in batch]

        def loss_of(chunk: list[int]) -> Loss:
            scores = self.head([row for i in chunk for row in pairs[i]]).view(-1, 2)
            p = scores.new_tensor([batch[i].p for i in chunk])
            return objective(PairRewards(chosen=scores[:, 0], rejected=scores[:, 1], p=p))

        losses = self._shares.losses(pairs, loss_of)
        metrics = cast("Optimiser", self.optimiser).update(losses, what=f"fit of {self.id}")
        self.version += 1
        return {
            **metrics,
            "tokens": float(sum(len(row) for pair in pairs for row in pair)),
            "truncated_prompts": float(words.truncated_prompts),
            "truncated_completions": float(words.truncated_completions),
        }

    # -- on disk

    def save(self, folder: Path, /) -> None:
        """A folder that AutoModelForSequenceClassification loads; the offset is in solon.json."""
        if not self.ranks.rank:
            model = self.head.decoder.model
            save_model(folder, model, self.head.words.tokenizer, id=self.id, offset=self.offset)

    def save_state(self, folder: Path, /) -> None:
        """Weights, optimiser, offset and counters: enough to go on bit for bit."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {"version": self.version, "offset": self.offset, "weights": self._head is not None}
        (folder / "state.json").write_bytes(orjson.dumps(state))
        if self._head is not None:
            trained = self.head.decoder.trained()
            write_tensors(folder / "reward.safetensors", trained, rank=self.ranks.rank)
            cast("Optimiser", self.optimiser).save(folder / "optimiser.safetensors")

    def load_state(self, folder: Path, /) -> None:
        """Goes back to what ``save_state`` kept; the trunk must have been adopted or loaded."""
        state = orjson.loads((folder / "state.json").read_bytes())
        if state["weights"]:
            load_weights(folder / "reward.safetensors", self.head.decoder.trained())
            cast("Optimiser", self.optimiser).load(folder / "optimiser.safetensors")
        self.version, self.offset = int(state["version"]), float(state["offset"])
