"""The claims of automated researchers: whole, on one small cell, and each prediction can fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solon.claims import _research as research
from solon.claims import directions_keep_diversity as directions
from solon.claims import findings_transfer as transfer
from solon.claims import researchers_beat_baselines as baselines
from solon.claims._claim import Outcome
from solon.researchers.ledger import Record
from solon.researchers.notebook import Notes, Try
from solon.researchers.parts import BASELINES, FAMILIES, LIBRARY, labelled, tunings
from solon.researchers.scorer import Scorer

SMALL = replace(research.LAB, transfer=64, test=1200)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two turns of five agents, the fewest that a step's diversity is measured on."""
    few = {name: tuple(given)[:5] for name, given in research.CAMPAIGNS.items()}
    monkeypatch.setattr(research, "CAMPAIGNS", few)
    monkeypatch.setattr(research, "TURNS", 2)
    for module in (baselines, transfer, directions):
        monkeypatch.setattr(module, "LAB", SMALL)
    monkeypatch.setattr(transfer, "PROBLEMS", {"another concept": SMALL})


def scorer(folder: Path) -> Scorer:
    return research.scorer_in(folder, SMALL, 0)


def test_a_campaign_that_was_stopped_goes_on_as_if_it_had_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = research.campaign(tmp_path / "whole", "directed", scorer(tmp_path / "whole"), 0)
    assert [len(one.tries) for one in whole.values()] == [2] * 5
    folder = tmp_path / "parts"
    monkeypatch.setattr(research, "TURNS", 1)
    research.campaign(folder, "directed", scorer(folder), 0)
    monkeypatch.setattr(research, "TURNS", 2)
    assert research.campaign(folder, "directed", scorer(folder), 0) == whole
    again = scorer(folder)
    assert research.campaign(folder, "directed", again, 0) == whole
    assert len(again.ledger.records) == 10


def test_the_winner_is_what_the_ladder_told_best_of_its_own_campaign(tmp_path: Path) -> None:
    judge = scorer(tmp_path)
    notes = research.campaign(tmp_path, "directed", judge, 0)
    told = [one.pgr for own in notes.values() for one in own.tries if one.improved and one.pgr]
    digest = notes["directed-3"].tries[1].digest
    best = Record(agent="directed-3", kind="score", digest=digest, released=9.0, improved=True)
    found = research.winner(judge, notes)
    assert found.dev == pytest.approx(max(told), abs=judge.rules.grid / 2 + 1e-9)
    judge.ledger.add(replace(best, agent="undirected-0"))
    assert research.winner(judge, notes) == found
    judge.ledger.add(best)
    assert labelled(research.winner(judge, notes).parts) == notes["directed-3"].tries[1].parts


def test_tuning_takes_the_best_by_exact_scores_and_sends_nothing_twice(tmp_path: Path) -> None:
    judge = scorer(tmp_path)
    settings = tunings(BASELINES["confident-only"])
    found = research.tuned(judge, "tuned", settings)
    scores = [one.pgr for one in judge.ledger.records]
    assert found.dev == max(pgr for pgr in scores if pgr is not None)
    assert research.tuned(judge, "tuned", settings) == found
    assert len(judge.ledger.records) == len(settings) == 3


def test_a_method_is_tuned_anew_over_its_own_settings_only() -> None:
    found = (LIBRARY["self-trained"].tuned(rounds=4), LIBRARY["distilled"])
    settings = transfer.retunings(found, 0)
    assert settings[0] == found
    assert len({labelled(one) for one in settings}) == len(settings) == 9
    assert {frozenset(part.name for part in one) for one in settings} == {
        frozenset({"self-trained", "distilled"})
    }
    assert settings == transfer.retunings(found, 0) != transfer.retunings(found, 1)
    assert transfer.retunings(BASELINES["naive"], 0) == [BASELINES["naive"]]


def test_bits_are_of_ideas_and_not_of_the_baseline_that_all_begin_with() -> None:
    leads = [next(p.name for p in LIBRARY.values() if p.family == one) for one in FAMILIES[:9]]
    notes = {
        f"agent-{k}": Notes(
            agent=f"agent-{k}",
            tries=tuple(
                Try(parts="", lead=one, digest="")
                for one in ("naive", *[lead] * 5, *["relabelled"] * 6)
            ),
        )
        for k, lead in enumerate(leads)
    }
    found = directions.spread(notes)
    assert found["early"] == pytest.approx(np.log2(9))
    assert (found["late"], found["self-training"]) == (0.0, 1.0)


def verdicts(
    predictions: Callable[[Mapping[str, Any]], list[Outcome]], figures: Mapping[str, float]
) -> list[str]:
    """Of five seeds that agree but for a hair."""
    column = {name: np.full(5, value) + np.linspace(0, 1e-12, 5) for name, value in figures.items()}
    return [one.verdict for one in predictions(column)]


def test_each_claim_measures_what_it_predicts_and_reports(tmp_path: Path) -> None:
    claims = (
        (baselines, baselines.ResearchersBeatBaselines(seeds=(0,))),
        (transfer, transfer.FindingsTransfer(seeds=(0,))),
        (directions, directions.DirectionsKeepDiversity(seeds=(0,))),
    )
    for module, claim in claims:
        figures = module.measure(tmp_path, claim, 0)
        assert np.isfinite(list(figures.values())).all()
        assert set(verdicts(module.predictions, figures)) <= {"holds", "fails"}
        assert set(verdicts(module.levels, figures)) == {"measured"}


WON = {
    "winner/dev": 0.7, "winner/final": 0.68, "best/dev": 0.6, "best/final": 0.6, "rings": 0.0,
    **{f"{name}/final": 0.6 for name in BASELINES},
}  # fmt: skip


def test_a_winner_that_wins_on_dev_alone_or_by_cheating_fails() -> None:
    assert set(verdicts(baselines.predictions, WON)) == {"holds"}
    bad = [
        {"best/dev": 0.8}, {"best/final": 0.8}, *({f"{name}/final": 0.8} for name in BASELINES),
        {"winner/dev": 0.8}, {"rings": 0.2},
    ]  # fmt: skip
    for number, changed in enumerate(bad):
        found = verdicts(baselines.predictions, {**WON, **changed})
        assert found[number] == "fails", changed
        assert found.count("fails") == 1


def test_a_method_that_does_not_beat_what_is_known_there_does_not_transfer() -> None:
    name = "another concept"
    good = {f"{name}/tuned": 0.7, f"{name}/naive": 0.4, f"{name}/confidence": 0.6}
    assert verdicts(transfer.predictions, good) == ["holds", "holds"]
    assert verdicts(transfer.predictions, {**good, f"{name}/confidence": 0.8}) == ["holds", "fails"]
    assert verdicts(transfer.predictions, {**good, f"{name}/tuned": 0.3}) == ["fails", "fails"]


def test_as_many_ideas_without_directions_fail() -> None:
    good = {
        "directed/late": 2.5, "undirected/early": 2.4, "undirected/late": 1.8,
        "directed/winner/final": 0.7, "undirected/winner/final": 0.6,
    }  # fmt: skip
    assert set(verdicts(directions.predictions, good)) == {"holds"}
    bad = {"directed/late": 1.7, "undirected/early": 1.7, "undirected/winner/final": 0.8}
    for number, (name, value) in enumerate(bad.items()):
        found = verdicts(directions.predictions, {**good, name: value})
        assert found[number] == "fails", name
        assert found.count("fails") == 1
