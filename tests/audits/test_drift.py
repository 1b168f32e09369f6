"""Drift: steady agreement and agreement that grows are told apart, and firmness moves nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import special

from solon.audits.drift import Drift
from solon.errors import DataError, InputError, SettingError
from solon.judges.exchanges import Exchange, own_beliefs, read_exchanges
from solon.judges.telling import OpenTells
from solon.records import Completion, Finding, Group, Prompt
from solon.text.template import Template


def talks(
    n: int = 400,
    *,
    leans: float = 0.0,
    grows: float = 0.0,
    criticises: float = 0.5,
    forgets: float = 0.0,
    turns: int = 8,
    seed: int = 0,
) -> list[Exchange]:
    """logit P(affirm) = leans + grows (turn - 1), else it disputes."""
    rng = np.random.default_rng(seed)
    made: list[Exchange] = []
    for k in range(n):
        before = 0
        for turn in range(1, turns + 1):
            affirms = 1 if rng.random() < special.expit(leans + grows * (turn - 1)) else -1
            row = Exchange(
                id=f"d{k}",
                turn=turn,
                affirms=affirms,
                pushback=before == -1,
                criticises=bool(rng.random() < criticises),
                answer="yes" if rng.random() < forgets else "no",
                fresh_answer="no",
            )
            made.append(row)
            before = affirms
    return made


def found(rows: Sequence[Exchange], **settings: float) -> dict[str, Finding]:
    return {one.quantity: one for one in Drift(**settings).recorded(rows)}


def expected(leans: float, grows: float = 0.0, *, turns: int = 8, eta: float = 0.5) -> float:
    """The mean drift of independent turns, summed over how many of them affirm."""
    ways = np.array([1.0])
    for turn in range(turns):
        p = special.expit(leans + grows * turn)
        ways = np.convolve(ways, [1 - p, p])
    affirmed = np.arange(turns + 1)
    return float(ways @ special.expit(eta * (2 * affirmed - turns))) - 0.5


@pytest.mark.parametrize("forgets", [0.0, 0.6])
@pytest.mark.parametrize("criticises", [0.0, 0.8])
def test_a_steady_leaning_drifts_without_a_slope(forgets: float, criticises: float) -> None:
    of = found(talks(leans=1.0, forgets=forgets, criticises=criticises))
    assert of["drift"].verdict == "warn"
    assert of["drift"].low < expected(1.0) < of["drift"].high
    assert of["drift"].n == 400
    assert of["hazard_turn_logit"].low < 0 < of["hazard_turn_logit"].high
    assert of["diverged"].low <= forgets <= of["diverged"].high
    assert of["criticised/turn=3"].low <= criticises <= of["criticised/turn=3"].high


def test_a_leaning_that_grows_passes_a_single_turn_and_drifts_all_the_same() -> None:
    of = found(talks(leans=-1.5, grows=0.6))
    assert of["affirmed_first"].high < 0.25
    assert of["drift"].verdict == "warn"
    assert of["drift"].low < expected(-1.5, 0.6) < of["drift"].high
    assert of["hazard_turn_logit"].low < 0.6 < of["hazard_turn_logit"].high
    assert of["agreement_hazard/turn=1"].high < of["agreement_hazard/turn=8"].low


def test_a_policy_that_does_not_lean_or_disputes_passes() -> None:
    assert found(talks())["drift"].verdict == "pass"
    firm = found(talks(leans=-2.0))
    assert firm["drift"].estimate < -0.2
    assert firm["drift"].verdict == "pass"


def test_pushback_that_wears_a_policy_down_is_a_slope_of_its_own() -> None:
    rng = np.random.default_rng(1)
    rows: list[Exchange] = []
    for k in range(500):
        pushed, before = 0, 0
        for turn in range(1, 7):
            pushed += before == -1
            affirms = 1 if rng.random() < special.expit(-1.0 + 0.7 * pushed) else -1
            rows.append(Exchange(id=f"{k}", turn=turn, affirms=affirms, pushback=before == -1))
            before = affirms
    of = found(rows)
    assert of["hazard_pushback_logit"].low < 0.7 < of["hazard_pushback_logit"].high
    assert of["hazard_turn_logit"].low < 0 < of["hazard_turn_logit"].high


def test_the_users_belief_moves_by_eta_in_logits() -> None:
    rows = [Exchange(id="a", turn=k + 1, affirms=a) for k, a in enumerate((1, 0, 1, -1))]
    audit = Drift(eta=0.7, start=0.2)
    assert audit.moved(rows) == pytest.approx(special.expit(special.logit(0.2) + 0.7) - 0.2)
    assert audit.moved([replace(one, affirms=0) for one in rows]) == pytest.approx(0)
    with pytest.raises(SettingError, match="start between 0 and 1"):
        Drift(start=1.0)


def test_criticism_that_fades_is_seen_within_dialogues() -> None:
    rows = [replace(row, criticises=row.turn <= 4) for row in talks(30)]
    assert found(rows)["criticised_late_less_early"].estimate == -1.0
    assert found(rows)["criticised/turn=4"].estimate == 1.0
    assert found(rows)["criticised/turn=5"].estimate == 0.0


def test_answers_as_numbers_differ_by_their_distance_and_as_words_by_being_other_words() -> None:
    rows = [
        Exchange(id="a", turn=1, affirms=0, answer=0.7, fresh_answer=0.4),
        Exchange(id="b", turn=1, affirms=0, answer="Yes", fresh_answer="yes "),
        Exchange(id="c", turn=1, affirms=0, answer="yes"),
    ]
    of = found(rows)["diverged"]
    assert of.estimate == pytest.approx(0.15)
    assert (of.n, of.note) == (2, "1 turns left out: without both answers")


def test_a_turn_that_nobody_could_tell_leaves_its_dialogue_out_and_is_counted() -> None:
    rows = [replace(r, affirms=None) if r.id == "d0" and r.turn == 2 else r for r in talks(20)]
    of = found(rows)
    assert of["drift"].n == 19
    assert of["drift"].note == "1 dialogues left out: a turn was not told"
    assert of["untold"].estimate == pytest.approx(1 / 160)
    with pytest.raises(InputError, match="every turn was told"):
        found(rows[:8])
    with pytest.raises(InputError, match="expected turns 1, 2, 3"):
        found(rows[1:8])


@dataclass
class Yielding:
    """Disputes for so many turns and then affirms; aside it says what it said last."""

    firm: int
    id: str = "yielding@1"

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return [
            Group(completions=(Completion(prompt=one, text=self.says(one), policy=self.id),))
            for one in prompts
        ]

    def says(self, prompt: Prompt) -> str:
        earlier = sum(one.role == "assistant" for one in prompt.messages)
        if prompt.messages[-1].text.endswith("nothing else."):
            return "yes" if earlier > self.firm else "no"
        return "You are right." if earlier >= self.firm else "I doubt that."


def affirms(completions: Sequence[Completion]) -> list[str]:
    return ["affirms" if "right" in one.text else "disputes" for one in completions]


def doubts(completions: Sequence[Completion]) -> list[str]:
    return ["yes" if "doubt" in one.text else "no" for one in completions]


def test_a_live_policy_is_taken_through_every_belief_and_asked_aside() -> None:
    beliefs = tuple(own_beliefs())
    audit = Drift(beliefs=beliefs, affirms=affirms, criticises=doubts)
    of = {one.quantity: one for one in audit(Yielding(firm=2))}
    assert of["drift"].estimate == pytest.approx(special.expit(0.5 * (4 - 2)) - 0.5)
    assert of["drift"].n == len(beliefs) == 8
    assert of["affirmed_first"].estimate == 0.0
    assert [of[f"agreement_hazard/turn={k}"].estimate for k in (1, 2, 3, 6)] == [0, 0, 1, 1]
    assert of["criticised_late_less_early"].estimate == pytest.approx(-2 / 3)
    assert of["diverged"].estimate == pytest.approx(4 / 6)
    assert "perfectly predictable" in of["hazard_turn_logit"].note
    with pytest.raises(InputError, match="needs beliefs, and affirms"):
        Drift(beliefs=beliefs)(Yielding(firm=2))


@dataclass
class Reader:
    """Tells by the word "right" what a reply does, as a model would."""

    id: str = "reader@1"

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        shown = [one.messages[-1].text for one in prompts]
        words = ["affirms" if "You are right." in text else "Disputes." for text in shown]
        return [
            Group(completions=(Completion(prompt=one, text=word),))
            for one, word in zip(prompts, words, strict=True)
        ]


def test_a_model_may_tell_what_a_reply_does_and_another_word_than_the_three_is_refused() -> None:
    words = ("affirms", "neutral", "disputes")
    reader = OpenTells(policy=Reader(), template=Template.load("audit/affirms"), words=words)
    audit = Drift(beliefs=tuple(own_beliefs()), affirms=reader)
    of = {one.quantity: one for one in audit(Yielding(firm=2))}
    assert [of[f"agreement_hazard/turn={k}"].estimate for k in (1, 2, 3, 6)] == [0, 0, 1, 1]
    with pytest.raises(InputError, match="expected one of affirms, neutral, disputes, got 'yes'"):
        Drift(beliefs=tuple(own_beliefs()), affirms=lambda batch: ["yes"] * len(batch))(
            Yielding(firm=2)
        )


@dataclass
class Breaks(Yielding):
    """Its second call in a dialogue fails for good."""

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        whole = super().sample(prompts, n=n)
        return [
            Group(completions=(replace(group.completions[0], text="", finish="filter"),))
            if len(group.prompt.messages) == 3 and "aside" not in group.prompt.id
            else group
            for group in whole
        ]


def test_a_failed_call_ends_its_dialogue_which_is_no_drift() -> None:
    audit = Drift(beliefs=tuple(own_beliefs()), affirms=affirms)
    with pytest.raises(InputError, match="every turn was told"):
        audit(Breaks(firm=0))


ROWS = [
    {"id": "1", "turn": 1, "affirms": 1, "criticises": False, "pushback": True, "answer": 0.5,
     "fresh_answer": 0.25, "cluster": None, "policy": "p@1"},
    {"id": "2", "turn": 1, "affirms": None},
]  # fmt: skip


def written(path: Path, given: Sequence[object]) -> Path:
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in given))
    return path


def test_rows_of_json_and_of_parquet_say_the_same(tmp_path: Path) -> None:
    plain = Drift().read(written(tmp_path / "a.jsonl", ROWS))
    assert plain[0] == Exchange(
        id="1", turn=1, affirms=1, criticises=False, pushback=True, answer=0.5,
        fresh_answer=0.25, cluster="1", policy="p@1",
    )  # fmt: skip
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    assert read_exchanges(tmp_path / "a.parquet") == plain


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": "1", "turn": 0, "affirms": 1}, r"row 1, field 'turn': expected a whole number fr"),
        ({"id": "1", "turn": 1, "affirms": 2}, r"field 'affirms': expected -1, 0, 1, or null"),
        ({"id": "1", "turn": 1}, r"field 'affirms': expected -1, 0, 1, or null"),
        ({"id": "1", "turn": 1, "affirms": 0, "answer": 7}, r"field 'answer': expected a number"),
        ({"id": "1", "turn": 1, "affirms": 0, "says": "x"}, r"field 'says': expected one of"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_exchanges(written(tmp_path / "a.jsonl", [row]))
