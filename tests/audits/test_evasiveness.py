from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from answering import COMPLIES, PARTLY, REFUSES, SERMON, DialPolicy, prompts

from solon.audits.evasiveness import Evasiveness
from solon.errors import InputError
from solon.judges.stance import by_words
from solon.records import Abstains, Completion, Finding, Prompt
from solon.text.refusal import Stance

PROMPTS = prompts(800)


def _audit(policy: DialPolicy, asked: tuple[Prompt, ...] = PROMPTS) -> dict[str, Finding]:
    return {finding.quantity: finding for finding in Evasiveness(prompts=asked)(policy)}


def _answer(text: str, safe: str, *, k: int = 0, finish: str = "stop") -> Completion:
    prompt = Prompt(id=f"p{k}", messages=(), facts=(("safe", safe),) if safe else ())
    return Completion(prompt=prompt, text=text, finish=finish)


def test_the_planted_texts_are_what_they_are_planted_as() -> None:
    texts = (COMPLIES, REFUSES, PARTLY)
    said = ["complies", "refuses", "partly"]
    assert by_words([_answer(text, "yes") for text in texts]) == said
    assert by_words([_answer(text + SERMON, "yes") for text in texts]) == said


@pytest.mark.parametrize("refuse", [0.2, 0.5])
def test_refusals_of_safe_prompts_are_found_and_their_share_recovered(refuse: float) -> None:
    found = _audit(DialPolicy(refuse_safe=refuse, partly_safe=0.02, preach=0.3))
    assert found["refused_safe"].verdict == "warn"
    assert found["refused_safe"].low < refuse < found["refused_safe"].high
    assert found["refused_safe"].n == 400
    assert found["partly_refused_safe"].verdict == "pass"
    assert found["refused_unsafe"].low < 0.9 < found["refused_unsafe"].high
    assert found["refused_unsafe"].verdict == "measured"


def test_partial_refusals_are_a_quantity_of_their_own() -> None:
    found = _audit(DialPolicy(partly_safe=0.3))
    assert found["partly_refused_safe"].verdict == "warn"
    assert found["partly_refused_safe"].low < 0.3 < found["partly_refused_safe"].high
    assert found["refused_safe"].verdict == "pass"


@pytest.mark.parametrize("preach", [0.0, 1.0])
@pytest.mark.parametrize("refuse_unsafe", [0.0, 1.0])
def test_a_policy_that_answers_what_is_safe_passes_whatever_else_it_does(
    preach: float, refuse_unsafe: float
) -> None:
    found = _audit(DialPolicy(refuse_safe=0.02, refuse_unsafe=refuse_unsafe, preach=preach))
    assert found["refused_safe"].verdict == "pass"
    assert found["refused_safe"].estimate < 0.05
    assert found["refused_unsafe"].estimate == refuse_unsafe
    assert found["complied_unsafe"].estimate == 1 - refuse_unsafe


def test_the_planted_share_lies_in_the_interval_nineteen_times_in_twenty() -> None:
    asked = prompts(200)
    inside = 0
    for seed in range(100):
        found = _audit(DialPolicy(refuse_safe=0.15, preach=0.5, seed=seed), asked)["refused_safe"]
        inside += found.low <= 0.15 <= found.high
    assert inside >= 91


def test_answers_to_one_prompt_are_one_observation() -> None:
    apart = [_answer(REFUSES if k % 2 else COMPLIES, "yes", k=k) for k in range(100)]
    again = [one for one in apart[:20] for _ in range(5)]
    wide, narrow = (Evasiveness().recorded(rows)[0] for rows in (again, apart))
    assert wide.estimate == narrow.estimate == 0.5
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_a_policy_that_never_refused_keeps_an_interval() -> None:
    found = Evasiveness().recorded([_answer(COMPLIES, "yes", k=k) for k in range(30)])[0]
    assert (found.estimate, found.low) == (0.0, 0.0)
    assert 0.1 < found.high < 0.13
    assert found.verdict == "inconclusive"


def test_one_side_alone_has_its_own_findings_and_no_others() -> None:
    found = {f.quantity for f in Evasiveness().recorded([_answer(REFUSES, "no")])}
    assert found == {"refused_unsafe", "partly_refused_unsafe", "complied_unsafe", "unclassified"}


def test_an_answer_without_a_stance_counts_apart_and_a_failed_call_is_not_asked_about() -> None:
    asked: list[str] = []

    def classify(batch: Sequence[Completion]) -> list[Stance | Abstains]:
        asked.extend(one.text for one in batch)
        return [Abstains(reason="mumbles") if "?" in one.text else "refuses" for one in batch]

    rows = [
        _answer("no", "yes", k=0),
        _answer("what?", "yes", k=1),
        _answer("", "no", k=2, finish="filter"),
        _answer("never", "no", k=3),
    ]
    found = {f.quantity: f for f in Evasiveness(classify=classify).recorded(rows)}
    assert asked == ["no", "what?", "never"]
    assert (found["refused_safe"].estimate, found["refused_safe"].n) == (1.0, 1)
    assert (found["refused_unsafe"].estimate, found["refused_unsafe"].n) == (1.0, 1)
    assert (found["unclassified"].estimate, found["unclassified"].n) == (0.5, 4)


def test_an_answer_of_no_words_has_no_stance() -> None:
    found = {f.quantity: f for f in Evasiveness().recorded([_answer(" ", "yes")])}
    assert found["unclassified"].estimate == 1.0
    assert "refused_safe" not in found


def test_prompts_of_which_nothing_is_known_are_left_out_and_told() -> None:
    rows = [_answer(COMPLIES, "yes"), _answer(COMPLIES, "")]
    found = Evasiveness().recorded(rows)[-1]
    assert found.note == "1 answers left out: safe or not is unknown"
    assert found.n == 1
    with pytest.raises(InputError, match="a fact 'safe'"):
        Evasiveness().recorded(rows[1:])
    with pytest.raises(InputError, match="needs prompts"):
        Evasiveness()(DialPolicy())


def test_the_dials_of_the_simulation_do_what_they_say() -> None:
    answers = [one.completions[0].text for one in DialPolicy(refuse_safe=1.0).sample(PROMPTS)]
    safe = np.array([one.fact("safe") == "yes" for one in PROMPTS])
    assert safe.mean() == 0.5
    assert all(text == REFUSES for text, one in zip(answers, safe, strict=True) if one)
