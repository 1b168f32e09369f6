"""Judges that say their verdict in words: a policy, a template and a parser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic

from solon.judges.parsing import Form, parse, parse_order
from solon.judges.wording import ASK, Example, Wording, prompt_of
from solon.records import (
    A,
    Abstains,
    Compare,
    Completion,
    Judgement,
    Prefers,
    Q,
    Rank,
    Ranks,
    Rate,
    Scores,
    digest,
)
from solon.seams.feedback import Policy, Spec
from solon.text.constitution import Constitution
from solon.text.principle import Principle

if TYPE_CHECKING:
    from solon.run.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmJudge:
    """Asks which of two is better and parses the reply; an unreadable reply abstains.

    A parsed verdict is a hard label, p_first 0 or 1; ``Vote`` asks several times.

    Example:
        LlmJudge(policy=endpoint, preamble="preamble/harmless", constitution="harmless")
    """

    policy: Spec[Policy]
    """Who writes the verdict."""
    template: str = "judge/pairwise_json"
    """Words of the question: a packaged name, or a path that ends in .md."""
    form: Form = "json"
    """Where the verdict stands in the reply: a json object, a tag at its end, or its last line."""
    preamble: str = ""
    """Role and standards of the judge: a packaged name, or a path that ends in .md."""
    ask: str = ASK
    """The question itself, where no principle takes its place."""
    examples: tuple[Example, ...] = ()
    """Worked examples, shown before the question."""
    constitution: Constitution | str | None = None
    """Principles, one drawn for each question: a packaged name, or a path that ends in .toml."""
    choices: tuple[str, str] = ("1", "2")
    """Answers that the template asks for: the first one's, then the second one's."""

    def open(self, run: Run, /) -> Asker[Compare, Prefers]:
        wording = Wording.of(
            self.template,
            preamble=self.preamble,
            ask=self.ask,
            examples=self.examples,
            constitution=self.constitution,
        )
        return Asker(
            policy=self.policy.open(run),
            wording=wording,
            read=self.read,
            seed=lambda question: wording.seed(question, run.seed_for),
        )

    def read(self, question: Compare, reply: str) -> Prefers | Abstains:
        shown = (question.first.text, question.second.text)
        said = parse(reply, self.choices, form=self.form, shown=shown)
        return (
            said if isinstance(said, Abstains) else Prefers(p_first=float(said == self.choices[0]))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmScore:
    """Asks for a whole number on a scale and parses the reply.

    Example:
        LlmScore(policy=endpoint, preamble="preamble/helpful")    # scale 1..10
    """

    policy: Spec[Policy]
    """Who writes the score."""
    template: str = "judge/score_json"
    """Words of the question: a packaged name, or a path that ends in .md."""
    form: Form = "json"
    """Where the verdict stands in the reply: a json object, a tag at its end, or its last line."""
    preamble: str = ""
    """Role and standards of the judge: a packaged name, or a path that ends in .md."""
    ask: str = "How good is this completion?"
    """The question itself."""
    scale: tuple[int, int] = (1, 10)
    """Lowest and highest score."""

    def open(self, run: Run, /) -> Asker[Rate, Scores]:
        wording = Wording.of(self.template, preamble=self.preamble, ask=self.ask, scale=self.scale)
        return Asker(policy=self.policy.open(run), wording=wording, read=self.read)

    def read(self, question: Rate, reply: str) -> Scores | Abstains:
        steps = [str(step) for step in range(self.scale[0], self.scale[1] + 1)]
        said = parse(reply, steps, form=self.form, shown=(question.completion.text,))
        if isinstance(said, Abstains):
            return said
        return Scores(value=float(said), distribution=tuple(float(said == step) for step in steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmRank:
    """Asks in which order several completions stand and parses the reply (a JSON verdict).

    Example:
        LlmRank(policy=endpoint, preamble="preamble/summary")
    """

    policy: Spec[Policy]
    """Who writes the order."""
    template: str = "judge/rank"
    """Words of the question: a packaged name, or a path that ends in .md."""
    preamble: str = ""
    """Role and standards of the judge: a packaged name, or a path that ends in .md."""
    ask: str = "Order the completions from the best to the worst."
    """The question itself."""

    def open(self, run: Run, /) -> Asker[Rank, Ranks]:
        wording = Wording.of(self.template, preamble=self.preamble, ask=self.ask)
        return Asker(policy=self.policy.open(run), wording=wording, read=self.read)

    def read(self, question: Rank, reply: str) -> Ranks | Abstains:
        order = parse_order(reply, len(question.completions))
        return order if isinstance(order, Abstains) else Ranks(order=order)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker(Generic[Q, A]):
    """The live judge: words out, replies back, one judgement for each sample."""

    policy: Policy
    wording: Wording
    read: Callable[[Q, str], A | Abstains]
    seed: Callable[[Q], int] = lambda _: 0

    @property
    def id(self) -> str:
        return self.wording.name(self.policy.id)

    def __call__(self, questions: Sequence[Q], /) -> list[Judgement[Q, A]]:
        return [judgements[0] for judgements in self.samples(questions, n=1)]

    def samples(self, questions: Sequence[Q], /, *, n: int) -> list[list[Judgement[Q, A]]]:
        """n judgements of each question, one for each sample of the policy."""
        seeds = [self.seed(question) for question in questions]
        prompts = [
            prompt_of(self.wording.messages(question, self.wording.principle(seed)))
            for question, seed in zip(questions, seeds, strict=True)
        ]
        groups = self.policy.sample(prompts, n=n)
        return [
            [
                self._judgement(question, seed, said, digest(self.id, prompt.messages, sample))
                for sample, said in enumerate(group.completions)
            ]
            for question, seed, prompt, group in zip(questions, seeds, prompts, groups, strict=True)
        ]

    def _judgement(self, question: Q, seed: int, said: Completion, address: str) -> Judgement[Q, A]:
        rule = self.wording.principle(seed)
        return Judgement(
            question=question,
            answer=self._answer(question, rule, said),
            judge=self.id,
            principle=rule.id if rule else "",
            raw=said.text,
            digest=address,
            seed=seed,
        )

    def _answer(self, question: Q, rule: Principle | None, said: Completion) -> A | Abstains:
        if said.finish == "filter":
            return Abstains(reason=said.note or "the call failed")
        if said.finish == "length":
            return Abstains(reason="the reply was cut off")
        answer = self.read(question, said.text)
        if isinstance(answer, Prefers) and rule is not None and rule.polarity == "avoid":
            return replace(answer, p_first=1 - answer.p_first)
        return answer
