"""Does the test know the training: shared prompts, or a judge that is kin to whom it judges?

Shared n-grams are GPT-3's overlap test (Brown et al., arXiv 2005.14165, appendix C: 13 words); that
a judge favours what was trained on data of its own kin is preference leakage (Li et al., arXiv
2502.01534). Families are told by the models' names, which is our formulation.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from pathlib import Path

from solon.errors import InputError
from solon.judges.provenance import ROLES, Source, read_sources
from solon.records import Finding
from solon.statistics import Interval, proportion

FREE = (float("-inf"), float("inf"))
NEVER = (0.0, 0.0)
FAMILIES: Mapping[str, str] = {"chatgpt": "gpt", "davinci": "gpt", "o": "gpt", "codellama": "llama"}
_WORD = re.compile(r"\w+")
_LEADING = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leakage:
    """Recorded prompts by part and models by role, or a run's own. Clustered as the rows say.

    ``exact`` is the share of test prompts whose normalised text is trained on, ``ngrams`` of those
    that share a run of ``words`` words with a trained one. ``model/A~B`` and ``family/A~B`` are 1
    where two roles are filled by one model or by one family, else 0: facts, without an interval.

    Example:
        Leakage(words=13).recorded(read_sources("sources.jsonl"))
    """

    words: int = 13
    """Words of the runs that are compared; a shorter prompt is compared whole."""
    most_shared: float = 0.02
    """Highest passing share of test prompts, by either test."""
    families: Mapping[str, str] = field(default_factory=lambda: dict(FAMILIES))
    """Family by the letters that a model's name begins with, where those are not its own name."""

    def read(self, path: Path | str) -> list[Source]:
        """The rows of a file, or of a run's folder."""
        return read_sources(path)

    def recorded(self, sources: Sequence[Source]) -> list[Finding]:
        """The findings; raises InputError where there is neither a test to check nor two roles."""
        found = [*self._shared(sources), *self._kin(sources)]
        if not found:
            raise InputError(
                "leakage: expected prompts of both parts (train, test) or models in two roles, got "
                f"{len(sources)} rows without either"
            )
        return found

    def _shared(self, sources: Sequence[Source]) -> Iterator[Finding]:
        trained = [normalised(one.text) for one in sources if one.part == "train"]
        tested = [one for one in sources if one.part == "test"]
        if not trained or not tested:
            return
        texts, clusters = [normalised(one.text) for one in tested], [_cluster(o) for o in tested]
        whole = set(trained)
        runs = {run for text in whole for run in _runs(text, self.words)}
        same = [float(text in whole) for text in texts]
        near = [
            float(text in whole or not runs.isdisjoint(_runs(text, self.words))) for text in texts
        ]
        bound, note = (0.0, self.most_shared), _first(texts, near)
        yield _found("exact", proportion(same, clusters), bound)
        yield _found("ngrams", proportion(near, clusters), bound, note)

    def _kin(self, sources: Sequence[Source]) -> Iterator[Finding]:
        """Every two roles; one that was trained by another's labels should not be judged by it."""
        models = {
            role: list(dict.fromkeys(one.model for one in sources if one.role == role))
            for role in ROLES
        }
        for a, b in combinations([role for role in ROLES if models[role]], 2):
            pairs = list(product(models[a], models[b]))
            twins = [(x, y) for x, y in pairs if _bare(x) == _bare(y)]
            kin = [(x, y) for x, y in pairs if self.family(x) == self.family(y)]
            # whoever labels may well be its own policy (self-rewarding): that is a choice, not a
            # leak; an evaluator that is kin to either is one
            bound = NEVER if "evaluator" in (a, b) else FREE
            for quantity, which in ((f"model/{a}~{b}", twins), (f"family/{a}~{b}", kin)):
                note = f"{which[0][0]} and {which[0][1]}" if which else ""
                yield _found(quantity, _fact(true=bool(which)), bound, note)

    def family(self, model: str) -> str:
        """The letters that the model's own name begins with, by its family's name."""
        bare = _bare(model)
        letters = _LEADING.match(bare)
        name = letters[0] if letters else bare
        return self.families.get(name, name)


def normalised(text: str) -> str:
    """Its words in lower case, without marks, accents' spelling or spacing."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).lower()))


def _runs(text: str, words: int) -> Iterator[str]:
    said = text.split()
    for at in range(len(said) - words + 1):
        yield " ".join(said[at : at + words])


def _bare(model: str) -> str:
    """A model's name without its owner's, a folder's or a version's."""
    return model.lower().rstrip("/").rpartition("/")[2].partition("@")[0]


def _cluster(source: Source) -> str:
    return source.cluster or normalised(source.text)


def _first(texts: Sequence[str], near: Sequence[float]) -> str:
    shared = [text for text, flag in zip(texts, near, strict=True) if flag]
    return f"for example: {shared[0][:80]}" if shared else ""


def _fact(*, true: bool) -> Interval:
    value = float(true)
    return Interval(estimate=value, low=value, high=value, n=1)


def _found(
    quantity: str, interval: Interval, bound: tuple[float, float] = FREE, note: str = ""
) -> Finding:
    return Finding(audit="leakage", quantity=quantity, bound=bound, note=note, **interval.measured)
