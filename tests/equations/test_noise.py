"""Losses for labels that may be wrong, in plain floats, and where each becomes DPO."""

import math
from dataclasses import replace

import pytest
import torch
from paired import PAIRS, Pair, at, check, logps, named, same, sigma, slope, slopes, sp, value
from torch import Tensor

from solon.objectives.batch import rows
from solon.objectives.noise import CDPO, R3M, RDPO, Evidence, NrDPO, Trimmed
from solon.objectives.pairwise import DPO

MARGINS = [-12.0, -3.0, -0.9, -0.2, 0.0, 0.4, 1.5, 6.0]
INF = math.inf


def f64(values) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def cdpo(u: float) -> float:
    return 0.7 * -math.log(sigma(u)) + 0.3 * -math.log(sigma(-u))


def rdpo(u: float) -> float:
    return (0.7 * -math.log(sigma(u)) - 0.3 * -math.log(sigma(-u))) / 0.4


def r3m(u: float) -> float:
    kappa = math.log(0.7 / 0.3)
    return sp(-u) if u >= kappa else -math.log(0.7) + 0.3 * (kappa - u)


def trimmed(u: float) -> float:
    return min(-math.log(sigma(u)), 0.9)


def dpo(u: float) -> float:
    return -math.log(sigma(u))


FORMULAE = [
    (CDPO(beta=0.5, flip=0.3), cdpo),
    (RDPO(beta=0.5, flip=0.3), rdpo),
    (R3M(beta=0.5, lam=0.3), r3m),
    (Trimmed(beta=0.5, cap=0.9), trimmed),
    (NrDPO(beta=0.5), dpo),
]


@pytest.mark.parametrize(("objective", "of_margin"), FORMULAE, ids=named)
def test_each_loss_is_its_formula_on_soft_labels_and_weights_and_so_is_its_gradient(
    objective, of_margin
):
    check(objective, lambda one: of_margin(0.5 * one.delta), PAIRS)
    check(objective, lambda one: of_margin(0.5 * one.delta), [at(u, p=0.9) for u in MARGINS])


@pytest.mark.parametrize(
    "objective",
    [CDPO(flip=0.0), RDPO(flip=0.0), R3M(lam=1 - 1e-12), Trimmed(cap=INF), NrDPO(gate=-INF)],
    ids=repr,
)
def test_at_its_limit_it_is_dpo(objective):
    same(objective, DPO(), [*PAIRS, *(at(u, p=0.7) for u in MARGINS)])


def test_dpo_with_equal_weights_is_dpo_and_so_is_nrdpo():
    evidence = Evidence(
        margin=torch.full((4,), 0.3, dtype=torch.float64),
        truncated=torch.zeros(4, 0, dtype=torch.float64),
        chosen_tokens=torch.full((4,), 5.0, dtype=torch.float64),
        rejected_tokens=torch.full((4,), 5.0, dtype=torch.float64),
    )
    x = replace(logps(PAIRS), weight=NrDPO().weigh(evidence))
    torch.testing.assert_close(x.weight, torch.full((4,), sigma(1.0), dtype=torch.float64))
    bare = replace(x, weight=None)
    torch.testing.assert_close(NrDPO()(x).value, DPO()(bare).value)
    torch.testing.assert_close(slopes(NrDPO(), x), slopes(DPO(), bare))


@pytest.mark.parametrize("flip", [0.1, 0.3, 0.45])
def test_the_smoothed_loss_is_least_at_the_log_odds_of_a_right_label(flip):
    best = math.log((1 - flip) / flip)
    assert slope(CDPO(flip=flip), best) == pytest.approx(0.0, abs=1e-15)
    for u in MARGINS:
        assert slope(CDPO(flip=flip), u) == pytest.approx(sigma(u) - (1 - flip), abs=1e-12)


@pytest.mark.parametrize("flip", [0.0, 0.1, 0.3, 0.45])
def test_over_random_flips_the_mean_of_rdpo_is_dpo_on_clean_labels(flip):
    for u in MARGINS:
        right, wrong = (value(RDPO(beta=1.0, flip=flip)(logps([at(s)]))) for s in (u, -u))
        assert (1 - flip) * right + flip * wrong == pytest.approx(sp(-u), abs=1e-12)
        soft = value(RDPO(beta=1.0, flip=flip)(logps([at(u, p=1 - flip)])))
        assert soft == pytest.approx(sp(-u), abs=1e-12)


def test_rdpo_has_no_lower_bound_and_never_stops_pulling():
    figures = [value(RDPO(beta=1.0, flip=0.3)(logps([at(u)]))) for u in (10.0, 50.0)]
    assert figures == pytest.approx([-7.5, -37.5], abs=1e-3)
    assert slope(RDPO(flip=0.3), 100.0) == pytest.approx(-0.3 / 0.4)
    assert abs(slope(CDPO(flip=0.3), 100.0) - 0.3) < 1e-12  # which pulls back instead


@pytest.mark.parametrize("lam", [0.2, 0.5, 0.8])
def test_r3m_is_the_least_over_shifts_and_no_pair_pulls_by_more_than_lam(lam):
    objective = R3M(beta=1.0, lam=lam)
    for u in MARGINS:
        least = min(sp(-(u + d / 1000)) + lam * d / 1000 for d in range(20_000))
        assert value(objective(logps([at(u)]))) == pytest.approx(least, abs=1e-6)
        assert slope(objective, u) == pytest.approx(-min(sigma(-u), lam), abs=1e-12)


def test_r3m_caps_an_outlier_and_never_lets_go_of_it():
    assert slope(R3M(lam=0.5), -1e3) == pytest.approx(-0.5)
    assert slope(R3M(lam=0.5), 0.1) == pytest.approx(slope(DPO(), 0.1))


def test_trimming_lets_go_of_pairs_above_the_cap_and_counts_those_that_stay():
    edge = -math.log(math.exp(0.9) - 1)  # where the loss is the cap
    assert slope(Trimmed(cap=0.9), edge - 1e-6) == 0.0
    assert slope(Trimmed(cap=0.9), edge + 1e-6) == pytest.approx(-sigma(-edge), abs=1e-6)
    batch = [at(u, beta=0.1) for u in (edge - 1, edge - 2, edge + 1)]
    assert Trimmed(cap=0.9)(logps(batch)).metrics["kept"] == pytest.approx(1 / 3)
    assert R3M()(logps(batch)).metrics["kept"] == 1.0


def test_a_cap_below_log_2_learns_nothing_from_the_anchor_itself():
    start = logps([at(0.0)])
    assert Trimmed(cap=0.69)(start).metrics["kept"] == 0.0
    assert slope(Trimmed(cap=0.69), 0.0) == 0.0
    assert slope(Trimmed(cap=0.70), 0.0) == pytest.approx(-0.5)


def test_a_gate_on_a_soft_label_counts_each_side_by_its_probability():
    assert Trimmed(cap=0.9)(logps([at(-30.0, p=0.8)])).metrics["kept"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RDPO(flip=0.5), r"RDPO.flip: expected 0 <= flip < 0.5, got 0.5"),
        (lambda: RDPO(flip=-0.1), r"RDPO.flip: expected 0 <= flip < 0.5, got -0.1"),
        (lambda: CDPO(flip=0.5), r"CDPO.flip: expected 0 <= flip < 0.5, got 0.5"),
        (lambda: R3M(lam=0.0), r"R3M.lam: expected 0 < lam < 1, got 0.0"),
        (lambda: R3M(lam=1.0), r"R3M.lam: expected 0 < lam < 1, got 1.0"),
        (lambda: NrDPO(temperature=0.0), r"NrDPO.temperature: expected none or a number above 0"),
        (lambda: NrDPO(floor=1.5), r"NrDPO.floor: expected 0 <= floor <= 1, got 1.5"),
    ],
)
def test_settings_without_a_meaning_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# --- weights by a frozen reference

EVIDENCE = Evidence(
    margin=f64([0.8, -0.5, 0.1, 2.0, -0.05]),
    truncated=f64([[0.7, 0.9], [-0.5, 0.5], [-0.1, -0.3], [2.0, 2.0], [0.4, -0.6]]),
    chosen_tokens=f64([10, 4, 8, 6, 20]),
    rejected_tokens=f64([5, 8, 8, 9, 4]),
)
MEDIAN = 0.5


def weight(i: int, nrdpo: NrDPO) -> float:
    m, cuts = float(EVIDENCE.margin[i]), EVIDENCE.truncated[i].tolist()
    read, t = (m if nrdpo.margin == "signed" else abs(m)), nrdpo.temperature or MEDIAN
    long, short = float(EVIDENCE.chosen_tokens[i]), float(EVIDENCE.rejected_tokens[i])
    if nrdpo.stability == "decay":
        q = math.exp(-nrdpo.gamma * sum(abs(m - cut) for cut in cuts) / len(cuts) / t)
    else:
        q = sum((m > 0) == (cut > 0) for cut in cuts) / len(cuts)
    length = math.exp(-nrdpo.alpha * max(0.0, (long - short) / max(long, short)))
    w = min(max(sigma(read / t) * q * length, nrdpo.floor), 1.0)
    return w if read >= nrdpo.gate else 0.0


@pytest.mark.parametrize(
    "nrdpo",
    [
        NrDPO(),
        NrDPO(margin="abs", gate=0.3),
        NrDPO(stability="sign", alpha=0.5, floor=0.0),
        NrDPO(temperature=1.5, gamma=2.0, floor=0.3),
        NrDPO.gated(),
        NrDPO(gate=0.1),
    ],
    ids=repr,
)
def test_weights_are_confidence_times_stability_times_length_clipped_and_gated(nrdpo):
    expected = [weight(i, nrdpo) for i in range(5)]
    assert nrdpo.weigh(EVIDENCE).tolist() == pytest.approx(expected, rel=1e-12)


def test_the_gated_variant_drops_exactly_the_pairs_that_the_reference_would_turn_round():
    weights = NrDPO.gated().weigh(EVIDENCE)
    assert NrDPO.gated() == NrDPO(gate=0.0)
    assert (weights == 0).tolist() == [False, True, False, False, True]
    assert (NrDPO().weigh(EVIDENCE) >= 0.05).all()


def test_single_turns_are_stable_and_a_shorter_chosen_completion_costs_nothing():
    single = replace(EVIDENCE, truncated=torch.zeros(5, 0, dtype=torch.float64))
    for stability in ("decay", "sign"):
        weights = NrDPO(stability=stability, floor=0.0, alpha=0.0).weigh(single)
        torch.testing.assert_close(weights, torch.sigmoid(EVIDENCE.margin / MEDIAN))
    lengths = NrDPO(floor=0.0, alpha=3.0).weigh(single) / NrDPO(floor=0.0, alpha=0.0).weigh(single)
    expected = [math.exp(-1.5), 1.0, 1.0, 1.0, math.exp(-3 * 0.8)]
    assert lengths.tolist() == pytest.approx(expected)


def test_margins_that_are_mostly_nothing_leave_every_weight_finite():
    blank = replace(EVIDENCE, margin=f64([0.0, 0.0, 0.0, 1.0, -1.0]))
    single = replace(blank, truncated=torch.zeros(5, 0, dtype=torch.float64))
    weights = NrDPO(alpha=0.0, floor=0.0).weigh(single)
    assert weights.tolist() == pytest.approx([0.5, 0.5, 0.5, 1.0, 0.0])
    assert bool(torch.isfinite(NrDPO().weigh(blank)).all())


def test_no_gradient_leaves_the_evidence():
    live = replace(EVIDENCE, margin=EVIDENCE.margin.clone().requires_grad_())
    assert not NrDPO().weigh(live).requires_grad


def test_a_gated_pair_teaches_nothing_and_the_others_are_normalised_over_the_survivors():
    weights = NrDPO.gated().weigh(EVIDENCE)[:4]
    x = replace(logps(PAIRS), weight=weights)
    loss = NrDPO.gated()(x)
    survivors = rows(x, torch.tensor([0, 2, 3]))
    torch.testing.assert_close(loss.value, NrDPO.gated()(survivors).value)
    assert loss.weight == pytest.approx(float(weights.sum()))
    assert loss.metrics["kept"] == 3 / 4
    assert all(float(side[1]) == 0.0 for side in slopes(NrDPO.gated(), x))
    empty = NrDPO.gated()(rows(x, torch.tensor([1])))
    assert (value(empty), empty.weight) == (0.0, 0.0)


# --- the regime in which it matters: as many parameters as half the pairs, many passes


def accuracy(objective, seed: int, *, n: int = 400, d: int = 200, flips: float = 0.3) -> float:
    """Share of clean test pairs ranked right by a linear policy fitted to flipped labels."""
    generator = torch.Generator().manual_seed(seed)
    truth = torch.randn(d, generator=generator, dtype=torch.float64)
    features = torch.randn(n + 2000, d, generator=generator, dtype=torch.float64)
    clean = torch.sign(features @ truth)
    flipped = torch.rand(n, generator=generator) < flips
    labelled = features[:n] * torch.where(flipped, -clean[:n], clean[:n])[:, None]
    theta = torch.zeros(d, dtype=torch.float64, requires_grad=True)
    start = logps([Pair(0.0, 0.0, 0.0, 0.0)] * n)
    for _ in range(150):
        loss = objective(replace(start, chosen=labelled @ theta)).value
        (gradient,) = torch.autograd.grad(loss, theta)
        theta = (theta - 0.5 * gradient).detach().requires_grad_()
    return float((torch.sign(features[n:] @ theta) == clean[n:]).double().mean())


def test_where_flips_can_be_memorised_rdpo_and_trimming_rank_better_than_dpo():
    """Means of four seeds: cDPO and R3M change sign here, and more pairs undo the difference."""
    means = [
        sum(accuracy(objective, seed) for seed in range(4)) / 4
        for objective in (DPO(beta=1.0), RDPO(beta=1.0, flip=0.3), Trimmed(beta=1.0, cap=1.0))
    ]
    assert 0.6 < means[0] < 0.65
    assert means[1] > means[0] + 0.01
    assert means[2] > means[0] + 0.01


def test_labels_that_say_nothing_teach_nothing():
    for objective in (DPO(beta=1.0), RDPO(beta=1.0, flip=0.3), Trimmed(beta=1.0, cap=1.0)):
        figures = [accuracy(objective, seed, flips=0.5) for seed in range(2)]
        assert sum(figures) / 2 == pytest.approx(0.5, abs=0.06)
