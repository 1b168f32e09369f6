"""What an agent keeps between two steps, in one JSON file that survives ``kill -9``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from solon.errors import DataError
from solon.researchers.forum import put
from solon.researchers.method import Method
from solon.researchers.parts import LIBRARY, Family, Part, compose, labelled, named
from solon.researchers.rules import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Idea:
    """A composition, and the part that is new in it, whose family is the idea's.

    Example:
        Idea(parts=(LIBRARY["confidence"], LIBRARY["voted"]), lead="voted")
    """

    parts: tuple[Part, ...]
    """What the method is composed of."""
    lead: str
    """The part's name."""

    @property
    def family(self) -> Family:
        return LIBRARY[self.lead].family

    @property
    def source(self) -> str:
        """The method to submit."""
        return compose(self.parts)

    @property
    def digest(self) -> str:
        """The method's, as the scorer counts it."""
        return digest(labelled(self.parts))


@lru_cache(maxsize=4096)
def digest(label: str) -> str:
    """Of the method of these parts."""
    return Method.of(compose(named(label))).digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One idea that was sent to the scorer, and what came back.

    Example:
        Try(parts="voted(count=3)", lead="voted", digest="9f" * 32, answered=True, improved=True)
    """

    parts: str
    """The composition in one line."""
    lead: str
    """The part that was new in it."""
    digest: str
    """The method's."""
    answered: bool = False
    """False for what is on its way, and for ever where the agent was killed meanwhile."""
    pgr: float | None = None
    """The agent's best PGR as it was told with this answer."""
    improved: bool = False
    """Whether this is what raised it."""
    reason: str = ""
    """What failed."""

    @property
    def idea(self) -> Idea:
        return Idea(parts=named(self.parts), lead=self.lead)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """An agent's tries, in the order in which they were sent.

    Example:
        Notes(agent="ada").sent(idea).answered(Reply(pgr=0.35, improved=True)).best
    """

    agent: str
    """Whose notes they are."""
    tries: tuple[Try, ...] = field(default=())
    """Each method once."""

    @property
    def best(self) -> Try | None:
        """The last that improved, which is the best."""
        return next((one for one in reversed(self.tries) if one.improved), None)

    @property
    def digests(self) -> Collection[str]:
        """Of all methods that were sent."""
        return {one.digest for one in self.tries}

    @property
    def families(self) -> tuple[Family, ...]:
        """Of each try's idea."""
        return tuple(LIBRARY[one.lead].family for one in self.tries)

    def sent(self, idea: Idea) -> Notes:
        """With one more, that has no answer yet."""
        more = Try(parts=labelled(idea.parts), lead=idea.lead, digest=idea.digest)
        return replace(self, tries=(*self.tries, more))

    def answered(self, reply: Reply) -> Notes:
        """With the answer to the last.

        An answer says the agent's best PGR also where it was another method that reached it: a rise
        that is not this one's is that of the last one whose own answer was lost.
        """
        tries, told = list(self.tries), self.best.pgr if self.best else None
        lost = [at for at, one in enumerate(tries[:-1]) if not one.answered]
        risen = reply.pgr is not None and (told is None or reply.pgr > told)
        if risen and not reply.improved and lost:
            tries[lost[-1]] = replace(tries[lost[-1]], improved=True, pgr=reply.pgr)
        tries[-1] = replace(tries[-1], answered=True, **asdict(reply))
        return replace(self, tries=tuple(tries))


@dataclass(frozen=True, slots=True, kw_only=True)
class Notebook:
    """The file.

    Example:
        Notebook(path=Path("ada/notebook.json")).read("ada")
    """

    path: Path
    """Whole after a kill, as it is replaced and never changed."""

    def read(self, agent: str) -> Notes:
        """Empty notes where there are none; DataError where they are not this agent's."""
        if not self.path.exists():
            return Notes(agent=agent)
        try:
            read: Any = orjson.loads(self.path.read_bytes())
            known = {one.name for one in fields(Try)}
            tries = [Try(**{name: one[name] for name in known}) for one in read["tries"]]
            found = Notes(agent=read["agent"], tries=tuple(tries))
        except (orjson.JSONDecodeError, TypeError, KeyError):
            raise DataError(self.path, expected="an agent's notes", came="other JSON") from None
        if found.agent != agent:
            raise DataError(self.path, expected=f"the notes of {agent}", came=found.agent)
        return found

    def write(self, notes: Notes) -> None:
        """On the disk when this returns."""
        put(self.path, orjson.dumps(asdict(notes), option=orjson.OPT_INDENT_2))
