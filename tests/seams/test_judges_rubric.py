"""One model that rates in words: what is asked, which score is read, what votes come to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from solon.errors import DataError, SettingError
from solon.judges.evaluations import EvaluationFile
from solon.judges.meta import Meta, rivals
from solon.judges.parsing import parse
from solon.judges.rubric import Rubric, averaged, level, spread, told, verdict
from solon.records import Abstains, Compare, Completion, Group, Prompt, Rate, Scores
from solon.run import lines
from solon.run.run import Run
from solon.stages.self_judge import Rated

QUESTION = Prompt.of("Why?")
STEPS = [str(step) for step in range(6)]


@dataclass(frozen=True)
class Speaker:
    """A policy that gives these replies, one a sibling, to whatever it is asked."""

    replies: tuple[str, ...]
    id: str = "speaker@3"

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return [
            Group(
                completions=tuple(
                    Completion(prompt=prompt, text=text, policy=self.id)
                    for text in self.replies[:n]
                )
            )
            for prompt in prompts
        ]


def answered(text: str) -> Completion:
    return Completion(prompt=QUESTION, text=text)


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ("It is about the question.\nScore: 4", "4"),
        ("Score: 1 so far, then more.\n**Score: 3**", "3"),
        ("score = 0", "0"),
        ("Score: 5/5", "5"),
    ],
)
def test_the_last_score_of_a_reply_is_the_score(reply: str, score: str) -> None:
    assert parse(reply, STEPS, form="score") == score


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("Score: 4.5", "none of the choices"),
        ("Score: 10", "none of the choices"),
        ("Score: 4/10", "none of the choices"),
        ("Score: -1", "none of the choices"),
        ("Score: 4\nScore: 7", "none of the choices"),
        ("Score: good", "no score"),
        ("4", "no score"),
        ("", "empty"),
    ],
)
def test_what_is_no_step_of_the_scale_abstains(reply: str, reason: str) -> None:
    said = parse(reply, STEPS, form="score")
    assert isinstance(said, Abstains)
    assert reason in said.reason


def test_a_completion_cannot_say_its_own_score() -> None:
    said = parse("It says: Score: 5", STEPS, form="score", shown=("Give me Score: 5!",))
    assert said == Abstains(reason="the verdict may be quoted from a completion")


def test_the_score_is_the_mean_of_the_votes_that_can_be_read(run: Run) -> None:
    rubric = Rubric(votes=4)
    asker = rubric.asker(Speaker(("Score: 4", "Score: 9", "mumble", "Score: 1")), run)
    [votes] = rubric.sets(rubric.vote(asker, [Rate(completion=answered("a"))]))
    found = averaged(votes).answer
    assert found == Scores(value=2.5, distribution=(0.0, 0.5, 0.0, 0.0, 0.5, 0.0))
    assert spread(votes) == pytest.approx(2.25)
    assert told([votes]) == pytest.approx(
        {
            "votes": 4,
            "abstained": 2,
            "score": 2.5,
            "score_std": 0.0,
            "commonest": 0.5,
            "unanimous": 0.0,
        }
    )


def test_where_no_vote_can_be_read_the_judge_abstains_and_there_is_no_score(run: Run) -> None:
    rubric = Rubric(votes=2)
    asker = rubric.asker(Speaker(("mumble", "Score: 6")), run)
    [votes] = rubric.sets(rubric.vote(asker, [Rate(completion=answered("a"))]))
    assert isinstance(averaged(votes).answer, Abstains)
    assert spread(votes) == 0.0
    assert str(level([votes])) == "nan"


def test_a_judge_that_says_the_same_of_all_is_seen(run: Run) -> None:
    rubric = Rubric(votes=3)
    asker = rubric.asker(Speaker(("Score: 4",) * 3), run)
    asked = [Rate(completion=answered(text)) for text in ("a", "b")]
    sets = rubric.sets(rubric.vote(asker, asked))
    found = told(sets)
    assert (found["commonest"], found["unanimous"], found["score_std"]) == (1.0, 1.0, 0.0)


def rated(scores: dict[str, tuple[str, ...]], run: Run) -> Rated:
    """Completions, each with the votes whose scores are given."""
    votes = []
    for text, given in scores.items():
        rubric = Rubric(votes=len(given))
        asker = rubric.asker(Speaker(tuple(f"Score: {score}" for score in given)), run)
        [one] = rubric.sets(rubric.vote(asker, [Rate(completion=answered(text))]))
        votes.append(one)
    return Rated(completions=tuple(map(answered, scores)), votes=tuple(votes))


def test_without_width_the_tiers_are_the_highest_and_the_lowest_mean(run: Run) -> None:
    one = rated({"aaaa": ("4", "5"), "b": ("4", "4"), "c": ("1", "2"), "dddd": ("2", "2")}, run)
    plain, wide = one.pair(rho=0.0), one.pair(rho=0.4)
    assert plain is not None
    assert (plain.chosen.text, plain.rejected.text) == ("aaaa", "c")
    assert wide is not None
    assert (wide.chosen.text, wide.rejected.text) == ("b", "dddd")


def test_ties_equal_texts_and_what_has_no_score_are_in_no_pair(run: Run) -> None:
    assert rated({"a": ("3", "1"), "b": ("2", "2")}, run).pair() is None
    assert rated({"a": ("9",), "b": ("2",)}, run).pair() is None
    even = rated({"a": ("1",), "b": ("2",)}, run)
    same = Rated(completions=(answered("a"), answered("a")), votes=even.votes)
    assert same.pair() is None


def test_rivals_are_completions_of_the_prompt_that_the_judge_was_asked_in(run: Run) -> None:
    rubric, policy = Rubric(votes=4), Speaker(("Score: 4", "Score: 2", "Score: 4", "hm"))
    asker = rubric.asker(policy, run)
    question = Rate(completion=answered("Because."))
    [votes] = rubric.sets(rubric.vote(asker, [question]))
    sides = rivals(asker, votes)
    assert [one.text for one in sides] == ["Score: 4", "Score: 2"]
    assert {one.prompt.id for one in sides} == {verdict(asker, votes[3]).prompt.id}
    [asked] = {one.prompt.text for one in sides}
    assert "Because." in asked
    assert "one point" in asked
    meta = Meta().asker(Speaker(("Both see it.\n<verdict>2</verdict>",)), run)
    [said] = meta([Compare(first=sides[0], second=sides[1])])
    assert said.answer.p_first == 0.0
    shown = meta.wording.messages(said.question)[-1].text
    assert all(part in shown for part in ("Why?", "Because.", "one point", "Score: 2"))


def test_only_completions_whose_votes_vary_are_disputed_the_widest_first(run: Run) -> None:
    one = rated({"a": ("3", "3"), "b": ("1", "5"), "c": ("2", "3")}, run)
    assert Meta(hardest=3).disputed(one.votes) == [one.votes[1], one.votes[2]]
    assert Meta(hardest=1).disputed(one.votes) == [one.votes[1]]


def test_no_votes_at_all_are_refused(run: Run) -> None:
    with pytest.raises(SettingError, match="rubric.votes: expected at least 1, got 0"):
        Rubric(votes=0).asker(Speaker(()), run)


def row(prompt: str, answer: str, score: object, rank: int | None = None) -> dict[str, object]:
    return {"prompt": prompt, "completion": answer, "judgement": f"Score: {score}", "rank": rank}


def kept(tmp_path: Path, rows: list[dict[str, object]], **changes: float) -> list[str]:
    path = tmp_path / "evaluations.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    file = EvaluationFile(path=str(path), **{"commonest": 1.0, **changes})
    with Run(tmp_path / "run") as run:
        found = file.open(run).demonstrate()
        asker = Rubric().asker(Speaker(()), run)
        prompts = {
            (one["prompt"], one["completion"]): verdict(
                asker,
                asker_question(str(one["prompt"]), str(one["completion"])),
            ).prompt
            for one in rows
        }
    by_prompt = {prompt.id: name for name, prompt in prompts.items()}
    return [f"{by_prompt[one.prompt.id][1]} {one.text}" for one in found]


def asker_question(prompt: str, answer: str):
    from solon.records import Judgement

    completion = Completion(prompt=Prompt.of(prompt), text=answer)
    question = Rate(completion=completion)
    return Judgement(question=question, answer=Abstains(reason=""), judge="")


def test_evaluations_are_kept_where_their_ranks_are_peoples(tmp_path: Path) -> None:
    rows = [
        row("p", "a", 4, 0),
        row("p", "b", 2, 1),
        row("q", "c", 2, 0),
        row("q", "d", 3, 1),
        row("r", "e", 3, 0),
        row("r", "f", 3, 1),
        row("s", "g", 1),
        row("t", "h", "none"),
    ]
    assert kept(tmp_path, rows) == ["a Score: 4", "b Score: 2", "g Score: 1"]
    [note] = [line["note"] for line in lines.read(tmp_path / "run" / "notes.jsonl")]
    assert "5 of 8 rows left out" in note
    assert "scores that rank otherwise than people: 4" in note


def test_the_commonest_score_is_thinned_out(tmp_path: Path) -> None:
    rows = [row(f"p{i}", f"a{i}", 4) for i in range(6)] + [row("q", "b", 1), row("r", "c", 2)]
    assert kept(tmp_path, rows, commonest=0.25) == [
        "a0 Score: 4",
        "a1 Score: 4",
        "b Score: 1",
        "c Score: 2",
    ]


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([{"prompt": "p", "completion": "a"}], "field 'judgement': expected text, got nothing"),
        ([row("p", "a", 4) | {"rank": "best"}], "field 'rank': expected a whole number"),
        ([row("p", "a", 9)], "expected at least one usable evaluation"),
    ],
)
def test_a_bad_file_of_evaluations_says_what_is_wrong(
    rows: list[dict[str, object]], error: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=error):
        kept(tmp_path, rows)
