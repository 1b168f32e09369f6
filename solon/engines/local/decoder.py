"""A causal language model as two functions: hidden states of a layout, and logits of those.

axes: N tokens laid down, S sequences, T tokens of the longest completion, M scored tokens,
      V vocabulary
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, cast

import torch
import torch.nn.functional as F
from peft import PeftModel
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from solon.engines.local.attention import Packed, Plan, attending
from solon.engines.local.layout import Layout, Row, lay_out
from solon.engines.local.spread import Spread, Whole
from solon.engines.local.walk import Walk

# Logits held at once, in numbers: beyond it the head runs in slices and again in the backward pass.
SLICE = 1 << 25


@dataclass(slots=True)
class Decoder:
    """The model, where it lives, and whether its attention can follow a packed layout.

    ``walk`` is the short way through a packed trunk, where it is known to give the same;
    ``adapter`` is the LoRA wrapper around ``model``, where there is one; ``spread`` is how the
    weights lie over several processes.
    """

    model: PreTrainedModel
    packed: bool = True
    walk: Walk | None = None
    adapter: PeftModel | None = None
    spread: Spread = field(default_factory=Whole)
    _turn: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    @property
    def kind(self) -> str:
        """The model's class, by transformers' name: FSDP2 puts its own in front."""
        return type(self.model).__name__.removeprefix("FSDP")

    @property
    def context(self) -> int:
        """The most tokens that the model was made for; 2**20 where its configuration is silent."""
        text = self.model.config.get_text_config()
        return int(getattr(text, "max_position_embeddings", None) or 1 << 20)

    @property
    def vocabulary(self) -> int:
        """Rows of the embedding, V."""
        return cast("nn.Embedding", self.model.get_input_embeddings()).num_embeddings

    @property
    def trunk(self) -> nn.Module:
        return self.model.base_model

    @property
    def _head(self) -> nn.Linear:
        head = self.model.get_output_embeddings()
        assert isinstance(head, nn.Module), "opened with a language model's head"
        return head  # pyright: ignore[reportReturnType]

    def trained(self) -> dict[str, nn.Parameter]:
        """The parameters that learn: all of them, or the adapter's."""
        return {name: p for name, p in self.model.named_parameters() if p.requires_grad}

    def lay_out(self, rows: Sequence[Row], *, last: bool = False) -> Layout:
        return lay_out(rows, device=self.device, last=last, packed=self.packed)

    def hidden(
        self, layout: Layout, plan: Packed | None = None, *, trunk: nn.Module | None = None
    ) -> Tensor:
        """[N hidden]: the last hidden state of every token laid down, by this trunk or a copy."""
        trunk = trunk or self.trunk
        if not self.packed:
            return padded_states(trunk, layout)
        plan = plan or Packed(layout)
        return self.packed_states(layout.ids[0], layout.positions[0], plan, trunk=trunk)

    def packed_states(
        self, ids: Tensor, positions: Tensor, plan: Plan, *, trunk: nn.Module | None = None
    ) -> Tensor:
        """[N hidden] of tokens [N] under a plan of attention."""
        trunk = trunk or self.trunk
        if self.walk is not None:
            return self.walk(trunk, ids, positions, plan)
        with attending(plan):
            return trunk(
                input_ids=ids[None], position_ids=positions[None], use_cache=False
            ).last_hidden_state[0]

    def logits(self, hidden: Tensor) -> Tensor:
        """[M V], in float32, with the caps and scales that some models put after their head."""
        logits = self._head(hidden).float()
        text: Any = self.model.config.get_text_config()
        cap = getattr(text, "final_logit_softcapping", None)
        if cap:
            logits = cap * torch.tanh(logits / cap)
        if getattr(text, "logit_scale", None):
            logits = logits * text.logit_scale
        if getattr(text, "logits_scaling", None):
            logits = logits / text.logits_scaling
        return logits

    def logps(self, rows: Sequence[Row], temperature: float = 1.0) -> tuple[Tensor, Tensor]:
        """Log-probabilities in nats of the completions' tokens [S T], and their mask [S T]."""
        layout = self.lay_out(rows)

        def scores() -> Tensor:
            hidden = self.hidden(layout).index_select(0, layout.scored)
            return self._scores(hidden, layout.targets, temperature)

        return layout.matrix(self.spread.through(scores)), layout.mask()

    def _scores(self, hidden: Tensor, targets: Tensor, temperature: float) -> Tensor:
        """[M] log-probabilities; the head sees scored positions only, in slices when V is large."""
        size = max(1, SLICE // self.vocabulary)
        if len(hidden) <= size:
            return self._slice(hidden, targets, temperature)
        again = torch.is_grad_enabled()
        parts: list[Tensor] = []
        for h, t in zip(hidden.split(size), targets.split(size), strict=True):
            part: Tensor = (
                checkpoint(self._slice, h, t, temperature, use_reentrant=False)  # pyright: ignore[reportAssignmentType]
                if again
                else self._slice(h, t, temperature)
            )
            parts.append(part)
        return torch.cat(parts)

    def _slice(self, hidden: Tensor, targets: Tensor, temperature: float) -> Tensor:
        logits = self.logits(hidden)
        if temperature != 1.0:
            logits = logits / temperature
        return -F.cross_entropy(logits, targets, reduction="none")

    def sampling(self) -> AbstractContextManager[None]:
        """For a while, processes that have the weights in parts may make passes by ``step``."""
        row = Row(prompt=(0,), completion=())

        def idle() -> Tensor:
            return self.logits(self.hidden(self.lay_out([row], last=True)))

        return self.spread.sampling(idle)

    def snapshot(self) -> dict[str, Tensor]:
        """A copy of what learns."""
        return {name: p.detach().clone() for name, p in self.trained().items()}

    def merged(self) -> PreTrainedModel:
        """A copy of the model with the adapter folded into its weights; it does not learn. Where
        weights lie in parts, so do the copy's.
        """
        if self.adapter is None:
            alone = self.spread.copy(self.model)
        else:
            own: Any = copy.deepcopy(self.adapter)
            # peft folds an adapter in even where it is switched off
            alone = own.unload() if switched_off(self.adapter) else own.merge_and_unload()
        return alone.requires_grad_(False)

    def copied(self) -> Decoder:
        """The same decoder over weights that do not learn, spread as these are."""
        model, spread = self.spread.again(self.merged())
        return Decoder(model, packed=self.packed, walk=self.walk, spread=spread)

    def held(self) -> AbstractContextManager[object]:
        """For a while, in this thread alone: an adapter is exchanged under all who use the model,
        and a reward may ask an anchor while the policy learns.
        """
        return nullcontext() if self.adapter is None else self._turn

    @contextmanager
    def wearing(self, weights: Mapping[str, Tensor] | None) -> Generator[None]:
        """For a while, the adapter of a snapshot; None is the model without its adapter."""
        assert self.adapter is not None, "only an adapter can be changed for a while"
        with self.held():
            yield from self._worn(self.adapter, weights)

    def _worn(self, adapter: PeftModel, weights: Mapping[str, Tensor] | None) -> Generator[None]:
        if weights is None:
            with adapter.disable_adapter():
                yield
            return
        live = self.trained()
        own = {name: p.data for name, p in live.items()}
        try:
            for name, p in live.items():
                p.data = weights[name]
            yield
        finally:
            for name, p in live.items():
                p.data = own[name]


def switched_off(adapter: PeftModel) -> bool:
    """Whether the model is without its adapter for a while."""
    layers = (one for one in adapter.modules() if isinstance(one, BaseTunerLayer))
    return any(layer.disable_adapters for layer in layers)


def padded_states(trunk: nn.Module, layout: Layout) -> Tensor:
    """[N hidden] of any transformers trunk, by a padded batch."""
    (group,) = layout.groups
    ids = layout.ids[0][group.queries]
    places = torch.arange(ids.size(1), device=ids.device)
    mask = (places < torch.as_tensor(group.lengths, device=ids.device)[:, None]).long()
    states = trunk(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    return states.flatten(0, 1).index_select(0, layout.home)
