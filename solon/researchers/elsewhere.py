"""Where a campaign's methods are tried once it is over: FINAL, and problems nobody has seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace

import numpy as np

from solon.bench.town_tasks import TownTask
from solon.lab.salience import Salience
from solon.researchers.forum import leaderboard
from solon.researchers.labels import Holdout
from solon.researchers.method import Execute, Method
from solon.researchers.parts import BASELINES, compose
from solon.researchers.places import Places
from solon.researchers.posing import Posing
from solon.researchers.problem import Problem
from solon.researchers.transfer import Carried, Place, Transfer
from solon.run import lines
from solon.run.run import Run


def baselines() -> dict[str, Method]:
    """The four by name, the naive student first."""
    return {name: Method.of(compose(parts)) for name, parts in BASELINES.items()}


def winners(places: Places, most: int) -> list[Method]:
    """The best methods by DEV, as agents were told: each agent's best, of equal ones the first."""
    best = dict.fromkeys(one.digest for one in leaderboard(places.ledger().records))
    return [Method.of(places.source(digest)) for digest in list(best)[:most]]


def carry_all(
    run: Run, posing: Posing, transfer: Transfer, *, execute: Execute, workers: int
) -> None:
    """Every winner and baseline on every problem; what was measured before a kill is not again."""
    places = Places(folder=run.dir)
    methods = {one.digest: one for one in baselines().values()}
    methods |= {one.digest: one for one in winners(places, transfer.methods)}
    have = {(one.place, one.digest) for one in Carried.read(places.transfer)}
    secret = places.secret()
    seeds = [int(one) for one in np.random.SeedSequence([secret, 9]).generate_state(transfer.runs)]
    with Run(places.office / "elsewhere", seed=secret) as drawn:
        pairs = [
            (place, one)
            for place in elsewhere(drawn, posing, transfer, places)
            for one in methods.values()
            if (place.name, one.digest) not in have
        ]
        for place, method in run.display.track(pairs, name="transfer", total=len(pairs)):
            carried = place.carry(method, execute, seeds=seeds, workers=workers)
            places.trace.append("operator", "transfer", _brief(carried))
            lines.append(places.transfer, asdict(carried))


def elsewhere(run: Run, posing: Posing, transfer: Transfer, places: Places) -> Iterator[Place]:
    """FINAL; then other draws of a laboratory, or the other tasks that files have."""
    holdout = Holdout.read(places.office / "holdout")
    yield Place(
        name="FINAL",
        problem=Problem.read(places.office / "problem"),
        holdout=holdout,
        rows=holdout.rows("final"),
    )
    others = laboratories(posing, transfer)
    for name, other in others.items():
        with Run(run.dir / name, seed=run.seed_for(name)) as drawn:
            yield Place.whole(name, other.pose(drawn)[0])
    if not others:
        yield from (Place.whole(one.name, one) for one in posing.pose(run)[1:])


def laboratories(posing: Posing, transfer: Transfer) -> Mapping[str, Posing]:
    """What can be drawn anew, by name; nothing of tasks from files."""
    match posing.tasks:
        case Salience() as lab:
            found = {f"draw {k + 1}": posing for k in range(transfer.draws)}
            return found | {
                f"imitation {one:g}": replace(posing, tasks=replace(lab, imitation=one))
                for one in transfer.imitations
            }
        case TownTask():
            return {f"draw {k + 1}": posing for k in range(transfer.draws)}
        case _:
            return {}


def _brief(one: Carried) -> dict[str, object]:
    pgr = None if one.pgr is None else one.pgr.estimate
    return {"place": one.place, "digest": one.digest, "pgr": pgr, "reason": one.reason}
