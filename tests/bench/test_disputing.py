"""``solon debate --protocol prover-estimator``: planted trees, and models over a real server."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from wire.server import Server, serving, text_of

from solon.bench.disputing import ClaimFile, OneClaim, PlantedClaims, PosedClaim, disputing_on
from solon.bench.disputing.brittleness import Brittleness, wavering
from solon.bench.disputing.outcome import summary
from solon.bench.disputing.players import Models, Sceptic
from solon.bench.disputing.shown import shown
from solon.cli import main
from solon.oversight.moves import Disputed
from solon.oversight.stability import instability
from solon.records import Reworded, TreeDebate
from solon.run.run import Run
from solon.run.shards import read_records

BY = ["debate", "--protocol", "prover-estimator"]
HOSTILE = "[red]He lied[/red] \x1b[31m<script>alert(1)</script>"
SPLIT = {"claims": ["He was there.", HOSTILE], "follows": "all"}
CLAIM = re.compile(r"<claim>\n(.*?)\n</claim>", re.DOTALL)


@dataclass
class Forum(Server):
    """The estimator doubts the second subclaim, and any claim that is put in other words."""

    mute: bool = False

    def answer(self, body: dict[str, Any], text: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": json.dumps(self.said(text))}
        usage = {"prompt_tokens": 100, "completion_tokens": 20}
        return {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}

    def said(self, text: str) -> dict[str, Any]:
        if "Split the claim" in text:
            return {} if self.mute else SPLIT
        if "Which estimate" in text:
            return {"estimate": 2 if "2. " in text else 1, "truth": "higher"}
        claim = CLAIM.findall(text)[-1]
        if "other ways" in text:
            return {"claims": [f"{claim} Indeed.", f"{claim} Surely."]}
        if "How probable" in text:
            return {"probability": 0.5 if "He lied" in claim else 0.9 - len(claim) / 1000}
        return {"verdict": "true"}


@pytest.fixture
def forum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Forum]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOLON_CACHE", str(tmp_path / "replies.sqlite"))
    monkeypatch.setenv("COLUMNS", "400")
    with serving(Forum()) as server:
        assert isinstance(server, Forum)
        yield server


def players(url: str, *names: str) -> list[str]:
    return ["--on", "endpoint", *(f"{who}.model={who}" for who in names)] + [
        f"{who}.base_url={url}" for who in names
    ]


def claims(folder: Path, rows: list[dict[str, Any]]) -> str:
    path = folder / "claims.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def row(k: int, right: Any = True) -> dict[str, Any]:
    return {"claim": f"Lamp {k} is hidden.", "right": right, "id": f"c{k}", "cluster": k // 2}


def told(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "summary.json").read_text())


def cells(folder: Path, name: str) -> dict[str, float]:
    return {one["name"]: one["values"][name]["estimate"] for one in told(folder)["rows"]}


def test_a_claim_of_the_labs_own_is_shown_as_a_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    main([*BY, "seed=2"])
    said = capsys.readouterr().out
    assert "├── follows if these hold: all" in said
    assert re.search(r"the prover's payoff is [+−]?[\d.]+, [+−]?[\d.]+ of the last stake", said)
    assert re.search("the claim is (true|false)", said)
    assert "too brittle for the protocol" in " ".join(said.split())
    assert not list(tmp_path.iterdir())


def test_planted_trees_have_the_truth_that_was_planted(tmp_path: Path) -> None:
    with Run(tmp_path, seed=4) as run:
        drawn = PlantedClaims(n=40, width=5, needed=3, levels=2).open(run)
        again = PlantedClaims(n=40, width=5, needed=3, levels=2).open(run)
    assert drawn == again
    assert 10 < sum(one.right is True for one in drawn) < 30
    for one in drawn:
        assert one.truth[one.disputed.claim] == float(one.right is True)
        assert one.tree is not None
        # three of five fail at both levels: no leaf more than it takes
        false = [leaf for leaf in one.tree.leaves() if not one.truth[leaf.claim]]
        assert len(false) == (0 if one.right else 9)


def test_a_file_of_planted_claims_is_counted_and_goes_on(tmp_path: Path) -> None:
    command = [*BY, "questions.n=20", "chunk=8", "--quiet", "--out", str(tmp_path / "g")]
    main(command)
    records = tmp_path / "g" / "records" / "trees"
    played = read_records(records)
    assert [one.id for one in played] == [f"plan {k}" for k in range(20)]
    assert all(one.rounds[-1].siblings and not one.failed for one in played)
    before = told(tmp_path / "g")
    (records / "00002.parquet").unlink()  # as if it had been killed before the last chunk
    (records / "00001.parquet").unlink()
    main(command)
    assert read_records(records) == played
    assert told(tmp_path / "g") == before
    page = (tmp_path / "g" / "report.html").read_text()
    assert "Disputed claims" in page
    with pytest.raises(SystemExit):
        main([*command, "game.depth=1"])
    assert read_records(records) == played


def test_who_doubts_more_is_off_by_more_and_loses_more(tmp_path: Path) -> None:
    for error in ("0", "0.2", "0.8"):
        out = str(tmp_path / error)
        main([*BY, "questions.n=40", f"estimator.error={error}", "--quiet", "--out", out])
    gained = [cells(tmp_path / e, "share of the last stake")["all claims"] for e in ("0", "0.2")]
    assert gained[0] == 0
    assert cells(tmp_path / "0", "estimate accuracy")["all claims"] == 1
    assert gained[0] < gained[1] < cells(tmp_path / "0.8", "share of the last stake")["all claims"]


def test_redundant_arguments_are_not_called_brittle(tmp_path: Path) -> None:
    common = [*BY, "questions.n=20", "estimator=sceptic", "--quiet"]
    main([*common, "--out", str(tmp_path / "all")])
    main([*common, "questions.width=5", "questions.needed=3", "--out", str(tmp_path / "some")])
    assert "too brittle" in " ".join(told(tmp_path / "all")["notes"])
    assert "too brittle" not in " ".join(told(tmp_path / "some")["notes"])
    assert cells(tmp_path / "all", "root estimate") == pytest.approx(
        {"all claims": 0.2, "true claims": 0.2, "false claims": 0.2}
    )
    assert cells(tmp_path / "all", "estimate accuracy")["false claims"] == 1
    assert cells(tmp_path / "all", "estimate accuracy")["true claims"] == 0


def test_models_dispute_a_claim_of_ones_own(
    forum: Forum, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([*BY, "The lamp is\n hidden.", *players(forum.url, "debater", "judge"), "depth=1"])
    said = capsys.readouterr().out
    assert "The lamp is hidden." in said  # on one line
    assert "[red]He lied[/red]" in said
    assert not set(said) & {"\x1b"}
    # 0.5 (0.9 - 0.013), and a gain of half the second stake: the judge takes all for true
    assert "its subclaims imply 0.444" in said
    assert "stated 0.500, prover: higher ↑, the judge says 1.000, pays +3.12 of 6.25" in said
    by = Counter(body["model"] for body in forum.bodies)
    assert by == {"debater": 6, "judge": 2}
    assert re.search(r"debater@\w+: 6 calls", said)
    assert not list(tmp_path.glob("*/manifest.json"))


def test_an_estimator_of_ones_own_is_the_debaters_server_until_it_is_set(
    forum: Forum, tmp_path: Path
) -> None:
    path = claims(tmp_path, [row(0), row(1, right=False), row(2, None)])
    command = [*BY, "--questions", path, *players(forum.url, "debater", "judge"), "depth=1"]
    main([*command, "estimator.model=second", "--out", "g", "--quiet"])
    by = Counter(body["model"] for body in forum.bodies)
    assert by == {"debater": 3 * 3, "second": 3 * 3, "judge": 3 * 2}
    asked = len(forum.bodies)
    main([*command, "estimator.model=second", "--out", "g", "--quiet"])
    assert len(forum.bodies) == asked
    assert cells(tmp_path / "g", "estimate accuracy")["all claims"] == 0.5
    assert "accuracy is of the 2 claims" in " ".join(told(tmp_path / "g")["notes"])
    page = (tmp_path / "g" / "report.html").read_text()
    assert "&lt;script&gt;" in page
    assert "<script" not in page


def test_the_judge_and_the_estimator_see_no_truth(forum: Forum, tmp_path: Path) -> None:
    path = claims(tmp_path, [row(0, right=False)])
    main([*BY, "--questions", path, *players(forum.url, "debater", "judge"), "--out", "g"])
    assert forum.bodies
    assert not [body for body in forum.bodies if "c0" in text_of(body)]


def test_wordings_are_asked_for_once_a_claim_and_only_where_it_is_wished(
    forum: Forum, tmp_path: Path
) -> None:
    path = claims(tmp_path, [row(0), row(1)])
    command = [*BY, "--questions", path, *players(forum.url, "debater", "judge"), "depth=1"]
    main([*command, "--out", "without", "--quiet"])
    assert "wavering" not in told(tmp_path / "without")["columns"]
    main([*command, "wordings=2", "--out", "with", "--quiet"])
    found = read_records(tmp_path / "with" / "records" / "wordings")
    assert [one.claim for one in found][:1] == ["Lamp 0 is hidden."]
    assert len(found) == 3  # both roots, and the subclaim that both share
    assert found[0].wordings[1:] == tuple(f"Lamp 0 is hidden. {w}" for w in ("Indeed.", "Surely."))
    assert found[0].p == pytest.approx((0.883, 0.875, 0.875))
    assert "no claim moves by more than 0.05" in " ".join(told(tmp_path / "with")["notes"])


def stopped(command: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[Any, str]:
    with pytest.raises(SystemExit) as end:
        main(command)
    return end.value.code, capsys.readouterr().err.strip().splitlines()[-1]


def test_debates_without_any_verdict_have_a_page_and_are_a_failure(
    forum: Forum, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forum.mute = True
    path = claims(tmp_path, [row(0), row(1)])
    command = [*BY, "--questions", path, *players(forum.url, "debater", "judge"), "--out", "g"]
    code, why = stopped(command, capsys)
    assert (code, "no debate has a verdict; the first: prover: no claims" in why) == (1, True)
    assert cells(tmp_path / "g", "no verdict rate")["all claims"] == 1
    assert cells(tmp_path / "g", "root estimate")["all claims"] > 0.8  # it was stated before


MISTAKES = {
    "one=1 two three": "expected one CLAIM and KEY=VALUE, got 'three' too",
    "Lamps? --first a": "first: expected none with --protocol prover-estimator",
    "Lamps? --questions x.jsonl": "expected CLAIM or --questions FILE, got both",
    "Lamps?": "a claim of yours needs models: --on endpoint or --on local",
    "--on endpoint": "debate: expected CLAIM, or --questions FILE",
    "questions.n=2": "debate: expected --out FOLDER for 2 claims",
    "questions.needed=5": "needed: expected from 1 to 4, got 5",
    "eps=0": "eps: expected between 0 and 1, got 0.0",
    "wordings=2": "wordings: expected 0 for planted claims",
    "estimator=oracle": "estimator: .*doubter, sceptic",
    "estimator.error=2": "error: expected from 0 to 1, got 2.0",
    "--questions absent.jsonl --out o": "absent.jsonl: expected a file, got nothing there",
}


@pytest.mark.parametrize("said", MISTAKES)
def test_a_mistake_is_one_line_that_says_the_way_out(
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, why = stopped([*BY, *said.split()], capsys)
    assert code == 2
    assert re.search(MISTAKES[said], why)


BAD = {
    "claim": ({"claim": " "}, "row 2, field 'claim': expected text, got"),
    "right": ({"right": "yes"}, "row 2, field 'right': expected true or false, got 'yes'"),
    "number": ({"right": 1}, "row 2, field 'right': expected true or false, got 1"),
    "id": ({"id": "c0"}, "row 2, field 'id': expected each once, got 'c0'"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_one_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, expected = BAD[name]
    path = claims(tmp_path, [row(0), row(1) | change])
    code, why = stopped([*BY, "--questions", path, "--out", str(tmp_path / "g")], capsys)
    assert (code, why.startswith(f"solon: {path}, {expected}")) == (2, True)


def test_settings_reach_rules_and_players() -> None:
    said = {"depth": "3", "payoffs.kind": "sign", "estimator": "sceptic", "opening": "0.3"}
    made = disputing_on("lab", said)
    assert (made.game.depth, made.game.payoffs.kind) == (3, "sign")
    assert getattr(made.players, "estimator", None) == Sceptic(opening=0.3)
    model = {"debater.model": "a", "judge.model": "b", "most": "4", "estimator.temperature": "0"}
    made = disputing_on("endpoint", model, questions=OneClaim(claim="x"))
    assert isinstance(made.players, Models)
    first, second = vars_of(made.players.debater), vars_of(made.players.estimator)
    assert first | {"name": "estimator", "temperature": 0.0} == second
    assert made.players.most == 4


def vars_of(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def debate(name: str, opening: float, **changes: Any) -> TreeDebate:
    one = TreeDebate(game="g@1", id=name, claim=name, opening=opening, rounds=(), stake=2.5)
    return replace(one, **changes)


def posed(name: str, right: bool | None, cluster: str = "") -> PosedClaim:
    return PosedClaim(disputed=Disputed(claim=name, name=name), right=right, cluster=cluster)


def test_estimates_are_held_against_the_truth_where_it_is_known() -> None:
    debates = [debate("a", 0.9), debate("b", 0.5), debate("c", 0.8), debate("d", 0.1)]
    asked = [posed("a", True), posed("b", True), posed("c", False), posed("d", None)]
    rows = {one["name"]: one["values"] for one in summary(debates, asked, eps=0.1)["rows"]}
    assert rows["all claims"]["root estimate"]["estimate"] == pytest.approx(2.3 / 4)
    assert rows["all claims"]["estimate accuracy"]["estimate"] == 0.5  # 1, a half, 0
    assert rows["true claims"]["estimate accuracy"]["estimate"] == 0.75
    assert rows["false claims"]["estimate accuracy"]["estimate"] == 0


def test_claims_of_one_cluster_count_as_one() -> None:
    debates = [debate(str(k), 0.9 if k < 6 else 0.1) for k in range(12)]
    wide: dict[int, float] = {}
    for size in (1, 6):
        asked = [posed(str(k), True, cluster=str(k // size)) for k in range(12)]
        cell = summary(debates, asked, eps=0.1)["rows"][0]["values"]["root estimate"]
        wide[size] = cell["high"] - cell["low"]
    assert wide[6] > 2 * wide[1]


def test_wavering_is_told_by_how_far_claims_move() -> None:
    still = Reworded(claim="a", wordings=("a", "b"), p=(0.5, 0.5))
    moves = Reworded(claim="c", wordings=("c", "d"), p=(0.2, 0.8))
    mute = Reworded(claim="e", failed="estimator: mute")
    found, notes = wavering([still, moves, mute], 0.05)
    assert found["wavering rate"]["estimate"] == 0.5
    assert found["wavering"]["estimate"] == pytest.approx(0.6 / 2**0.5 / 2)
    assert notes[0] == "1 of 3 claims could not be put in other words"
    assert "above 0.05 in 50% of them" in notes[1]
    assert wavering([], 0.05) == ({}, [])
    assert wavering([mute], 0.05)[0] == {}


def test_brittleness_in_truth_is_the_arguments_own(tmp_path: Path) -> None:
    with Run(tmp_path, seed=1) as run:
        drawn = PlantedClaims(n=6).open(run)
    found = Brittleness.of(
        [debate(one.disputed.name, 0.5) for one in drawn], drawn, eps=0.1, clusters=["x"] * 6
    )
    tree = drawn[0].tree
    assert tree is not None
    assert found.true[0] == instability(tree, lambda leaf: drawn[0].truth[leaf], 0.1)
    assert found.stated == ()
    assert found.notes() == ["no split is on record, so nothing is said of stability"]


def test_a_debate_that_broke_off_is_shown_with_its_reason() -> None:
    console = Console(width=100)
    with console.capture() as said:
        console.print(shown(debate("[b]x[/b]", 0.5, failed="prover: [i]mute[/i]")))
    assert "[b]x[/b]" in said.get()
    assert "no verdict: prover: [i]mute[/i]" in said.get()


def test_a_csv_says_the_truth_in_words(tmp_path: Path) -> None:
    path = tmp_path / "claims.csv"
    path.write_text("claim,right\nLamps burn.,True\nLamps sing.,false\nLamps?,\n")
    with Run(tmp_path / "run") as run:
        found = ClaimFile(path=str(path)).open(run)
    assert [one.right for one in found] == [True, False, None]
