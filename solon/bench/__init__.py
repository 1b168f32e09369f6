"""Recipe x bench: where parts meet; the one floor that knows engines, judges and worlds."""

from solon.bench.bench import Bench, compose

__all__ = ["Bench", "compose"]
