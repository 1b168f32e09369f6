"""A decoder's weights by the names that its checkpoint has, which are the ones that vLLM reads."""

from __future__ import annotations

from torch import Tensor
from transformers.core_model_loading import revert_weight_conversion

from solon.engines.local.decoder import Decoder


def by_checkpoint(decoder: Decoder) -> list[tuple[str, Tensor]]:
    """Every weight once, adapters folded in; without adapters nothing is copied.

    Some models hold their weights in another form than their checkpoint (fused experts): it is
    undone, as saving undoes it.
    """
    model = decoder.model if decoder.adapter is None else decoder.merged()
    weights = {name: weight.detach() for name, weight in model.named_parameters()}
    return list(revert_weight_conversion(model, weights).items())
