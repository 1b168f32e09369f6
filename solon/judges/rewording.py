"""The same judge asked in other words that mean the same: what its verdicts should not hang on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any

from solon.judges.llm import LlmJudge
from solon.judges.logits import LogitJudge
from solon.text.template import read

LETTERED = {
    "judge/pairwise": "judge/pairwise_letters",
    "judge/pairwise_json": "judge/pairwise_json_letters",
}
_ITEMS = re.compile(r"(?:^- .*(?:\n  .*)*\n?){2,}", re.MULTILINE)
_ITEM = re.compile(r"^- .*(?:\n  .*)*", re.MULTILINE)


def reworded(judge: Any, folder: Path) -> dict[str, Any]:
    """Specs of the judge by what was changed; files of changed words are written to the folder.

    ``letters``: A and B for 1 and 2. ``renamed``: answer for completion. ``criteria``: the lists of
    its preamble from last to first. What a judge has no place for is left out, so a judge that is
    no model, or one with words of its own, may have none.
    """
    return dict(_reworded(judge, folder))


def _reworded(judge: Any, folder: Path) -> Iterator[tuple[str, Any]]:
    match judge:
        case LlmJudge() | LogitJudge():
            yield from _asked_otherwise(judge, folder)
        case _ if is_dataclass(getattr(judge, "judge", None)):  # a wrapper: both orders, a vote
            for name, changed in _reworded(judge.judge, folder):
                yield name, replace(judge, judge=changed)
        case _:
            return


def _asked_otherwise(
    judge: LlmJudge | LogitJudge, folder: Path
) -> Iterator[tuple[str, LlmJudge | LogitJudge]]:
    plain = isinstance(judge, LlmJudge) or not judge.reason
    if plain and judge.template in LETTERED and judge.choices == ("1", "2"):
        lettered = LETTERED[judge.template]
        yield "letters", replace(judge, template=lettered, choices=("A", "B"))
    if plain and judge.template in LETTERED:
        words = read(judge.template).replace("completion", "answer").replace("Completion", "Answer")
        yield "renamed", replace(judge, template=_written(folder / "renamed.md", words))
    turned = criteria_turned(read(judge.preamble)) if judge.preamble else None
    if turned is not None:
        yield "criteria", replace(judge, preamble=_written(folder / "criteria.md", turned))


def criteria_turned(text: str) -> str | None:
    """The items of each list from last to first; None where there is no list of two."""
    if not _ITEMS.search(text):
        return None
    return _ITEMS.sub(lambda found: "\n".join(_ITEM.findall(found[0])[::-1]) + "\n", text)


def _written(path: Path, words: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(words, encoding="utf-8")
    return str(path)
