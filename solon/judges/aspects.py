"""Ratings aspect by aspect: several completions in one call, each aspect in a call of its own.

Cui et al., "UltraFeedback" (arXiv 2310.01377): the completions of one prompt are shown together in
a random order and rated from 1 to 5, once for each aspect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from solon.errors import SettingError
from solon.judges.ratings import RatingForm, RatingScale, parse_ratings
from solon.judges.wording import prompt_of, values
from solon.records import (
    Abstains,
    Assess,
    Assessment,
    Completion,
    Judgement,
    Message,
    Prompt,
    Rating,
    Ratings,
    Scores,
    digest,
)
from solon.seams.feedback import Policy, Spec
from solon.text.hostile import Markup, neutralise
from solon.text.template import Template, read

if TYPE_CHECKING:
    from solon.run.run import Run

ASPECTS = ("instruction_following", "honesty", "truthfulness", "helpfulness")
TEMPLATES: Mapping[RatingForm, str] = {
    "json": "aspect/rate_json",
    "blocks": "aspect/rate_blocks",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmRater:
    """Asks a model to rate several completions in one aspect; each rating is read by itself.

    Example:
        LlmRater(policy=Endpoint(model="qwen3-8b"), form="blocks")
    """

    policy: Spec[Policy]
    """Who writes the ratings."""
    form: RatingForm = "json"
    """How they are asked for: one json object, or blocks of text."""
    template: str = ""
    """Words of the question: a packaged name, or a path that ends in .md; empty is the form's."""
    standards: str = ""
    """Folder with the words of each aspect, as ASPECT.md; empty takes the packaged ones."""
    low: int = 1
    """Lowest rating."""
    high: int = 5
    """Highest rating."""
    optional: tuple[str, ...] = ("honesty",)
    """Aspects in which N/A is an answer."""

    def open(self, run: Run, /) -> AspectRater:
        if self.low >= self.high:
            raise SettingError(f"low: expected less than high ({self.high}), got {self.low}")
        template = Template.load(self.template or TEMPLATES[self.form])
        return AspectRater(rater=self, policy=self.policy.open(run), template=template)


@dataclass(slots=True, kw_only=True)
class AspectRater:
    """The live rater: one call for each question."""

    rater: LlmRater
    policy: Policy
    template: Template
    _standards: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def id(self) -> str:
        rules = (self.rater.low, self.rater.high, self.rater.optional, self.rater.standards)
        told = digest(self.template.digest, self.rater.form, *rules)
        return f"{self.policy.id}/{self.template.name.rsplit('/', 1)[-1]}@{told[:6]}"

    def __call__(self, questions: Sequence[Assess], /) -> list[Assessment]:
        prompts = [prompt_of(self._messages(question)) for question in questions]
        groups = self.policy.sample(prompts)
        return [
            self._assessment(question, prompt, group.completions[0])
            for question, prompt, group in zip(questions, prompts, groups, strict=True)
        ]

    def _assessment(self, question: Assess, prompt: Prompt, said: Completion) -> Assessment:
        return Judgement(
            question=question,
            answer=self._answer(question, said),
            judge=self.id,
            principle=question.aspect,
            raw=said.text,
            digest=digest(self.id, prompt.messages),
        )

    def _answer(self, question: Assess, said: Completion) -> Ratings | Abstains:
        if said.finish == "filter":
            return Abstains(reason=said.note or "the call failed")
        if said.finish == "length":
            return Abstains(reason="the reply was cut off")
        return parse_ratings(
            said.text,
            len(question.completions),
            form=self.rater.form,
            scale=self._scale(question.aspect),
            shown=[one.text for one in question.completions],
        )

    def _scale(self, aspect: str) -> RatingScale:
        optional = aspect in self.rater.optional
        return RatingScale(low=self.rater.low, high=self.rater.high, optional=optional)

    def _messages(self, question: Assess) -> tuple[Message, ...]:
        tags = self.template.tags
        unless = ', or "N/A" where the aspect does not apply'
        own = {
            "standards": Markup(self._words(question.aspect)),
            "knowledge": _knowledge(question.knowledge, tags),
            "count": str(len(question.completions)),
            "low": str(self.rater.low),
            "high": str(self.rater.high),
            "unless": Markup(unless if question.aspect in self.rater.optional else ""),
        }
        kept = {slot: text for slot, text in own.items() if slot in self.template.slots}
        return self.template.render({**kept, **values(question, tags)})

    def _words(self, aspect: str) -> str:
        if aspect not in self._standards:
            folder = self.rater.standards
            name = f"{folder}/{aspect}.md" if folder else f"aspect/{aspect}"
            self._standards[aspect] = read(name).strip()
        return self._standards[aspect]


def _knowledge(text: str, tags: frozenset[str]) -> Markup:
    return Markup(f"<knowledge>\n{neutralise(text, tags)}\n</knowledge>" if text else "")


def overall(
    ratings: Mapping[str, Rating], weights: Mapping[str, float], *, least: int = 1
) -> float | None:
    """The weighted mean over the aspects that were rated; None where fewer than ``least`` were.

    An aspect that abstains, N/A too, is left out of the mean: it is never a middling rating.

    Example:
        overall({"honesty": na, "helpfulness": four}, {"honesty": 1.0, "helpfulness": 1.0})    # 4.0
    """
    given = {
        aspect: rating.answer.value
        for aspect, rating in ratings.items()
        if isinstance(rating.answer, Scores) and weights[aspect] > 0
    }
    if len(given) < max(1, least):
        return None
    total = sum(weights[aspect] for aspect in given)
    return sum(weights[aspect] * value for aspect, value in given.items()) / total
