"""Models that see the text of a judge's prompt and nothing else: what judges are tested with."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from solon.records import Abstains, Compare, Completion, Finish, Group, Prompt, Rank, Rate
from solon.run.run import Run


def completion(text: str, *, prompt: Prompt | None = None) -> Completion:
    return Completion(prompt=prompt or Prompt.of("Why?"), text=text)


def compare(first: str, second: str) -> Compare:
    return Compare(first=completion(first), second=completion(second))


def rate(text: str) -> Rate:
    return Rate(completion=completion(text))


def rank(*texts: str) -> Rank:
    return Rank(completions=tuple(completion(text) for text in texts))


def shown(prompt: Prompt) -> list[str]:
    """The completions in a judge's last question, as it is asked to read them."""
    *_, asked = [m.text for m in prompt.messages if "</completion" in m.text]
    return re.findall(r"<completion[^>]*>\n(.*?)\n</completion", asked, re.DOTALL)


def worth(text: str) -> int:
    """These models like plus signs."""
    return text.count("+")


@dataclass(frozen=True)
class Chooser:
    """Log-odds of the first: difference of worth, plus a bias; "mute" makes it abstain."""

    bias: float = 0.0
    id: str = "chooser@0"
    seen: list[Prompt] = field(default_factory=list)
    cues: list[str] = field(default_factory=list)

    def open(self, run: Run) -> Chooser:
        return self

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[str], *, cue: str = ""
    ) -> list[tuple[float, ...] | Abstains]:
        self.seen.extend(prompts)
        self.cues.append(cue)
        return [self._logps(prompt, choices) for prompt in prompts]

    def _logps(self, prompt: Prompt, choices: Sequence[str]) -> tuple[float, ...] | Abstains:
        texts = shown(prompt)
        if any("mute" in text for text in texts):
            return Abstains(reason="the call failed")
        if len(choices) == 2:
            return (worth(texts[0]) - worth(texts[1]) + self.bias - 5.0, -5.0)
        return tuple(-abs(int(choice) - worth(texts[0])) - 3.0 for choice in choices)


@dataclass(frozen=True)
class Writer:
    """A policy that says what ``says`` makes of the judged completions; "mute" fails the call."""

    says: Callable[[list[str]], str]
    finish: Finish = "stop"
    id: str = "writer@0"
    seen: list[Prompt] = field(default_factory=list)

    def open(self, run: Run) -> Writer:
        return self

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        self.seen.extend(prompts)
        return [Group(completions=(self._said(prompt),) * n) for prompt in prompts]

    def _said(self, prompt: Prompt) -> Completion:
        texts = shown(prompt)
        failed = any("mute" in text for text in texts)
        return Completion(
            prompt=prompt,
            text="" if failed else self.says(texts),
            policy=self.id,
            finish="filter" if failed else self.finish,
        )


@dataclass(frozen=True)
class Both(Chooser):
    """A chooser that can also write."""

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        said = [f"I see {' and '.join(shown(prompt))}." for prompt in prompts]
        return [
            Group(completions=(Completion(prompt=prompt, text=text),) * n)
            for prompt, text in zip(prompts, said, strict=True)
        ]


def better(texts: list[str]) -> str:
    return f'{{"verdict": "{1 if worth(texts[0]) > worth(texts[1]) else 2}"}}'


def number(texts: list[str]) -> str:
    return f'{{"verdict": {worth(texts[0])}}}'


def order(texts: list[str]) -> str:
    best_first = sorted(range(len(texts)), key=lambda i: -worth(texts[i]))
    return f'{{"verdict": {[i + 1 for i in best_first]}}}'
