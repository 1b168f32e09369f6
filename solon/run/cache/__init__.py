"""Replies that were paid for once, addressed by everything that made them; shared by all runs."""

from solon.run.cache.cache import Cache, default_place

__all__ = ["Cache", "default_place"]
