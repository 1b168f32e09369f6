from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from solon.audits.raters import Raters
from solon.errors import DataError, InputError
from solon.judges.codings import Coding, read_codings
from solon.records import Finding
from solon.statistics import ac1_among, fleiss_kappa, observed_among, pabak_among

NAMES = ("a", "b", "c")


def raters(
    *, slip: float, items: int = 400, prevalence: float = 0.5, missing: float = 0.0, seed: int = 0
) -> list[Coding]:
    """Three raters who see the truth, and with probability ``slip`` draw from the prior instead."""
    rng = np.random.default_rng(seed)
    made: list[Coding] = []
    for item in range(items):
        truth = rng.random() < prevalence
        for rater in NAMES:
            said = rng.random() < prevalence if rng.random() < slip else truth
            blank = rng.random() < missing
            category = None if blank else ("yes" if said else "no")
            made.append(Coding(item=str(item), rater=rater, category=category))
    return made


def by_name(found: Sequence[Finding]) -> dict[str, Finding]:
    return {one.quantity: one for one in found}


def test_raters_who_slip_often_warn_and_those_who_do_not_pass() -> None:
    careless = by_name(Raters().recorded(raters(slip=0.7)))
    careful = by_name(Raters().recorded(raters(slip=0.1)))
    assert careless["alpha"].verdict == "warn"
    assert careful["alpha"].verdict == "pass"


@pytest.mark.parametrize("slip", [0.2, 0.5])
def test_the_planted_agreement_beyond_chance_is_within_every_interval(slip: float) -> None:
    """Two agree beyond chance when neither slips: kappa is (1 - slip)^2 at any prevalence."""
    found = by_name(Raters().recorded(raters(slip=slip, items=1500)))
    for quantity in ("alpha", "fleiss", "cohen/a~b", "cohen/b~c"):
        assert found[quantity].low < (1 - slip) ** 2 < found[quantity].high, quantity


def test_prevalence_parts_kappa_from_ac1_and_says_so() -> None:
    even = by_name(Raters().recorded(raters(slip=0.3, items=1500)))
    rare = by_name(Raters().recorded(raters(slip=0.3, items=1500, prevalence=0.95)))
    assert rare["alpha"].low < 0.49 < rare["alpha"].high
    assert rare["ac1"].low > even["ac1"].high
    assert rare["pabak"].low > even["pabak"].high
    assert "95% of all codings" in rare["alpha"].note


def test_blanks_are_counted_and_move_no_coefficient() -> None:
    found = by_name(Raters().recorded(raters(slip=0.3, items=1500, missing=0.2)))
    assert found["unrated"].verdict == "warn"
    assert found["unrated"].estimate == pytest.approx(0.2, abs=0.02)
    assert found["alpha"].low < 0.49 < found["alpha"].high
    assert "left out" in found["fleiss"].note


def test_coefficients_of_several_raters_agree_with_a_hand_count() -> None:
    counts = np.array([[3, 0], [2, 1], [0, 3], [3, 0]], dtype=np.float64)
    agreed = (1 + 1 / 3 + 1 + 1) / 4
    q = np.array([(1 + 2 / 3 + 0 + 1) / 4, (0 + 1 / 3 + 1 + 0) / 4])
    chance = float((q * (1 - q)).sum())
    assert observed_among(counts) == pytest.approx(agreed)
    assert pabak_among(counts) == pytest.approx(2 * agreed - 1)
    assert ac1_among(counts) == pytest.approx((agreed - chance) / (1 - chance))


def test_ordinal_raters_who_miss_by_one_agree_more_than_nominal_ones() -> None:
    rng = np.random.default_rng(0)
    rows = [
        Coding(item=str(item), rater=rater, category=str(truth + int(rng.integers(0, 2))))
        for item, truth in enumerate(rng.integers(1, 10, 300))
        for rater in NAMES
    ]
    ranked = by_name(Raters(level="ordinal").recorded(rows))["alpha"].estimate
    plain = by_name(Raters().recorded(rows))["alpha"].estimate
    assert ranked > 0.9
    assert plain < 0.6


def test_a_rater_who_rates_an_item_twice_is_an_error() -> None:
    rows = [Coding(item="1", rater="a", category="x")] * 2
    with pytest.raises(InputError, match="'a' twice for '1'"):
        Raters().recorded(rows)


def test_items_with_one_rater_say_nothing() -> None:
    with pytest.raises(InputError, match="none of 1 items"):
        Raters().recorded([Coding(item="1", rater="a", category="x")])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"item": "1", "rater": "a"}, "category"),
        ({"rater": "a", "category": "x"}, "item"),
        ({"item": "1", "rater": "a", "category": ["x"]}, "category"),
        ({"item": "1", "rater": "a", "category": "x", "colour": 1}, "colour"),
    ],
)
def test_a_bad_row_names_its_field(tmp_path: Path, row: dict[str, object], said: str) -> None:
    path = tmp_path / "votes.jsonl"
    path.write_text(json.dumps(row))
    with pytest.raises(DataError, match=rf"votes\.jsonl.*row 1.*{said}"):
        read_codings(path)


def test_numbers_are_categories_too(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("item,rater,category\n1,a,2\n1,b,2\n2,a,1\n2,b,2\n")
    assert [one.category for one in read_codings(path)] == ["2", "2", "1", "2"]


@pytest.mark.data
def test_pandalms_three_annotators_have_the_published_kappas(data: Path) -> None:
    """The upstream README says "close to 0.85"."""
    with gzip.open(data / "pandalm/testset-v1.json.gz") as file:
        pairs = json.load(file)
    rows = [
        Coding(item=str(k), rater=f"annotator{r}", category=str(pair[f"annotator{r}"]))
        for k, pair in enumerate(pairs)
        for r in (1, 2, 3)
    ]
    found = by_name(Raters(draws=200).recorded(rows))
    kappas = sorted(one.estimate for name, one in found.items() if name.startswith("cohen/"))
    assert kappas == pytest.approx([0.848, 0.849, 0.868], abs=5e-4)
    counts = np.zeros((len(pairs), 3))
    for k, pair in enumerate(pairs):
        for r in (1, 2, 3):
            counts[k, pair[f"annotator{r}"]] += 1
    assert found["fleiss"].estimate == pytest.approx(fleiss_kappa(counts))
    assert found["alpha"].verdict == "pass"
