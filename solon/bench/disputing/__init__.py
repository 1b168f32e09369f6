"""``solon debate --protocol prover-estimator``: claims split into trees, and disputed.

posing                  rows -> claims, and whether they are true where it is known
players                 who sits at the seats: language models, or exact parties over planted trees
disputing               which rules, who plays them, about what
outcome, brittleness    estimates against the truth, payoffs, how brittle the arguments are
shown, playing          one debate in the terminal; from the command to the page
"""

from solon.bench.disputing.disputing import Disputing, disputing_on
from solon.bench.disputing.playing import claims_in, debate, play, show_settings
from solon.bench.disputing.posing import ClaimFile, OneClaim, PlantedClaims, PosedClaim

__all__ = [
    "ClaimFile",
    "Disputing",
    "OneClaim",
    "PlantedClaims",
    "PosedClaim",
    "claims_in",
    "debate",
    "disputing_on",
    "play",
    "show_settings",
]
