"""Judges by the probabilities of the answer's first words: soft labels and expected scores.

Lee et al. (arXiv 2309.00267), section 2.1: p = softmax(logp("1"), logp("2")), renormalised over
the choices only; and its direct form: s = sum_i i P(i) over a scale of 1 to 10.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from solon.errors import SettingError
from solon.judges.wording import ASK, Example, Wording, prompt_of
from solon.records import (
    Abstains,
    Compare,
    Completion,
    Judgement,
    Message,
    PairJudgement,
    Prefers,
    Rate,
    ScoreJudgement,
    Scores,
    digest,
)
from solon.seams.feedback import Chooser, PairJudge, Policy, ScoreJudge, Spec
from solon.text.constitution import Constitution
from solon.text.principle import Principle

if TYPE_CHECKING:
    from solon.run.run import Run

Reason: TypeAlias = Spec[Policy] | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LogitJudge:
    """Asks which of two is better and reads p(first) from the probabilities of the choices.

    With ``reason`` it asks in two calls: a rationale first (Lee et al. decode it greedily, 512
    tokens at most), then the choice after it. Every question, so each order of a pair, has a
    rationale of its own.

    Example:
        LogitJudge(policy=local, preamble="preamble/harmless", constitution="harmless")
    """

    policy: Spec[Chooser]
    """Whose probabilities are read."""
    template: str = "judge/pairwise"
    """Words of the question: a packaged name, or a path that ends in .md."""
    preamble: str = ""
    """Role and standards of the judge: a packaged name, or a path that ends in .md."""
    ask: str = ASK
    """The question itself, where no principle takes its place."""
    examples: tuple[Example, ...] = ()
    """Worked examples, shown before the question."""
    constitution: Constitution | str | None = None
    """Principles, one drawn for each question: a packaged name, or a path that ends in .toml."""
    reason: Reason = False
    """Whether a rationale comes first: from the judge's own model (true) or from a policy."""
    reason_template: str = "judge/reason"
    """Takes the place of template where a rationale comes first."""
    choices: tuple[str, str] = ("1", "2")
    """Answers that the template asks for: the first one's, then the second one's."""

    def open(self, run: Run, /) -> PairJudge:
        chooser = self.policy.open(run)
        wording = Wording.of(
            self.reason_template if self.reason else self.template,
            preamble=self.preamble,
            ask=self.ask,
            examples=self.examples,
            constitution=self.constitution,
        )
        return _LogitJudge(
            chooser=chooser,
            reasoner=_reasoner(chooser, self.reason, run),
            wording=wording,
            choices=self.choices,
            seed_for=run.seed_for,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogitScore:
    """Asks for a score and takes its expectation, s = sum_i i P(i), over the whole scale.

    Example:
        LogitScore(policy=local, preamble="preamble/helpful")    # scale 1..10
    """

    policy: Spec[Chooser]
    """Whose probabilities are read."""
    template: str = "judge/score"
    """Words of the question: a packaged name, or a path that ends in .md."""
    preamble: str = ""
    """Role and standards of the judge: a packaged name, or a path that ends in .md."""
    ask: str = "How good is this completion?"
    """The question itself."""
    scale: tuple[int, int] = (1, 10)
    """Lowest and highest score."""

    def open(self, run: Run, /) -> ScoreJudge:
        wording = Wording.of(self.template, preamble=self.preamble, ask=self.ask, scale=self.scale)
        low, high = self.scale
        return _LogitScore(
            chooser=self.policy.open(run), wording=wording, steps=tuple(range(low, high + 1))
        )


def softmax(logps: Sequence[float]) -> tuple[float, ...] | Abstains:
    """Probabilities over the choices alone; abstains where no choice is possible at all."""
    highest = max(logps)
    if not math.isfinite(highest) or any(math.isnan(logp) for logp in logps):
        return Abstains(reason="no choice has a finite log-probability")
    weights = [math.exp(logp - highest) for logp in logps]
    total = math.fsum(weights)
    return tuple(weight / total for weight in weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One question on its way: by which principle, in which words, after which rationale."""

    question: Compare
    seed: int
    principle: Principle | None
    messages: tuple[Message, ...]
    rationale: str = ""
    failed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _LogitJudge:
    chooser: Chooser
    reasoner: Policy | None
    wording: Wording
    choices: tuple[str, str]
    seed_for: Callable[..., int]

    @property
    def id(self) -> str:
        return self.wording.name(self.chooser.id)

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        asked = [self._asked(question) for question in questions]
        if self.reasoner is not None:
            asked = self._reasoned(asked, self.reasoner)
        whole = [one.messages for one in asked if not one.failed]
        logps = iter(_choose(self.chooser, whole, self.choices, self.wording.template.cue))
        return [
            self._judgement(one, Abstains(reason=one.failed) if one.failed else next(logps))
            for one in asked
        ]

    def _asked(self, question: Compare) -> _Asked:
        seed = self.wording.seed(question, self.seed_for)
        rule = self.wording.principle(seed)
        messages = self.wording.messages(question, rule)
        return _Asked(question=question, seed=seed, principle=rule, messages=messages)

    def _reasoned(self, asked: Sequence[_Asked], reasoner: Policy) -> list[_Asked]:
        groups = reasoner.sample([prompt_of(one.messages) for one in asked], n=1)
        return [
            self._after(one, group.completions[0]) for one, group in zip(asked, groups, strict=True)
        ]

    def _after(self, asked: _Asked, said: Completion) -> _Asked:
        if said.finish == "filter":
            return replace(asked, failed=f"no rationale: {said.note or 'the call failed'}")
        rationale = said.text.strip()
        messages = self.wording.messages(asked.question, asked.principle, rationale=rationale)
        return replace(asked, messages=messages, rationale=rationale)

    def _judgement(self, asked: _Asked, logps: tuple[float, ...] | Abstains) -> PairJudgement:
        principle = asked.principle
        p = logps if isinstance(logps, Abstains) else softmax(logps)
        avoid = principle is not None and principle.polarity == "avoid"
        return Judgement(
            question=asked.question,
            answer=p if isinstance(p, Abstains) else Prefers(p_first=p[1] if avoid else p[0]),
            judge=self.id,
            principle=principle.id if principle else "",
            rationale=asked.rationale,
            raw=_raw(self.choices, logps),
            digest=digest(self.id, self.wording.digest, asked.messages, self.choices),
            seed=asked.seed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _LogitScore:
    chooser: Chooser
    wording: Wording
    steps: tuple[int, ...]

    @property
    def id(self) -> str:
        return self.wording.name(self.chooser.id)

    def __call__(self, questions: Sequence[Rate], /) -> list[ScoreJudgement]:
        choices = tuple(str(step) for step in self.steps)
        asked = [self.wording.messages(question) for question in questions]
        every = _choose(self.chooser, asked, choices, self.wording.template.cue)
        return [
            Judgement(
                question=question,
                answer=logps if isinstance(logps, Abstains) else self._score(softmax(logps)),
                judge=self.id,
                raw=_raw(choices, logps),
                digest=digest(self.id, self.wording.digest, messages, choices),
            )
            for question, messages, logps in zip(questions, asked, every, strict=True)
        ]

    def _score(self, p: tuple[float, ...] | Abstains) -> Scores | Abstains:
        if isinstance(p, Abstains):
            return p
        value = math.fsum(step * mass for step, mass in zip(self.steps, p, strict=True))
        return Scores(value=value, distribution=p)


def _choose(
    chooser: Chooser, asked: Sequence[tuple[Message, ...]], choices: Sequence[str], cue: str
) -> list[tuple[float, ...] | Abstains]:
    answers = chooser.choose([prompt_of(messages) for messages in asked], choices, cue=cue)
    assert len(answers) == len(asked), "a chooser answers each prompt, in order"
    return answers


def _reasoner(chooser: Chooser, reason: Reason, run: Run) -> Policy | None:
    if not isinstance(reason, bool):
        return reason.open(run)
    if reason and not isinstance(chooser, Policy):
        raise SettingError(
            f"reason: expected a judge that can write, got {chooser.id}, which only chooses; "
            "give a policy as reason"
        )
    return chooser if reason and isinstance(chooser, Policy) else None


def _raw(choices: Sequence[str], logps: tuple[float, ...] | Abstains) -> str:
    """The choices' log-probabilities as JSON, before renormalisation."""
    return "" if isinstance(logps, Abstains) else json.dumps(dict(zip(choices, logps, strict=True)))
