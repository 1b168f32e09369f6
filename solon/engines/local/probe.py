"""Is a packed row the same computation for this model? Asked once, when a model is opened."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from solon.engines.local.attention import NAME, CannotPack, Packed
from solon.engines.local.decoder import Decoder, padded_states
from solon.engines.local.layout import Row, lay_out
from solon.engines.local.spread import in_parts
from solon.engines.local.threads import Notes
from solon.engines.local.walk import Walk
from solon.errors import SettingError

# Largest difference, relative to the largest hidden state, that rounding explains.
ROUNDING = {torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 1e-2}
# A shared prompt, a prompt of its own, and completions of different lengths.
LENGTHS = ((5, 3), (5, 6), (7, 2))


def settle(
    decoder: Decoder, packed: Literal["auto", "never"], run: Notes, *, head: bool = True
) -> None:
    """Decides how the decoder computes, and says so where it is the slower way.

    Raises SettingError where the model's head is not a linear map that this engine knows.
    """
    decoder.walk = None
    if decoder.model.config._attn_implementation == NAME:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        # a copy of a model that was packed; whether this one is, is asked anew
        decoder.model.set_attn_implementation("sdpa")
    if head:
        _check_head(decoder, _rows(decoder.vocabulary))
    if packed == "never":
        decoder.packed = False
        return
    reason = _why_not(decoder)
    if reason:
        run.note(f"{decoder.kind}: padded batches, since {reason} (correct, but slower)")


def _why_not(decoder: Decoder) -> str:
    """Why the padded way is needed; empty where the packed one is the same computation."""
    rows = _rows(decoder.vocabulary)
    # transformers has no public reader of it
    before = str(decoder.model.config._attn_implementation)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    decoder.packed = False
    with torch.no_grad():
        padded = _hidden(decoder, rows, None)
        decoder.model.set_attn_implementation(NAME)
        decoder.packed = True
        plan = Packed(lay_out(rows, device=decoder.device, last=True))
        try:
            reason = _differs(_hidden(decoder, rows, plan), padded, plan, decoder)
        except CannotPack as refusal:
            reason = f"its layers use {refusal}"
        if not reason:
            _shorten(decoder, rows, plan, padded)
    if reason:
        decoder.model.set_attn_implementation(before)
        decoder.packed = False
    return reason


def _differs(found: Tensor, wanted: Tensor, plan: Packed, decoder: Decoder) -> str:
    gap = float((found - wanted).abs().max())
    if not gap <= _allowed(decoder, wanted):
        return f"a packed row gave other hidden states (by {gap:.1e})"
    text = decoder.model.config.get_text_config()
    if getattr(text, "attention_chunk_size", None):
        return "it attends in chunks"
    windowed = getattr(text, "sliding_window", None) and getattr(text, "use_sliding_window", True)
    if windowed and not any(window for _, window in plan.asked):
        return "its layers do not say which of them have a sliding window"
    return ""


def _shorten(decoder: Decoder, rows: list[Row], plan: Packed, wanted: Tensor) -> None:
    """Lets the decoder walk where that is the same; the longer way is correct as well, and the
    only one where layers are gathered for their own forward pass.
    """
    if in_parts(next(decoder.model.parameters())):
        return
    decoder.walk = Walk.through(decoder.trunk, plan.asked)
    if decoder.walk is not None:
        gap = float((_hidden(decoder, rows, Packed(plan.layout)) - wanted).abs().max())
        if not gap <= _allowed(decoder, wanted):
            decoder.walk = None


def _allowed(decoder: Decoder, wanted: Tensor) -> float:
    return ROUNDING[decoder.model.dtype] * float(wanted.abs().max())


def _rows(vocabulary: int) -> list[Row]:
    generator = torch.Generator().manual_seed(0)

    def ids(count: int) -> tuple[int, ...]:
        return tuple(torch.randint(0, vocabulary, (count,), generator=generator).tolist())

    shared = ids(LENGTHS[0][0])
    return [
        Row(prompt=shared if number < 2 else ids(prompt), completion=ids(completion))
        for number, (prompt, completion) in enumerate(LENGTHS)
    ]


def _hidden(decoder: Decoder, rows: list[Row], plan: Packed | None) -> Tensor:
    """Hidden states of the last token of each row, [S hidden]."""
    layout = plan.layout if plan else decoder.lay_out(rows, last=True)
    return decoder.spread.through(
        lambda: decoder.hidden(layout, plan).index_select(0, layout.ends).float()
    )


def _check_head(decoder: Decoder, rows: list[Row]) -> None:
    ids = torch.as_tensor([rows[0].prompt + rows[0].completion], device=decoder.device)
    layout = lay_out(rows[:1], device=decoder.device, last=True, packed=False)
    through = decoder.spread.through
    with torch.no_grad():
        wanted = through(lambda: decoder.model(input_ids=ids, use_cache=False).logits)[0].float()
        found = through(lambda: decoder.logits(padded_states(decoder.trunk, layout)))
    gap = float((found - wanted).abs().max())
    if not gap <= _allowed(decoder, wanted):
        raise SettingError(
            f"model: {decoder.kind} changes its logits after the head in a way "
            f"that this engine does not know (by {gap:.1e}); choose another model, or an endpoint"
        )
