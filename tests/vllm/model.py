"""Behind both doubles: a real tiny transformers model, and a cache that can be stale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import LlamaForCausalLM, PreTrainedModel


@dataclass(frozen=True)
class Said:
    tokens: list[int]
    logps: list[float]
    finish: str
    first: Tensor  # log-probabilities of the first token


@dataclass
class Model:
    """Weights, and the logits that it remembers of whole prompts until it is told to forget."""

    net: PreTrainedModel
    remembered: dict[tuple[int, ...], Tensor] = field(default_factory=dict)

    @classmethod
    def dummy(cls, config: object) -> Model:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(99)
            net = LlamaForCausalLM(config).eval()
        for weight in net.parameters():
            weight.data.mul_(20)  # whoever samples before the first push is found out
        return cls(net)

    def load(self, pairs: Iterable[tuple[str, Tensor]]) -> None:
        own = dict(self.net.named_parameters())
        with torch.no_grad():
            for name, tensor in pairs:
                assert own[name].shape == tensor.shape, name
                own[name].copy_(tensor)

    def load_folder(self, folder: Path) -> None:
        self.load(load_file(folder / "model.safetensors").items())

    def logits(self, ids: tuple[int, ...]) -> Tensor:
        with torch.no_grad():
            return self.net(torch.tensor([ids])).logits[0, -1].float()

    def say(
        self,
        prompt: Sequence[int],
        *,
        mode: str,
        temperature: float,
        top_p: float = 1.0,
        top_k: int = 0,
        seed: int | None = None,
        max_tokens: int,
        stop_token_ids: Sequence[int] = (),
    ) -> Said:
        """As vLLM's sampler does it: raw log-probabilities of the logits, or processed ones after
        temperature and cuts.
        """
        noise = torch.Generator().manual_seed(seed or 0)
        ids = tuple(prompt)
        first = self.remembered.setdefault(ids, self.logits(ids))
        tokens: list[int] = []
        logps: list[float] = []
        while len(tokens) < max_tokens and not (tokens and tokens[-1] in stop_token_ids):
            raw = self.logits((*ids, *tokens)) if tokens else first
            cut = raw if temperature == 0 else _cut(raw / temperature, top_p, top_k)
            if temperature == 0:
                token = int(cut.argmax())
            else:
                token = int(torch.multinomial(cut.softmax(-1), 1, generator=noise))
            told = raw if mode == "raw_logprobs" else cut
            tokens.append(token)
            logps.append(float(told.log_softmax(-1)[token]))
        stopped = tokens[-1] in stop_token_ids
        return Said(tokens, logps, "stop" if stopped else "length", first.log_softmax(-1))


def _cut(logits: Tensor, top_p: float, top_k: int) -> Tensor:
    ordered, index = logits.sort(descending=True)
    keep = torch.ones_like(ordered, dtype=torch.bool)
    if top_k:
        keep[top_k:] = False
    before = ordered.softmax(-1).cumsum(-1) - ordered.softmax(-1)
    keep &= before < top_p
    cut = torch.full_like(logits, -torch.inf)
    return cut.scatter(0, index, ordered.masked_fill(~keep, -torch.inf))
