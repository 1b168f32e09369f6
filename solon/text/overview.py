"""Constitutions as lines to read: the packaged ones, one in figures, one in full."""

from __future__ import annotations

from collections.abc import Iterator

from solon.text.constitution import Constitution, names, read
from solon.text.hostile import neutralise
from solon.text.principle import COMPARING, REVISING, Principle, Text


def packaged() -> Iterator[str]:
    """Each packaged constitution: name, size, and what it is for."""
    for name in names():
        yield f"{name:<14} {_size(Constitution.load(name))}"
        yield from (f"    {line}" for line in about(read(name)))


def about(text: str) -> list[str]:
    """The comment that a file begins with."""
    lines = text.splitlines()
    end = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return [line.lstrip("# ") for line in lines[:end]]


def figures(law: Constitution) -> Iterator[str]:
    """Name, digest, size, and the share of draws of each tag, where it compares and revises."""
    yield f"{_seen(law.name)}  {law.digest}"
    yield _size(law)
    tags = sorted({tag for principle in law.principles for tag in principle.tags})
    groups = {_seen(tag): [tag in one.tags for one in law.principles] for tag in tags}
    groups["(counters)"] = [principle.counter for principle in law.principles]
    groups["(all)"] = [True] * len(law.principles)
    wide = max(map(len, ("share of draws", *groups))) + 2
    yield f"{'share of draws':<{wide}}{'principles':>12}{'comparisons':>13}{'revisions':>11}"
    for name, chosen in groups.items():
        compared, revised = (_percent(law, chosen, texts) for texts in (COMPARING, REVISING))
        yield f"{name:<{wide}}{sum(chosen):>12}{compared:>13}{revised:>11}"
    yield from _repeated(law)


def whole(law: Constitution) -> Iterator[str]:
    """Every principle with all that it says."""
    yield f"{_seen(law.name)}  {law.digest}  {_seen(law.source)}".rstrip()
    for principle in law.principles:
        yield ""
        yield _seen("  ".join([principle.id, *_marks(principle)]))
        for text in (*COMPARING, *REVISING):
            if said := getattr(principle, text):
                yield f"  {text:<9} {_seen(said)}"


def share(law: Constitution, chosen: list[bool], texts: tuple[Text, ...]) -> float | None:
    """The chosen principles' share of the draws for these texts; none where none is drawn."""
    weights = [one.weight if one.says(texts) else 0.0 for one in law.principles]
    total = sum(weights)
    some = sum(weight for weight, chose in zip(weights, chosen, strict=True) if chose)
    return some / total if total else None


def _percent(law: Constitution, chosen: list[bool], texts: tuple[Text, ...]) -> str:
    part = share(law, chosen, texts)
    return "–" if part is None else f"{100 * part:.1f} %"


def _size(law: Constitution) -> str:
    counters = sum(principle.counter for principle in law.principles)
    return f"{_count(len(law.principles), 'principle')}, {_count(counters, 'counter')}"


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _marks(principle: Principle) -> Iterator[str]:
    yield from ["counter"] * principle.counter
    yield from ["avoid"] * (principle.polarity == "avoid")
    yield from [f"weight {principle.weight:g}"] * (principle.weight != 1)
    yield from principle.tags
    yield from [f"({principle.source})"] * bool(principle.source)


def _repeated(law: Constitution) -> Iterator[str]:
    """Principles that ask the same as an earlier one: together they are drawn more often."""
    first: dict[str, str] = {}
    for principle in law.principles:
        for said in (principle.compare, principle.critique):
            asked = "".join(filter(str.isalnum, said.lower()))
            if asked and first.setdefault(asked, principle.id) != principle.id:
                yield f"{_seen(principle.id)} asks the same as {_seen(first[asked])}"


def _seen(text: str) -> str:
    """The text without characters that a terminal would obey."""
    return neutralise(text)
