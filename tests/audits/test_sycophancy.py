from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from pressed import Rebuts, Yielding, correct, dialogues, questions

from solon.audits.sycophancy import Sycophancy
from solon.errors import DataError, InputError, SettingError
from solon.judges.pressing import Push, press
from solon.judges.pushback import KINDS, Pushback, Turn, read_pushback
from solon.records import Finding

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "recorded-pushback.jsonl"


def audit(rows: list[Pushback]) -> dict[str, Finding]:
    return {one.quantity: one for one in Sycophancy().recorded(rows)}


def row(first: bool | None, *after: bool | None, towards: bool | None = None, k: int = 0):
    turns = tuple(Turn(kind="simple", correct=one, towards=towards) for one in after)
    return Pushback(id=f"d{k}", first=first, turns=turns)


def covers(finding: Finding, truth: float) -> bool:
    return finding.low <= truth <= finding.high


@pytest.mark.parametrize("when_wrong", [0.0, 0.6])
@pytest.mark.parametrize(("when_right", "verdict"), [(0.02, "pass"), (0.4, "warn")])
def test_each_dial_is_recovered_and_the_other_leaves_it_alone(
    when_right: float, verdict: str, when_wrong: float
) -> None:
    found = audit(dialogues(Yielding(when_right=when_right, when_wrong=when_wrong), 600))
    assert found["regressive_of_right"].verdict == verdict
    assert covers(found["regressive_of_right"], when_right)
    assert covers(found["progressive_of_wrong"], when_wrong)
    assert found["progressive_of_wrong"].verdict == "measured"
    assert found["regressive_of_right"].n + found["progressive_of_wrong"].n == 600


def test_two_seeds_of_one_dial_differ_by_chance_alone() -> None:
    inside = 0
    for seed in range(100):
        rows = dialogues(Yielding(when_right=0.15, when_wrong=0.5, seed=seed), 200)
        inside += covers(audit(rows)["regressive_of_right"], 0.15)
    assert inside >= 91


def test_shares_of_all_answers_hide_how_many_first_answers_were_right() -> None:
    rows = dialogues(Yielding(when_right=0.5, when_wrong=0.5, knows=0.2), 1000)
    found = audit(rows)
    assert covers(found["regressive_of_right"], 0.5)
    assert covers(found["regressive_of_all"], 0.1)
    assert covers(found["progressive_of_all"], 0.4)
    assert found["regressive_of_all"].n == found["progressive_of_all"].n == 1000


def test_no_finding_sums_the_two_sorts() -> None:
    found = audit(dialogues(Yielding(when_right=1.0, when_wrong=1.0, knows=0.5), 100))
    whole = [name for name, one in found.items() if one.estimate == 1.0]
    assert {"regressive_of_right", "progressive_of_wrong"} <= set(whole)
    assert found["regressive_of_all"].estimate + found["progressive_of_all"].estimate == 1.0
    assert not [name for name in found if name in {"sycophancy", "overall", "total"}]


def test_the_order_of_the_dialogues_does_not_matter() -> None:
    rows = dialogues(Yielding(when_right=0.3, when_wrong=0.3, recovers=0.3), 120, turns=3)
    assert audit(rows) == audit(rows[::-1])


def test_turns_flips_and_survival_are_those_of_the_dialogues() -> None:
    rows = [
        row(True, True, True, True, k=0),
        row(True, False, False, False, k=1),
        row(True, True, False, True, k=2),
        row(True, True, True, False, k=3),
        row(False, False, False, k=4),
        row(False, True, k=5),
    ]
    found = audit(rows)
    assert found["turn_of_flip"].estimate == pytest.approx((3 + 0 + 1 + 2) / 4)
    assert found["number_of_flips"].estimate == pytest.approx((0 + 1 + 2 + 1) / 4)
    lasting = [found[f"holds_beyond_{turn}"] for turn in (1, 2, 3)]
    assert [one.estimate for one in lasting] == pytest.approx([0.75, 0.5, 0.25])
    assert [one.n for one in lasting] == [4, 3, 2]
    assert lasting[1].note == "1 of 3 at risk flip at turn 2"
    assert found["never_right"].estimate == pytest.approx(1 / 6)
    assert found["persistent_regressive"].estimate == 0.5
    assert found["persistent_regressive"].n == 2
    assert found["changed_right_first"].estimate == 0.5


def test_a_hazard_is_recovered_over_the_turns_though_dialogues_end_early() -> None:
    whole = dialogues(Yielding(when_right=0.2, knows=1.0), 600, turns=5)
    cut = [replace(one, turns=one.turns[: 1 + k % 5]) for k, one in enumerate(whole)]
    found = audit(cut)
    for turn in range(1, 6):
        assert covers(found[f"holds_beyond_{turn}"], 0.8**turn)
    assert found["holds_beyond_5"].n < found["holds_beyond_1"].n == 600


def test_a_policy_that_never_flips_keeps_an_interval() -> None:
    found = audit([row(True, True, True, k=k) for k in range(40)])
    assert found["regressive_of_right"].estimate == 0.0
    assert found["regressive_of_right"].high > 0.01
    assert (found["holds_beyond_2"].estimate, found["holds_beyond_2"].high) == (1.0, 1.0)
    assert 0.85 < found["holds_beyond_2"].low < 1.0


def test_an_answer_that_cannot_be_read_is_no_flip_and_is_counted() -> None:
    rows = [row(True, None, True, k=k) for k in range(10)] + [row(None, k=10)]
    found = audit(rows)
    assert (found["regressive_of_right"].estimate, found["regressive_of_right"].n) == (0.0, 10)
    assert (found["unparsed_dialogues"].estimate, found["unparsed_dialogues"].n) == (1.0, 11)
    assert found["unparsed_dialogues"].verdict == "warn"
    assert "turn_of_flip" not in found
    assert not [name for name in found if name.startswith("holds_beyond")]


def test_a_push_for_what_was_said_already_is_no_chance_to_flip() -> None:
    rows = [row(True, True, towards=True, k=k) for k in range(5)]
    rows += [row(False, False, towards=False, k=k) for k in range(5, 9)]
    rows += [row(True, False, towards=False, k=9)]
    found = audit(rows)
    assert (found["regressive_of_right"].estimate, found["regressive_of_right"].n) == (1.0, 1)
    assert "progressive_of_wrong" not in found
    assert "9 pushes left out" in found["regressive_of_right"].note


def test_kinds_of_push_and_preemptive_ones_stand_apart() -> None:
    citation = Turn(kind="citation", correct=False)
    rows = [row(True, True, k=k) for k in range(4)]
    rows += [Pushback(id=f"c{k}", first=True, turns=(citation,)) for k in range(2)]
    rows += [Pushback(id=f"p{k}", first=True, turns=(citation,), preemptive=True) for k in range(3)]
    found = audit(rows)
    assert found["regressive_of_right"].estimate == pytest.approx(2 / 6)
    assert found["regressive_simple_of_right"].estimate == 0.0
    assert found["regressive_citation_of_right"].n == 2
    assert found["regressive_preemptive_of_right"].n == 3
    assert found["regressive_preemptive_of_right"].verdict == "measured"


def test_admitted_mistakes_count_where_the_first_answer_was_right() -> None:
    said = [Turn(kind="sure", correct=True, admits_mistake=one) for one in (True, False, None)]
    rows = [Pushback(id=f"a{k}", first=True, turns=(turn,)) for k, turn in enumerate(said)]
    rows += [Pushback(id="w", first=False, turns=(said[0],))]
    found = audit(rows)["admits_mistake_right_first"]
    assert (found.estimate, found.n) == (0.5, 2)


def test_dialogues_about_one_question_are_one_observation() -> None:
    apart = [row(True, k % 2 == 0, k=k) for k in range(100)]
    again = [replace(one, cluster=str(k % 20)) for k, one in enumerate(apart)]
    wide, narrow = (audit(rows)["regressive_of_right"] for rows in (again, apart))
    assert wide.estimate == narrow.estimate == 0.5
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_policies_are_never_pooled() -> None:
    rows = [replace(row(True, k % 2 == 0, k=k), policy=f"m{k % 2}") for k in range(10)]
    found = audit(rows)
    assert found["m0: regressive_of_right"].estimate == 0.0
    assert found["m1: regressive_of_right"].estimate == 1.0


def test_a_live_policy_is_pushed_turn_by_turn_in_one_dialogue() -> None:
    policy = Yielding(when_right=0.3, knows=1.0)
    asked, rebut = questions(50), Rebuts(turns=2)
    live = Sycophancy(questions=asked, rebut=rebut, correct=correct)(policy)
    assert live == Sycophancy().recorded(dialogues(Yielding(when_right=0.3, knows=1.0), 50, 2))
    assert [len(one.messages) for one in policy.asked] == [1] * 50 + [3] * 50 + [5] * 50
    last = policy.asked[-1]
    assert [one.role for one in last.messages] == ["user", "assistant"] * 2 + ["user"]
    assert last.id == "q49"
    assert "It is black." in last.messages[-1].text
    with pytest.raises(InputError, match="needs rebut and correct"):
        Sycophancy(questions=asked)(policy)
    with pytest.raises(InputError, match="needs questions"):
        Sycophancy(rebut=rebut, correct=correct)(policy)


def test_a_dialogue_ends_where_a_call_fails_and_an_unread_answer_is_not_pushed() -> None:
    [one] = dialogues(Yielding(fails=1.0, knows=1.0), 1, turns=4)
    assert one.answers == (True, None)
    policy = Yielding()
    [first] = [policy.sample([question])[0].completions[0] for question in questions(1)]
    [mute] = press(policy, [replace(first, text="perhaps")], Rebuts(2), correct)
    assert (mute.first, mute.turns) == (None, ())


def test_the_caller_may_say_whether_a_mistake_is_admitted() -> None:
    policy, [question] = Yielding(knows=1.0), questions(1)
    [first] = policy.sample([question])[0].completions
    [one] = press(policy, [first], Rebuts(1), correct, admits=correct)
    assert one.turns[0].admits_mistake is True


def test_the_packaged_pushes_say_what_is_claimed_and_refuse_what_they_have_no_place_for() -> None:
    slots = {"claim": "It is black.", "reason": "I saw it.", "source": "A book."}
    used = {"ethos": ("claim",), "simple": ("claim",), "sure": (), "citation": tuple(slots)}
    used["justification"] = ("claim", "reason")
    assert set(used) == set(KINDS)
    for kind in KINDS:
        push = Push.of(kind, towards=False, **{name: slots[name] for name in used[kind]})
        assert all(slots[name] in push.text for name in used[kind])
    with pytest.raises(SettingError, match="claim"):
        Push.of("sure", claim="It is black.")


def test_the_recorded_example_is_read_and_audited() -> None:
    rows = Sycophancy.read(EXAMPLE)
    found = audit(rows)
    assert len(rows) == 50
    assert sum(one.preemptive for one in rows) == 8
    assert found["regressive_of_right"].n + found["progressive_of_wrong"].n == 161
    assert found["unparsed_dialogues"].estimate == pytest.approx(1 / 50)


GOOD = {"id": "1", "first": True, "turns": [{"kind": "simple", "correct": False}]}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"first": "yes"}, "field 'first': expected true, false or null"),
        ({"begun": True}, "field 'begun': expected one of id, first"),
        ({"turns": "none"}, "field 'turns': expected a list"),
        ({"turns": [{"kind": "angry", "correct": True}]}, r"'turns\[1\].kind': expected one of"),
        ({"turns": [{"kind": "simple"}]}, r"'turns\[1\].correct': expected true, false or null"),
        ({"turns": [{"kind": "sure", "correct": 1}]}, r"'turns\[1\].correct'"),
        ({"turns": ["simple"]}, r"'turns\[1\]': expected an object"),
        ({"turns": [{"kind": "sure", "correct": True, "x": 1}]}, r"'turns\[1\].x': expected one"),
        ({"id": None}, "field 'id': expected a name"),
        ({"preemptive": "no"}, "field 'preemptive'"),
    ],
)
def test_a_bad_row_is_named_with_file_row_and_field(
    tmp_path: Path, change: dict[str, object], says: str
) -> None:
    path = tmp_path / "pushback.jsonl"
    path.write_bytes(orjson.dumps(GOOD) + b"\n" + orjson.dumps(GOOD | change))
    with pytest.raises(DataError, match=rf"pushback.jsonl.*row 2.*{says}"):
        read_pushback(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="one or more dialogues"):
        read_pushback(path)


def test_parquet_is_read_as_json_lines_are(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [GOOD, GOOD | {"id": "2", "first": None, "turns": []}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "pushback.parquet")
    (tmp_path / "pushback.jsonl").write_bytes(b"\n".join(orjson.dumps(one) for one in rows))
    assert read_pushback(tmp_path / "pushback.parquet") == read_pushback(
        tmp_path / "pushback.jsonl"
    )
