"""Benches for real input: a model folder, prompts and labels from files, any judge.

``local`` judges with a model on this machine, ``endpoint`` with an OpenAI-compatible server.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from solon.bench.bench import Bench
from solon.engines.classifiers import Bag, Encoder, FineTuned, Probe
from solon.engines.classifiers.trunk import MINILM
from solon.engines.endpoint import Endpoint
from solon.engines.local import RewardTransformer, Transformer
from solon.engines.ray import OnRay
from solon.engines.vllm import OnVllm, Server, Vllm
from solon.errors import DataError, SettingError
from solon.judges.aspects import LlmRater
from solon.judges.critic import LlmCritic
from solon.judges.evaluations import EvaluationFile
from solon.judges.human import HumanLabels, pair_of_row, reply_of_row
from solon.judges.llm import LlmJudge
from solon.judges.logits import LogitJudge, LogitScore
from solon.judges.marks import MarkFile
from solon.judges.prompts import PromptFile, check_share, is_test, named, prompt_of_row
from solon.judges.reward import JudgeReward
from solon.judges.rows import Row, left_out, rows
from solon.judges.tasks import TaskFiles
from solon.judges.wrappers import BothOrders
from solon.objectives.adam import Adam
from solon.oversight.debated import Debated
from solon.records import Completion, Prompt
from solon.run.run import Run
from solon.seams.feedback import Policy
from solon.stages.together import Texts

PLAIN = ("text", "document")


@dataclass(frozen=True, kw_only=True)
class TextFile:
    """Demonstrations from files: rows of dialogue to imitate, or plain text to continue.

    A row (.jsonl, .parquet) holds ``prompt`` and ``completion``; or ``messages`` that end with the
    assistant; or labelled answers, of which it imitates ``chosen``; or plain ``text`` (or
    ``document``). Files that end in .txt hold plain text, whose Project Gutenberg header and
    licence are left out. Plain text is cut into pieces of ``words`` words without a prompt, its
    lines joined into paragraphs; the last piece alone ends the text.
    """

    path: tuple[str, ...] = ()
    """Files, with commas between them (.txt, .jsonl or .parquet, each also with .gz)."""
    words: int = 120
    """Words per piece of plain text."""
    test: float = 0.0
    """Share of the dialogues left out: those whose prompts the same split calls test."""

    def open(self, run: Run) -> Texts:
        if not self.path:
            raise SettingError("demonstrations.path: expected a file, got none")
        check_share(self.test)
        if self.words < 1:
            raise SettingError(f"demonstrations.words: expected at least 1, got {self.words}")
        return Texts([text for name in self.path for text in self._read(Path(name), run)])

    def _read(self, path: Path, run: Run) -> list[Completion]:
        if path.name.removesuffix(".gz").endswith(".txt"):
            found = list(pieces(path.name, inner_text(read_text(path)), self.words))
        else:
            found, dropped = self._rows(path)
            if dropped:
                run.note(left_out(path, dropped, read=len(found)))
        if not found:
            raise DataError(path, expected="at least one demonstration", came="none")
        return found

    def _rows(self, path: Path) -> tuple[list[Completion], Counter[str]]:
        found: list[Completion] = []
        dropped: Counter[str] = Counter()
        for row in rows(path):
            plain = next((name for name in PLAIN if name in row.fields), None)
            if plain is not None:
                found += pieces(f"{path.name}:{row.number}", row.text(plain), self.words)
                continue
            one = demonstration(row)
            if isinstance(one, str):
                dropped[one] += 1
            elif is_test(one.prompt, self.test):
                dropped["kept apart as test"] += 1
            else:
                found.append(one)
        return found, dropped


def demonstration(row: Row) -> Completion | str:
    """The answer that a row shows, or why it shows none. Raises DataError for an unreadable row."""
    if "chosen" in row.fields:
        pair = pair_of_row(row)
        return pair if isinstance(pair, str) else Completion(prompt=named(pair[0]), text=pair[1])
    if "messages" in row.fields:
        *before, last = row.messages("messages")
        if not before or last.role != "assistant":
            raise row.fault("messages", "turns that end with the assistant's answer")
        return Completion(prompt=named(before), text=last.text)
    if "prompt" not in row.fields:
        raise row.fault("text", f"prompt and completion, messages, chosen, or {' or '.join(PLAIN)}")
    prompt = prompt_of_row(row)
    listed = isinstance(row.fields.get("completion"), list)
    text = reply_of_row(row, "completion", prompt.messages) if listed else row.text("completion")
    return Completion(prompt=prompt, text=text)


def pieces(name: str, text: str, words: int) -> Iterator[Completion]:
    """The text as completions of an empty prompt."""
    found = re.findall(r"\S+\s*", paragraphs(text))
    for start in range(0, len(found), words):
        last = start + words >= len(found)
        yield Completion(
            prompt=Prompt.of("", id=f"{name}@{start}", role="text"),
            text="".join(found[start : start + words]),
            finish="stop" if last else "length",
        )


def paragraphs(text: str) -> str:
    """One line a paragraph: a book's line ends are its printer's, not its author's."""
    parts = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    return "\n\n".join(part for part in parts if part)


def inner_text(text: str) -> str:
    """What stands between Project Gutenberg's marks, where there are such marks."""
    start = re.search(r"^\*\*\* ?START OF TH.*\*\*\*$", text, re.MULTILINE)
    end = re.search(r"^(\*\*\* ?END OF TH|End of (the )?Project Gutenberg)", text, re.MULTILINE)
    return text[start.end() if start else 0 : end.start() if end else None]


def read_text(path: Path) -> str:
    """A text file, also a gzipped one. Raises DataError where it cannot be read."""
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
        return data.decode("utf-8").replace("\r\n", "\n")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise DataError(path, expected="a readable text file", came=error) from error


@dataclass(frozen=True, kw_only=True)
class ModelList:
    """Several models that differ in nothing but their names: a pool to draw from."""

    of: Transformer | Endpoint
    """What each of them is like."""
    named: tuple[str, ...] = ()
    """Folders or names of the models, with commas between them."""

    def open(self, run: Run) -> list[Policy]:
        if not self.named:
            raise SettingError("models.named: expected folders or names of models, got none")
        return [replace(self.of, model=one, name=Path(one).name).open(run) for one in self.named]


# features of length 1: gradients are small, and Adam's steps do not mind
BAG = Probe(features=Bag(), optimiser=Adam(lr=0.02, schedule="cosine"))
PROBE = Probe(features=Encoder(model=MINILM), optimiser=Adam(lr=0.02, schedule="cosine"))


def local() -> Bench:
    """A policy folder, a judge on this machine (``judge=text`` parses its words instead)."""
    return _files("local", Transformer(name="judge", temperature=0.0))


def endpoint() -> Bench:
    """A policy folder, a judge behind an OpenAI-compatible server."""
    return replace(_files("endpoint", Endpoint(model="", name="judge")), evaluate=100)


def _files(name: str, model: Transformer | Endpoint) -> Bench:
    judges = {
        "logits": BothOrders(judge=LogitJudge(policy=model)),
        "text": BothOrders(judge=LlmJudge(policy=model)),
        "vllm": BothOrders(judge=LogitJudge(policy=Vllm())),
    }
    by_principle = {kind: lawful(judge) for kind, judge in judges.items()}
    prompts = PromptFile()
    pool = Transformer() if name == "local" else Endpoint(model="", temperature=1.0)
    debater = replace(pool, name="debater", temperature=0.4)  # as Khan et al. have it
    debate = Debated(debater=debater, judge=model)
    every = {**judges, "debate": debate, "ray": OnRay(inner=judges["logits"])}
    bench = Bench(
        name=name,
        policy=Transformer(),
        judge=judges["logits"],
        reward=RewardTransformer(),
        scorer=JudgeReward(judge=LogitScore(policy=model)),
        labels=HumanLabels(test=prompts.test),
        rater=LlmRater(policy=replace(model, name="rater")),
        debate=debate,
        weak=BAG,
        strong=PROBE,
        choices={
            "policy": {
                "ray": OnRay(inner=Transformer()),
                "vllm": OnVllm(),
                "vllm_server": OnVllm(sampler=Server()),
            },
            "red_team": {"file": prompts},
            "tests": {"file": PromptFile(test=1.0)},
            "helpful": {"model": replace(pool, name="helpful")},
            "reviser": {"model": replace(pool, name="reviser")},
            "labels": {"file": HumanLabels(test=prompts.test)},
            "models": {"list": ModelList(of=pool)},
            "marks": {"file": MarkFile(test=prompts.test)},
            "tasks": {"file": TaskFiles()},
            "weak": {"bag": BAG, "finetuned": FineTuned()},
            "strong": {"probe": PROBE, "finetuned": FineTuned()},
            "prompts": {"file": prompts},
            "judge": every,
            "evaluator": every,
            "demonstrations": {"file": TextFile(test=prompts.test)},
            "seed_data": {"file": TextFile(test=prompts.test)},
            "evaluations": {"file": EvaluationFile(test=prompts.test)},
            "guided": {"file": TextFile(test=prompts.test)},
            "revised": {"file": TextFile(test=prompts.test)},
            "critic": {"model": LlmCritic(policy=replace(model, name="critic"))},
            "rival": {"model": replace(pool, name="rival")},
        },
    )
    law = {
        "judge": by_principle["logits"],
        "choices": {
            **bench.choices,
            "judge": {**by_principle, "ray": OnRay(inner=by_principle["logits"])},
        },
        "labels": None,  # of helpfulness: asked for only where a file holds some
    }
    return replace(bench, settings={"constitutional": law})


def lawful(both: BothOrders) -> BothOrders:
    """The same judge, by the principles of a constitution."""
    judge = both.judge
    assert isinstance(judge, LogitJudge | LlmJudge), "a judge that takes a constitution"
    return replace(both, judge=replace(judge, constitution="harmless"))
