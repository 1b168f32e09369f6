"""Prompts, splits, demonstrations, transcripts: closed, disjoint, the same for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pytest

from solon.errors import SettingError
from solon.judges.wording import Wording
from solon.lab.demonstrations import PERFECT, Manners, demonstrations
from solon.lab.evaluation import (
    ASK,
    PAIRWISE,
    REASON,
    SCORE,
    Lessons,
    principles,
    reasoned,
    shown,
    transcripts,
)
from solon.lab.gold import Weights, facets, gold, is_evasive, is_harmless, is_sycophantic
from solon.lab.grammar import DEEDS, TASKS, words
from solon.lab.judges import Dials, PlantedPair, PlantedScore
from solon.lab.people import People
from solon.lab.principles import BLIND, mind
from solon.lab.prompts import KINDS, SPLITS, prompts
from solon.lab.town import Mix, OpenTown, Town
from solon.records import Compare, Completion, Prompt, Rate
from solon.run.run import Run
from solon.run.spec import override, plain
from solon.seams.feedback import Stateful
from solon.text.constitution import Constitution

WORDS = set(words())


def spoken(text: str) -> set[str]:
    return set(text.split())


@pytest.mark.parametrize("kind", KINDS)
def test_splits_share_no_combination_and_the_test_split_is_a_fifth(kind: str) -> None:
    def combination(prompt: Prompt) -> tuple[str, ...]:
        names = ("said", "verb", "thing", "subject", "belief", "event")
        return tuple(prompt.fact(name) for name in names)

    train = {combination(prompt) for prompt in prompts(kind, "train")}
    test = {combination(prompt) for prompt in prompts(kind, "test")}
    assert not train & test
    assert len(test) / len(train | test) == pytest.approx(0.2, abs=0.01)
    every = prompts(kind, "train") + prompts(kind, "test")
    assert len({prompt.id for prompt in every}) == len(every)


def test_every_word_is_in_the_vocabulary_and_met_in_training() -> None:
    train = {word for kind in KINDS for p in prompts(kind, "train") for word in spoken(p.text)}
    test = {word for kind in KINDS for p in prompts(kind, "test") for word in spoken(p.text)}
    assert test <= train <= WORDS
    for completion in demonstrations(2000, 0):
        assert spoken(completion.text) <= WORDS
        assert 0 < len(completion.text.split()) <= 24
        assert len(completion.prompt.text.split()) <= 25
    for transcript in transcripts(300, 0):
        assert spoken(f"{transcript.prompt.text} {transcript.text}") <= WORDS
    assert len(WORDS) < 256


def test_no_tool_or_step_of_a_deed_serves_an_honest_craft() -> None:
    harmful = {word for deed in DEEDS.values() for word in (deed.tool, *deed.steps)}
    honest = {word for task in TASKS.values() for word in (task.tool, *task.steps)}
    assert not harmful & honest


def test_the_same_seed_gives_the_same_prompts_and_another_seed_others() -> None:
    first = OpenTown(seed=1).take(100)
    assert first == OpenTown(seed=1).take(100)
    assert first != OpenTown(seed=2).take(100)
    town = OpenTown(seed=1)
    assert town.take(37) + town.take(63) == first


def test_the_mix_holds_in_every_block_and_no_prompt_repeats_before_its_kind_runs_out() -> None:
    taken = OpenTown(seed=3).take(1900)
    counts = Counter(prompt.fact("kind") for prompt in taken[:20])
    assert counts == {"harmful": 8, "howto": 5, "fact": 4, "report": 3}
    harmful = [prompt.id for prompt in taken if prompt.fact("kind") == "harmful"]
    assert len(set(harmful)) == len(harmful) == 760
    assert {p.fact("kind") for p in OpenTown(town=Town(mix=Mix(howto=0, fact=0))).take(50)} == {
        "harmful",
        "report",
    }


def test_a_town_opened_by_a_run_is_seeded_by_it_and_its_place_is_kept(
    run: Run, tmp_path: Path
) -> None:
    town = Town().open(run)
    assert isinstance(town, Stateful)
    town.take(10)
    town.save_state(tmp_path)
    expected = town.take(5)
    again = Town().open(run)
    again.load_state(tmp_path)
    assert again.take(5) == expected


def test_unknown_kinds_splits_and_mixes_are_refused_with_what_there_is() -> None:
    with pytest.raises(SettingError, match="it has train, test"):
        OpenTown().take(1, split="dev")
    with pytest.raises(SettingError, match="it has harmful, howto, fact, report"):
        prompts("poem", "train")
    with pytest.raises(SettingError, match="one above 0"):
        Mix(harmful=0, howto=0, fact=0, report=0)
    assert SPLITS == ("train", "test")


def test_every_value_of_the_laboratory_can_stand_in_a_manifest() -> None:
    for value in (Town(), PlantedPair(), PlantedScore(), People(), Lessons()):
        assert orjson.loads(orjson.dumps(plain(value))) == plain(value)
    assert override(Town(), {"mix.fact": "9", "weights.honest": "0"}) == Town(
        mix=Mix(fact=9), weights=Weights(honest=0.0)
    )


def test_demonstrations_are_mediocre_and_varied() -> None:
    shown_ = demonstrations(4000, 0)
    harmful = [c for c in shown_ if c.prompt.fact("kind") == "harmful"]
    harmless = float(np.mean([is_harmless(c) for c in harmful]))
    golds = [gold(c) for c in shown_]
    assert 0.6 < harmless < 0.7
    assert 0.0 < np.mean(golds) < 0.25
    assert np.std(golds) > 0.5
    assert len(set(np.round(golds, 6))) > 50
    assert 0.15 < np.mean([is_evasive(c) for c in harmful]) < 0.35


def test_each_manner_moves_its_own_flaw() -> None:
    def share(manners: Manners, flaw: Callable[[Completion], float]) -> float:
        return float(np.mean([flaw(c) for c in demonstrations(1000, 0, manners)]))

    clean = {"comply": 0.0, "evade": 0.0, "slip": 0.0, "flatter": 0.0, "pad": 0.0}
    assert share(PERFECT, gold) == 1.0
    assert share(Manners(**{**clean, "comply": 0.5}), is_harmless) == pytest.approx(0.8, abs=0.04)
    assert share(Manners(**{**clean, "evade": 0.5}), is_evasive) == pytest.approx(0.5, abs=0.05)
    assert share(Manners(**{**clean, "flatter": 1.0}), is_sycophantic) > 0.1
    assert share(Manners(**{**clean, "slip": 0.5}), lambda c: facets(c)["helpful"]) < 0.9
    assert share(Manners(**{**clean, "pad": 0.5}), lambda c: facets(c)["concise"]) < 0.8


def test_transcripts_are_asked_in_the_very_words_of_a_language_model_judge() -> None:
    first, second = demonstrations(2, 0, PERFECT)
    compare, rate = Compare(first=first, second=second), Rate(completion=first)
    assert shown(compare).messages == Wording.of(PAIRWISE, ask=ASK).messages(compare)
    assert shown(rate).messages == Wording.of(SCORE).messages(rate)
    by_principle = Wording.of(PAIRWISE, ask=ASK, constitution="town")
    assert by_principle.constitution is not None
    principle = by_principle.constitution.principles[0]
    assert shown(compare, principle.compare).messages == by_principle.messages(compare, principle)
    why = Wording.of(REASON, ask=ASK, constitution="town")
    assert reasoned(compare, principle.compare).messages == why.messages(compare, principle)
    said = why.messages(compare, principle, rationale="answer two is not helpful .")
    assert reasoned(compare, principle.compare, "answer two is not helpful .").messages == said
    [message] = shown(compare).messages
    assert (message.role, message.text.split()[-2:]) == ("text", ["answer", ":"])


@pytest.mark.parametrize("law", ["town", "town_dual", "town_broad", "town_specific"])
def test_a_constitution_of_the_town_speaks_its_words_and_minds_what_it_measures(law: str) -> None:
    for principle in Constitution.load(law).principles:
        asked = f"{principle.compare} {principle.critique} {principle.revision}"
        assert set(asked.split()) <= WORDS
        assert mind(principle, Prompt.of("")) == BLIND or len(principle.tags) == 1


def test_transcripts_hold_verdicts_of_both_sorts_and_position_bias_can_be_taught() -> None:
    def firsts(position: float) -> float:
        lessons = Lessons(dials=Dials(discernment=4.0, position=position), rated=0.0)
        return float(np.mean([t.text == "1" for t in transcripts(800, 0, lessons)]))

    assert firsts(0.0) == pytest.approx(0.5, abs=0.05)
    assert firsts(2.0) > 0.6
    principled = transcripts(300, 0, Lessons(rated=0.0, principled=1.0))
    asks = [one.compare for one in principles(["town"])]
    asked = Counter(ask for t in principled for ask in (*asks, ASK) if ask in t.prompt.text)
    assert set(asked) == {*asks, ASK}
    assert asked[ASK] < 100
    rated = transcripts(400, 0, Lessons(rated=1.0))
    assert {t.text for t in rated} == {str(step) for step in range(1, 11)}
    assert transcripts(50, 4) == transcripts(50, 4)
