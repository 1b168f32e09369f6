"""What is trained on: made-up text, a small tokenizer, two sizes of Llama that end their answers.

Everything is made once, in bench-out/, from fixed seeds.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from pathlib import Path

from solon.engines.local import Shape, Transformer
from solon.objectives.adam import Adam
from solon.objectives.imitation import NLL
from solon.records import Completion, Preference, Prompt
from solon.run.run import Run

OUT = Path("bench-out")
CONTEXT, NEW, SIBLINGS = 1024, 96, 8
SHAPES = {
    "1.5M": Shape(hidden=128, inner=640, layers=4, heads=4, kv_heads=4, vocab=1024),
    "25M": Shape(hidden=512, inner=1408, layers=8, heads=8, kv_heads=4, vocab=1024),
}
# answers or pairs a step at 1.5M; half of it at 25M
BATCH = {"supervised": 16, "reward": 8, "preference": 8, "rloo": 32, "grpo": 32}
SUBJECTS = ["cat", "dog", "fox", "bird", "child", "queen", "robot", "pilot", "farmer", "doctor"]
VERBS = ["sees", "finds", "likes", "follows", "paints", "breaks", "fixes", "carries", "hides"]
OBJECTS = ["a red ball", "the old bridge", "three small stones", "a quiet song", "some warm bread"]
ADVERBS = ["slowly", "quickly", "quietly", "often", "never", "today", "again", "carefully"]
JOINTS = [" and then ", " because ", " while ", " but ", " so ", " . "]


@dataclass(frozen=True, kw_only=True)
class Work:
    """One row of the table."""

    method: str
    size: str
    long: bool = False

    @property
    def batch(self) -> int:
        return BATCH[self.method] // (1 if self.size == "1.5M" else 2)

    @property
    def online(self) -> bool:
        return self.method in ("rloo", "grpo")

    @property
    def name(self) -> str:
        return f"{self.method}{', long prompts' * self.long}"


def sentence(draw: random.Random) -> str:
    parts = (SUBJECTS, VERBS, OBJECTS, ADVERBS)
    return " ".join(["the", *(draw.choice(part) for part in parts)])


def text(draw: random.Random, words: int) -> str:
    written = sentence(draw)
    while len(written.split()) < words:
        written += draw.choice(JOINTS) + sentence(draw)
    return " ".join(written.split()[:words])


def length(draw: random.Random, low: int, high: int, middle: int) -> int:
    """Log-normal, as the lengths of chat answers are."""
    return max(low, min(high, int(draw.lognormvariate(math.log(middle), 0.6))))


def prompts(count: int, *, long: bool, seed: int = 1) -> list[Prompt]:
    """About 18 words each, or 150."""
    draw = random.Random(seed)
    sizes = (75, 300, 150) if long else (5, 60, 18)
    return [Prompt.of(text(draw, length(draw, *sizes)) + " ?", id=str(i)) for i in range(count)]


def completions(asked: list[Prompt], *, seed: int) -> list[Completion]:
    draw = random.Random(seed)
    return [
        Completion(prompt=prompt, text=" " + text(draw, length(draw, 6, 160, 45)), policy="data")
        for prompt in asked
    ]


def preferences(asked: list[Prompt]) -> list[Preference]:
    pairs = zip(completions(asked, seed=2), completions(asked, seed=3), strict=True)
    return [Preference(chosen=c, rejected=r, p=1.0, source="data") for c, r in pairs]


def reward(answer: str) -> float:
    """Some wishes that a policy can learn; large, so that a floor on their spread is nothing."""
    wishes = 10 * answer.count("red") + 5 * answer.count("quietly")
    return wishes - 0.2 * abs(len(answer) - 120)


def spec(folder: Path) -> Transformer:
    return Transformer(model=str(folder), max_new_tokens=NEW, dtype="float32")


def model(size: str, run: Run) -> Path:
    """The folder of a model of that size that ends its answers, made where there is none."""
    folder = OUT / "models" / size
    if (folder / "solon.json").is_file():
        return folder
    corpus = OUT / "corpus.txt"
    draw = random.Random(0)
    rare = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(2500)]
    lines = [text(draw, 60) for _ in range(2000)]
    lines += [" ".join(draw.choices(rare, k=20)) for _ in range(2000)]
    corpus.write_text("\n".join(lines), encoding="utf-8")
    policy = Transformer(shape=SHAPES[size], tokenizer=str(corpus), name=size).open(run)
    policy.optimise(Adam(lr=2e-3 if size == "1.5M" else 1e-3, warmup=10))
    data = completions(prompts(1280, long=False, seed=7), seed=8)
    for begin in range(0, len(data), 16):
        policy.fit_texts(data[begin : begin + 16], NLL())
    policy.save(folder)
    return folder
