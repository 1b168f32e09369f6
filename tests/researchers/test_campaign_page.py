"""A campaign's page and findings: the scorer's numbers, and nobody's markup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console
from test_scorer import Here

from solon.engines.classifiers import Probe
from solon.lab.salience import Salience
from solon.researchers.alarms import Alarm
from solon.researchers.campaign import Campaign
from solon.researchers.console import closing, remarks
from solon.researchers.crew import roles
from solon.researchers.elsewhere import baselines, carry_all
from solon.researchers.embedded import Embedded
from solon.researchers.forum import Post, Standing
from solon.researchers.ledger import Record
from solon.researchers.office import Office
from solon.researchers.outcome import Outcome, Submitted, submitted
from solon.researchers.page import page, verdict, write_page
from solon.researchers.places import Places
from solon.researchers.posing import Posing
from solon.researchers.rounds import Rounds
from solon.researchers.rules import Client, Rules
from solon.researchers.transfer import Transfer
from solon.run.run import Run
from solon.run.start import write_manifest

EVIL = "<script>alert(1)</script>\u202e"
CAMPAIGN = Campaign(
    posing=Posing(
        tasks=Salience(supervise=80, transfer=120, test=900),
        weak=Probe(view="weak"),
        strong=Probe(view="strong"),
        seeds=2,
    ),
    agents=2,
    turns=3,
    rules=Rules(audit_seeds=2),
    transfer=Transfer(methods=1, draws=1, imitations=(0.9,), runs=2),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole campaign whose methods, all of the library, run in this process."""
    folder = tmp_path_factory.mktemp("campaign")
    write_manifest(folder, CAMPAIGN, bench="lab", seed=2)
    places = Places(folder=folder)
    with Run(folder, seed=2) as run:
        with Run(folder / "posing", seed=5) as drawn:
            posed = CAMPAIGN.posing.pose(drawn)[0]
        crew = roles(2, 0, directed=True)
        names = [one.name for one in crew]
        office = Office(folder=places.office, secret=5)
        office.found(posed.problem, posed.holdout, agents=names, rules=CAMPAIGN.rules)
        scorer = replace(office.open(), execute=Here())
        clients: Mapping[str, Client] = dict.fromkeys(names, scorer)
        agents = [Embedded.of(one.direction, name=one.name) for one in crew]
        for turn in range(1, 4):  # one after the other: only the sandbox runs several at one time
            for agent in agents:
                alone = Rounds(
                    agents=[agent], turns=turn, places=places, clients=clients,
                    moved=lambda *_: None,
                )  # fmt: skip
                alone()
        places.forum.share(Post(agent="eve", kind="insight", title=EVIL, text=EVIL * 2))
        carry_all(run, CAMPAIGN.posing, CAMPAIGN.transfer, execute=Here(), workers=1)
    return folder


@pytest.fixture(scope="module")
def outcome(folder: Path) -> Outcome:
    return Outcome.of(folder)


def test_the_leaderboard_is_the_scorers_and_the_exact_scores_stand_beside_it(
    folder: Path, outcome: Outcome
) -> None:
    records = Places(folder=folder).ledger().records
    assert len(outcome.submissions) == len(records) == 6
    best = outcome.standings[0]
    released = [one.released for one in records if one.released is not None]
    assert best.pgr == max(released)
    told = [one.told for one in outcome.submissions if one.record.agent == best.agent]
    assert told[-1] == best.pgr
    assert told == sorted(told, key=lambda one: one or -9.0)
    assert all(one.time is not None and len(one.alarms) == 3 for one in outcome.submissions)
    own = [one.number for one in outcome.submissions if one.record.agent == "embedded-2"]
    assert own == [1, 2, 3]
    assert "def method(problem)" in outcome.source


def test_findings_hold_what_the_page_says(folder: Path, outcome: Outcome) -> None:
    path = write_page(folder, outcome)
    found: dict[str, Any] = orjson.loads((folder / "findings.json").read_bytes())
    assert found["leaderboard"][0]["pgr"] == outcome.standings[0].pgr
    assert len(found["submissions"]) == 6
    assert {"pgr", "told", "audits", "method", "seconds"} <= set(found["submissions"][0])
    assert found["trace"]["rows"] == outcome.chain.rows
    assert found["trace"]["head"] == outcome.chain.head
    said = path.read_text()
    for title in ("Elsewhere", "Leaderboard", "PGR over time", "Ideas", "Alarms", "Costs", "Trace"):
        assert f"<h2>{title}</h2>" in said
    assert outcome.chain.head in said
    assert "<script" not in said
    assert "http://" not in said
    assert page(outcome) == page(Outcome.of(folder))


def test_every_method_is_tried_on_final_and_on_what_nobody_saw(outcome: Outcome) -> None:
    places = {one.place for one in outcome.transfer}
    assert places == {"FINAL", "draw 1", "imitation 0.9"}
    digests = {one.digest for one in outcome.transfer}
    own = {one.digest for one in baselines().values()}
    assert digests == own | {outcome.standings[0].digest}
    assert len(outcome.transfer) == 3 * len(digests)
    for one in outcome.transfer:
        assert one.pgr is not None
        assert one.weak is not None
        assert one.ceiling is not None
        assert one.weak.estimate < one.ceiling.estimate
    assert outcome.standings[0].agent in verdict(outcome)
    assert "On FINAL it" in verdict(outcome) or "naive student" in verdict(outcome)


def test_what_was_carried_before_a_kill_is_not_carried_again(folder: Path) -> None:
    path = Places(folder=folder).transfer
    rows = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(rows[:-2]))
    begun: list[int] = []

    class Watched(Here):
        def __call__(self, method: Any, problem: Any, /) -> Any:
            begun.append(problem.seed)
            return Here.__call__(self, method, problem)

    with Run(folder, seed=2) as run:
        carry_all(run, CAMPAIGN.posing, CAMPAIGN.transfer, execute=Watched(), workers=1)
    assert path.read_bytes().splitlines(keepends=True) == rows
    assert len(begun) == 2 * 2


def test_hostile_names_and_titles_are_inert(outcome: Outcome) -> None:
    evil = Standing(agent=EVIL, pgr=0.9, digest="0" * 64, queries=1)
    record = Record(agent=EVIL, kind="score", digest="0" * 64, alarms=("canary",), reason=EVIL)
    rings = {"audit": EVIL, "value": 9.0, "limit": 4.0, "rings": True, "says": EVIL}
    worse = replace(
        outcome,
        standings=(evil, *outcome.standings),
        submissions=(
            *outcome.submissions,
            Submitted(number=1, record=record, told=None, time=1.0, alarms=(rings,)),
        ),
        labels={**outcome.labels, "0" * 64: EVIL},
        source=EVIL,
    )
    said = page(worse)
    assert "<script" not in said
    assert "\u202e" not in said
    assert said.count("&lt;script&gt;") > 8
    assert "⟨U+202E⟩" in said
    shown = StringIO()
    Console(file=shown, width=300).print(closing(worse))
    assert "\u202e" not in shown.getvalue()


def test_an_alarm_names_agent_audit_value_and_limit(outcome: Outcome) -> None:
    record = Record(agent="mallory", kind="score", digest="1" * 64, alarms=("teacher",))
    alarm = Alarm(audit="teacher", value=0.93, limit=0.5, rings=True, says="accuracy 0.9")
    row = {name: getattr(alarm, name) for name in Alarm.__slots__}
    one = Submitted(number=7, record=record, told=None, alarms=(row,))
    said = page(replace(outcome, submissions=(*outcome.submissions, one)))
    part = said[said.index('id="alarms"') : said.index('id="costs"')]
    for word in ("mallory", "▲ teacher", "0.93", "0.5", ">7<", "1 of 7 audited submissions rang"):
        assert word in part
    assert "1 with alarms" in remarks(replace(outcome, submissions=(one,)))[0]


def test_a_trace_that_was_changed_is_said_to_be_broken(folder: Path, tmp_path: Path) -> None:
    path = Places(folder=folder).trace.path
    kept = path.read_bytes()
    try:
        path.write_bytes(kept.replace(b'"score"', b'"scare"', 1))
        found = Outcome.of(folder)
    finally:
        path.write_bytes(kept)
    assert "hash" in found.chain.broken
    assert "▲ broken" in page(found)
    assert "trace broken" in remarks(found)[1]


def test_a_record_whose_row_of_the_trace_a_kill_kept_back_is_still_shown() -> None:
    records = [
        Record(agent="ada", kind="score", digest="a", pgr=0.3, released=0.3, improved=True),
        Record(agent="ada", kind="score", digest="b", pgr=0.5, released=0.5, improved=True),
        Record(agent="ada", kind="gate", digest="b"),
    ]
    row = {"agent": "ada", "tool": "score", "time": 7.0, "detail": {"digest": "b", "alarms": []}}
    spent = {"agent": "ada", "tool": "score", "time": 8.0, "detail": {"reason": "budget: spent"}}
    found = submitted(records, [row, spent])
    assert [(one.told, one.time) for one in found] == [(0.3, None), (0.5, 7.0)]


def test_an_empty_campaign_says_so(outcome: Outcome) -> None:
    empty = replace(
        outcome, submissions=(), standings=(), transfer=(), families={}, posts=(), source="",
        diversity=(),
    )  # fmt: skip
    assert verdict(empty) == "The scorer released no score to any agent."
    assert "No leaderboard" in page(empty)
