"""The prompt in which a completion is criticised, revised or refined.

    asking(template, completion, {"critique": "It guesses."}) -> Prompt

What models wrote, completion and critique, is neutralised: it stands in the prompt as material.
"""

from __future__ import annotations

from collections.abc import Mapping

from solon.records import Completion, Prompt, digest
from solon.text.hostile import conversation
from solon.text.template import Template


def asking(template: Template, completion: Completion, own: Mapping[str, str]) -> Prompt:
    """The completion in its conversation, and what of ``own`` the template has a slot for; named
    by its words, so that the same question has the same id in every run.
    """
    said = conversation(completion.prompt, template.tags)
    given = {"conversation": said, "completion": completion.text, **own}
    messages = template.render({slot: given[slot] for slot in template.slots if slot in given})
    return Prompt(id=digest(messages), messages=messages)
