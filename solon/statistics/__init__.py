"""What an audit computes with: numpy and scipy only, and no interval that ignores its clusters."""

from solon.statistics.agreement import (
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    observed,
    pabak,
    table,
)
from solon.statistics.bootstrap import Bootstrap
from solon.statistics.bradley_terry import BradleyTerry, bradley_terry
from solon.statistics.correlation import auc, kendall, pearson, spearman
from solon.statistics.interval import (
    Equivalence,
    Interval,
    clopper_pearson,
    difference,
    equivalence,
    mean,
    paired_difference,
    proportion,
    standard_error,
    wilson,
)
from solon.statistics.length import (
    LengthControlled,
    at_equal_length,
    length_controlled,
    predicted_win_rate,
    rate_at_length,
)
from solon.statistics.logistic import Logit, logistic

__all__ = [
    "Bootstrap",
    "BradleyTerry",
    "Equivalence",
    "Interval",
    "LengthControlled",
    "Logit",
    "at_equal_length",
    "auc",
    "bradley_terry",
    "clopper_pearson",
    "cohen_kappa",
    "difference",
    "equivalence",
    "fleiss_kappa",
    "gwet_ac1",
    "kendall",
    "krippendorff_alpha",
    "length_controlled",
    "logistic",
    "mean",
    "observed",
    "pabak",
    "paired_difference",
    "pearson",
    "predicted_win_rate",
    "proportion",
    "rate_at_length",
    "spearman",
    "standard_error",
    "table",
    "wilson",
]
