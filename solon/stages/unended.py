"""Notices a policy that no longer ends what it says, also where no guard looks at the run."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from solon.records import Completion


@dataclass(slots=True, kw_only=True)
class Unended:
    """Tells once when more than ``share`` x ``window`` of the newest completions were cut.

    As with failures, that may be before ``window`` of them were counted.

    Example:
        Unended(share=0.5).count(completions)    # "" while enough of them end by themselves
    """

    share: float = 0.5
    window: int = 200
    _newest: deque[bool] = field(default_factory=deque[bool], repr=False)
    _told: bool = False

    def count(self, completions: Iterable[Completion]) -> str:
        """What to say of it, the first time; else nothing."""
        self._newest.extend(one.finish == "length" for one in completions)
        while len(self._newest) > self.window:
            self._newest.popleft()
        cut = sum(self._newest)
        if self._told or cut <= self.share * self.window:
            return ""
        self._told = True
        return (
            f"{cut} of the newest {len(self._newest)} completions were cut by the length limit: "
            "the policy has forgotten how to end, or max_new_tokens is too low (eos_rate)"
        )
