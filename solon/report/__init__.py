"""A run directory becomes one page: every curve, sample, judgement and finding of it."""

from solon.report.page import write_report

__all__ = ["write_report"]
