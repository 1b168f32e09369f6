"""The processes that ``torchrun`` or ``accelerate launch`` has started, as one."""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from solon.errors import SettingError
from solon.run.ranks import Alone, Ranks, working

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")
LAUNCHED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
# The others wait while the first process asks a judge, which may take long.
PATIENCE = datetime.timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """The processes of torch's default group. ``words`` is a gloo group, which carries records.

    Example:
        with joined(), Run(folder) as run: recipe(run)
    """

    rank: int
    count: int
    words: Any

    def agreed(self, make: Callable[[], T], /) -> T:
        if self.rank:
            made = self._told([])
            if not made:
                sys.exit(1)
            return made[0]
        try:
            made = make()
        except BaseException:
            self._told([])
            raise
        self._told([made])
        return made

    def _told(self, said: list[Any]) -> list[Any]:
        """What the first process says."""
        from torch import distributed

        box = [said]
        distributed.broadcast_object_list(box, src=0, group=self.words)
        return box[0]

    def gathered(self, mine: T, /) -> list[T]:
        from torch import distributed

        found: list[Any] = [None] * self.count
        distributed.all_gather_object(found, mine, group=self.words)
        return found

    def add_up(self, tensors: Sequence[Tensor], /) -> None:
        from torch import distributed

        def added(one: Tensor) -> Any:
            group = self.words if one.device.type == "cpu" else None
            return distributed.all_reduce(one, group=group, async_op=True)

        for work in [added(one) for one in tensors]:
            work.wait()


@contextmanager
def joined() -> Generator[Ranks]:
    """The processes that were started together; this one alone where no launcher started it.

    Raises SettingError where the others do not come.
    """
    if not all(name in os.environ for name in LAUNCHED):
        yield Alone()
        return
    import torch
    from accelerate import PartialState
    from torch import distributed

    try:
        state = PartialState(cpu=not torch.cuda.is_available())
    except (RuntimeError, ValueError) as error:
        where = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        raise SettingError(
            f"processes: expected {os.environ['WORLD_SIZE']} to meet at {where}, got "
            f"{str(error).splitlines()[0]}"
        ) from error
    words = distributed.new_group(backend="gloo", timeout=PATIENCE)
    ranks = Processes(rank=state.process_index, count=state.num_processes, words=words)
    try:
        with working(ranks):
            yield ranks
        ranks.gathered(None)  # nobody hangs up on one that still speaks
    finally:
        state.destroy_process_group()
