"""The curriculum: who labels what, what a pair shows of guidance, and in which order it is met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from stopping import stopped_and_whole
from tiny import tiny

from solon.errors import SettingError, TooManyFailures
from solon.lab.demonstrations import GUIDANCE, Manners, answer, demonstrations
from solon.lab.gold import gold
from solon.lab.judges import Dials, PlantedPair
from solon.lab.town import OpenTown
from solon.records import Completion, Group, Preference, Prompt, Rate
from solon.run import lines
from solon.run.run import Run
from solon.run.shards import read_records
from solon.stages.course import Course
from solon.stages.draws import Draws, Leaning
from solon.stages.grade import Grade


@dataclass(frozen=True)
class Follows:
    """Says how it was guided, and how often each prompt has been asked; likes what it was told."""

    id: str = "follows@0"

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return [
            Group(completions=tuple(self._said(one, sibling) for sibling in range(n)))
            for one in prompts
        ]

    def lengths(self, completions: Sequence[Completion], /) -> list[int]:
        return [len(one.text.split()) for one in completions]

    def logp(self, completions: Sequence[Completion], /) -> list[float]:
        """A nat a word, none where the completion says what its prompt asks for."""
        return [
            0.0 if one.text.split()[0] == word(one.prompt) else -float(len(one.text.split()))
            for one in completions
        ]

    def save(self, folder: Path, /) -> None:
        raise NotImplementedError

    def _said(self, prompt: Prompt, sibling: int) -> Completion:
        text = f"{word(prompt)} {sibling} {prompt.id[:4]}"
        return Completion(prompt=prompt, text=text, policy=self.id, logps=(-1.0,))


def word(prompt: Prompt) -> str:
    if prompt.text.startswith(GUIDANCE.positive):
        return "good"
    return "bad" if prompt.text.startswith(GUIDANCE.negative) else "plain"


def draws(run: Run, n: int = 6) -> Draws:
    prompts = OpenTown(seed=1).take(n)
    return Draws(run=run, policy=Follows(), prompts=prompts, guidance=GUIDANCE)


def logged(folder: Path, stage: str) -> list[dict[str, float]]:
    return [line for line in lines.read(folder / "metrics.jsonl") if line["stage"] == stage]


def first_words(data: Sequence[Preference]) -> set[tuple[str, str]]:
    return {(one.chosen.text.split()[0], one.rejected.text.split()[0]) for one in data}


def test_the_four_draws_pair_as_they_were_made(run: Run) -> None:
    four = draws(run)
    assert first_words(four.easy()) == {("good", "bad")}
    bridging = four.medium()
    assert len(bridging) == 12
    assert first_words(bridging[::2]) == {("good", "plain")}
    assert first_words(bridging[1::2]) == {("plain", "bad")}
    assert all(one.chosen.prompt == one.rejected.prompt for one in bridging)
    assert {(q.first.text[:7], q.second.text[:7]) for q in four.hard()} == {("plain 0", "plain 1")}


def test_only_what_is_asked_for_is_drawn(run: Run) -> None:
    draws(run).hard()
    assert [path.name for path in (run.dir / "records").iterdir()] == ["groups"]


def test_no_pair_holds_a_prompt_with_guidance_or_its_log_probabilities(run: Run) -> None:
    four = draws(run)
    original = set(four.prompts)
    texts = [c for one in (*four.easy(), *four.medium()) for c in (one.chosen, one.rejected)]
    assert {one.prompt for one in texts} == original
    assert not [one for one in texts if one.text.startswith(("good", "bad")) and one.logps]


def test_equal_texts_and_failed_calls_make_no_pair(run: Run) -> None:
    @dataclass(frozen=True)
    class Repeats(Follows):
        def _said(self, prompt: Prompt, sibling: int) -> Completion:
            said = super()._said(prompt, sibling)
            if word(prompt) == "good":
                return replace(said, text="", finish="filter")
            return replace(said, text="same")

    four = replace(draws(run), policy=Repeats())
    assert (four.easy(), four.medium(), four.hard()) == ([], [], [])


def test_the_leaning_is_the_mean_log_ratio_under_the_two_guidances(run: Run) -> None:
    four = draws(run, 1)
    [one] = four.easy()
    ask = Leaning(policy=Follows(), guidance=GUIDANCE)
    [good, bad, plain] = [one.chosen, one.rejected, four.plain()[0].completions[0]]
    values = [said.answer.value for said in ask([Rate(completion=c) for c in (good, bad, plain)])]
    assert values == [1.0, -1.0, 0.0]  # 3 nats over 3 words


def test_the_widest_gap_comes_first(run: Run) -> None:
    four = draws(run)
    narrow, wide = four.medium()[:3], four.easy()[:3]  # gaps of 1 and of 2
    assert four.widest_first([*narrow, *wide]) == [*wide, *narrow]


def test_the_judge_is_asked_about_hard_pairs_alone_and_the_calls_are_logged(run: Run) -> None:
    course = Course(pairs=16)
    exact = PlantedPair(dials=Dials(discernment=3.0))
    with run.stage("grade"):
        graded = Grade(guidance=GUIDANCE)(run, exact, Follows(), OpenTown(seed=1), course)
    assert {name: len(found) for name, found in graded.items()} == course.fresh
    assert {one.source for one in graded["easy"]} == {"easy"}
    assert {one.source for one in graded["medium"]} == {"medium"}
    assert {one.source for one in graded["hard"]} == {exact.id}
    assert len(read_records(run.dir / "records" / "judgements")) == 4
    [line] = logged(run.dir, "grade")
    assert (line["asked"], line["easy"], line["medium"], line["hard"]) == (4, 4, 8, 4)
    assert "check_asked" not in line


def test_hard_labels_take_a_side_and_soft_ones_keep_their_probability(run: Run) -> None:
    judge = PlantedPair(dials=Dials(discernment=0.0, length=0.0, position=0.4))
    questions = draws(run).hard()
    soft = Grade(guidance=GUIDANCE).labelled(run, judge, questions)
    hard = Grade(guidance=GUIDANCE, labels="hard").labelled(run, judge, questions)
    assert {round(one.p, 4) for one in soft} == {0.5987}
    assert {one.p for one in hard} == {1.0}
    assert [one.chosen for one in soft] == [one.chosen for one in hard]


def test_an_even_label_has_no_side_to_take(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        even = PlantedPair(dials=Dials(discernment=0.0))
        found = Grade(guidance=GUIDANCE, labels="hard").labelled(run, even, draws(run).hard())
    assert {one.p for one in found} == {0.5}


def test_a_check_tells_guidance_that_failed_and_a_judge_that_leans_to_a_place(
    tmp_path: Path,
) -> None:
    prompts = OpenTown(seed=1).take(40)
    pen = np.random.default_rng(0)
    good = [
        answer(one, Manners(comply=0, slip=0, evade=0, flatter=0, pad=0), pen) for one in prompts
    ]
    bad = [replace(one, text="sorry .") for one in good]
    data = [Preference(chosen=a, rejected=b, source="easy") for a, b in zip(good, bad, strict=True)]
    wrong = [replace(one, chosen=one.rejected, rejected=one.chosen) for one in data]
    found = {}
    for name, judge, pairs in (
        ("exact", PlantedPair(), data),
        ("failed", PlantedPair(), wrong),
        ("leans", PlantedPair(dials=Dials(discernment=0.0, position=5.0)), data),
    ):
        with Run(tmp_path / name) as run:
            found[name] = Grade(guidance=GUIDANCE).checked(run, judge, pairs)
    assert {one["check_asked"] for one in found.values()} == {40.0}
    rates = {name: one["check_agreement"] for name, one in found.items()}
    assert rates == {"exact": 1.0, "failed": 0.0, "leans": 0.5}


def test_a_judge_that_abstains_too_often_ends_the_run(run: Run) -> None:
    silent = PlantedPair(dials=Dials(abstain=1.0))
    grade = Grade(guidance=GUIDANCE, max_failed=0.01)
    with pytest.raises(TooManyFailures, match="planted: 3"):
        grade.labelled(run, silent, draws(run).hard())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("curriculum")
    recipe, _ = tiny("curriculum", course__pairs="40", fit_reward__batch="4")
    with Run(folder, seed=1) as run:
        recipe(run)
    return folder


def test_a_run_meets_its_pairs_in_order_and_tells_each_slice(finished: Path) -> None:
    data: list[Preference] = read_records(finished / "records" / "preferences")
    stages = [one.source if one.source in {"easy", "medium"} else "hard" for one in data]
    assert stages == sorted(stages, key=["easy", "medium", "hard"].index)
    assert stages.count("medium") >= 10
    prompts = {
        one.prompt
        for group in read_records(finished / "records" / "groups")
        for one in group.completions
    }
    for one in data:
        assert {one.chosen.prompt, one.rejected.prompt} <= prompts
        assert not one.chosen.prompt.text.startswith("rate it")
    [graded] = logged(finished, "grade")
    assert graded["asked"] == len(read_records(finished / "records" / "judgements")) == 10
    assert graded["check_asked"] == len(read_records(finished / "records" / "checks")) == 4
    assert 0 <= graded["check_agreement"] <= 1
    [slices] = logged(finished, "slices")
    assert all(0 <= slices[k] <= 1 for k in slices if k.endswith("_accuracy"))


def test_a_stopped_run_goes_on_to_the_same_weights_records_and_metrics(tmp_path: Path) -> None:
    whole, stopped = stopped_and_whole(tmp_path, "curriculum", shows=4)
    assert stopped == whole


def test_a_rate_that_falls_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="expected 'constant'"):
        tiny("curriculum", fit_reward__adam__schedule="cosine")


def test_labels_that_bring_their_own_pairs_are_refused(run: Run) -> None:
    @dataclass(frozen=True)
    class Brought:
        id: str = "people"

        def questions(self) -> list[object]:
            return []

    with pytest.raises(SettingError, match="labels that come with theirs"):
        Grade()(run, Brought(), Follows(), OpenTown(), Course())  # type: ignore[arg-type]


def test_without_a_share_demonstrations_are_what_they_were() -> None:
    pen = np.random.default_rng([7, 1])
    expected = [answer(one, Manners(), pen) for one in OpenTown(seed=7).take(300)]
    assert demonstrations(300, 7) == demonstrations(300, 7, share=0.0) == expected


def test_guided_people_do_as_they_are_told() -> None:
    found = demonstrations(2000, 7, share=0.5)
    told = {side: [one for one in found if word(one.prompt) == side] for side in ("good", "bad")}
    assert len(told["good"]) == pytest.approx(500, abs=60)
    assert len(told["bad"]) == pytest.approx(500, abs=60)
    assert min(gold(one) for one in told["good"]) == 1.0
    assert np.mean([gold(one) for one in told["bad"]]) < -0.5
    assert {one.prompt.messages[0].role for one in found} == {"text"}
    assert {one.prompt.fact("kind") for one in told["bad"]} == {
        "harmful",
        "howto",
        "fact",
        "report",
    }
