"""How many threads: a small model on a small shared machine runs best on one."""

from __future__ import annotations

import os
from typing import Protocol

import torch

# Workers of a parallel region spin while they wait. When a core is taken by someone else they lose
# whole time slices: (2048, 128) x (128, 384) in float32 fell from 53-77 to 4-27 GFLOP/s.
FEW_CORES = 4
SMALL = 50_000_000


class Notes(Protocol):
    def note(self, text: str, /) -> None: ...


def choose_threads(parameters: int, device: torch.device, run: Notes) -> None:
    """One thread for a small model on few cores, unless OMP_NUM_THREADS says otherwise."""
    few = len(os.sched_getaffinity(0)) <= FEW_CORES if hasattr(os, "sched_getaffinity") else False
    asked = "OMP_NUM_THREADS" in os.environ or torch.get_num_threads() == 1
    if asked or device.type != "cpu" or parameters > SMALL or not few:
        return
    torch.set_num_threads(1)
    run.note("threads: 1, for a small model on a machine of few cores (OMP_NUM_THREADS overrides)")
