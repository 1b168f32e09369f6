"""How uncertain a policy is, in plain numbers, and the thirds that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

import pytest

from solon.records import Completion, Group, Prompt, Scores
from solon.stages.uncertainty import By, Uncertainty, disagreement, thirds

PROMPT = Prompt.of("Why?")


@dataclass(frozen=True)
class Weighs:
    """A scorer that knows (log-probability, tokens) of each text."""

    known: dict[str, tuple[float, int]]

    def lengths(self, completions: Sequence[Completion], /) -> list[int]:
        return [self.known[one.text][1] for one in completions]

    def logp(self, completions: Sequence[Completion], /) -> list[float]:
        return [self.known[one.text][0] for one in completions]


def group(*texts: str) -> Group:
    return Group(completions=tuple(Completion(prompt=PROMPT, text=text) for text in texts))


POLICY = Weighs({"a b": (-4.0, 2), "a c d": (-3.0, 3), "e": (-2.0, 1)})


def measured(by: By, *groups: Group) -> list[tuple[str, float]]:
    found = Uncertainty(policy=POLICY, by=by)(groups)
    return [(j.question.completion.text, j.answer.value) for j in found if _scored(j.answer)]


def _scored(answer: object) -> bool:
    return isinstance(answer, Scores)


def test_perplexity_is_of_the_answer_which_is_the_likeliest_by_the_token() -> None:
    first, second = measured("perplexity", group("a b", "a c d"), group("e"))
    assert first == ("a c d", pytest.approx(exp(1.0)))  # 3 nats over 3 tokens, not 4 over 2
    assert second == ("e", pytest.approx(exp(2.0)))


def test_entropy_is_nats_a_token_over_all_draws() -> None:
    [(text, value)] = measured("entropy", group("a b", "a c d", "e"))
    assert (text, value) == ("a c d", pytest.approx(9 / 6))


def test_disagreement_is_the_mean_distance_of_sets_of_words() -> None:
    [(_, value)] = measured("disagreement", group("a b", "a c d", "e"))
    assert value == pytest.approx((1 - 1 / 4 + 1 + 1) / 3)
    assert disagreement(["a b", "b a a"]) == 0.0
    assert disagreement(["", "a"]) == 1.0
    assert disagreement(["", ""]) == 0.0


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([3.0, 1.0, 2.0], [2, 0, 1]),
        ([5.0, 5.0, 5.0, 5.0, 5.0, 5.0], [0, 0, 1, 1, 2, 2]),
        ([0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4], [0, 2, 0, 2, 0, 1, 1]),
        ([1.0], [0]),
        ([], []),
    ],
)
def test_thirds_are_equal_up_to_one_and_ties_keep_their_order(
    values: list[float], places: list[int]
) -> None:
    assert thirds(values) == places
