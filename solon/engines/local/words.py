"""From prompts to token ids and back: chat templates, special tokens, truncation.

Text in a prompt may come from a model that wants to be someone else: a special token written in it
is read as plain characters, never as the token.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from transformers import PreTrainedTokenizerBase

from solon.engines.local.layout import Ids, Row
from solon.errors import SettingError
from solon.records import Completion, Message, Prompt

Chat = Literal["auto", "always", "never"]
SPEAKERS = {"user": "Human", "assistant": "Assistant"}
REMEMBERED = 65_536
# How a tokenizer reads special tokens is a state that each call sets: of two threads at once, one
# would read hostile text as special tokens, or find the tokenizer borrowed.
ONE_AT_A_TIME = threading.RLock()


@dataclass(slots=True, kw_only=True)
class Words:
    """A tokenizer with its manners.

    ``longest_prompt`` is what is left of the model's ``context`` for a prompt. A longer prompt
    loses its beginning, a longer completion its end; both are counted.
    """

    tokenizer: PreTrainedTokenizerBase
    chat: Chat
    longest_prompt: int
    context: int
    vocabulary: int = 0
    """Rows of the model's embedding, where it has more of them than the tokenizer has tokens."""
    truncated_prompts: int = 0
    truncated_completions: int = 0
    _prompts: OrderedDict[tuple[Message, ...], tuple[Ids, bool]] = field(
        default_factory=OrderedDict[tuple[Message, ...], tuple[Ids, bool]]
    )
    _begins: bool = False

    def __post_init__(self) -> None:
        if self.chat == "always" and not self.tokenizer.chat_template:
            raise SettingError(
                "chat='always' needs a tokenizer with a chat template; this one has none: "
                "use chat='never', or name a chat model's tokenizer"
            )
        if self.tokenizer.eos_token_id is None:
            raise SettingError(
                "the tokenizer has no end-of-text token: completions could never end"
            )
        first = self.tokenizer("a").input_ids[:1]
        self._begins = first == [self.tokenizer.bos_token_id]

    @property
    def _rows(self) -> int:
        return max(self.vocabulary, len(self.tokenizer))

    @property
    def eos(self) -> int:
        return int(self.tokenizer.eos_token_id)  # pyright: ignore[reportArgumentType]

    def prompt(self, prompt: Prompt) -> Ids:
        """Token ids, never empty, at most ``longest_prompt`` of them."""
        ids, whole = self.whole_prompt(prompt)
        self.truncated_prompts += not whole
        return ids

    def whole_prompt(self, prompt: Prompt) -> tuple[Ids, bool]:
        """Token ids, and whether all of the prompt is in them."""
        known = self._prompts.get(prompt.messages)
        if known is None:
            ids = self._encode_prompt(prompt)
            known = (ids[-self.longest_prompt :], len(ids) <= self.longest_prompt)
            self._prompts[prompt.messages] = known
            if len(self._prompts) > REMEMBERED:
                self._prompts.popitem(last=False)
        return known

    def row(self, completion: Completion) -> Row:
        """The prompt's and the completion's ids; a finished completion ends with EOS."""
        prompt = self.prompt(completion.prompt)
        ids = self._completion(completion)
        room = self.context - len(prompt)
        self.truncated_completions += len(ids) > room
        return Row(prompt=prompt, completion=ids[:room])

    def text(self, ids: Sequence[int]) -> str:
        """What a reader sees of sampled tokens."""
        with ONE_AT_A_TIME:
            return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))

    def plain(self, text: str) -> Ids:
        """Ids of text as characters: special tokens written in it stay text."""
        with ONE_AT_A_TIME:
            split: Any = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)
        return tuple(split.input_ids)

    def _completion(self, completion: Completion) -> Ids:
        ids = completion.tokens
        # tokens of another vocabulary are told by what they spell
        if ids and max(ids) < self._rows and self.text(ids) == completion.text:
            return ids
        ids = self.plain(completion.text)
        return (*ids, self.eos) if completion.finish == "stop" else ids

    def _encode_prompt(self, prompt: Prompt) -> Ids:
        if self._templated(prompt):
            return self._chat(prompt.messages)
        ids = self.plain(_script(prompt.messages))
        if self._begins or not ids:
            # an empty prompt still needs one token to predict from
            start = self.tokenizer.bos_token_id
            ids = (self.eos if start is None else int(start), *ids)  # pyright: ignore[reportArgumentType]
        return ids

    def _templated(self, prompt: Prompt) -> bool:
        raw = any(message.role == "text" for message in prompt.messages)
        return not raw and self.chat != "never" and bool(self.tokenizer.chat_template)

    def _chat(self, messages: Sequence[Message]) -> Ids:
        special = self.tokenizer.all_special_tokens
        if not any(token in message.text for token in special for message in messages):
            return self._scaffold(self._render([message.text for message in messages], messages))
        # the texts are cut out of the rendered scaffold and read as characters
        marks = [f"\u2983{number}\u2984" for number in range(len(messages))]
        rest, ids = self._render(marks, messages), ()
        for mark, message in zip(marks, messages, strict=True):
            before, found, rest_after = rest.partition(mark)
            if not found:  # a template may leave a turn out
                continue
            ids += self._scaffold(before) + self.plain(message.text)
            rest = rest_after
        return ids + self._scaffold(rest)

    def _render(self, texts: Sequence[str], messages: Sequence[Message]) -> str:
        turns = [{"role": m.role, "content": t} for m, t in zip(messages, texts, strict=True)]
        begun = messages[-1].role == "assistant"
        return str(
            self.tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=not begun, continue_final_message=begun
            )
        )

    def _scaffold(self, text: str) -> Ids:
        with ONE_AT_A_TIME:
            return tuple(self.tokenizer(text, add_special_tokens=False).input_ids)


def _script(messages: Sequence[Message]) -> str:
    """Plain text for a model without turns: one message is its text; several are a script."""
    if len(messages) <= 1 or any(message.role == "text" for message in messages):
        return "\n\n".join(message.text for message in messages)
    turns = [
        f"\n\n{SPEAKERS[message.role]}: {message.text}"
        if message.role in SPEAKERS
        else message.text
        for message in messages
    ]
    cue = "" if messages[-1].role == "assistant" else "\n\nAssistant:"
    return "".join(turns) + cue
