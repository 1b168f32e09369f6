"""Lessons in rating and in judging ratings: closed words, filtered by ranks, true to the raters."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from solon.judges.llm import LlmJudge, LlmScore
from solon.lab.evaluation import SCORE, Lessons, transcripts
from solon.lab.grammar import words
from solon.lab.judges import Dials, PlantedScore
from solon.lab.judging import CHOICES, META, disputed, evaluations
from solon.lab.prompts import KINDS, prompts
from solon.records import Compare, Completion, Group, Prompt, Rate
from solon.run.given import Given
from solon.run.run import Run


def test_judgements_are_made_of_the_towns_words_and_the_same_for_a_seed() -> None:
    found = evaluations(300, 0)
    assert found == evaluations(300, 0)
    assert found != evaluations(300, 1)
    assert len(found) == 300
    spoken = {word for one in found for word in f"{one.prompt.text} {one.text}".split()}
    assert spoken <= set(words())


def test_a_share_of_them_are_judgements_of_judgements() -> None:
    found = evaluations(1000, 0, meta=0.3)
    meta = [one for one in found if one.text in CHOICES]
    assert all("which is more right ?" in one.prompt.text for one in meta)
    assert {one.text for one in evaluations(50, 0, meta=1.0)} == set(CHOICES)
    assert not [one for one in evaluations(200, 0, meta=0.0) if one.text in CHOICES]
    # of the others two are kept or none, so that the share is of prompts, not of judgements
    assert 0.2 < len(meta) / len(found) < 0.45


def followed(texts: list[Completion], lessons: Lessons) -> float:
    """Correlation of the ratings with what exact raters mean."""
    exact = PlantedScore(dials=Dials(discernment=lessons.sharpness))
    rated = {one.prompt.text: float(one.text) for one in texts}
    means = {}
    for one in texts:
        question, answer = one.prompt.text.removeprefix("question : ").split(" answer : ")
        prompt = known()[question]
        text = answer.removesuffix(" rate it :")
        [said] = exact([Rate(completion=Completion(prompt=prompt, text=text))])
        means[one.prompt.text] = said.answer.value
    return float(np.corrcoef(list(rated.values()), list(means.values()))[0, 1])


@cache
def known() -> dict[str, Prompt]:
    return {one.text: one for kind in KINDS for one in prompts(kind, "train")}


def test_ratings_that_rank_as_people_do_are_nearer_the_truth_than_all_ratings() -> None:
    lessons = Lessons(rated=1.0)
    kept, every = evaluations(1500, 3, lessons, meta=0.0), transcripts(1500, 3, lessons)
    # a tenth of what the raters blur is gone
    assert 1 - followed(kept, lessons) < 0.9 * (1 - followed(every, lessons))


@pytest.mark.parametrize("seed", [0, 4])
def test_the_nearer_rating_stands_first_as_often_as_second(seed: int) -> None:
    found = evaluations(600, seed, meta=1.0)
    assert 0.44 < np.mean([one.text == "one" for one in found]) < 0.56


class Silent:
    id = "silent@0"

    def __init__(self) -> None:
        self.seen: list[Prompt] = []

    def sample(self, prompts: list[Prompt], *, n: int = 1) -> list[Group]:
        self.seen += prompts
        return [Group(completions=(Completion(prompt=p, text="two"),) * n) for p in prompts]


def test_judgements_are_asked_in_the_very_words_of_a_model_that_judges(run: Run) -> None:
    """What is imitated is what is asked later: the score, and which of two scores."""
    town = evaluations(400, 0)
    [rating] = [one for one in town if one.text not in CHOICES][:1]
    question, answer = rating.prompt.text.removeprefix("question : ").split(" answer : ")
    completion = Completion(
        prompt=known()[question], text=answer.removesuffix(" rate it :"), policy="x"
    )
    silent = Silent()
    judge = LlmScore(policy=Given(silent), template=SCORE, form="line").open(run)
    judge([Rate(completion=completion)])
    assert silent.seen == [rating.prompt]

    sides = [Completion(prompt=silent.seen[0], text=text) for text in ("7", "2")]
    meta = LlmJudge(policy=Given(silent), template=META, form="line", choices=CHOICES).open(run)
    [said] = meta([Compare(first=sides[0], second=sides[1])])
    assert silent.seen[1] == disputed(rating.prompt, 7, 2)
    assert said.answer.p_first == 0.0
