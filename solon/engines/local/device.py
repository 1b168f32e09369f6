"""Where a model computes."""

from typing import Literal, TypeAlias

Device: TypeAlias = Literal["auto", "cpu", "cuda"]
