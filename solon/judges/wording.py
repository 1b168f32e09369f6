"""The words in which a judge is asked: template, preamble, principle, worked examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from solon.errors import SettingError
from solon.records import Assess, Compare, Message, Prompt, Question, Rank, Rate, digest
from solon.text.constitution import Constitution
from solon.text.hostile import Markup, conversation, neutralise
from solon.text.principle import Principle
from solon.text.template import Template, read

ASK = "Which completion is better?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A worked example, shown to the judge as an earlier turn and its answer.

    Example:
        Example(prompt="Write a sentence.", first="A cat sat.", second="cat cat", answer="1")
    """

    prompt: str
    first: str
    second: str
    answer: str
    rationale: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Everything in a judge's prompt that is not the question; ``digest`` covers all of it.

    Example:
        Wording.of("judge/pairwise", preamble="preamble/harmless").messages(question)
    """

    template: Template
    preamble: str = ""
    ask: str = ASK
    examples: tuple[Example, ...] = ()
    constitution: Constitution | None = None
    scale: tuple[int, int] | None = None
    digest: str = field(init=False)

    @classmethod
    def of(
        cls,
        template: str,
        *,
        preamble: str = "",
        ask: str = ASK,
        examples: tuple[Example, ...] = (),
        constitution: Constitution | str | None = None,
        scale: tuple[int, int] | None = None,
    ) -> Wording:
        """Loads what is given by name; SettingError where the template has no place for it."""
        if scale is not None and scale[0] >= scale[1]:
            raise SettingError(f"scale: expected a low end below the high one, got {scale}")
        loaded = Template.load(template)
        for slot, given in (("preamble", preamble), ("principle", constitution)):
            if given and slot not in loaded.slots:
                raise SettingError(
                    f"template {template!r}: expected a slot {{{slot}}}, it has none"
                )
        law = Constitution.load(constitution) if isinstance(constitution, str) else constitution
        return cls(
            template=loaded,
            preamble=read(preamble).strip() if preamble else "",
            ask=ask,
            examples=examples,
            constitution=law.asking("compare") if law else None,
            scale=scale,
        )

    def __post_init__(self) -> None:
        law = self.constitution.digest if self.constitution else ""
        words = (self.preamble, self.ask, self.examples, self.scale)
        whole = digest(self.template.digest, law, *words)
        object.__setattr__(self, "digest", whole)  # once: every judgement carries it

    def name(self, policy: str) -> str:
        """The judge's id: policy, template, and four digits of everything else."""
        return f"{policy}/{PurePath(self.template.name).stem}@{self.digest[:4]}"

    def seed(self, question: Compare, seed_for: Callable[..., int]) -> int:
        """What the question's principle is drawn with, the same in both orders."""
        if self.constitution is None:
            return 0
        texts = sorted((question.first.text, question.second.text))
        return seed_for("principle", self.digest, *texts)

    def principle(self, seed: int) -> Principle | None:
        """The principle that the seed draws, where there is a constitution."""
        return None if self.constitution is None else self.constitution.draw(seed)

    def messages(
        self,
        question: Question,
        principle: Principle | None = None,
        *,
        rationale: str | None = None,
    ) -> tuple[Message, ...]:
        """The turns that ask this question.

        Where the template holds a rationale and none is given, they end where it is asked for.
        """
        template = self.template
        given = values(question, template.tags)
        if rationale is not None:
            given["rationale"] = rationale
        elif "rationale" in template.slots:
            template = template.before("rationale")
        turns = self._turns(template, given, principle)
        shown = [self._shown(example, principle) for example in self.examples]
        if not shown:
            return turns
        if turns[0].role == "text":  # a model without chat format reads one text, examples and all
            parts = [message.text for example in shown for message in example]
            return (Message(role="text", text="\n\n".join([*parts, turns[0].text])),)
        system = [turn for turn in turns if turn.role == "system"]
        spoken = [m for example in shown for m in example if m.role != "system"]
        return (*system, *spoken, *(turn for turn in turns if turn.role != "system"))

    def _turns(
        self, template: Template, given: Mapping[str, str], principle: Principle | None
    ) -> tuple[Message, ...]:
        own = {
            "preamble": Markup(self.preamble),
            "principle": principle.compare if principle else self.ask,
            **dict(zip(("low", "high"), map(str, self.scale or ()), strict=False)),
        }
        kept = {slot: text for slot, text in own.items() if slot in template.slots}
        return template.render({**kept, **given})

    def _shown(self, example: Example, principle: Principle | None) -> tuple[Message, ...]:
        tags = self.template.tags
        given = {
            "conversation": conversation(Prompt.of(example.prompt), tags),
            "first": example.first,
            "second": example.second,
        }
        if "rationale" in self.template.slots:
            given["rationale"] = example.rationale
        asked = self._turns(self.template, given, principle)
        answer = f"{self.template.cue} {example.answer}".strip()
        if asked[0].role == "text":
            return (Message(role="text", text=f"{asked[0].text}\n{answer}"),)
        return (*asked, Message(role="assistant", text=answer))


def prompt_of(messages: tuple[Message, ...]) -> Prompt:
    """A prompt named by its words: the same question has the same id in every run."""
    return Prompt(id=digest(messages), messages=messages)


def values(question: Question, tags: frozenset[str]) -> dict[str, str]:
    """What a template's slots are given for a question, with the models' texts made harmless."""
    match question:
        case Compare(first=first, second=second):
            said = conversation(first.prompt, tags)
            return {"conversation": said, "first": first.text, "second": second.text}
        case Rate(completion=one):
            return {"conversation": conversation(one.prompt, tags), "completion": one.text}
        case Rank(completions=several) | Assess(completions=several):
            listed = "\n".join(
                f'<completion number="{number}">\n{neutralise(c.text, tags)}\n</completion>'
                for number, c in enumerate(several, start=1)
            )
            said = conversation(several[0].prompt, tags)
            return {"conversation": said, "completions": Markup(listed)}
