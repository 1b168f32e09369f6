"""Worlds whose true reward is known, and planted flaws with dials."""
