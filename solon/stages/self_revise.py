"""Self-revision: answers to red-team prompts, criticised and revised turn by turn, and learnt.

Bai et al., "Constitutional AI" (arXiv 2212.08073), section 3: the supervised phase.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from solon.errors import SettingError, TooManyFailures
from solon.judges.parsing import after_thinking
from solon.judges.questions import FailureLimit
from solon.judges.revising import FAULTLESS, UNCHANGED, OpenRevising, Revising, usable
from solon.records import Completion, Critique, Group, flat
from solon.run.run import Run
from solon.seams.feedback import Policy, Prompts
from solon.seams.learning import Frozen, Learner
from solon.stages.imitate import Imitate


@dataclass(frozen=True, kw_only=True)
class SelfRevise:
    """Draw answers of a helpful policy, let it revise them by principles, imitate the revisions."""

    prompts: int = 1024
    """Red-team prompts, one answer each."""
    turns: int = 4
    """Revisions of each answer, one after the other (Bai et al.: 4)."""
    learn: Literal["all", "last"] = "all"
    """Which revisions are learnt: of all turns (Bai et al.), or the last of each answer."""
    helpful: int = 512
    """Helpful prompts, whose answers by the helpful policy are learnt beside the revisions."""
    siblings: int = 2
    """Answers drawn of each helpful prompt (Bai et al.: 2)."""
    words: Revising = Revising()
    """How critiques and revisions are asked for."""
    imitate: Imitate = Imitate()
    """How revisions and helpful answers are fitted."""
    chunk: int = 256
    """Prompts or answers that become durable together."""
    max_failed: float = 0.5
    """Share of failed critiques and revisions, over the newest 200, at which the run stops."""

    def __post_init__(self) -> None:
        if self.turns < 1:
            raise SettingError(f"turns: expected at least 1 revision, got {self.turns}")

    def __call__(
        self,
        run: Run,
        policy: Learner,
        *,
        helpful: Policy,
        reviser: Policy,
        red_team: Prompts,
        prompts: Prompts,
    ) -> Frozen:
        """The policy after it has learnt the revisions, kept as ``revised``."""
        with run.stage("revise"):  # answers -> critiques and revisions, turn by turn
            turns = self.revisions(run, helpful, reviser, red_team)

        with run.stage("helpful"):  # what keeps the policy helpful
            wanted = prompts.take(self.helpful)
            draw = partial(helpful.sample, n=self.siblings)
            answers = aloud(run.map("helpful", draw, wanted, chunk=self.chunk))
            texts = [one for one in answers if one.finish != "filter" and one.text.strip()]
            run.log(0, answers=len(texts), unanswered=len(answers) - len(texts))

        with run.stage("learn-revisions"):
            self.imitate(run, policy, [*self.learnt(turns), *texts])
            start = policy.freeze()
            run.keep("revised", start)
        return start

    def revisions(
        self, run: Run, helpful: Policy, reviser: Policy, red_team: Prompts
    ) -> list[list[Critique]]:
        """``turns[k][i]`` criticises answer i in turn k + 1; a turn that failed leaves it."""
        revise = counted(self.words.by(reviser, run), FailureLimit(share=self.max_failed))
        groups = run.map("answers", helpful.sample, red_team.take(self.prompts), chunk=self.chunk)
        # what was cut off is no answer: it would teach to stop in the middle
        texts = [one for one in aloud(groups) if one.finish == "stop" and one.text.strip()]
        run.log(0, answers=len(texts), unanswered=len(groups) - len(texts))
        turns: list[list[Critique]] = []
        for turn in range(1, self.turns + 1):
            work = partial(revise, turn=turn)
            said: list[Critique] = run.map(f"critiques-{turn}", work, texts, chunk=self.chunk)
            run.log(turn, **counts(said))
            turns.append(said)
            texts = [after(one) for one in said]
        if not any(map(usable, turns)):
            raise TooManyFailures(f"revise: no revision to learn from; {_why(turns)}")
        return turns

    def learnt(self, turns: Sequence[Sequence[Critique]]) -> list[Completion]:
        """The revisions that are imitated, turn by turn."""
        if self.learn == "all":
            return [one for said in turns for one in usable(said)]
        last: dict[int, Completion] = {}
        for said in turns:
            for place, one in enumerate(said):
                for revision in usable([one]):
                    last[place] = revision
        return list(last.values())


def aloud(groups: Sequence[Group]) -> list[Completion]:
    """All completions, without the thoughts that a reasoning model had before them."""
    return [
        replace(one, text=after_thinking(one.text), tokens=(), logps=())
        if one.text.lstrip().startswith("<think>")
        else one
        for one in flat(groups)
    ]


def counted(revise: OpenRevising, failures: FailureLimit) -> Callable[..., list[Critique]]:
    """The same, and a stop where too many failed; that nothing is wrong is no failure."""

    def work(answers: Sequence[Completion], *, turn: int) -> list[Critique]:
        told = revise(answers, turn=turn)
        fine = {FAULTLESS, UNCHANGED}
        failures.note(("" if one.failed in fine else one.failed for one in told), of="revise")
        return told

    return work


def after(critique: Critique) -> Completion:
    """What the next turn begins from: the revision, or what it was to revise where it failed."""
    return critique.revision if critique.revision and not critique.failed else critique.completion


def counts(said: Sequence[Critique]) -> dict[str, float]:
    """Metrics: how many were asked, came to a revision, to none because nothing is wrong or
    nothing was changed, and failed for each other reason.
    """
    reasons = Counter(one.failed for one in said if one.failed)
    kept = {"faultless": reasons.pop(FAULTLESS, 0), "unchanged": reasons.pop(UNCHANGED, 0)}
    return {
        "asked": float(len(said)),
        "revised": float(len(usable(said))),
        **{name: float(count) for name, count in kept.items()},
        "failed": float(reasons.total()),
        **{f"failed/{reason}": float(count) for reason, count in sorted(reasons.items())},
    }


def _why(turns: Sequence[Sequence[Critique]]) -> str:
    reasons = Counter(one.failed for said in turns for one in said)
    return "; ".join(f"{reason}: {count}" for reason, count in reasons.most_common(3))
