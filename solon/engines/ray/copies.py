"""A batch is cut, the copies are asked, and their answers joined in order, whoever dies meanwhile.

The questions of a copy that dies go to whichever copy is free first. So nothing is lost, and
nothing is answered twice.
"""

from __future__ import annotations

import atexit
import threading
import weakref
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ray

from solon.engines.ray.cluster import LOST, carried, join
from solon.engines.ray.copy import Opened
from solon.engines.ray.counter import close_desk, open_desk
from solon.engines.ray.cutting import cut, kin
from solon.engines.ray.onray import OnRay
from solon.engines.ray.raised import Raised
from solon.engines.ray.staff import Staff
from solon.errors import ClusterError, SettingError
from solon.run.run import Run
from solon.seams.feedback import Spec


@dataclass(slots=True, kw_only=True)
class Copies:
    """The copies of one part. Safe across threads: one batch at a time.

    Example:
        Copies.begin(spec, spec.inner, run).ask("sample", prompts, n=4)
    """

    staff: Staff
    opened: Opened
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def begin(cls, spec: OnRay, part: Spec[Any], run: Run) -> Copies:
        """As many as there is room for, open; the others join when Ray finds them a place."""
        join(spec.address)
        desk = open_desk(run)
        staff = Staff(spec=spec, part=carried(part), run=run, desk=desk)
        ending = weakref.finalize(staff, close_desk, desk)
        ending.atexit = False  # weakref's turn comes after Ray's: it would find no cluster
        atexit.register(ending)
        return cls(staff=staff, opened=staff.gather())

    @property
    def id(self) -> str:
        return self.opened.id

    def ask(self, method: str, items: Sequence[Any], **settings: Any) -> list[Any]:
        """One answer for each item, in order.

        Raises what the inner part raises, ClusterError after so many deaths on the same questions.
        """
        if method not in self.opened.can:
            raise SettingError(f"{self.id}: expected a part that can {method}, this one cannot")
        if not items:
            return []
        size, copies = self.staff.spec.cut, self.staff.spec.copies
        pieces = cut([kin(item) for item in items], -(-len(items) // size) if size else copies)
        with self._lock:
            return _Batch(
                staff=self.staff, method=method, items=items, settings=settings, pieces=pieces
            ).answered()


@dataclass(slots=True, kw_only=True)
class _Batch:
    """One batch on its way: which pieces wait, which copy has which, and what came back."""

    staff: Staff
    method: str
    items: Sequence[Any]
    settings: Mapping[str, Any]
    pieces: Sequence[Sequence[int]]
    asked: dict[Any, tuple[int, int]] = field(default_factory=dict[Any, tuple[int, int]])
    deaths: Counter[int] = field(default_factory=Counter[int])
    answers: dict[int, Any] = field(default_factory=dict[int, Any])

    def answered(self) -> list[Any]:
        todo = deque(range(len(self.pieces)))
        self.staff.muster()
        while len(self.answers) < len(self.items):
            self.staff.hire()
            self._hand_out(todo)
            self._wait(todo)
        return [self.answers[number] for number in range(len(self.items))]

    def _hand_out(self, todo: deque[int]) -> None:
        busy = {number for _, number in self.asked.values()}
        for number in sorted(self.staff.living.keys() - busy):
            if not todo:
                return
            piece = todo.popleft()
            mine = [self.items[i] for i in self.pieces[piece]]
            actor = self.staff.living[number]
            self.asked[actor.ask.remote(self.method, mine, self.settings)] = (piece, number)

    def _wait(self, todo: deque[int]) -> None:
        """Until anything happens: for ever only while a copy works."""
        patience = None if self.asked else self.staff.spec.patience
        done, _ = ray.wait([*self.asked, *self.staff.coming], timeout=patience)
        heard = [ref for ref in done if ref in self.asked]
        for ref in heard:
            self._hear(ref, todo)
        if not heard:
            self.staff.welcome(done)

    def _hear(self, ref: Any, todo: deque[int]) -> None:
        piece, number = self.asked.pop(ref)
        try:
            said: list[Any] | Raised = ray.get(ref)
        except LOST as error:
            self._mourn(piece, number, error)
            todo.appendleft(piece)
            return
        if isinstance(said, Raised):
            self._finish()
            raise said.error()
        self.answers.update(zip(self.pieces[piece], said, strict=True))

    def _mourn(self, piece: int, number: int, error: Exception) -> None:
        count, why = len(self.pieces[piece]), type(error).__name__
        how = f"died ({why}); its {count} questions go to another"
        self.staff.bury(number, self.staff.living[number], how)
        self.deaths[piece] += 1
        if self.deaths[piece] >= self.staff.spec.attempts:
            self._finish()
            raise ClusterError(
                f"{self.deaths[piece]} copies died on the same {count} questions, the last by "
                f"{why}: the cluster's logs say more"
            ) from error

    def _finish(self) -> None:
        """Lets what is under way end, since it may be paid for; what does not end is let go."""
        rest = list(self.asked)
        if not rest:
            return
        _, late = ray.wait(rest, num_returns=len(rest), timeout=self.staff.spec.patience)
        for ref in late:
            _, number = self.asked[ref]
            self.staff.bury(number, self.staff.living[number], "did not end and was let go")
