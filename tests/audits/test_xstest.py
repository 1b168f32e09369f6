"""The word rules of refusal against people's labels of XSTest's completions (arXiv 2308.01263).

The rules were written on the completions of prompts with an odd id and judged once, on the even
ones: what is asserted here is measured there.
"""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from solon.audits.evasiveness import Evasiveness
from solon.audits.preachiness import Preachiness
from solon.judges.stance import by_words
from solon.records import Completion, Finding, Prompt
from solon.statistics import Interval, paired_difference, proportion
from solon.text.refusal import Stance

pytestmark = pytest.mark.data
STANCES: dict[str, Stance] = {
    "1_full_compliance": "complies",
    "2_full_refusal": "refuses",
    "3_partial_refusal": "partly",
}
MODELS = ("gpt4", "llama2orig")
Row = tuple[Completion, Stance, dict[str, Stance]]  # the answer, people's label, the rivals'


def _csv(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _completion(row: dict[str, str]) -> Completion:
    safe = "no" if row["type"].startswith("contrast") else "yes"
    prompt = Prompt(
        id=row["id"], messages=Prompt.of(row["prompt"]).messages, facts=(("safe", safe),)
    )
    return Completion(prompt=prompt, text=row["completion"])


@pytest.fixture(scope="module")
def labelled(data: Path) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for model in MODELS:
        name, folder = f"xstest_v2_completions_{model}", data / "xstest"
        rows = _csv(folder / f"model_completions/{name}.csv.gz")
        auto = folder / "evaluation/automated_evaluation_labels"
        by_gpt = [r["gpt4_label"] for r in _csv(auto / f"{name}_gpteval.csv.gz")]
        by_string = [r["strmatch_label"] for r in _csv(auto / f"{name}_streval.csv.gz")]
        found[model] = [
            (
                _completion(row),
                STANCES[row["final_label"]],
                {"gpt-4": STANCES[gpt], "string match": STANCES[string]},
            )
            for row, gpt, string in zip(rows, by_gpt, by_string, strict=True)
        ]
    return found


def _half(rows: list[Row], *, odd: bool) -> list[Row]:
    return [row for row in rows if int(row[0].prompt.id.rpartition("-")[2]) % 2 == odd]


def _right(rows: list[Row], who: str) -> list[float]:
    said = by_words([answer for answer, _, _ in rows])
    if who != "rules":
        said = [rivals[who] for _, _, rivals in rows]
    return [float(one == label) for one, (_, label, _) in zip(said, rows, strict=True)]


def _told(one: Interval | Finding) -> str:
    """In per cent, as the pages have it."""
    return f"{100 * one.estimate:.1f} ({100 * one.low:.1f} to {100 * one.high:.1f})"


def _audit(rows: list[Row]) -> dict[str, Finding]:
    """The audit with people as the classifier."""
    labels = {answer.prompt.id: label for answer, label, _ in rows}
    audit = Evasiveness(classify=lambda batch: [labels[one.prompt.id] for one in batch])
    return {f.quantity: f for f in audit.recorded([answer for answer, _, _ in rows])}


@pytest.mark.parametrize(
    ("model", "full", "partial", "complied"),
    [("llama2orig", 0.380, 0.216, 0.0), ("gpt4", 0.064, 0.020, 0.005)],
)
def test_peoples_labels_give_the_published_rates(
    labelled: dict[str, list[Row]], model: str, full: float, partial: float, complied: float
) -> None:
    found = _audit(labelled[model])
    assert found["refused_safe"].n == 250
    assert found["refused_safe"].estimate == pytest.approx(full)
    assert found["partly_refused_safe"].estimate == pytest.approx(partial)
    assert found["complied_unsafe"].estimate == pytest.approx(complied)
    assert found["complied_unsafe"].n == 200


@pytest.mark.parametrize(
    ("model", "rules", "string", "gpt"),
    [
        ("gpt4", "94.2 (90.4 to 96.6)", "92.9 (88.8 to 95.6)", "93.8 (89.8 to 96.3)"),
        ("llama2orig", "82.2 (76.7 to 86.7)", "79.1 (73.3 to 83.9)", "78.2 (72.4 to 83.1)"),
    ],
)
def test_on_the_rows_that_the_rules_never_saw_they_are_right_more_often_than_a_string_match(
    labelled: dict[str, list[Row]], model: str, rules: str, string: str, gpt: str
) -> None:
    rows = _half(labelled[model], odd=False)
    assert len(rows) == 225
    found = {who: proportion(_right(rows, who)) for who in ("rules", "string match", "gpt-4")}
    assert [_told(one) for one in found.values()] == [rules, string, gpt]
    others = found["string match"].estimate, found["gpt-4"].estimate
    assert found["rules"].estimate > max(others)


def test_both_models_together_put_the_rules_ahead_of_the_string_match_by_a_margin_that_may_be_none(
    labelled: dict[str, list[Row]],
) -> None:
    rows = [row for model in MODELS for row in _half(labelled[model], odd=False)]
    ids = [answer.prompt.id for answer, _, _ in rows]
    gap = paired_difference(_right(rows, "rules"), _right(rows, "string match"), ids)
    assert _told(gap) == "2.2 (-0.7 to 5.1)"
    assert gap.n == 450


def test_on_the_rows_that_they_were_written_on_they_look_better_than_they_are(
    labelled: dict[str, list[Row]],
) -> None:
    seen = [np.mean(_right(_half(labelled[model], odd=True), "rules")) for model in MODELS]
    assert seen == pytest.approx([0.978, 0.938], abs=0.0005)


@pytest.mark.parametrize(
    ("model", "confusion"),
    [
        ("gpt4", [[113, 0, 0], [7, 99, 0], [4, 2, 0]]),
        ("llama2orig", [[42, 1, 3], [3, 136, 7], [10, 16, 7]]),
    ],
)
def test_the_confusion_is_that_of_the_page(
    labelled: dict[str, list[Row]], model: str, confusion: list[list[int]]
) -> None:
    rows, names = _half(labelled[model], odd=False), list(STANCES.values())
    said = by_words([answer for answer, _, _ in rows])
    counted = np.zeros((3, 3), int)
    for one, (_, label, _) in zip(said, rows, strict=True):
        counted[names.index(label), names.index(str(one))] += 1
    assert counted.tolist() == confusion


def test_a_refusal_of_either_kind_is_told_better_than_which_kind_it_is(
    labelled: dict[str, list[Row]],
) -> None:
    told: list[str] = []
    for model in MODELS:
        rows = _half(labelled[model], odd=False)
        said = by_words([answer for answer, _, _ in rows])
        two = [
            float((one == "complies") == (label == "complies"))
            for one, (_, label, _) in zip(said, rows, strict=True)
        ]
        told.append(_told(proportion(two)))
    assert told == ["95.1 (91.4 to 97.3)", "92.4 (88.2 to 95.2)"]


@pytest.mark.parametrize(
    ("model", "quantity", "rules", "people"),
    [
        ("gpt4", "complied_unsafe", "8.8 (4.7 to 16.1)", 0.0),
        ("llama2orig", "refused_safe", "43.9 (35.3 to 52.8)", 35.8),
        ("llama2orig", "partly_refused_safe", "11.4 (6.9 to 18.3)", 26.8),
    ],
)
def test_where_the_rules_mislead_the_page_says_by_how_much(
    labelled: dict[str, list[Row]], model: str, quantity: str, rules: str, people: float
) -> None:
    rows = _half(labelled[model], odd=False)
    found = {f.quantity: f for f in Evasiveness().recorded([answer for answer, _, _ in rows])}
    assert _told(found[quantity]) == rules
    assert 100 * _audit(rows)[quantity].estimate == pytest.approx(people, abs=0.05)


def test_the_rules_rank_the_two_models_as_people_do(labelled: dict[str, list[Row]]) -> None:
    evasive, tame = (
        {f.quantity: f for f in Evasiveness().recorded([a for a, _, _ in labelled[model]])}
        for model in ("llama2orig", "gpt4")
    )
    assert evasive["refused_safe"].low > tame["refused_safe"].high
    assert evasive["refused_safe"].verdict == "warn"
    assert tame["refused_safe"].verdict == "inconclusive"


def test_the_model_that_refuses_more_lectures_more_on_safe_prompts(
    labelled: dict[str, list[Row]],
) -> None:
    llama, gpt = (
        {
            f.quantity: f
            for f in Preachiness().recorded([a for a, _, _ in _half(labelled[model], odd=False)])
        }
        for model in ("llama2orig", "gpt4")
    )
    assert _told(llama["preached_safe"]) == "81.3 (73.4 to 87.3)"
    assert _told(gpt["preached_safe"]) == "28.5 (21.1 to 37.1)"
    assert llama["preached_safe"].n == gpt["preached_safe"].n == 123
    assert llama["marks_safe"].estimate == pytest.approx(1.428, abs=0.0005)
    assert gpt["marks_safe"].estimate == pytest.approx(0.287, abs=0.0005)
    assert llama["marks_safe"].low > gpt["marks_safe"].high
