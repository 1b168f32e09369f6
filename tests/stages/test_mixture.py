from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.errors import SettingError
from solon.records import Prompt
from solon.stages.mixture import Mixture


@dataclass
class Counted:
    name: str
    taken: list[str] = field(default_factory=list[str])

    def take(self, n: int, *, split: str = "train") -> list[Prompt]:
        start = len(self.taken)
        self.taken += [f"{self.name}{start + i}" for i in range(n)]
        return [Prompt.of(text) for text in self.taken[start:]]


@given(n=st.integers(0, 60), share=st.floats(0, 1))
def test_of_any_number_taken_the_share_is_the_firsts_and_each_keeps_its_order(
    n: int, share: float
) -> None:
    first, second = Counted("a"), Counted("b")
    taken = [one.text for one in Mixture(first=first, second=second, share=share).take(n)]
    assert len(taken) == n
    assert len(first.taken) == int(share * n)
    assert [text for text in taken if text.startswith("a")] == first.taken
    assert [text for text in taken if text.startswith("b")] == second.taken


def test_a_half_takes_turns_and_another_share_is_refused() -> None:
    mixed = Mixture(first=Counted("a"), second=Counted("b"), share=0.5)
    assert [one.text for one in mixed.take(4)] == ["b0", "a0", "b1", "a1"]
    with pytest.raises(SettingError, match="share: expected 0 to 1, got 2"):
        Mixture(first=Counted("a"), second=Counted("b"), share=2)
