"""The game of prover and estimator, by hand: who is asked, what is paid, when it is void."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from solon.errors import InputError, SettingError
from solon.oversight.argument import Node, by_claim
from solon.oversight.drive import drive
from solon.oversight.estimators import Exact, Levels, UniformPrior
from solon.oversight.gates import And, Mean, Or, Threshold
from solon.oversight.moves import (
    Choose,
    Conditional,
    Disputed,
    Estimate,
    Point,
    Split,
)
from solon.oversight.payoffs import HIGHER, LOWER, RIGHT, Payoffs
from solon.oversight.planted import Judge, planted, uniform_tree
from solon.oversight.prover_estimator import ProverEstimator
from solon.oversight.provers import Honest, Prover, Selector
from solon.records import Abstains, Assumption, TreeDebate

CLAIM = Disputed(claim="claim")


@dataclass
class Noting:
    """A seat that notes what it is asked."""

    player: Any
    asked: list[Any] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    def __call__(self, asked: Sequence[Any]) -> list[Any]:
        self.asked += asked
        self.batches.append(len(asked))
        return self.player(asked)


def played(
    tree: Node,
    estimator: Any,
    pointing: Any,
    *,
    flaw: int | None = None,
    game: ProverEstimator | None = None,
    disputed: Disputed = CLAIM,
) -> TreeDebate:
    truth = tree.truth(lambda _: 1.0) if flaw is None else planted(tree, flaw)
    seats = {
        "prover": Prover(arguments=by_claim(tree), pointing=pointing),
        "estimator": estimator,
        "judge": Judge(truth),
    }
    return drive([(game or ProverEstimator()).play(disputed)], seats)[0]


def test_two_rounds_by_hand() -> None:
    ended = played(uniform_tree(2, 1), Levels((0.2, 0.6)), Selector(child=0, direction=HIGHER))
    first, last = ended.rounds
    assert (first.claim, first.stated, first.found) == ("claim", 0.2, pytest.approx(0.36))
    assert first.payoff == pytest.approx(2.5 * 0.16)
    assert (last.claim, last.stated, last.found) == ("claim.0", 0.6, 1.0)
    assert last.payoff == pytest.approx(2.5**2 * 0.4)
    assert ended.payoff == pytest.approx(0.4 + 2.5)
    assert ended.share == pytest.approx(2.9 / 6.25)
    assert ended.asked == {"estimator": 3, "prover": 3, "judge": 1}


def test_a_tree_of_two_levels_has_three_rounds_and_growing_stakes() -> None:
    game = ProverEstimator(depth=2, payoffs=Payoffs(growth=3.0))
    tree = uniform_tree(2, 2)
    ended = played(tree, Levels((0.1, 0.5, 0.9)), Selector(child=0, direction=LOWER), game=game)
    assert [one.claim for one in ended.rounds] == ["claim", "claim.0", "claim.0.0"]
    assert [one.payoff for one in ended.rounds] == pytest.approx(
        [-3 * 0.15, -9 * (0.81 - 0.5), -27 * 0.1]
    )
    assert ended.stake == 27


def test_a_game_that_is_not_as_deep_as_the_tree_asks_the_judge_sooner() -> None:
    ended = played(uniform_tree(2, 2), Levels((0.1, 0.5)), Selector(child=1, direction=HIGHER))
    assert [one.claim for one in ended.rounds] == ["claim", "claim.1"]


def test_the_last_payoff_is_void_where_an_earlier_sibling_is_not_as_assumed() -> None:
    tree, points = uniform_tree(4, 1), Selector(child=2, direction=HIGHER)
    lost = played(tree, UniformPrior.of(tree), points, flaw=2)
    assert not lost.void
    assert lost.rounds[-1].payoff == pytest.approx(-6.25 * 0.5)  # 2 of 4 are left
    void = played(tree, UniformPrior.of(tree), points, flaw=1)
    assert void.void
    assert void.rounds[-1].payoff == 0
    assert void.rounds[-1].assumed == (
        Assumption(claim="claim.0", holds=True),
        Assumption(claim="claim.1", holds=True),
    )
    kept = played(tree, UniformPrior.of(tree), points, flaw=3)
    assert kept.rounds[-1].payoff == pytest.approx(6.25 * 0.5)


def test_a_void_reaches_down_from_a_level_above() -> None:
    tree = uniform_tree(2, 2)
    points = Selector(child=1, direction=HIGHER)
    game = ProverEstimator(depth=2)
    ended = played(tree, UniformPrior.of(tree), points, flaw=0, game=game)
    assert ended.void
    assert ended.payoff == pytest.approx(0)
    assert ended.asked["judge"] == 3  # the leaf, its sibling, and the sibling of the claim above


@pytest.mark.parametrize(("q", "depth"), [(2, 1), (4, 1), (2, 3), (3, 2)])
def test_who_knows_only_that_one_leaf_is_false_loses_nothing_to_any_blind_prover(
    q: int, depth: int
) -> None:
    """Every path and direction, over all places of the flaw: the gain is zero to the last digit."""
    tree, game = uniform_tree(q, depth), ProverEstimator(depth=depth)
    for path in np.ndindex(*(q,) * depth):
        points = Path((0, *path))
        ends = [
            played(tree, UniformPrior.of(tree), points, flaw=flaw, game=game)
            for flaw in range(q**depth)
        ]
        assert np.mean([one.payoff for one in ends]) == pytest.approx(0, abs=1e-12)
        assert ends[0].rounds[0].stated == 0


@dataclass
class Path:
    """Points along a fixed path, always higher."""

    path: tuple[int, ...]

    def __call__(self, asked: Choose) -> Point:
        return Selector(child=self.path[len(asked.path)], direction=HIGHER)(asked)


def test_the_chain_rule_is_what_lets_an_estimator_be_sure_of_the_root() -> None:
    """Independent marginals of (q - 1)/q leave p_0 at (1 - 1/q)^q: who states 0 contradicts it."""
    q = 16
    tree, points = uniform_tree(q, 1), Selector(child=0, direction=HIGHER)
    ends = [played(tree, Levels((0.0, 1 - 1 / q)), points, flaw=flaw) for flaw in range(q)]
    gain = np.mean([one.payoff for one in ends])
    assert gain == pytest.approx(2.5 * (1 - 1 / q) ** q)


def test_an_exact_estimator_loses_nothing() -> None:
    tree = uniform_tree(3, 2, gate=Threshold(2))
    truth = tree.truth(lambda _: 1.0)
    ended = played(tree, Exact(truth), Honest(truth), game=ProverEstimator(depth=2))
    assert ended.payoff == 0
    assert ended.calls["estimator"] == ended.asked["estimator"]


def test_an_honest_prover_finds_the_lie_about_a_leaf() -> None:
    tree, flaw = uniform_tree(5, 1), 3
    ended = played(tree, Levels((0.9, 0.9)), Honest(planted(tree, flaw)), flaw=flaw)
    last = ended.rounds[-1]
    assert (last.claim, last.direction) == ("claim.3", LOWER)
    assert last.payoff == pytest.approx(6.25 * 0.9)


def test_all_prefixes_of_a_split_are_asked_in_one_batch() -> None:
    estimator = Noting(Levels((0.5, 0.5)))
    played(uniform_tree(4, 1), estimator, Selector(child=0, direction=RIGHT))
    assert estimator.batches == [1, 4]
    game = estimator.asked[1:]
    assert [one.given for one in game] == [(True,) * k for k in range(4)]
    assert {one.path for one in game} == {("claim",)}


@pytest.mark.parametrize("gate", [Mean(), Threshold(12)], ids=str)
def test_a_wide_gate_is_sampled_by_trusted_bits(gate: Any) -> None:
    tree = uniform_tree(20, 1, gate=gate)
    ended = [
        played(
            tree,
            Levels((0.5, 0.6)),
            Selector(child=0, direction=HIGHER),
            disputed=Disputed(claim="claim", seed=seed),
        ).rounds[0]
        for seed in (1, 1, 2)
    ]
    exact = gate.expected(np.full(20, 0.6))
    assert ended[0].found == pytest.approx(exact, abs=4 * 0.5 / 2000**0.5)
    assert ended[0] == ended[1]
    assert ended[0].found != ended[2].found


def test_trusted_bits_are_tossed_after_the_prover_has_committed() -> None:
    """What the prover is shown is the same whatever the coin; only what it is paid differs."""
    tree, shown, paid = uniform_tree(2, 1), [], []
    for seed in range(40):
        prover = Noting(
            Prover(arguments=by_claim(tree), pointing=Selector(child=0, direction=HIGHER))
        )
        seats = {
            "prover": prover,
            "estimator": Levels((0.5, 0.5)),
            "judge": Judge(tree.truth(lambda _: 1.0)),
        }
        game = ProverEstimator(payoffs=Payoffs(kind="drawn"))
        (ended,) = drive([game.play(Disputed(claim="claim", seed=seed))], seats)
        shown.append(prover.asked)
        paid.append(ended.payoff)
    assert all(one == shown[0] for one in shown)
    assert len(set(paid)) > 2


@pytest.mark.parametrize("silent", ["prover", "estimator", "judge"])
def test_a_seat_that_abstains_ends_the_game_with_its_reason(silent: str) -> None:
    tree = uniform_tree(2, 1)
    seats: dict[str, Any] = {
        "prover": Prover(arguments=by_claim(tree), pointing=Selector(child=0, direction=HIGHER)),
        "estimator": Levels((0.2, 0.6)),
        "judge": Judge(tree.truth(lambda _: 1.0)),
        silent: lambda asked: [Abstains(reason="no answer")] * len(asked),
    }
    (ended,) = drive([ProverEstimator().play(CLAIM)], seats)
    assert ended.failed == f"{silent}: no answer"
    assert len(ended.rounds) == (1 if silent == "judge" else 0)
    assert ended.asked[silent] > 0


def test_a_claim_that_is_not_split_is_read_at_once() -> None:
    ended = played(Node(claim="claim"), Levels((0.3,)), Selector(child=0, direction=HIGHER))
    assert [one.claim for one in ended.rounds] == ["claim"]
    assert ended.payoff == pytest.approx(2.5 * 0.7)


def test_a_judge_in_doubt_pays_in_expectation() -> None:
    tree = uniform_tree(2, 1)
    seats = {
        "prover": Prover(arguments=by_claim(tree), pointing=Selector(child=1, direction=HIGHER)),
        "estimator": Levels((0.25, 0.5)),
        "judge": lambda asked: [Estimate(p=0.8) for _ in asked],
    }
    (ended,) = drive([ProverEstimator().play(CLAIM)], seats)
    assert ended.kept == pytest.approx(0.8)
    assert ended.payoff == pytest.approx(0.8 * 6.25 * 0.3)


def test_a_disjunction_is_pointed_at_under_the_falsehood_of_what_came_before() -> None:
    tree = uniform_tree(2, 1, gate=Or())
    asked: list[Choose] = []

    def last(one: Choose) -> Point:
        asked.append(one)
        return Point(row=len(one.rows) - 1, direction=HIGHER)

    ended = played(tree, Levels((0.75, 0.5)), last)
    assert asked[-1].rows[-1].given == (False,)
    assert ended.void  # claim.0 is true
    assert ended.payoff == 0


@pytest.mark.parametrize("wrong", [-1, 2])
def test_a_row_that_was_not_shown_cannot_be_pointed_at(wrong: int) -> None:
    with pytest.raises(InputError, match="row: expected from 0 to 0"):
        played(uniform_tree(2, 1), Levels((0.2, 0.6)), lambda _: Point(row=wrong, direction=1))


def test_moves_are_checked_where_they_are_made() -> None:
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(InputError, match="from 0 to 1"):
            Estimate(p=wrong)
    with pytest.raises(InputError, match="direction"):
        Point(row=0, direction=2)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="each once"):
        Split(claims=("a", "a"))
    with pytest.raises(InputError, match="decide"):
        Split(claims=("a", "b"), gate=Threshold(3))
    with pytest.raises(SettingError, match="depth"):
        ProverEstimator(depth=0)
    assert ProverEstimator().seats == ("prover", "estimator", "judge")


def test_questions_say_what_they_are_about() -> None:
    root = Conditional(path=(), split=Split(claims=("it holds",)), given=())
    assert (root.claim, root.root, root.child) == ("it holds", "it holds", 0)
    below = Conditional(path=("it holds", "so"), split=Split(claims=("a", "b")), given=(True,))
    assert (below.claim, below.root) == ("b", "it holds")


def test_many_debates_share_their_batches() -> None:
    tree = uniform_tree(3, 1, gate=And())
    estimator = Noting(Levels((0.2, 0.6)))
    seats = {
        "prover": Prover(arguments=by_claim(tree), pointing=Selector(child=0, direction=HIGHER)),
        "estimator": estimator,
        "judge": Judge(tree.truth(lambda _: 1.0)),
    }
    ended = drive([ProverEstimator().play(CLAIM) for _ in range(5)], seats)
    assert estimator.batches == [5, 15]
    assert len({one.payoff for one in ended}) == 1


def test_the_whole_split_is_kept_where_it_is_asked_for() -> None:
    """The same game, and in its record what nobody pointed at too."""
    tree = uniform_tree(3, 1, gate=Threshold(2))
    points = Selector(child=1, direction=LOWER)
    path, whole = (
        played(tree, Levels((0.2, 0.6)), points, game=ProverEstimator(whole=kept))
        for kept in (False, True)
    )
    assert (whole.payoff, whole.share, whole.kept) == (path.payoff, path.share, path.kept)
    assert path.rounds[1].siblings == path.rounds[1].estimates == ()
    last = whole.rounds[1]
    assert last.siblings == ("claim.0", "claim.1", "claim.2")
    assert last.gate == "at least 2"
    # the third is decided where the first two agree
    assert [(one.claim, one.given) for one in last.estimates] == [
        ("claim.0", ()),
        ("claim.1", (False,)),
        ("claim.1", (True,)),
        ("claim.2", (False, True)),
        ("claim.2", (True, False)),
    ]
    assert last.estimates[last.chosen].given == (True,)
    assert (last.stake, last.direction) == (6.25, LOWER)


def test_a_record_names_its_game_its_claim_and_what_the_judge_said() -> None:
    tree = uniform_tree(4, 1)
    points = Selector(child=2, direction=HIGHER)
    disputed = Disputed(claim="claim", name="c7")
    ended = played(tree, UniformPrior.of(tree), points, flaw=1, disputed=disputed)
    assert ended.game.startswith("prover-estimator@")
    assert ended.game != ProverEstimator(depth=2).id
    assert (ended.id, ended.claim, ended.opening) == ("c7", "claim", 0.0)
    assert ended.checked == (1.0, 0.0)
    assert [made.claim for made in ended.assumed] == ["claim.0", "claim.1"]


def test_what_was_stated_of_the_root_outlives_a_game_that_breaks_off() -> None:
    tree = uniform_tree(2, 1)
    seats: dict[str, Any] = {
        "prover": lambda asked: [Abstains(reason="mute")] * len(asked),
        "estimator": Levels((0.2, 0.6)),
        "judge": Judge(tree.truth(lambda _: 1.0)),
    }
    (ended,) = drive([ProverEstimator().play(CLAIM)], seats)
    assert (ended.opening, ended.rounds, ended.checked, ended.kept) == (0.2, (), (), 1.0)
