"""Benches for real input: a model folder, prompts and labels from files, any judge.

``local`` judges with a model on this machine, ``endpoint`` with an OpenAI-compatible server.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from solon.bench.bench import Bench
from solon.engines.endpoint import Endpoint
from solon.engines.local import RewardTransformer, Transformer
from solon.errors import DataError, SettingError
from solon.judges.human import HumanLabels, PromptFile
from solon.judges.llm import LlmJudge
from solon.judges.logits import LogitJudge, LogitScore
from solon.judges.reward import JudgeReward
from solon.judges.wrappers import BothOrders
from solon.records import Completion, Message, Prompt
from solon.run.run import Run


@dataclass(frozen=True, kw_only=True)
class TextFile:
    """Demonstrations from files: JSON lines of dialogue, or plain text to continue.

    A row holds ``prompt`` and ``completion``, or ``messages`` that end with the assistant, or
    plain ``text`` (or ``document``). Files that end in .txt hold plain text. Plain text is cut
    into pieces of ``words`` words without a prompt, whose last piece alone ends the text.
    """

    path: tuple[str, ...] = ()
    """Files (.jsonl or .txt, each also with .gz)."""
    words: int = 120
    """Words per piece of plain text."""

    def open(self, run: Run) -> Texts:
        del run
        if not self.path:
            raise SettingError("demonstrations.path: expected a file, got none")
        return Texts([text for name in self.path for text in self._read(Path(name))])

    def _read(self, path: Path) -> Iterator[Completion]:
        if path.name.removesuffix(".gz").endswith(".txt"):
            yield from self._pieces(path.name, "\n".join(read_lines(path)))
            return
        for number, line in enumerate(read_lines(path), 1):
            if line.strip():
                yield from self._row(path, number, line)

    def _row(self, path: Path, number: int, line: str) -> Iterator[Completion]:
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise DataError(path, row=number, expected="a JSON object", came=error) from error
        if not isinstance(row, dict):
            raise DataError(path, row=number, expected="a JSON object", came=type(row).__name__)
        plain = row.get("text", row.get("document"))
        if isinstance(plain, str):
            yield from self._pieces(f"{path.name}:{number}", plain)
        else:
            yield _demonstration(row, path, number)

    def _pieces(self, name: str, text: str) -> Iterator[Completion]:
        words = text.split()
        for start in range(0, len(words), self.words):
            last = start + self.words >= len(words)
            yield Completion(
                prompt=Prompt.of("", id=f"{name}@{start}", role="text"),
                text=" ".join(words[start : start + self.words]),
                finish="stop" if last else "length",
            )


def _demonstration(row: dict[str, Any], path: Path, number: int) -> Completion:
    """A row of ``prompt`` and ``completion``, or of ``messages``."""
    turns = row.get("messages")
    if turns is None:
        turns = [{"role": "user", "content": row.get("prompt")}]
        turns.append({"role": "assistant", "content": row.get("completion")})
    made = [_message(turn, path, number) for turn in turns]
    if len(made) < 2 or made[-1].role != "assistant":
        came = "the last turn of " + (made[-1].role if made else "nobody")
        raise DataError(path, row=number, expected="a last turn of the assistant", came=came)
    prompt = Prompt(id=f"{path.name}:{number}", messages=tuple(made[:-1]))
    return Completion(prompt=prompt, text=made[-1].text)


def _message(turn: Any, path: Path, number: int) -> Message:
    role = turn.get("role") if isinstance(turn, dict) else None
    text = turn.get("content") if isinstance(turn, dict) else None
    if role not in {"system", "user", "assistant"} or not isinstance(text, str):
        raise DataError(
            path,
            row=number,
            expected="prompt and completion, messages, or text",
            came=repr(turn)[:60],
        )
    return Message(role=role, text=text)


@dataclass(frozen=True)
class Texts:
    """Demonstrations in memory."""

    texts: list[Completion]

    def demonstrate(self, n: int = 0) -> list[Completion]:
        return self.texts[: n or None]


def read_lines(path: Path) -> Iterator[str]:
    """Lines of a text file, also a gzipped one. Raises DataError where it cannot be read."""
    try:
        text = path.read_bytes()
        text = gzip.decompress(text) if path.suffix == ".gz" else text
        yield from text.decode("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(path, expected="a readable text file", came=error) from error


def local() -> Bench:
    """A policy folder, a judge on this machine (``judge=text`` parses its words instead)."""
    model = Transformer(name="judge", temperature=0.0)
    return _files(
        "local", LogitJudge(policy=model), LlmJudge(policy=model), LogitScore(policy=model)
    )


def endpoint() -> Bench:
    """A policy folder, a judge behind an OpenAI-compatible server."""
    model = Endpoint(model="", name="judge")
    made = _files(
        "endpoint", LogitJudge(policy=model), LlmJudge(policy=model), LogitScore(policy=model)
    )
    return replace(made, evaluate=100)


def _files(name: str, logits: LogitJudge, text: LlmJudge, score: LogitScore) -> Bench:
    judge = BothOrders(judge=logits)
    return Bench(
        name=name,
        prompts=PromptFile(),
        policy=Transformer(),
        judge=judge,
        reward=RewardTransformer(),
        scorer=JudgeReward(judge=score),
        demonstrations=None,
        labels=HumanLabels(),
        choices={
            "judge": {"logits": judge, "text": BothOrders(judge=text)},
            "demonstrations": {"file": TextFile()},
        },
    )
