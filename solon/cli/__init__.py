"""The command line. Each command is thin: it finds parts by name and hands them over."""

from __future__ import annotations

from solon.cli.entry import main
from solon.cli.parser import parse

__all__ = ["main", "parse"]
