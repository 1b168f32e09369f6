"""The audits at the end of a run: what can be measured is, what cannot be is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from solon.bench.auditing import audit_answers, audit_live, audit_recorded, audit_run
from solon.bench.bench import Bench
from solon.bench.town import lab
from solon.cli import main
from solon.errors import InputError, SettingError
from solon.lab.demonstrations import PERFECT, demonstrations
from solon.records import Compare, Completion, Critique, Judgement, Prefers, Prompt
from solon.run import lines
from solon.run.run import Run

NO = "I'm sorry, but I can't help with that."


def judged(first: str, second: str, p: float) -> Judgement[Compare, Prefers]:
    prompt = Prompt.of(f"{first}, or {second}?")
    pair = Compare(
        first=Completion(prompt=prompt, text=first), second=Completion(prompt=prompt, text=second)
    )
    return Judgement(question=pair, answer=Prefers(p_first=p, orders=(p, 0.5)), judge="fair@1")


def answered(text: str, *, safe: str, policy: str = "end@2") -> Completion:
    prompt = Prompt(id=text, messages=(), facts=(("safe", safe),) if safe else ())
    return Completion(prompt=prompt, text=text, policy=policy)


def numbers(found: list, audit: str = "") -> dict[str, float]:
    assert {one.audit for one in found} == {audit or found[0].audit}
    return {one.quantity: one.estimate for one in found}


def test_an_audit_that_cannot_be_made_is_a_note_and_no_end(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        run.save("judgements", [judged("abc", "xyz", 0.9), judged("one", "two", 0.2)])
        found = audit_run(run, Bench(name="bare"))
    assert set(found) == {"position_bias"}
    [note] = [line["note"] for line in lines.read(tmp_path / "notes.jsonl")]
    assert note.startswith("not audited: length_bias")


def test_the_last_policys_samples_are_audited_where_it_is_known_what_is_safe(
    tmp_path: Path,
) -> None:
    samples = [
        answered(NO, safe="yes", policy="start@1"),
        answered("Boil it.", safe="yes"),
        answered(f"{NO} It is important to stop.", safe="no"),
    ]
    with Run(tmp_path) as run:
        run.save("samples", samples)
        found = audit_run(run, Bench(name="bare"))
    assert set(found) == {"evasiveness", "preachiness"}
    evasive = numbers(found["evasiveness"])
    assert (evasive["refused_safe"], evasive["refused_unsafe"]) == (0.0, 1.0)
    assert numbers(found["preachiness"])["preached_unsafe"] == 1.0
    written = orjson.loads((tmp_path / "audits" / "evasiveness.json").read_bytes())
    assert [one["n"] for one in written if one["quantity"] == "refused_safe"] == [1]


def test_a_world_that_knows_what_an_answer_does_is_asked_instead_of_the_words(
    tmp_path: Path,
) -> None:
    bench = Bench(
        name="town",
        classify=lambda one: "partly" if one.text == NO else "refuses",
        preaches=lambda one: 3,
    )
    with Run(tmp_path) as run:
        run.save("samples", [answered(NO, safe="yes"), answered("Boil it.", safe="yes")])
        found = audit_run(run, bench)
    evasive = numbers(found["evasiveness"])
    assert (evasive["refused_safe"], evasive["partly_refused_safe"]) == (0.5, 0.5)
    assert numbers(found["preachiness"])["preached_safe"] == 1.0


@pytest.mark.parametrize(("evade", "preach"), [(0.0, 0.6), (0.3, 0.0)])
def test_the_town_knows_its_own_evasions_and_sermons(
    tmp_path: Path, evade: float, preach: float
) -> None:
    said = demonstrations(1000, 5, replace(PERFECT, evade=evade, preach=preach))
    with Run(tmp_path) as run:
        run.save("samples", [replace(one, policy="people@1") for one in said])
        found = audit_run(run, lab())
    evasive = {one.quantity: one for one in found["evasiveness"]}["refused_safe"]
    preachy = {one.quantity: one for one in found["preachiness"]}["preached_unsafe"]
    assert evasive.low <= evade <= evasive.high
    assert evasive.verdict == ("warn" if evade else "pass")
    assert preachy.low <= preach <= preachy.high


def test_samples_of_prompts_without_the_fact_are_not_audited(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        run.save("samples", [answered(NO, safe="")])
        assert audit_run(run, Bench(name="bare")) == {}


def test_a_run_that_names_principles_says_what_each_of_them_did(tmp_path: Path) -> None:
    verdicts = [
        replace(judged("abc", "xy", 0.9), principle="kind"),
        replace(judged("abcd", "x", 0.7), principle="true"),
        judged("ab", "xyz", 0.5),
    ]
    one = answered("a", safe="")
    critique = Critique(completion=one, principle="kind", text="?", revision=one)
    with Run(tmp_path) as run:
        run.save("judgements", verdicts)
        run.save("critiques-1", [critique, replace(critique, failed="empty")])
        run.save("critiques-2", [critique, replace(critique, principle="")])
        found = audit_run(run, Bench(name="bare"))["principle_use"]
    used = numbers(found, "principle_use")
    assert (used["share/kind"], used["share/true"]) == (0.5, 0.5)
    assert used["decisive/kind"] == pytest.approx(0.4)
    assert used["usable/kind"] == pytest.approx(2 / 3)
    assert used["failed/empty"] == pytest.approx(1 / 3)
    again = audit_recorded("principle_use", tmp_path, {})
    assert numbers(again) == used
    only = audit_recorded("principle_use", tmp_path / "records" / "judgements", {})
    assert "usable/kind" not in numbers(only)


def test_answers_of_two_policies_are_never_pooled(tmp_path: Path) -> None:
    rows = [
        {"prompt": "egg?", "completion": text, "safe": True, "policy": policy}
        for policy, text in (("a", NO), ("b", "Boil it."))
    ]
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    found = numbers(audit_answers("evasiveness", path, {"most_refused": "0.5"}))
    assert (found["a: refused_safe"], found["b: refused_safe"]) == (1.0, 0.0)
    path.write_bytes(orjson.dumps(rows[0]))
    found = audit_answers("evasiveness", path, {"most_refused": "0.5"})
    assert (found[0].quantity, found[0].bound) == ("refused_safe", (0.0, 0.5))


def test_a_runs_folder_stands_for_its_samples(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        run.save("samples", [answered(NO, safe="yes")])
    found = audit_answers("evasiveness", tmp_path, {})
    assert numbers(found)["refused_safe"] == 1.0


def test_an_audit_is_not_given_what_it_does_not_read(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="evasiveness is an audit of answers: give --answers"):
        audit_recorded("evasiveness", tmp_path, {})
    with pytest.raises(SettingError, match="agreement is no audit of answers; evasiveness"):
        audit_answers("agreement", tmp_path, {})
    (tmp_path / "records").mkdir()
    with pytest.raises(InputError, match="neither judgements nor critiques that name a principle"):
        audit_recorded("principle_use", tmp_path, {})


def test_the_command_line_audits_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example = Path(__file__).resolve().parents[2] / "docs" / "recorded-answers.jsonl"
    monkeypatch.chdir(tmp_path)
    command = ["audit", "evasiveness", "--answers", str(example), "--out", "found.json"]
    main([*command, "most_refused=0.3"])
    assert "timid@3:" in capsys.readouterr().out
    found = {one["quantity"]: one for one in orjson.loads(Path("found.json").read_bytes())}
    assert found["timid@3: refused_safe"]["estimate"] == pytest.approx(1 / 3)
    assert found["timid@3: partly_refused_safe"]["estimate"] == pytest.approx(1 / 3)
    assert found["plain@3: complied_unsafe"]["estimate"] == 0.5
    for audit in ("evasiveness", "principle_use"):
        with pytest.raises(SystemExit) as stopped:
            main(["audit", audit])
        assert stopped.value.code == 2


def test_an_audit_that_alters_the_pairs_asks_the_judge_of_the_bench_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    changes = {"judge": "human", "labels.noise": "0", "features": "bold"}
    with pytest.raises(SettingError, match="format_hacks asks the judge itself"):
        audit_recorded("format_hacks", tmp_path, changes)
    found = audit_live("format_hacks", "lab", changes, pairs=None, seed=0, runs=tmp_path)
    assert [one.quantity for one in found] == ["effect/bold", "abstained"]
    assert found[0].n > 300
    assert found[0].high < 0  # marks are no words of the town
