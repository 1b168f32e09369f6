"""Parts that copies open in no time, and that die or refuse where a question says so."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solon.errors import DataError, SettingError
from solon.records import Compare, Completion, Judgement, Prefers, Prompt


def pair(number: int, text: str = "") -> Compare:
    prompt = Prompt.of(f"question {number}")
    first = Completion(prompt=prompt, text=text or f"one {number}")
    return Compare(first=first, second=Completion(prompt=prompt, text="two"))


@dataclass(frozen=True, kw_only=True)
class Seeded:
    """Judges by a draw of the run; writes down who was asked what, and dies where it is told to."""

    log: str = ""
    seconds: float = 0.0
    fatal: int = 0  # times that the question "fatal" kills whoever is asked it
    opens: str = "well"

    def open(self, run: Any) -> Judge:
        if self.opens == "refuses":
            raise SettingError("model: expected a folder, got 'nowhere'")
        if self.opens == "dies":
            os._exit(1)
        if self.opens == "folder":
            return Judge(self, run.dir)
        run.note("opened")
        return Judge(self, run)


class Judge:
    id = "seeded"

    def __init__(self, spec: Seeded, run: Any) -> None:
        self.spec, self.run = spec, run

    def __call__(self, questions: Sequence[Compare], /) -> list[Judgement[Compare, Prefers]]:
        return [self.one(question) for question in questions]

    def one(self, question: Compare) -> Judgement[Compare, Prefers]:
        text = question.first.text
        if self.spec.log:
            with Path(self.spec.log).open("a") as file:
                file.write(f"{os.getpid()} {text}\n")
        if text == "bad row":
            raise DataError("pairs.jsonl", row=3, field="chosen", expected="text", came="null")
        if text == "fatal" and self.spec.fatal and self.deaths() <= self.spec.fatal:
            os._exit(1)
        time.sleep(self.spec.seconds)
        p = self.run.seed_for(question.first.prompt.id, text) % 1000 / 1000
        return Judgement(question=question, answer=Prefers(p_first=p), judge=self.id)

    def deaths(self) -> int:
        return Path(self.spec.log).read_text().count(" fatal\n")


def asked(log: Path) -> list[tuple[str, str]]:
    """(process, question), in the order asked."""
    return (
        [tuple(line.split(" ", 1)) for line in log.read_text().splitlines()] if log.exists() else []
    )


@dataclass(frozen=True, kw_only=True)
class Payer:
    """Each question is a call of 1.0; the question "fatal" kills its copy while it is in flight."""

    log: str

    def open(self, run: Any) -> Any:
        inner = Judge(Seeded(log=self.log), run)

        class Paying:
            id = "payer"

            def __call__(self, questions: Sequence[Compare], /) -> list[Any]:
                return [self.one(question) for question in questions]

            def one(self, question: Compare) -> Any:
                call = run.ledger.send("payer", worst=1.0)
                assert call is not None
                if question.first.text == "fatal" and not inner.deaths():
                    inner.one(question)
                    os._exit(1)
                said = inner.one(question)
                run.ledger.settle(call, answered=True, money=0.5, tokens_in=3, tokens_out=1)
                run.ledger.flush()
                return said

        return Paying()
