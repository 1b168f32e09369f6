"""Parties of an argument game that are language models: a question in words, a reply read strictly.

One ``Party`` answers whatever it is asked: to split, to estimate, to point, to judge. A reply that
is not exactly of the form it was asked for is an abstention with its reason, and the game ends
there: nothing is guessed. Words of one model reach another only through a template, made harmless,
and a claim is one line, so that it cannot pretend to be another item of a list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from solon.errors import InputError
from solon.judges.parsing import after_thinking, one_field, parse
from solon.judges.wording import prompt_of
from solon.oversight.asks import Draw
from solon.oversight.gates import And, Gate, Or, Threshold
from solon.oversight.moves import (
    Check,
    Choose,
    Conditional,
    Estimate,
    Point,
    Propose,
    Reword,
    Row,
    Split,
    Wordings,
)
from solon.oversight.payoffs import HIGHER, LOWER, RIGHT, Direction
from solon.records import Abstains, Group
from solon.seams.games import Seat
from solon.text.hostile import Markup, neutralise
from solon.text.template import Template

Asked: TypeAlias = Propose | Choose | Conditional | Check | Reword
DIRECTIONS: dict[str, Direction] = {"higher": HIGHER, "right": RIGHT, "lower": LOWER}
NOTHING = "(nothing)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A model at the seats of an argument game.

    Example:
        drive(plays, dict.fromkeys(SEATS, Party(model=Speaker(policy))))
    """

    model: Seat
    """Who answers a Draw: a ``Speaker``."""
    most: int = 6
    """Subclaims of one split; six cost six estimates where all must hold, or any, else up to 34."""
    characters: int = 600
    """Of one subclaim."""
    propose: str = "debate/ped_propose"
    """What is asked to split a claim: a packaged name or a path."""
    estimate: str = "debate/ped_estimate"
    """What is asked for a probability."""
    choose: str = "debate/ped_choose"
    """What is asked to point at an estimate."""
    judge: str = "debate/ped_judge"
    """What is asked of a leaf."""
    reword: str = "debate/ped_reword"
    """What is asked for other wordings of a claim."""

    def __call__(self, asked: Sequence[Asked], /) -> list[Any]:
        """A reply to each, in one batch."""
        forms = [self._form(one) for one in asked]
        draws = [Draw(prompt=prompt_of(form.template.render(form.values))) for form in forms]
        said = cast("Sequence[Group]", self.model(draws))
        return [_read(group, form) for group, form in zip(said, forms, strict=True)]

    def _form(self, asked: Asked) -> _Form:
        match asked:
            case Propose():
                return self._propose(asked)
            case Conditional():
                return self._estimate(asked)
            case Choose():
                return self._choose(asked)
            case Check():
                values = {"question": asked.root, "claim": asked.claim}
                return _Form(Template.load(self.judge), values, _verdict)
            case Reword():
                values = {"claim": asked.claim, "count": str(asked.n)}
                template = Template.load(self.reword)
                return _Form(template, values, lambda said: _reworded(said, asked, self.characters))

    def _propose(self, asked: Propose) -> _Form:
        values = {"question": asked.path[0], "claim": asked.path[-1], "most": str(self.most)}
        template = Template.load(self.propose)
        return _Form(template, values, lambda reply: _split(reply, self.most, self.characters))

    def _estimate(self, asked: Conditional) -> _Form:
        template = Template.load(self.estimate)
        siblings = zip(asked.split.claims, asked.given, strict=False)
        assumed = [f"{'true' if bit else 'false'}: {_item(one, template)}" for one, bit in siblings]
        values = {
            "question": asked.root,
            "parent": _parent(asked.path),
            "assumed": Markup("\n".join(assumed) or NOTHING),
            "claim": asked.claim,
        }
        return _Form(template, values, _estimated)

    def _choose(self, asked: Choose) -> _Form:
        template = Template.load(self.choose)
        shown = [
            f"{at}. {_item(asked.split.claims[row.child], template)} [{_assumes(row)}]: {row.p:.3f}"
            for at, row in enumerate(asked.rows, 1)
        ]
        values = {
            "question": asked.root,
            "parent": _parent(asked.path),
            "estimates": Markup("\n".join(shown)),
        }
        return _Form(template, values, lambda reply: _pointed(reply, len(asked.rows)))


@dataclass(frozen=True, slots=True)
class _Form:
    """How one question is put, and how the reply to it is read."""

    template: Template
    values: dict[str, str]
    read: Callable[[str], Any]


def _item(claim: str, template: Template) -> str:
    return neutralise(claim, template.tags)


def _parent(path: Sequence[str]) -> str:
    return path[-1] if path else NOTHING


def _assumes(row: Row) -> str:
    bits = [f"claim {at} {'true' if bit else 'false'}" for at, bit in enumerate(row.given, 1)]
    return "assuming " + ", ".join(bits) if bits else "assuming nothing"


def _read(said: Group, form: _Form) -> Any:
    reply = said.completions[0]
    if reply.finish == "filter":
        return Abstains(reason=reply.note or "the call failed")
    if reply.finish == "length":
        return Abstains(reason="the reply was cut off")
    return form.read(after_thinking(reply.text))


def _split(reply: str, most: int, characters: int) -> Split | Abstains:
    lines, gate = _lines(one_field(reply, "claims"), characters), _gate(reply)
    if isinstance(lines, Abstains):
        return lines
    if isinstance(gate, Abstains):
        return gate
    if len(lines) == 1 or len(lines) > most:
        return Abstains(reason=f"{len(lines)} claims, where 2 to {most} or none were asked for")
    try:
        return Split(claims=lines, gate=gate, calls=1)
    except InputError as wrong:  # claims given twice, or a number that decides without them
        return Abstains(reason=str(wrong))


def _reworded(reply: str, asked: Reword, characters: int) -> Wordings | Abstains:
    lines = _lines(one_field(reply, "claims"), characters)
    if isinstance(lines, Abstains):
        return lines
    if len(lines) != asked.n or len({asked.claim, *lines}) <= asked.n:
        return Abstains(reason=f"not {asked.n} other wordings, each another one")
    return Wordings(claims=lines, calls=1)


def _lines(claims: object, characters: int) -> tuple[str, ...] | Abstains:
    if isinstance(claims, Abstains):
        return claims
    if not isinstance(claims, list) or not all(isinstance(one, str) for one in claims):
        return Abstains(reason="the claims are not a list of texts")
    lines = tuple(" ".join(one.split()) for one in cast("list[str]", claims))
    if not all(0 < len(line) <= characters for line in lines):
        return Abstains(reason=f"a claim that is empty or longer than {characters} characters")
    return lines


def _gate(reply: str) -> Gate | Abstains:
    follows = one_field(reply, "follows")
    if isinstance(follows, Abstains):
        return follows
    if follows == "all":
        return And()
    if follows == "any":
        return Or()
    number = one_field(reply, "number")
    if follows != "at least" or type(number) is not int:
        return Abstains(reason='how the claim follows is none of "all", "any", "at least" a number')
    return Threshold(number)


def _estimated(reply: str) -> Estimate | Abstains:
    p = one_field(reply, "probability")
    if isinstance(p, Abstains):
        return p
    if type(p) not in (int, float) or not 0 <= p <= 1:
        return Abstains(reason="the probability is not a number from 0 to 1")
    return Estimate(p=float(p), calls=1)


def _pointed(reply: str, rows: int) -> Point | Abstains:
    row, truth = one_field(reply, "estimate"), one_field(reply, "truth")
    failed = [one for one in (row, truth) if isinstance(one, Abstains)]
    if failed:
        return failed[0]
    if type(row) is not int or not 1 <= row <= rows:
        return Abstains(reason=f"the estimate is not a number from 1 to {rows}")
    if not isinstance(truth, str) or truth not in DIRECTIONS:
        return Abstains(reason='the truth is none of "higher", "right", "lower"')
    return Point(row=row - 1, direction=DIRECTIONS[truth], calls=1)


def _verdict(reply: str) -> Estimate | Abstains:
    word = parse(reply, ("true", "false"), form="json")
    return word if isinstance(word, Abstains) else Estimate(p=float(word == "true"), calls=1)
