"""A prover-estimator debate as a tree: the numbers of a real game, and hostile claims."""

from __future__ import annotations

import re
from dataclasses import replace

from fake_run import SCRIPT

from solon.oversight.argument import by_claim
from solon.oversight.drive import drive
from solon.oversight.estimators import UniformPrior
from solon.oversight.moves import Disputed
from solon.oversight.payoffs import HIGHER
from solon.oversight.planted import Judge, planted, uniform_tree
from solon.oversight.prover_estimator import Ended, ProverEstimator
from solon.oversight.provers import Prover, Selector
from solon.report.tree import tree

TAG = re.compile(r"<[^>]*>")


def played(*, flaw: int) -> Ended:
    argument = uniform_tree(4, 1)
    seats = {
        "prover": Prover(
            arguments=by_claim(argument), pointing=Selector(child=2, direction=HIGHER)
        ),
        "estimator": UniformPrior.of(argument),
        "judge": Judge(planted(argument, flaw=flaw)),
    }
    (ended,) = drive([ProverEstimator().play(Disputed(claim="claim"))], seats)
    return ended


def bare(text: str) -> str:
    return " ".join(TAG.sub(" ", text).split())


def test_the_path_has_its_probabilities_directions_and_payoffs() -> None:
    text = bare(tree(played(flaw=2)))
    assert text.startswith("claim ")
    assert "stated 0.000 the truth is higher ↑ its subclaims imply 0.000 prover 0" in text
    assert "claim.0 assumed true claim.1 assumed true claim.2" in text
    assert "stated 0.500 the truth is higher ↑ the judge says 0.000 prover −3.12" in text
    assert "The prover&#x27;s payoff is −3.12, −0.5 of the last stake." in text
    assert "claim.3" not in text  # nobody pointed at it


def test_a_void_debate_says_so() -> None:
    text = bare(tree(played(flaw=0)))
    assert "prover 0" in text
    assert "void: a sibling was not as assumed" in text


def test_a_debate_that_broke_off_has_no_judges_word() -> None:
    ended = played(flaw=2)
    broken = replace(ended, rounds=ended.rounds[:1], failed=f"prover: {SCRIPT}")
    text = tree(broken)
    assert "the judge says" not in text
    assert "no verdict: prover: &lt;script&gt;" in text
    assert "no verdict" in tree(replace(broken, rounds=()))


def test_a_claim_is_never_markup() -> None:
    ended = played(flaw=2)
    hostile = replace(ended.rounds[1], claim=SCRIPT, assumed=((SCRIPT, True),))
    text = tree(replace(ended, rounds=(ended.rounds[0], hostile)))
    assert not re.search(r"<(script|/body)", text)
