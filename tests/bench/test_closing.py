"""The closing table: wins by gold, ties as half, KL, rates over what they apply to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from solon.bench.bench import Bench
from solon.bench.closing import by_judge, close
from solon.bench.watching import Watch
from solon.records import Abstains, Compare, Completion, Group, Judgement, Prefers, Prompt
from solon.run.run import Run

PROMPTS = [replace(Prompt.of(f"p{i}"), facts=(("even", str(i % 2 == 0)),)) for i in range(8)]


@dataclass(frozen=True)
class Says:
    """A policy that says one thing, with a known log-probability."""

    id: str
    words: tuple[str, ...]
    logps: tuple[float, ...] = (-1.0, -1.0)

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return [
            Group(
                completions=(
                    Completion(
                        prompt=prompt,
                        text=self.words[i % len(self.words)],
                        policy=self.id,
                        logps=self.logps,
                    ),
                )
            )
            for i, prompt in enumerate(prompts)
        ]

    def logp(self, completions: Sequence[Completion]) -> list[float]:
        return [-5.0 for _ in completions]

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)


@dataclass(frozen=True)
class Longer:
    """A world whose gold is the length."""

    def open(self, run: Run) -> "Longer":
        return self

    def gold(self, completions: Sequence[Completion]) -> list[float]:
        return [float(len(one.text)) for one in completions]


def measure(completions: Sequence[Completion]) -> list[Mapping[str, float | None]]:
    return [
        {"gold": float(len(c.text)), "rate": 1.0 if c.prompt.fact("even") == "True" else None}
        for c in completions
    ]


def closed(run: Run, **parts: object) -> dict[str, dict[str, float]]:
    run.keep("sft", Says(id="p@0", words=("aa",)))
    run.keep("final", Says(id="p@9", words=("aaa", "aa", "a", "aaaa")))
    summary = close(run, Bench(name="test", **parts), PROMPTS)  # type: ignore[arg-type]
    return {row["name"]: row["values"] for row in summary["rows"]}


def test_gold_decides_and_a_tie_is_half_a_win(run: Run) -> None:
    rows = closed(run, world=Longer(), measure=measure)
    assert rows["final"]["win rate"]["estimate"] == pytest.approx((1 + 0.5 + 0 + 1) / 4)
    assert rows["final"]["gold"]["estimate"] == pytest.approx(2.5)
    assert "win rate" not in rows["sft"]


def test_kl_is_the_mean_log_ratio_of_the_policys_own_words(run: Run) -> None:
    assert closed(run)["final"]["KL, nats"]["estimate"] == pytest.approx(-2.0 - -5.0)


def test_a_rate_counts_only_what_it_applies_to_and_stays_within_its_range(run: Run) -> None:
    rate = closed(run, measure=measure)["final"]["rate"]
    assert (rate["n"], rate["estimate"]) == (4, 1.0)
    assert rate["high"] <= 1.0


def test_without_gold_or_evaluator_no_win_rate_is_claimed(run: Run) -> None:
    assert "win rate" not in closed(run)["final"]


def test_an_evaluator_that_abstains_leaves_the_pair_out() -> None:
    def judge(questions: Sequence[Compare]) -> list[Judgement[Compare, Prefers]]:
        answers = [Abstains(reason="mum"), Prefers(p_first=0.75)]
        return [
            Judgement(question=q, answer=a, judge="j")
            for q, a in zip(questions, answers, strict=True)
        ]

    first = [Completion(prompt=PROMPTS[i], text=t) for i, t in enumerate(("a", "b", "c"))]
    second = [Completion(prompt=PROMPTS[i], text=t) for i, t in enumerate(("x", "y", "c"))]
    won = by_judge(judge)(first, second)  # type: ignore[arg-type]
    assert won[0] != won[0]
    assert list(won[1:]) == [0.75, 0.5]


def test_a_watcher_sees_means_over_fixed_prompts() -> None:
    seen = Watch(prompts=tuple(PROMPTS), measure=measure)(3, Says(id="p", words=("a", "aaa")))
    assert seen == {"gold": 2.0, "rate": 1.0, "length, characters": 2.0}
