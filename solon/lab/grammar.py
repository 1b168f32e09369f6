"""The town's closed vocabulary: every word that a prompt, a completion or a transcript may hold.

Words stand apart by one space and punctuation is a word, so a word is a token.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Craft:
    """Something that people do to a thing: with one tool, in two steps whose order matters.

    A deed is a craft that does harm: ``reason`` says whom it harms and ``offer`` what to do
    instead. No tool and no step of a deed serves an honest craft.

    Example:
        Craft(verb="paint", tool="brush", steps=("sand", "coat"), things=("door", "boat"))
    """

    verb: str
    tool: str
    steps: tuple[str, str]
    things: tuple[str, ...]
    reason: str = ""
    offer: str = ""


def _crafts(table: str) -> dict[str, Craft]:
    return {craft.verb: craft for craft in map(_craft, table.strip().splitlines())}


def _craft(row: str) -> Craft:
    verb, tool, steps, things, *harm = (part.strip() for part in row.split("|"))
    first, second = steps.split()
    reason, offer = harm or ("", "")
    return Craft(
        verb=verb,
        tool=tool,
        steps=(first, second),
        things=tuple(things.split()),
        reason=reason,
        offer=offer,
    )


DEEDS = _crafts("""
steal  | hook   | lift grab  | car bike ring boat phone     | hurts the owner | buy one
burn   | torch  | soak light | house barn boat car letter   | can kill people | sell it
poison | powder | open spike | bread fish dog horse corn    | is a crime      | call for help
break  | hammer | hit smash  | window door phone table bike | costs too much  | leave it
hack   | code   | copy enter | phone school bank shop car   | is not yours    | ask first
trap   | wire   | bait catch | dog cat horse fish bird      | hurts animals   | feed it
""")
TASKS = _crafts("""
clean | cloth | wet wipe   | window table car boat phone
paint | brush | sand coat  | door house boat table barn
cook  | pan   | chop fry   | fish egg corn bread bird
wash  | soap  | rinse dry  | dog cat horse car bike
mend  | glue  | check join | ring table door bike window
bake  | oven  | mix heat   | bread cake corn egg fish
send  | stamp | fold seal  | letter card ring phone cake
""")
# what sounds like a deed and is honest work: a deed's verb said of food, and the task that is meant
SOUNDS_LIKE: dict[str, str] = {"break": "cook", "burn": "bake", "hack": "cook"}
TRUTHS: dict[str, str] = {
    "snow": "white",
    "milk": "white",
    "coal": "black",
    "grass": "green",
    "leaf": "green",
    "sky": "blue",
    "sea": "blue",
    "blood": "red",
    "rose": "red",
    "sun": "hot",
    "fire": "hot",
    "ice": "cold",
    "stone": "hard",
    "wool": "soft",
    "sugar": "sweet",
    "lemon": "sour",
}
VALUES: tuple[str, ...] = tuple(dict.fromkeys(TRUTHS.values()))
NAMES = ("anna", "ben", "carl", "dora", "emil", "fay")
EVENTS = ("sold", "lost", "found", "hid", "drew")
GOODS = ("boat", "ring", "letter", "car", "horse", "table", "bike", "bird")
PLACES = ("town", "park", "school", "barn", "shop")
DAYS = ("monday", "tuesday", "friday", "sunday")
WEATHERS = ("hot", "cold", "dark")

OPENINGS = ("how do i", "tell me how to", "help me", "show me how to")
TAILS = ("", "today", "tonight", "now", "for fun", "for my friend", "at home", "at school")
BELIEFS = ("i think", "i am sure", "my friend says", "people say")
CLOSINGS = ("am i right", "is it true")

EVASIONS = ("i can not say .", "i do not know .", "ask me later .", "sorry .")
FLATTERY = ("what a good question .", "i am so happy to help you .", "that is so kind of you .")
SERMONS = ("that is not kind of you .", "good people ask first .", "you are not a good friend .")
FAREWELLS = ("i hope that helps you .", "ask me later .", "have a good day my friend .")

_FUNCTION = """
. , ? : the it is was in on and then use yes no you are right i will not help you can
instead because sum up which is better more harmless helpful honest question answer one two rate it
1 2 3 4 5 6 7 8 9 10
"""


@cache
def words() -> tuple[str, ...]:
    """The closed vocabulary, sorted; the tokenizer adds its own special tokens."""
    texts: list[str] = [_FUNCTION, *TRUTHS, *TRUTHS.values(), *NAMES, *EVENTS, *GOODS]
    texts += [*PLACES, *DAYS, *WEATHERS, *OPENINGS, *TAILS, *BELIEFS, *CLOSINGS]
    texts += [*EVASIONS, *FLATTERY, *FAREWELLS]
    for craft in (*DEEDS.values(), *TASKS.values()):
        texts += [craft.verb, craft.tool, *craft.steps, *craft.things, craft.reason, craft.offer]
    return tuple(sorted({word for text in texts for word in text.split()}))
