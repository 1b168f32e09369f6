"""The protocols by name, and which games each plays about one question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from solon.errors import SettingError
from solon.oversight.consultancy import Consultancy
from solon.oversight.debate import Debate
from solon.oversight.direct import Direct
from solon.oversight.dispute import SIDES, Dispute
from solon.oversight.judging import Judging
from solon.oversight.opened import Opened
from solon.oversight.persuasion import BestOf, Plain, Refine
from solon.oversight.telling import Audience
from solon.records import Transcript
from solon.seams.games import Play

Rules: TypeAlias = Debate | Consultancy | Opened | Direct

PROTOCOLS: Mapping[str, Rules] = {
    "debate": Debate(),
    "consultancy": Consultancy(),
    "open-debate": Opened(game=Debate()),
    "open-consultancy": Opened(game=Consultancy()),
    "naive": Direct(),
    "expert": Direct(judging=Judging(source=True)),
}
PERSUASIONS: Mapping[str, Any] = {"plain": Plain(), "best_of": BestOf(), "refine": Refine()}


def protocol(name: str) -> Rules:
    """The rules of that name; SettingError names all."""
    if name not in PROTOCOLS:
        known = ", ".join((*PROTOCOLS, "prover-estimator"))
        raise SettingError(f"protocol: expected one of {known}, got {name!r}")
    return PROTOCOLS[name]


def plays(
    rules: Rules, dispute: Dispute, audience: Audience | None = None
) -> list[Play[Transcript]]:
    """A consultancy is played for both sides: an honest consultant alone would prove nothing."""
    if isinstance(rules, Consultancy):
        return [rules.play(dispute, side=side, audience=audience) for side in SIDES]
    if isinstance(rules, Direct):
        return [rules.play(dispute)]
    return [rules.play(dispute, audience=audience)]
