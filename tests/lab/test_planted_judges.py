"""Planted judges show exactly the flaws that are planted, and people follow gold as noise goes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from math import inf

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from solon.errors import SettingError
from solon.lab.demonstrations import Manners, answer
from solon.lab.evaluation import Lessons
from solon.lab.gold import Weights, agrees, gold
from solon.lab.judges import STEPS, Dials, PlantedPair, PlantedScore, sigma
from solon.lab.people import OpenPeople, People
from solon.lab.prompts import SPLITS, prompts
from solon.lab.town import OpenTown
from solon.records import Abstains, Compare, Completion, PairJudgement, Rate
from solon.run.run import Run


@cache
def drawn() -> tuple[Compare, ...]:
    """Pairs whose completions come from two policies, "us" and "them", in random order."""
    generator = np.random.default_rng(0)
    pairs: list[Compare] = []
    for prompt in OpenTown(seed=0).take(3000):
        ours, theirs = (
            replace(answer(prompt, Manners(), generator), policy=name)
            for name in ("us@3", "them@1")
        )
        pair = Compare(first=ours, second=theirs)
        pairs.append(pair.swapped() if generator.random() < 0.5 else pair)
    return tuple(pairs)


def questions(n: int) -> list[Compare]:
    return list(drawn()[:n])


def p_first(judgement: PairJudgement) -> float:
    assert not isinstance(judgement.answer, Abstains)
    return judgement.answer.p_first


def gap(question: Compare) -> float:
    return gold(question.first) - gold(question.second)


def features(question: Compare) -> list[float]:
    def side(c: Completion) -> np.ndarray:
        own = c.policy.startswith("us")
        return np.array([gold(c), len(c.text.split()), float(agrees(c)), float(own)])

    d_gold, d_length, d_belief, d_own = side(question.first) - side(question.second)
    return [d_gold, 1.0, d_length, d_belief, d_own]


def test_logistic_regression_recovers_every_planted_dial() -> None:
    planted = np.array([2.0, 0.6, 0.08, 1.0, 0.7])
    a, b, c, d, s = planted.tolist()
    dials = Dials(discernment=a, position=b, length=c, deference=d, own=s, myself="us")
    asked = questions(3000)
    said = [p_first(j) for j in PlantedPair(dials=dials, hard=True, seed=5)(asked)]
    assert set(said) == {0.0, 1.0}
    fit = sm.Logit(np.array(said), np.array([features(q) for q in asked])).fit(disp=0)
    assert np.all(np.abs(fit.params - planted) < 3.5 * fit.bse)
    assert np.all(fit.bse < 0.3)


def test_the_soft_label_is_the_planted_probability() -> None:
    dials = Dials(discernment=2.0, position=0.5, length=0.1)
    asked = questions(50)
    for question, judgement in zip(asked, PlantedPair(dials=dials)(asked), strict=True):
        x = features(question)
        assert p_first(judgement) == pytest.approx(sigma(2.0 * x[0] + 0.5 + 0.1 * x[2]))


def test_sermons_and_evasions_gain_their_own_dial_and_no_other() -> None:
    texts = {one.text: one for split in SPLITS for one in prompts("harmful", split)}
    told, bare, whole = (
        Completion(prompt=texts["how do i steal the bike ?"], text=text)
        for text in (
            "use the hook . good people ask first .",
            "i will not help you steal the bike .",
            "i will not help you steal the bike because it hurts the owner .",
        )
    )
    dials = Dials(discernment=0.0, sermon=1.5, evasion=2.0)
    assert dials.logit(Compare(first=told, second=whole)) == 1.5
    assert dials.logit(Compare(first=whole, second=bare)) == -2.0
    [said] = PlantedPair(dials=dials)([Compare(first=bare, second=told)])
    assert p_first(said) == pytest.approx(sigma(0.5))


def test_a_judge_without_flaws_follows_gold_and_ties_where_gold_ties() -> None:
    asked = questions(400)
    expected = [0.5 if abs(gap(q)) < 1e-9 else float(gap(q) > 0) for q in asked]
    assert [p_first(j) for j in PlantedPair()(asked)] == pytest.approx(expected)


def test_without_position_bias_swapping_turns_the_answer_round() -> None:
    asked = questions(100)
    judge = PlantedPair(dials=Dials(discernment=2.0, length=0.1))
    swapped = judge([q.swapped() for q in asked])
    for judgement, turned in zip(judge(asked), swapped, strict=True):
        assert p_first(judgement) == pytest.approx(1 - p_first(turned))


def test_flip_turns_that_share_round_and_abstain_leaves_that_share_open() -> None:
    asked = [q for q in questions(1000) if abs(gap(q)) > 1e-9]
    flipped = PlantedPair(dials=Dials(flip=0.2))(asked)
    wrong = np.mean([(p_first(j) > 0.5) != (gap(j.question) > 0) for j in flipped])
    assert wrong == pytest.approx(0.2, abs=0.04)
    silent = PlantedPair(dials=Dials(abstain=0.3))(asked)
    assert np.mean([isinstance(j.answer, Abstains) for j in silent]) == pytest.approx(0.3, abs=0.05)


def test_noise_lowers_agreement_with_gold_by_degrees() -> None:
    asked = [q for q in questions(1000) if abs(gap(q)) > 1e-9]

    def agreement(noise: float) -> float:
        said = PlantedPair(dials=Dials(discernment=2.0, noise=noise))(asked)
        return float(np.mean([(p_first(j) > 0.5) == (gap(j.question) > 0) for j in said]))

    assert agreement(0.0) == 1.0
    assert 0.75 < agreement(2.0) < 0.9
    assert 0.5 < agreement(8.0) < 0.7


def test_a_judge_blind_to_honesty_prefers_the_longer_lie() -> None:
    prompts = OpenTown(seed=0).take(200)
    prompt = next(p for p in prompts if p.fact("belief") != p.fact("true"))
    said = [f"the {prompt.fact('subject')} is {prompt.fact(name)} ." for name in ("belief", "true")]
    lie, truth = (Completion(prompt=prompt, text=text) for text in said)
    seeing = PlantedPair(dials=Dials(discernment=2.0))
    blind = PlantedPair(dials=Dials(discernment=2.0, deference=1.0, weights=Weights(honest=0.0)))
    question = Compare(first=lie, second=truth)
    assert p_first(seeing([question])[0]) == pytest.approx(sigma(-1.5))
    assert p_first(blind([question])[0]) == pytest.approx(sigma(1.0))


def test_one_copy_or_two_say_the_same_and_another_seed_something_else(run: Run) -> None:
    asked = questions(60)
    judge = PlantedPair(dials=Dials(discernment=1.0, noise=1.0), hard=True).open(run)
    assert judge(asked) == judge(asked[:30]) + judge(asked[30:])
    other = replace(judge, seed=judge.seed + 1)
    assert [p_first(j) for j in judge(asked)] != [p_first(j) for j in other(asked)]
    assert judge.id != other.id


def test_scores_rise_with_gold_and_are_the_mean_of_their_distribution() -> None:
    rates = [Rate(completion=q.first) for q in questions(300)]
    answers = [j.answer for j in PlantedScore()(rates)]
    scores: list[float] = []
    for found in answers:
        assert not isinstance(found, Abstains)
        assert sum(found.distribution) == pytest.approx(1.0)
        assert len(found.distribution) == STEPS
        assert 1 <= found.value <= 10
        scores.append(found.value)
    golds = np.array([gold(rate.completion) for rate in rates])
    order = np.argsort(golds)
    assert np.all(np.diff(np.array(scores)[order]) > -1e-9)
    assert max(scores) - min(scores) > 5


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(SettingError, match="finite number, got inf"):
        Dials(discernment=inf)
    with pytest.raises(SettingError, match="more than 0 steps"):
        PlantedScore(spread=0.0)
    with pytest.raises(SettingError, match="expected 1 to 2"):
        People(n=2, voters=3)
    with pytest.raises(SettingError, match="never abstain"):
        Lessons(dials=Dials(abstain=0.1))


@given(st.floats(allow_nan=False))
def test_sigma_is_total_and_symmetric(logit: float) -> None:
    assert 0 <= sigma(logit) <= 1
    assert sigma(logit) + sigma(-logit) == pytest.approx(1)
    assert (sigma(inf), sigma(-inf)) == (1.0, 0.0)


def test_people_without_noise_give_golds_order_exactly() -> None:
    asked = questions(300)
    people = OpenPeople(people=People(noise=0.0, fatigue=3.0, disagreement=2.0), seed=1)
    expected = [0.5 if abs(gap(q)) < 1e-9 else float(gap(q) > 0) for q in asked]
    assert [p_first(j) for j in people(asked)] == expected


def agreement_of(people: People, asked: list[Compare]) -> float:
    said = OpenPeople(people=people, seed=2)(asked)
    return float(np.mean([(p_first(j) > 0.5) == (gap(j.question) > 0) for j in said]))


def test_people_agree_less_with_gold_the_noisier_and_the_wearier_they_are() -> None:
    asked = [q for q in questions(1000) if abs(gap(q)) > 1e-9]
    by_noise = [agreement_of(People(noise=n, fatigue=0.0), asked) for n in (0.01, 0.3, 1.0, 4.0)]
    assert by_noise[0] > 0.99
    assert all(a > b + 0.03 for a, b in pairwise(by_noise))
    rested, weary = (agreement_of(People(noise=0.5, fatigue=f), asked) for f in (0.0, 3.0))
    assert rested > weary + 0.05


def test_more_voters_agree_more_and_people_are_not_of_one_mind() -> None:
    asked = [q for q in questions(1000) if abs(gap(q)) > 1e-9]
    alone, five = (agreement_of(People(n=5, voters=v, noise=1.0), asked) for v in (1, 5))
    assert five > alone + 0.03
    people = OpenPeople(people=People(n=5, noise=0.5), seed=0)
    assert len({mind.honest for mind in people.minds}) == 5
    assert {mind.honest for mind in OpenPeople(people=People(noise=0.0)).minds} == {1.5}


def test_people_remember_how_long_they_have_worked(run: Run) -> None:
    asked = questions(80)
    whole = People(noise=1.0).open(run)(asked)
    first = People(noise=1.0).open(run)
    begun = first(asked[:40])
    first.save_state(run.dir)
    second = People(noise=1.0).open(run)
    second.load_state(run.dir)
    assert begun + second(asked[40:]) == whole
