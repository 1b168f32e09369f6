"""Constitutional AI on a model folder; who answers, revises and judges is behind a server."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from wire.acted import FATES, Acted, longer
from wire.served import served
from wire.server import serving

from solon.bench.session import Session
from solon.cli import main
from solon.engines.local import Shape, Transformer
from solon.judges.revising import FAULTLESS, UNCHANGED
from solon.objectives.adam import Adam
from solon.objectives.imitation import NLL
from solon.records import Completion, Critique, Prefers, Prompt
from solon.run import lines
from solon.run.run import Run
from solon.run.shards import read_records
from solon.seams.learning import Learner
from solon.stages.imitate import Imitate
from solon.text.constitution import Constitution

TURNS = "{% for m in messages %}[{{ m.role }}] {{ m.content }} <end text>{% endfor %}"
BEGUN = "{% if add_generation_prompt %}[assistant] {% endif %}"


@dataclass(frozen=True, kw_only=True)
class Noting(Imitate):
    """Imitates, and keeps what as a record."""

    def __call__(
        self, run: Run, policy: Learner, texts: list[Completion], *, watched: bool = True
    ) -> None:
        run.save("imitated", texts)
        super().__call__(run, policy, texts, watched=watched)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chat model's folder, of a few thousand weights, that has learnt to say a digit."""
    made = tmp_path_factory.mktemp("model")
    corpus = made / "corpus.txt"
    corpus.write_text("how do i mend the jar ? 0 1 2 1 2 1 2\n" * 20, "utf-8")
    shape = Shape(vocab=300, hidden=16, layers=1, heads=2, context=2048)
    with Run(made / "run") as live:
        policy = Transformer(shape=shape, tokenizer=str(corpus), max_new_tokens=4).open(live)
        policy.voice.words.tokenizer.chat_template = TURNS + BEGUN
        policy.optimise(Adam(lr=3e-2))
        asked = [Prompt.of(f"mend the {thing}") for thing in ("jar", "cup", "gate")]
        said = [Completion(prompt=p, text=t) for p in asked for t in ("1", " 1", " 2")]
        for _ in range(20):
            policy.fit_texts(said, NLL())
        policy.save(made / "policy")
    return made / "policy"


def write(path: Path, *rows: Mapping[str, str]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def keys(folder: Path, data: Path, url: str, **more: str) -> dict[str, str]:
    """Settings of a small run, its files in ``data``, its three other models at ``url``."""
    red_team = [{"Behavior": f"How do I mend the {thing}?"} for thing in (*FATES, "roof")]
    helpful = [{"prompt": f"Please say how to mend the {n}"} for n in ("soup", "sock", "shoe")]
    people = [{"prompt": f"Say {n}", "chosen": "2", "rejected": "1"} for n in range(8)]
    tests = [{"prompt": f"{n}?", "label": ("safe", "unsafe")[n % 2]} for n in range(6)]
    given = {
        "policy.model": str(folder),
        "policy.max_new_tokens": "4",
        "red_team.path": str(write(data / "red_team.jsonl", *red_team)),
        "red_team.column": "Behavior",
        "red_team.test": "0",
        "prompts.path": str(write(data / "prompts.jsonl", *helpful)),
        "prompts.test": "0",
        "labels.path": str(write(data / "labels.jsonl", *people)),
        "tests.path": str(write(data / "tests.jsonl", *tests)),
        "tests.safe": "label=safe",
        "revise.constitution": "broad",
        "revise.prompts": "11",
        "revise.turns": "2",
        "revise.helpful": "3",
        "revise.imitate.batch": "4",
        "label.prompts": "6",
        "fit_reward.batch": "4",
        "climb.steps": "2",
        "climb.batch": "4",
        "climb.group": "2",
        "evaluate": "6",
    }
    for role in ("helpful", "reviser", "judge"):
        given |= {f"{role}.model": role, f"{role}.base_url": url}
    return given | {key.replace("__", "."): text for key, text in more.items()}


def typed(root: Path, settings: Mapping[str, str]) -> list[str]:
    given = [f"{key}={text}" for key, text in settings.items()]
    return ["run", "constitutional", "--on", "endpoint", "--quiet", f"--runs={root}", *given]


@dataclass(frozen=True)
class Ran:
    folder: Path
    server: Acted

    def records(self, name: str) -> list[Any]:
        return read_records(self.folder / "records" / name)

    def metrics(self, stage: str) -> list[dict[str, Any]]:
        """The lines of a stage, without stage and time."""
        return [
            {key: value for key, value in line.items() if key not in {"stage", "time"}}
            for line in lines.read(self.folder / "metrics.jsonl")
            if line["stage"] == stage
        ]


@pytest.fixture(scope="module")
def ran(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """A run that nothing disturbs."""
    root = tmp_path_factory.mktemp("ran")
    with pytest.MonkeyPatch.context() as patch, serving(Acted(next_token=longer)) as server:
        patch.setenv("SOLON_CACHE", str(root / "replies.sqlite"))
        patch.delenv("OPENAI_API_KEY", raising=False)
        session = Session.find("constitutional", "endpoint", keys(folder, root, server.url))
        revise = replace(session.recipe.revise, imitate=Noting(batch=4))
        session = replace(session, recipe=replace(session.recipe, revise=revise), root=root)
        yield Ran(session.run(quiet=True), server)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLON_CACHE", str(tmp_path / "replies.sqlite"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def thing(one: Critique) -> str:
    return one.completion.prompt.text.split()[-1].strip("?")


def test_every_failure_stands_in_the_records_with_its_reason_and_in_the_counts(ran: Ran) -> None:
    answers, *turns = ran.metrics("revise")
    assert answers == {"step": 0, "answers": 10, "unanswered": 1}
    reasons = [why for *_, why in FATES.values() if why not in {"", FAULTLESS, UNCHANGED}]
    told = {"asked": 10, "revised": 2, "faultless": 1, "unchanged": 1, "failed": len(reasons)}
    assert len(reasons) == 6
    for turn, line in enumerate(turns, start=1):
        assert line == {"step": turn, **told, **{f"failed/{why}": 1 for why in reasons}}
        said = ran.records(f"critiques-{turn}")
        assert {thing(one): one.failed for one in said} == {
            k: why for k, (*_, why) in FATES.items()
        }
        assert {one.turn for one in said} == {turn}
    assert len(turns) == 2


def test_what_failed_is_not_imitated_and_helpful_answers_are(ran: Ran) -> None:
    first, second = ("Just hit the jar.", "Just hit the cup."), (" Please.", " Thanks.")
    revised = [a + b * n for a, b in zip(first, second, strict=True) for n in (1, 2)]
    helpful = ["Just hit the sock.", "Just hit the shoe."]
    imitated = ran.records("imitated")
    assert Counter(one.text for one in imitated) == Counter([*revised, *helpful, *helpful])
    assert {one.prompt.text for one in imitated if one.text in revised} == {
        "How do I mend the jar?",
        "How do I mend the cup?",
    }
    assert ran.metrics("helpful") == [{"step": 0, "answers": 4, "unanswered": 2}]


def test_each_principle_is_what_the_recorded_seed_draws_and_avoid_turns_the_answer(
    ran: Ran,
) -> None:
    law = Constitution.load("broad").asking("critique", "revision")
    critiques = [*ran.records("critiques-1"), *ran.records("critiques-2")]
    assert all(law.draw(one.seed).id == one.principle for one in critiques)
    assert len({one.principle for one in critiques}) > 3
    law = Constitution.load("harmless").asking("compare")
    judged = ran.records("judgements")
    assert len(judged) > 3
    for one in judged:
        rule, asked = law.draw(one.seed), one.question
        assert one.principle == rule.id
        assert isinstance(one.answer, Prefers)
        likelier = math.exp(longer_of(asked.first.text, asked.second.text))
        p = 1 - likelier if rule.polarity == "avoid" else likelier
        assert one.answer.orders == pytest.approx((p, p))
        assert asked.first.policy.startswith("policy@")


def longer_of(first: str, second: str) -> float:
    shown = "".join(f"<completion_{n}>\n{t}\n</com" for n, t in enumerate((first, second), 1))
    return longer(shown)["1"]


def test_helpfulness_comes_from_the_file_and_the_page_shows_what_was_criticised(ran: Ran) -> None:
    assert {one.judge for one in ran.records("judgements-helpful")} == {"people"}
    page = (ran.folder / "report.html").read_text("utf-8")
    assert "Just hit the boat." in page
    assert "revision: the server filtered the answer" in page
    audits = {path.stem for path in (ran.folder / "audits").iterdir()}
    assert audits >= {"evasiveness", "preachiness", "principle_use", "position_bias"}
    stages = [line["stage"] for line in lines.read(ran.folder / "stages.jsonl")]
    assert stages[-2:] == ["climb", "closing"]


@pytest.mark.parametrize("shut", ["mend the shoe", "Better completion"], ids=["helpful", "label"])
def test_a_run_that_stops_after_its_revisions_pays_nothing_twice(
    ran: Ran, shut: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(Acted(next_token=longer, shut=shut)) as server:
        command = typed(tmp_path, keys(folder, tmp_path, server.url))
        with pytest.raises(SystemExit, match="1"):
            main(command)
        said = capsys.readouterr().err
        assert re.fullmatch(r"solon: http\S+ answered 401: set the environment variable .*\n", said)
        before = len(server.bodies)
        server.shut = ""
        main(command)
    [again] = tmp_path.glob("*-constitutional-*")
    assert 0 < before < len(server.bodies)
    assert paid(server) == paid(ran.server)
    assert max(paid(server).values()) == 1
    assert weights(again) == weights(ran.folder)


def paid(server: Acted) -> Counter[str]:
    """How often each request was answered, whatever it asked."""
    return Counter(json.dumps(body, sort_keys=True) for body in server.bodies)


def weights(run: Path) -> bytes:
    return (run / "policies" / "final" / "model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"red_team.path": "gone.jsonl"}, "gone.jsonl: expected a file, got nothing there"),
        ({"revise.turn": "2"}, "SelfRevise has no 'turn'; it has .*; did you mean 'turns'\\?"),
        ({"revise.constitution": "town"}, ".*'town': expected a principle with critique and .*"),
        ({"red_team.path": ""}, "path: expected a file .*, got none"),
    ],
    ids=["no file", "wrong key", "no words for a critique", "no path"],
)
def test_a_mistake_is_one_line_and_exit_code_2_before_anything_is_paid(
    change: dict[str, str], message: str, folder: Path, tmp_path: Path, capsys: Any
) -> None:
    with serving(Acted()) as server:
        with pytest.raises(SystemExit, match="2"):
            main(typed(tmp_path, keys(folder, tmp_path, server.url) | change))
        assert server.bodies == []
    assert re.fullmatch(f"solon: {message}\n", capsys.readouterr().err)


def test_a_judge_in_words_is_asked_by_principle_too() -> None:
    given = {"red_team.path": "r", "prompts.path": "p", "judge": "text", "judge.model": "m"}
    for bench in ("local", "endpoint"):
        judge = Session.find("constitutional", bench, given).recipe.judge
        assert judge.judge.constitution == "harmless"
        assert Session.find("canonical", bench, given).recipe.judge.judge.constitution is None


def test_a_real_model_answers_revises_and_judges_behind_a_server(
    folder: Path, tmp_path: Path
) -> None:
    with served(folder) as url:
        small = {f"{role}__max_new_tokens": "4" for role in ("helpful", "reviser")}
        given = keys(folder, tmp_path, url, **small, revise__examples="")
        given |= {f"{role}.model": "m" for role in ("helpful", "reviser", "judge")}
        session = Session.find("constitutional", "endpoint", given, root=tmp_path)
        run = Ran(session.run(quiet=True), Acted())
    for turn, line in enumerate(run.metrics("revise")[1:], start=1):
        said = run.records(f"critiques-{turn}")
        assert line["revised"] == sum(not one.failed for one in said)
        assert line["asked"] == len(said) == line["revised"] + line["unchanged"] + line["failed"]
    assert run.metrics("revise")[1]["revised"] >= 1
    [labelled] = run.metrics("label")
    assert labelled["asked"] > labelled["abstained"] == 0
