"""What came of a campaign, read from its folder by whoever may see all of it.

No score in it is an agent's word: submissions and alarms are the scorer's, conversations the
trace's. Families of ideas are embedded agents', whose notes say which part was new.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from solon.errors import DataError
from solon.researchers.crew import Role, roles
from solon.researchers.diversity import LEAST, Diversity, diversity
from solon.researchers.elsewhere import baselines
from solon.researchers.forum import Post, Standing, leaderboard
from solon.researchers.labels import PARTS, Holdout
from solon.researchers.ledger import Record
from solon.researchers.notebook import Notes
from solon.researchers.parts import Family
from solon.researchers.places import Places
from solon.researchers.sittings import Sitting, sittings
from solon.researchers.trace import verify
from solon.researchers.transfer import Carried
from solon.run import lines

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """One submission, whole; its agent was told ``told`` and the record's reason, and no more.

    Example:
        Submitted(number=1, record=record, told=0.35)
    """

    number: int
    """Of the agent's, from 1."""
    record: Record
    """As the scorer saw it."""
    told: float | None
    """The agent's best PGR as it knew it then."""
    time: float | None = None
    """Of its answer, in seconds since 1970; none where a kill came before the trace's row."""
    alarms: tuple[Row, ...] = ()
    """Each audit's value beside its limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The trace: how long it is, the hash to keep elsewhere, and where it is broken, if it is.

    Example:
        Chain(rows=120, head="9f" * 32)
    """

    rows: int
    head: str = ""
    broken: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What there is to recover on one part of the labels.

    Example:
        Gap(part="dev", weak=0.63, ceiling=0.88, rows=2850)
    """

    part: str
    weak: float
    ceiling: float
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that a campaign's report says.

    Example:
        Outcome.of(Path("campaign")).standings[0].pgr
    """

    manifest: Row
    crew: tuple[Role, ...]
    submissions: tuple[Submitted, ...]
    standings: tuple[Standing, ...]
    """From what agents were told; best first."""
    labels: Mapping[str, str]
    """What a method is composed of, by digest, where that is known."""
    families: Mapping[str, Sequence[Family]]
    """Of each embedded agent's ideas, in the order of its turns."""
    diversity: tuple[Diversity, ...]
    sittings: tuple[Sitting, ...]
    posts: tuple[Post, ...]
    transfer: tuple[Carried, ...]
    gaps: tuple[Gap, ...]
    chain: Chain
    source: str = ""
    """The best method by DEV."""

    @classmethod
    def of(cls, folder: Path) -> Outcome:
        """Of a campaign that is not at work now."""
        places = Places(folder=folder)
        manifest = orjson.loads((folder / "manifest.json").read_bytes())
        settings = manifest["settings"]
        crew = roles(settings["agents"], settings["models"], directed=settings["directed"])
        names = [one.name for one in crew if one.kind == "embedded"]
        notes = [places.notebook(name).read(name) for name in names]
        rows, records = lines.read(places.trace.path), places.ledger().records
        standings = leaderboard(records)
        families = {one.agent: one.families for one in notes}
        return cls(
            manifest=manifest,
            crew=tuple(crew),
            submissions=tuple(submitted(records, rows)),
            standings=tuple(standings),
            labels=_labels(notes),
            families=families,
            # fewer than five agents are shown where there are no more, and say little
            diversity=tuple(diversity(families, least=max(2, min(LEAST, len(names))))),
            sittings=tuple(sittings(rows)),
            posts=tuple(places.forum.posts()[0]),
            transfer=tuple(Carried.read(places.transfer)),
            gaps=_gaps(Holdout.read(places.office / "holdout")),
            chain=_chain(places.trace.path, rows),
            source=places.source(standings[0].digest) if standings else "",
        )

    def plain(self) -> dict[str, Any]:
        """The content of findings.json."""
        submissions = [
            asdict(replace(one.record, classes=()))
            | {"number": one.number, "told": one.told, "time": one.time, "audits": one.alarms}
            | {"method": self.labels.get(one.record.digest, "")}
            for one in self.submissions
        ]
        return {
            "directions": {one.name: one.direction.text for one in self.crew},
            "gaps": [asdict(one) for one in self.gaps],
            "leaderboard": [asdict(one) for one in self.standings],
            "submissions": submissions,
            "families": self.families,
            "diversity": [asdict(one) for one in self.diversity],
            "sessions": [asdict(one) for one in self.sittings],
            "transfer": [
                asdict(one) | {"method": self.labels.get(one.digest, "")} for one in self.transfer
            ],
            "trace": asdict(self.chain),
        }


def submitted(records: Iterable[Record], rows: Iterable[Row]) -> list[Submitted]:
    """The scorer's records, each with its row of the trace, where a kill did not keep it back."""
    scored = [one for one in rows if one["tool"] == "score" and "digest" in one["detail"]]
    waiting = {agent: [one for one in scored if one["agent"] == agent] for agent in
               {one["agent"] for one in scored}}  # fmt: skip
    found, told, counts = list[Submitted](), dict[str, float](), dict[str, int]()
    for record in (one for one in records if one.kind == "score"):
        agent = record.agent
        counts[agent] = counts.get(agent, 0) + 1
        if record.improved and record.released is not None:
            told[agent] = record.released
        own = waiting.get(agent, [])
        row = own.pop(0) if own and own[0]["detail"]["digest"] == record.digest else None
        one = Submitted(number=counts[agent], record=record, told=told.get(agent))
        if row is not None:
            one = replace(one, time=row["time"], alarms=tuple(row["detail"]["alarms"]))
        found.append(one)
    return found


def _labels(notes: Iterable[Notes]) -> dict[str, str]:
    tried = {one.digest: one.parts for each in notes for one in each.tries}
    return tried | {method.digest: name for name, method in baselines().items()}


def _gaps(holdout: Holdout) -> tuple[Gap, ...]:
    parts = [(part, holdout.rows(part)) for part in PARTS]
    return tuple(
        Gap(
            part=part,
            weak=float(holdout.weak_right[rows].mean()),
            ceiling=float(holdout.ceiling_right[rows].mean()),
            rows=int(rows.sum()),
        )
        for part, rows in parts
    )


def _chain(path: Path, rows: Sequence[Row]) -> Chain:
    try:
        count = verify(path) if path.exists() else 0
    except DataError as error:
        return Chain(rows=len(rows), broken=str(error))
    return Chain(rows=count, head=rows[-1]["hash"] if rows else "")
