"""Judgements that a policy imitates in order to judge, from a file, filtered by people's ranks.

A row holds ``prompt``, ``completion`` and ``judgement`` (the judge's whole reply), and where people
ranked the completions of a prompt also ``rank`` (0 is best). Yuan et al. (arXiv 2401.10020) keep
judgements only where the ranks of their scores are people's ranks, and thin out the commonest
score.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from solon.errors import DataError, SettingError
from solon.judges.parsing import parse
from solon.judges.prompts import check_share, is_test, prompt_of_row
from solon.judges.rows import Row, left_out, rows
from solon.judges.rubric import Rubric
from solon.judges.wording import Wording, prompt_of
from solon.records import Abstains, Completion, Rate
from solon.run.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """One judgement of a file: of what, in which words, with which score, and people's rank.

    Example:
        Evaluated(completion=a, judgement="Score: 4", score=4, rank=0)
    """

    completion: Completion
    judgement: str
    score: int
    rank: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationFile:
    """Evaluations to imitate, as completions of the judge's own prompt.

    Example:
        EvaluationFile(path="evaluations.jsonl").open(run).demonstrate()
    """

    path: str = ""
    """File of evaluations (.jsonl or .parquet, also with .gz)."""
    rubric: Rubric = Rubric()
    """How the judge will be asked: the same as the recipe's."""
    commonest: float = 0.5
    """Largest share of the judgements that one score may have; the rest of it is left out."""
    test: float = 0.0
    """Share of the dialogues left out: those whose prompts the same split calls test."""

    def open(self, run: Run, /) -> Evaluations:
        if not self.path:
            raise SettingError("evaluations.path: expected a file, got none")
        check_share(self.test)
        dropped: Counter[str] = Counter()
        found: list[Evaluated] = []
        for row in rows(Path(self.path)):
            one = self._read(row)
            if isinstance(one, str):
                dropped[one] += 1
            else:
                found.append(one)
        kept = evened(agreeing(found, dropped), self.commonest, dropped)
        if dropped:
            run.note(left_out(self.path, dropped, read=len(kept)))
        if not kept:
            raise DataError(self.path, expected="at least one usable evaluation", came="none")
        return Evaluations(
            kept=kept, wording=Wording.of(self.rubric.template, preamble=self.rubric.preamble)
        )

    def _read(self, row: Row) -> Evaluated | str:
        """The evaluation of a row, or why it shows none."""
        prompt = prompt_of_row(row)
        if is_test(prompt, self.test):
            return "kept apart as test"
        answer, said = row.text("completion"), row.text("judgement")
        low, high = self.rubric.scale
        steps = [str(step) for step in range(low, high + 1)]
        score = parse(said, steps, form=self.rubric.form, shown=(answer,))
        if isinstance(score, Abstains):
            return score.reason
        rank = row.fields.get("rank")
        if rank is not None and type(rank) is not int:
            raise row.fault("rank", "a whole number, 0 for the best, or nothing")
        completion = Completion(prompt=prompt, text=answer)
        return Evaluated(completion=completion, judgement=said, score=int(score), rank=rank)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluations:
    """The live evaluations."""

    kept: Sequence[Evaluated]
    wording: Wording = field(repr=False)

    def demonstrate(self, n: int = 0) -> list[Completion]:
        return [self._shown(one) for one in self.kept[: n or None]]

    def _shown(self, one: Evaluated) -> Completion:
        prompt = prompt_of(self.wording.messages(Rate(completion=one.completion)))
        return Completion(prompt=prompt, text=one.judgement, policy="people")


def agreeing(found: Sequence[Evaluated], dropped: Counter[str]) -> list[Evaluated]:
    """Those of prompts whose completions stand by score as people ranked them; the unranked too."""
    groups: Mapping[str, list[Evaluated]] = defaultdict(list)
    for one in found:
        groups[one.completion.prompt.id].append(one)
    wrong = {name for name, group in groups.items() if not agree(group)}
    kept = [one for one in found if one.completion.prompt.id not in wrong]
    if wrong:
        dropped["scores that rank otherwise than people"] = len(found) - len(kept)
    return kept


def agree(group: Sequence[Evaluated]) -> bool:
    """Whether each completion that people ranked above another has the higher score."""
    ranked = [(one.rank, one.score) for one in group if one.rank is not None]
    pairs = (sorted(pair) for pair in combinations(ranked, 2) if pair[0][0] != pair[1][0])
    return all(better[1] > worse[1] for better, worse in pairs)


def evened(found: Sequence[Evaluated], commonest: float, dropped: Counter[str]) -> list[Evaluated]:
    """The first of each score, up to that share of all."""
    room = Counter(dict.fromkeys((one.score for one in found), round(commonest * len(found))))
    kept: list[Evaluated] = []
    for one in found:
        room[one.score] -= 1
        if room[one.score] >= 0:
            kept.append(one)
    if len(kept) < len(found):
        dropped["more of the commonest score than wanted"] = len(found) - len(kept)
    return kept
