"""One learner in several processes: the same recipe, draws and trajectory as in one."""

from typing import TYPE_CHECKING

from solon.engines.lazy import lazily

if TYPE_CHECKING:
    from solon.engines.sharded.parts import Parts
    from solon.engines.sharded.processes import Processes, joined

__all__ = ["Parts", "Processes", "joined"]
# `joined` alone, which every command calls, waits for no torch
WHERE = {"Parts": "parts", "Processes": "processes", "joined": "processes"}

__getattr__ = lazily(__name__, WHERE)
