"""What the claim on dual alignment counts of its labels."""

from dataclasses import replace

from solon.claims.dual_alignment import rates
from solon.lab.demonstrations import best
from solon.lab.town import OpenTown
from solon.records import Preference


def test_even_labels_and_ties_of_gold_count_half() -> None:
    [prompt] = OpenTown(seed=5).take(1)
    good = best(prompt)
    bad = replace(good, text="sorry .")
    right, wrong = Preference(chosen=good, rejected=bad), Preference(chosen=bad, rejected=good)
    even, tie = replace(wrong, p=0.5), Preference(chosen=good, rejected=good)
    assert rates([right, wrong, even, tie]) == {"right": 0.5, "even": 0.25, "pairs": 4.0}
    assert rates([right, right, even, tie])["right"] == 0.75
