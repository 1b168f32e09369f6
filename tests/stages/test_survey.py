"""Drafts by many models, and their ratings: who is drawn, what is shown where, which pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from solon.errors import SettingError, TooManyFailures
from solon.judges.pairing import by_score
from solon.lab.aspects import PlantedRater, Writers
from solon.lab.gold import FACETS
from solon.lab.town import OpenTown
from solon.records import (
    Abstains,
    Assess,
    Assessment,
    Completion,
    Group,
    Judgement,
    Prompt,
    Rating,
    Ratings,
    Scores,
)
from solon.run import lines
from solon.run.run import Run
from solon.run.shards import read_records
from solon.stages.draft import Draft, Drafted, steered
from solon.stages.survey import Survey


@dataclass(frozen=True)
class Names:
    """A policy that says its own name, the sibling and the principle; the mute one fails."""

    id: str
    calls: list[tuple[int, int]] = field(default_factory=list)

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        self.calls.append((len(prompts), n))
        return [Group(completions=tuple(self._said(one, i) for i in range(n))) for one in prompts]

    def _said(self, prompt: Prompt, sibling: int) -> Completion:
        text = f"{self.id} {sibling} {prompt.fact('principle')}"
        finish = "filter" if self.id == "mute" else "stop"
        return Completion(prompt=prompt, text=text, policy=self.id, tokens=(1,), finish=finish)


@dataclass(frozen=True)
class Asked:
    """Prompts of its own, with the data set that they say they are from."""

    dataset: str = ""

    def take(self, n: int, *, split: str = "train") -> list[Prompt]:
        facts = (("dataset", self.dataset), ("reference", "the truth"))
        return [replace(Prompt.of(f"ask {i}"), facts=facts) for i in range(n)]


@dataclass(frozen=True)
class Slots:
    """A rater that gives what ``worth`` says, and one step more to whoever stands first."""

    first: float = 0.0
    id: str = "slots"
    seen: list[Assess] = field(default_factory=list)

    def __call__(self, questions: Sequence[Assess], /) -> list[Assessment]:
        self.seen.extend(questions)
        return [Judgement(question=q, answer=self._said(q), judge=self.id) for q in questions]

    def _said(self, question: Assess) -> Ratings:
        return Ratings(
            ratings=tuple(
                Rating(answer=Scores(value=3.0 + self.first * (place == 0)))
                for place, _ in enumerate(question.completions)
            )
        )


def drafted(n: int, models: int = 4) -> list[Drafted]:
    found: list[Drafted] = []
    for prompt in Asked().take(n):
        texts = tuple(Completion(prompt=prompt, text=f"text {i}") for i in range(models))
        found.append(Drafted(prompt=prompt, completions=texts, principles=("",) * models))
    return found


def test_each_prompt_gets_as_many_models_as_asked_none_of_them_twice(run: Run) -> None:
    pool = [Names(id=name) for name in "abcdef"]
    found = Draft(prompts=60, models=4)(run, pool, Asked())
    drawn = [{one.policy for one in group.completions} for group in found]
    assert all(len(names) == 4 for names in drawn)
    assert set(Counter(name for names in drawn for name in names)) == set("abcdef")
    assert all(max(n for _, n in model.calls) == 1 for model in pool)
    assert {one.prompt.messages[0].role for g in found for one in g.completions} == {"user"}
    assert all(one.tokens == () for group in found for one in group.completions)


def test_a_pool_smaller_than_the_draw_gives_siblings_and_no_text_twice(run: Run) -> None:
    [group] = Draft(prompts=1, models=5)(run, [Names(id="a")], Asked())
    assert len({one.text for one in group.completions}) == 5


def test_principles_follow_the_shares_of_the_data_set_and_are_recorded(
    tmp_path: Path, run: Run
) -> None:
    pool = [Names(id="a"), Names(id="b")]
    stage = Draft(prompts=500, models=2)
    count = Counter(name for one in stage(run, pool, Asked()) for name in one.principles)
    assert count["helpfulness"] / 1000 == pytest.approx(0.6, abs=0.05)
    assert 5 <= count["calibration"] <= 45
    with Run(tmp_path / "other") as other:
        found = stage(other, pool, Asked("evol_instruct"))
        assert {name for one in found for name in one.principles} == {"helpfulness"}
    kept = read_records(run.dir / "records" / "drafts")
    assert Counter(one.prompt.fact("principle") for one in kept) == count
    assert {one.prompt.messages[0].role for one in kept} == {"system"}
    assert kept[0].prompt.messages[0].text in {
        steered(Prompt.of("x"), name).messages[0].text for name in stage.principles
    }


def test_failed_drafts_are_left_out_and_counted(run: Run) -> None:
    with run.stage("draft"):
        found = Draft(prompts=40, models=2)(run, [Names(id=n) for n in ("a", "b", "mute")], Asked())
    assert 0 < len(found) < 40
    assert all(len(one.completions) == 2 for one in found)
    [line] = lines.read(run.dir / "metrics.jsonl")
    assert line["prompts"] == len(found)
    assert line["drafted"] + line["failed"] == 80


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        (Draft(models=1), "at least 2 completions"),
        (Draft(shares=(1.0,)), r"draft.shares: expected a share for each of 4 principles"),
        (Draft(mixes={"x": (0.0,) * 4}), "draft.x: expected a share"),
    ],
)
def test_a_draft_that_cannot_be_drawn_is_said(stage: Draft, message: str, run: Run) -> None:
    with pytest.raises(SettingError, match=message):
        stage(run, [Names(id="a")], Asked())


def test_each_aspect_is_one_question_in_an_order_of_its_own_and_told_what_it_may_know(
    run: Run,
) -> None:
    [one] = drafted(1)
    asked = Survey().questions(run, one)
    assert [q.aspect for q in asked] == list(Survey().aspects)
    assert all(set(q.completions) == set(one.completions) for q in asked)
    assert [q.knowledge for q in asked] == ["", "", "the truth", ""]
    orders = {
        tuple(t.text for t in q.completions)
        for d in drafted(20)
        for q in Survey().questions(run, d)
    }
    assert len(orders) > 12
    still = Survey(shuffle=False).questions(run, one)
    assert {q.completions for q in still} == {one.completions}


def test_ratings_come_back_to_the_drafts_they_are_of_wherever_those_stood(run: Run) -> None:
    town = OpenTown(seed=2)
    drafts = Draft(prompts=30, chunk=8)(run, Writers().open(run), town)
    rater = PlantedRater(noise=0.0, inapplicable=0.0)
    stage = Survey(aspects=FACETS, informed=(), chunk=10)
    found = stage(run, rater, drafts)
    for one, surveys in zip(drafts, found, strict=True):
        for text, survey in zip(one.completions, surveys, strict=True):
            for aspect in FACETS:
                [alone] = rater([Assess(completions=(text,), aspect=aspect)])
                assert survey.ratings[aspect] == alone.answer.ratings[0]
            assert sorted(survey.places) == sorted(FACETS)


def slot_gap(run: Run, *, shuffle: bool) -> float:
    """How much better the first draft of a prompt fares than the others, all being equal."""
    drafts = drafted(200)
    found = Survey(shuffle=shuffle)(run, Slots(first=1.0), drafts)
    means = [[survey.overall for survey in surveys] for surveys in found]
    first = sum(each[0] for each in means) / len(means)
    others = sum(sum(each[1:]) / 3 for each in means) / len(means)
    return first - others


def test_shuffling_takes_a_raters_liking_for_a_slot_out_of_the_means(tmp_path: Path) -> None:
    with Run(tmp_path / "still") as run:
        assert slot_gap(run, shuffle=False) == pytest.approx(1.0)
    with Run(tmp_path / "shuffled") as run:
        assert abs(slot_gap(run, shuffle=True)) < 0.06


def test_weights_and_gaps_make_the_pairs(run: Run) -> None:
    [one] = drafted(1, models=3)
    stage = Survey(aspects=("a", "b"), weights=(3.0, 1.0), gap=1.0, which="all")
    values = [(5.0, 1.0), (4.0, 4.0), (1.0, 5.0)]  # means 4, 4, 2

    def rater(questions: Sequence[Assess]) -> list[Assessment]:
        of = dict(zip(one.completions, values, strict=True))
        return [
            Judgement(
                question=q,
                judge="r",
                answer=Ratings(
                    ratings=tuple(
                        Rating(answer=Scores(value=of[text]["ab".index(q.aspect)]))
                        for text in q.completions
                    )
                ),
            )
            for q in questions
        ]

    found = stage(run, rater, [one])
    assert [survey.overall for survey in found[0]] == [4.0, 4.0, 2.0]
    pairs = stage.pairs([one], found, source="r")
    assert [(p.chosen.text, p.rejected.text) for p in pairs] == [
        ("text 0", "text 2"),
        ("text 1", "text 2"),
    ]
    with pytest.raises(TooManyFailures, match=r"none of 1 prompts has two drafts .* differ by 3"):
        replace(stage, gap=3.0).pairs([one], found, source="r")
    with pytest.raises(SettingError, match="survey.weights: expected a weight"):
        replace(stage, weights=(1.0,))(run, rater, [one])


def test_a_call_that_failed_rates_nobody_and_a_draft_without_a_mean_makes_no_pair(run: Run) -> None:
    def rater(questions: Sequence[Assess]) -> list[Assessment]:
        said = Abstains(reason="the call failed")
        return [Judgement(question=q, judge="r", answer=said) for q in questions]

    drafts = drafted(2)
    found = Survey()(run, rater, drafts)
    assert {survey.overall for surveys in found for survey in surveys} == {None}
    with pytest.raises(TooManyFailures, match="none of 2 prompts"):
        Survey().pairs(drafts, found, source="r")


def said(*texts: str) -> list[Completion]:
    return [Completion(prompt=Prompt.of("Why?"), text=text) for text in texts]


@pytest.mark.parametrize(
    ("which", "gap", "expected"),
    [
        ("best_worst", 0.0, ["ad"]),
        ("best_rest", 0.0, ["ab", "ac", "ad"]),
        ("all", 0.0, ["ab", "ac", "ad", "bc", "bd", "cd"]),
        ("all", 1.25, ["ac", "ad", "bd", "cd"]),
        ("best_rest", 2.0, ["ac", "ad"]),
        ("best_worst", 4.0, []),
    ],
)
def test_pairs_by_score(which, gap: float, expected: list[str]) -> None:
    pairs = by_score(said(*"dbca"), [1.5, 4.0, 3.0, 5.0], which=which, gap=gap)
    assert [p.chosen.text + p.rejected.text for p in pairs] == expected


def test_equal_scores_and_equal_texts_are_no_pair() -> None:
    assert by_score(said("a", "b"), [3.0, 3.0], which="all") == []
    assert by_score(said("a", "a"), [3.0, 1.0], which="best_worst") == []
    assert by_score([], [], which="best_worst") == []
