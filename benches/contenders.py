"""Solon's engine and a bare PyTorch loop, through the same steps as TRL (in peer.py).

All begin with the same weights, see the same data, and learn, online, from the answers that TRL
drew: so their losses and gradient norms can be compared at every step.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)
from workload import NEW, SIBLINGS, Work, completions, preferences, prompts, reward, spec

from solon.engines.local import RewardTransformer
from solon.objectives.adam import Adam
from solon.objectives.batch import Loss, PairLogps
from solon.objectives.imitation import NLL
from solon.objectives.kl import KL
from solon.objectives.policy import GRPO, RLOO
from solon.objectives.reward import BradleyTerry
from solon.records import Completion, Preference, Prompt, Rollout
from solon.run.run import Run

RATE, BETA, KL_WEIGHT, CLIP, FLOOR = 1e-4, 0.1, 0.05, 0.2, 1e-4
Ids = list[int]


@dataclass(slots=True)
class Step:
    """CPU seconds; online, those of sampling among them, and how many tokens were drawn."""

    cpu: float = 0.0
    loss: float = 0.0
    norm: float = 0.0
    sampling: float = 0.0
    tokens: int = 0


@dataclass(slots=True)
class Material:
    """What all of them read: records, the same as token ids, and the folder of the weights."""

    work: Work
    steps: int
    folder: Path
    prompts: list[Prompt] = field(init=False)
    tokenizer: Any = field(init=False)
    drawn: list[list[Ids]] = field(default_factory=list[list[Ids]])
    head: Tensor | None = None

    def __post_init__(self) -> None:
        each = SIBLINGS if self.work.online else 1
        count = self.work.batch // each * (self.steps + 2)
        self.prompts = prompts(count, long=self.work.long)
        self.tokenizer = AutoTokenizer.from_pretrained(self.folder)

    def part(self, rows: Sequence[Any], step: int) -> list[Any]:
        size = len(rows) // (self.steps + 2)
        return list(rows[step * size : step * size + size])

    def ids(self, prompt: Prompt) -> Ids:
        return self.tokenizer(prompt.text).input_ids

    def row(self, completion: Completion) -> tuple[Ids, Ids]:
        answer = self.tokenizer(completion.text).input_ids
        return self.ids(completion.prompt), [*answer, self.tokenizer.eos_token_id]

    def policy(self) -> Any:
        loaded = AutoModelForCausalLM.from_pretrained(self.folder, dtype=torch.float32).train()
        loaded.generation_config.eos_token_id = self.tokenizer.eos_token_id
        loaded.generation_config.pad_token_id = self.tokenizer.pad_token_id
        return loaded

    def classifier(self) -> Any:
        made = AutoModelForSequenceClassification.from_pretrained(
            self.folder, num_labels=1, dtype=torch.float32
        ).train()
        made.config.pad_token_id = self.tokenizer.pad_token_id
        assert self.head is not None, "Solon's reward is opened first, and gives its head to all"
        made.score.weight.data.copy_(self.head)
        return made

    def fresh(self) -> Any:
        return self.classifier() if self.work.method == "reward" else self.policy()


# -- Solon


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """The loss of DPO, arXiv 2305.18290, eq. 7."""

    anchored = True

    def __call__(self, x: PairLogps, /) -> Loss:
        gap = x.chosen - x.anchor_chosen - x.rejected + x.anchor_rejected
        return Loss(value=-F.logsigmoid(BETA * gap).mean(), weight=float(len(gap)))


class Solon:
    """The public engine, as a recipe uses it."""

    def __init__(self, material: Material, run: Run) -> None:
        self.material, self.work = material, material.work
        self.policy = spec(material.folder).open(run)
        self.policy.optimise(Adam(lr=RATE))
        self.anchor = self.policy.freeze()
        if self.work.method == "reward":
            self.reward = RewardTransformer(dtype="float32").open(run)
            self.reward.adopt(self.anchor)
            self.reward.optimise(Adam(lr=RATE))
            material.head = self.reward.head.score.weight.detach().clone()
        free = KL(coefficient=0.0, estimator="k3", place="loss")
        self.objective = (
            RLOO(kl=KL(coefficient=KL_WEIGHT), clip=CLIP)
            if self.work.method == "rloo"
            else GRPO(kl=free, clip=CLIP, floor=FLOOR)
        )
        self.texts = completions(material.prompts, seed=2)
        self.pairs: list[Preference] = preferences(material.prompts)

    def step(self, number: int) -> Step:
        method, part = self.work.method, self.material.part
        if self.work.online:
            return self.climb(number)
        begun = time.process_time()
        if method == "supervised":
            metrics = self.policy.fit_texts(part(self.texts, number), NLL())
        elif method == "reward":
            metrics = self.reward.fit(part(self.pairs, number), BradleyTerry())
        else:
            pairs = part(self.pairs, number)
            metrics = self.policy.fit_pairs(pairs, Sigmoid(), anchor=self.anchor)
        return Step(time.process_time() - begun, metrics["loss"], metrics["grad_norm"])

    def climb(self, number: int) -> Step:
        asked = self.material.part(self.material.prompts, number)
        begun = time.process_time()
        groups = self.policy.sample(asked, n=SIBLINGS)
        sampled = time.process_time() - begun
        answers = self.material.drawn[number]
        batch = [self.rollout(asked[i // SIBLINGS], ids, i) for i, ids in enumerate(answers)]
        begun = time.process_time()
        metrics = self.policy.fit_rollouts(batch, self.objective, anchor=self.anchor)
        fitted = time.process_time() - begun
        tokens = sum(len(c.tokens) for group in groups for c in group.completions)
        # its own answers have other lengths than TRL's: it pays for as many tokens
        whole = fitted + sampled * sum(map(len, answers)) / tokens
        return Step(whole, metrics["loss"], metrics["grad_norm"], sampled, tokens)

    def rollout(self, prompt: Prompt, ids: Ids, number: int) -> Rollout:
        text = self.policy.voice.words.text(ids)
        done = ids[-1] == self.policy.voice.words.eos
        completion = Completion(
            prompt=prompt,
            text=text,
            tokens=tuple(ids),
            policy=self.policy.id,
            finish="stop" if done else "length",
        )
        return Rollout(completion=completion, reward=reward(text), group=number // SIBLINGS)


# -- a bare loop


class Bare:
    """The Hugging Face model, right-padded, in a plain loop, and nothing else."""

    def __init__(self, material: Material) -> None:
        self.material, self.work = material, material.work
        self.model = material.fresh()
        self.anchor = material.policy().requires_grad_(False)
        self.adam = torch.optim.AdamW(
            self.model.parameters(), lr=RATE, weight_decay=0.0, fused=True
        )
        self.texts = completions(material.prompts, seed=2)
        self.pairs = preferences(material.prompts)

    def step(self, number: int) -> Step:
        begun, step = time.process_time(), Step()
        loss = getattr(self, self.work.method)(number, step)
        loss.backward()
        step.norm = float(clip_grad_norm_(self.model.parameters(), 1.0))
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)
        step.loss, step.cpu = loss.item(), time.process_time() - begun
        return step

    def pad(self, rows: Sequence[Sequence[int]], side: str = "right") -> Tensor:
        return pad_sequence([torch.tensor(row) for row in rows], True, 0, side)

    def logps(self, model: Any, rows: Sequence[tuple[Ids, Ids]]) -> tuple[Tensor, Tensor]:
        ids = self.pad([prompt + answer for prompt, answer in rows])
        real = self.pad([[1] * len(p + a) for p, a in rows])
        scored = self.pad([[0] * len(p) + [1] * len(a) for p, a in rows])[:, 1:]
        logits = model(input_ids=ids, attention_mask=real, use_cache=False).logits[:, :-1]
        found = logits.gather(-1, ids[:, 1:, None])[..., 0] - logits.logsumexp(-1)
        return found * scored, scored

    def supervised(self, number: int, _: Step) -> Tensor:
        rows = [self.material.row(c) for c in self.material.part(self.texts, number)]
        logps, scored = self.logps(self.model, rows)
        return -logps.sum() / scored.sum()

    def both(self, number: int) -> list[tuple[Ids, Ids]]:
        pairs, row = self.material.part(self.pairs, number), self.material.row
        return [row(p.chosen) for p in pairs] + [row(p.rejected) for p in pairs]

    def reward(self, number: int, _: Step) -> Tensor:
        rows = [prompt + answer for prompt, answer in self.both(number)]
        real = self.pad([[1] * len(row) for row in rows])
        scores = self.model(input_ids=self.pad(rows), attention_mask=real, use_cache=False)
        chosen, rejected = scores.logits[:, 0].chunk(2)
        return -F.logsigmoid(chosen - rejected).mean()

    def preference(self, number: int, _: Step) -> Tensor:
        rows = self.both(number)
        with torch.no_grad():
            known = self.logps(self.anchor, rows)[0].sum(1)
        chosen, rejected = (self.logps(self.model, rows)[0].sum(1) - known).chunk(2)
        return -F.logsigmoid(BETA * (chosen - rejected)).mean()

    def rollouts(self, number: int, step: Step) -> tuple[list[tuple[Ids, Ids]], Tensor]:
        asked = self.material.part(self.material.prompts, number)
        ids = [self.material.ids(prompt) for prompt in asked for _ in range(SIBLINGS)]
        begun = time.process_time()
        answers = self.sample(ids, number)
        step.sampling, step.tokens = time.process_time() - begun, sum(map(len, answers))
        answers = self.material.drawn[number]
        texts = self.material.tokenizer.batch_decode(answers, skip_special_tokens=True)
        rewards = torch.tensor([reward(text) for text in texts])
        return list(zip(ids, answers, strict=True)), rewards

    def sample(self, ids: list[Ids], number: int) -> list[Ids]:
        stop = self.material.tokenizer.eos_token_id
        batch, real = self.pad(ids, "left"), self.pad([[1] * len(row) for row in ids], "left")
        torch.manual_seed(number)
        with torch.no_grad():
            found = self.model.generate(
                input_ids=batch, attention_mask=real, do_sample=True, top_k=0, max_new_tokens=NEW
            )
        rows = found[:, batch.size(1) :].tolist()
        return [row[: row.index(stop) + 1] if stop in row else row for row in rows]

    def grpo(self, number: int, step: Step) -> Tensor:
        rows, rewards = self.rollouts(number, step)
        group = rewards.view(-1, SIBLINGS)
        advantages = (group - group.mean(1, keepdim=True)) / (group.std(1, keepdim=True) + FLOOR)
        logps, scored = self.logps(self.model, rows)
        ratio = torch.exp(logps - logps.detach()) * scored
        return -(ratio * advantages.view(-1, 1) / scored.sum(1, keepdim=True)).sum(1).mean()

    def rloo(self, number: int, step: Step) -> Tensor:
        rows, rewards = self.rollouts(number, step)
        logps = self.logps(self.model, rows)[0].sum(1)
        with torch.no_grad():
            known = self.logps(self.anchor, rows)[0].sum(1)
            total = (rewards - KL_WEIGHT * (logps - known)).view(-1, SIBLINGS)
            others = (total.sum(1, keepdim=True) - total) / (SIBLINGS - 1)
            advantages = (total - others).view(-1)
        return -(torch.exp(logps - logps.detach()) * advantages).mean()
