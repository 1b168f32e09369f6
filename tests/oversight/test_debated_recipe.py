"""A debate's verdict trains a policy: a recipe takes it as its judge, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from oversight.scripted import Model
from tiny import tiny

from solon.bench.session import Session
from solon.errors import SettingError
from solon.oversight.debate import Debate
from solon.oversight.debated import Debated
from solon.oversight.speaking import Speaking
from solon.run.run import Run
from solon.run.shards import read_records


def longer(asked: str) -> tuple[float, float]:
    """The judge believes the longer answer."""
    a, b = (asked.partition(f"Answer {letter}: ")[2].partition("\n\n")[0] for letter in "AB")
    return (0.0, -2.0) if len(a) >= len(b) else (-2.0, 0.0)


@pytest.mark.parametrize("name", ["canonical", "preference"])
def test_a_recipe_learns_from_debates(name: str, tmp_path: Path) -> None:
    debater = Model(says=lambda asked, draw: "Mine is the better one.")
    game = Debate(rounds=1, speaking=Speaking(limit=10, least=1, most=20, quotes=False))
    judge = Debated(debater=debater, judge=Model(thinks=longer), game=game)
    recipe, _ = tiny(name)
    with Run(tmp_path, seed=1) as run:
        replace(recipe, judge=judge)(run)
    judgements = read_records(tmp_path / "records" / "judgements")
    assert judgements
    assert all("Mine is the better one." in one.rationale for one in judgements)
    learnt = read_records(tmp_path / "records" / "preferences")
    assert {len(one.chosen.text) >= len(one.rejected.text) for one in learnt} == {True}
    assert sum(debater.batches) == 2 * len(judgements)


def test_a_debate_is_a_judge_by_name_with_settings_of_its_own() -> None:
    given = {
        "prompts.path": "p.jsonl",
        "judge": "debate",
        "judge.debater.model": "strong",
        "judge.judge.model": "weak",
        "judge.game.rounds": "1",
        "judge.game.speaking.limit": "80",
    }
    judge = Session.find("canonical", "endpoint", given).recipe.judge
    assert isinstance(judge, Debated)
    assert (judge.debater.model, judge.judge.model) == ("strong", "weak")
    assert (judge.game.rounds, judge.game.speaking.limit) == (1, 80)
    assert Session.find("canonical", "local", {**given, "judge.game.rounds": "2"})
    with pytest.raises(SettingError, match="Debate has no 'round'"):
        Session.find("canonical", "endpoint", {**given, "judge.game.round": "2"})
