"""The packed way and transformers' own padded way are one computation, for every decoder."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    PreTrainedConfig,
    Qwen3Config,
)

from solon.engines.local.decoder import Decoder
from solon.engines.local.layout import Row
from solon.engines.local.probe import settle
from solon.engines.local.sampling import Manner, draw, uniforms

VOCABULARY = 97
SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
}
GROUPED = SIZES | {"intermediate_size": 48, "num_key_value_heads": 2, "head_dim": 8}
DECODERS: dict[str, PreTrainedConfig] = {
    "llama": LlamaConfig(**GROUPED),
    "qwen3": Qwen3Config(**GROUPED),
    "gpt_neox": GPTNeoXConfig(**SIZES, intermediate_size=48),
    "gpt2": GPT2Config(
        vocab_size=VOCABULARY,
        n_embd=32,
        n_layer=2,
        n_head=4,
        n_positions=128,
        bos_token_id=1,
        eos_token_id=1,
    ),
    "mistral with a window": MistralConfig(**GROUPED, sliding_window=6),
    "gemma2": Gemma2Config(**GROUPED, sliding_window=6, query_pre_attn_scalar=8),
}
PACKED = [name for name in DECODERS if name != "gemma2"]


@dataclass
class Notes:
    told: list[str] = field(default_factory=list)

    def note(self, text: str, /) -> None:
        self.told.append(text)


def opened(name: str, packed: str = "auto") -> Decoder:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(copy.deepcopy(DECODERS[name])).eval()
    for parameter in model.parameters():  # away from the symmetric start
        parameter.data.add_(0.05 * torch.randn_like(parameter))
    decoder = Decoder(model)
    settle(decoder, packed, Notes())
    return decoder


def rows() -> list[Row]:
    generator = torch.Generator().manual_seed(1)

    def ids(n: int) -> tuple[int, ...]:
        return tuple(torch.randint(1, VOCABULARY, (n,), generator=generator).tolist())

    shared, other = ids(9), ids(4)
    lengths = ((shared, 12), (other, 1), (shared, 3), (ids(30), 40), (other, 7), (ids(1), 5))
    return [Row(prompt=prompt, completion=ids(n)) for prompt, n in lengths]


def plainly(decoder: Decoder, batch: list[Row], temperature: float) -> Tensor:
    """Right-padded, by the whole model, every position's logits: [S T]."""
    before = decoder.model.config._attn_implementation
    decoder.model.set_attn_implementation("eager")
    longest, width = max(map(len, batch)), max(len(row.completion) for row in batch)
    ids, mask = torch.zeros(len(batch), longest).long(), torch.zeros(len(batch), longest).long()
    for i, row in enumerate(batch):
        ids[i, : len(row)], mask[i, : len(row)] = torch.tensor(row.prompt + row.completion), 1
    logits = decoder.model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    logps = torch.log_softmax(logits / temperature, -1)
    decoder.model.set_attn_implementation(before)
    found = []
    for i, row in enumerate(batch):
        begin, n = len(row.prompt) - 1, len(row.completion)
        at = logps[i, begin : begin + n].gather(1, torch.tensor(row.completion)[:, None])[:, 0]
        found.append(torch.nn.functional.pad(at, (0, width - n)))
    return torch.stack(found)


@pytest.mark.parametrize("name", DECODERS)
def test_log_probabilities_equal_the_padded_computation(name: str) -> None:
    decoder = opened(name)
    assert decoder.packed == (name in PACKED)
    with torch.no_grad():
        logps, mask = decoder.logps(rows(), 0.7)
        assert torch.allclose(logps, plainly(decoder, rows(), 0.7), atol=1e-5, rtol=0)
    assert mask.sum(1).tolist() == [12, 1, 3, 40, 7, 5]
    assert logps[mask == 0].abs().sum() == 0


@pytest.mark.parametrize("name", DECODERS)
def test_gradients_equal_the_padded_computation(name: str) -> None:
    decoder = opened(name)
    weights = torch.randn(6, 40, generator=torch.Generator().manual_seed(2))
    logps, mask = decoder.logps(rows())
    (logps * weights).sum().backward()
    found = {n: p.grad.clone() for n, p in decoder.trained().items() if p.grad is not None}
    decoder.model.zero_grad()
    (plainly(decoder, rows(), 1.0) * weights * mask).sum().backward()
    for parameter_name, parameter in decoder.trained().items():
        if parameter.grad is None:
            continue
        scale = float(parameter.grad.abs().max()) + 1.0
        gap = float((found[parameter_name] - parameter.grad).abs().max())
        assert gap < 1e-5 * scale, parameter_name


@pytest.mark.parametrize("name", DECODERS)
def test_sampled_log_probabilities_are_those_of_a_forward_pass(name: str) -> None:
    decoder = opened(name)
    prompts = [row.prompt for row in rows() for _ in range(3)]
    manner = Manner(temperature=0.8, top_p=1.0, top_k=0, max_new_tokens=20)
    drawn = draw(
        decoder,
        prompts,
        [uniforms(seed, 20) for seed in range(len(prompts))],
        manner,
        stops=frozenset(range(1, 9)),
        budget=400,
    )
    assert len({len(d.tokens) for d in drawn}) > 3, "the requests end at different steps"
    batch = [Row(prompt=p, completion=tuple(d.tokens)) for p, d in zip(prompts, drawn, strict=True)]
    with torch.no_grad():
        wanted = plainly(decoder, batch, 0.8)
    for d, logps in zip(drawn, wanted, strict=True):
        assert torch.allclose(torch.tensor(d.logps), logps[: len(d.logps)], atol=2e-5, rtol=0)


@pytest.mark.parametrize("name", PACKED)
def test_both_ways_draw_the_same_tokens(name: str) -> None:
    manner = Manner(temperature=1.0, top_p=0.9, top_k=40, max_new_tokens=16)
    prompts = [row.prompt for row in rows() for _ in range(2)]
    noise = [uniforms(seed, 16) for seed in range(len(prompts))]
    tokens = [
        [
            d.tokens
            for d in draw(
                opened(name, packed), prompts, noise, manner, stops=frozenset({3}), budget=10_000
            )
        ]
        for packed in ("auto", "never")
    ]
    assert tokens[0] == tokens[1]


def test_a_model_that_cannot_be_packed_says_why() -> None:
    torch.manual_seed(0)
    notes = Notes()
    decoder = Decoder(AutoModelForCausalLM.from_config(copy.deepcopy(DECODERS["gemma2"])).eval())
    settle(decoder, "auto", notes)
    assert not decoder.packed
    reason = "padded batches, since its layers use attention with softcap (correct, but slower)"
    assert notes.told == [f"Gemma2ForCausalLM: {reason}"]


@pytest.mark.parametrize("name", PACKED)
def test_walking_by_hand_equals_the_models_own_forward_pass(name: str) -> None:
    decoder = opened(name)
    family = name in ("llama", "qwen3", "mistral with a window")
    assert (decoder.walk is not None) == family
    found = []
    for walk in (decoder.walk, None):
        decoder.walk = walk
        decoder.model.zero_grad()
        logps, _ = decoder.logps(rows())
        logps.sum().backward()
        gradients = [p.grad.clone() for p in decoder.trained().values() if p.grad is not None]
        found.append([logps.detach(), *gradients])
    for walked, own in zip(*found, strict=True):
        assert torch.allclose(walked, own, atol=1e-5, rtol=1e-5)


def test_a_relative_that_computes_otherwise_is_not_walked() -> None:
    decoder = opened("llama")
    decoder.trunk.layers[1].mlp.act_fn = torch.nn.Tanh()  # the walk asks the module: still the same
    settle(decoder, "auto", Notes())
    assert decoder.walk is not None
    decoder.trunk.norm.register_forward_hook(lambda _module, _given, states: 2 * states)
    settle(decoder, "auto", Notes())
    assert decoder.packed
    assert decoder.walk is None


def test_a_shared_prompt_is_laid_down_once() -> None:
    batch = rows()
    layout = opened("llama").lay_out(batch)
    apart = sum(len(row) - 1 for row in batch)
    assert layout.tokens == apart - len(batch[0].prompt) - len(batch[1].prompt)


def test_a_large_vocabulary_is_scored_in_slices_with_the_same_gradient(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoder = opened("llama")
    found = []
    for size in (1 << 25, 5 * VOCABULARY):
        monkeypatch.setattr("solon.engines.local.decoder.SLICE", size)
        decoder.model.zero_grad()
        logps, _ = decoder.logps(rows())
        logps.sum().backward()
        gradient = decoder.model.get_input_embeddings().weight.grad
        found.append((logps.detach(), gradient.clone()))
    assert torch.allclose(found[0][0], found[1][0], atol=1e-6)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-6)
