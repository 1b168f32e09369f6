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
from solon.oversight.prover_estimator import ProverEstimator
from solon.oversight.provers import Prover, Selector
from solon.records import Assumption, TreeDebate
from solon.report.splits import beside, given
from solon.report.tree import tree

TAG = re.compile(r"<[^>]*>")


def played(*, flaw: int, whole: bool = False) -> TreeDebate:
    argument = uniform_tree(4, 1)
    seats = {
        "prover": Prover(
            arguments=by_claim(argument), pointing=Selector(child=2, direction=HIGHER)
        ),
        "estimator": UniformPrior.of(argument),
        "judge": Judge(planted(argument, flaw=flaw)),
    }
    (ended,) = drive([ProverEstimator(whole=whole).play(Disputed(claim="claim"))], seats)
    return ended


def bare(text: str) -> str:
    return " ".join(TAG.sub(" ", text).split())


def test_the_path_has_its_probabilities_directions_and_payoffs() -> None:
    text = bare(tree(played(flaw=2)))
    assert text.startswith("claim ")
    assert "stated 0.000 the truth is higher ↑ its subclaims imply 0.000 prover 0" in text
    word = "assumed true, the judge says 1.000"
    assert f"claim.0 {word} claim.1 {word} claim.2" in text
    assert "stated 0.500 the truth is higher ↑ the judge says 0.000 prover −3.12 of 6.25" in text
    assert "The prover&#x27;s payoff is −3.12, −0.5 of the last stake." in text
    assert "claim.3" not in text  # nobody pointed at it, and only the path is kept


def test_a_whole_record_has_what_nobody_pointed_at() -> None:
    text = bare(tree(played(flaw=2, whole=True)))
    word = "assumed true, the judge says 1.000"
    assert f"It follows from these: all. claim.0 0.750 {word}" in text
    assert f"claim.1 0.667 given that the one before holds {word} claim.2 stated 0.500" in text
    assert "claim.3 0.000 given that all 3 before hold The prover" in text


def test_the_sibling_that_made_it_void_is_marked() -> None:
    text = tree(played(flaw=0, whole=True))
    false = "assumed true, the judge says 0.000; so the last payoff is void"
    assert f'<span class="chip warn">{false}</span>' in text
    assert text.count("so the last payoff is void") == 1


def test_of_a_wide_split_a_part_is_shown_and_the_rest_counted() -> None:
    ended = played(flaw=2, whole=True)
    one = ended.rounds[1]
    many = tuple(f"c{k}" for k in range(300))
    wide = replace(one, siblings=(*many[:200], one.claim, *many[200:]), assumed=())
    found = beside(wide, ())
    assert [len(found.before), len(found.after), found.left] == [6, 6, 288]
    assert "288 more subclaims are not shown" in tree(
        replace(ended, rounds=(ended.rounds[0], wide))
    )


def test_what_is_given_is_said_in_words() -> None:
    said = {
        (): "",
        (True,): " given that the one before holds",
        (False,): " given that the one before is false",
        (True, True): " given that all 2 before hold",
        (False, False): " given that all 2 before are false",
        (True, False): " given true, false",
    }
    assert {bits: given(bits) for bits in said} == said


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
    taken = (Assumption(claim=f"{SCRIPT}!", holds=True),)
    hostile = replace(ended.rounds[1], claim=SCRIPT, assumed=taken)
    text = tree(replace(ended, rounds=(ended.rounds[0], hostile)))
    assert not re.search(r"<(script|/body)", text)
