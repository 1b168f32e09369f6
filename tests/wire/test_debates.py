"""Debates over a real server, on real stories and claims: the judge reads only what is quoted."""

from __future__ import annotations

import gzip
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from solon.engines.endpoint import Endpoint
from solon.engines.local import Shape, Transformer
from solon.errors import EndpointError
from solon.objectives.adam import Adam
from solon.objectives.imitation import NLL
from solon.oversight.asks import Speaker
from solon.oversight.consultancy import Consultancy, consultations
from solon.oversight.debate import Debate
from solon.oversight.dispute import Dispute, Side
from solon.oversight.drive import drive
from solon.oversight.judging import Judging
from solon.oversight.quotes import counted, pieces, verified
from solon.oversight.speaking import Speaking
from solon.oversight.verdicts import accuracy, unanswered
from solon.records import Abstains, Completion, Prefers, Prompt, Transcript
from solon.run.run import Run
from tests.wire.served import served
from tests.wire.server import Server, error, serving, text_of

RULES = Debate(rounds=2, speaking=Speaking(limit=60, least=20, most=80, attempts=2))
CHAT = (
    "{% for m in messages %}[{{ m.role }}] {{ m.content }} {% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)
FILLER = "so I say to you, judge, " * 4


@dataclass
class Stage(Server):
    """Debaters that quote the source once in truth and once not; a judge that counts true quotes.

    A speech that begins in the source's first half is too short at its first draw.
    """

    drawn: Counter[str] = field(default_factory=Counter)
    shut_after: int = 10**9
    mumbles: bool = False

    def refusal(self, request: web.Request, body: dict[str, Any]) -> web.Response | None:
        if sum(self.answered.values()) >= self.shut_after:
            return error(401, "closed")
        return super().refusal(request, body)

    def answer(self, body: dict[str, Any], text: str) -> dict[str, Any]:
        if body["model"] == "judge" and body.get("logprobs"):
            return super().answer(body, text)
        said = self.verdict(text) if body["model"] == "judge" else self.speech(text)
        message = {"role": "assistant", "content": said}
        usage = {"prompt_tokens": len(text) // 4 + 1, "completion_tokens": 80}
        return {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}

    def speech(self, text: str) -> str:
        source = text.split("<source>")[1].split("</source>", maxsplit=1)[0].split()
        start = sum(map(ord, text.split("Your answer: ")[1].split("\n", maxsplit=1)[0])) % (
            len(source) - 12
        )
        self.drawn[text] += 1
        if start < len(source) // 2 and self.drawn[text] == 1:
            return "Too short."
        true, false = " ".join(source[start : start + 6]), "the moon was made of cheese that night"
        return f"{FILLER}<quote>{true}</quote> <v_quote>mine</v_quote> <quote>{false}</quote>"

    def verdict(self, text: str) -> str:
        letter = "A" if votes(text)["A"] >= votes(text)["B"] else "B"
        return "Hard to say." if self.mumbles else f"I count quotes.\nAnswer: {letter}"


def votes(text: str) -> Counter[str]:
    found = re.findall(r'<speech by="([AB])" round="\d">\n(.*?)\n</speech>', text, re.DOTALL)
    return Counter({by: sum(s.count("<v_quote>") for b, s in found if b == by) for by in "AB"})


def think(text: str) -> dict[str, float]:
    gap = votes(text)["A"] - votes(text)["B"]
    p = 1 / (1 + math.exp(-gap))
    return {"A": math.log(p), "B": math.log(1 - p)}


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def stories(data: Path, count: int) -> tuple[list[Dispute], dict[str, Side]]:
    """A story's question with its own summary, and with that of another question of the story."""
    found: list[Dispute] = []
    rights: dict[str, Side] = {}
    for number, row in enumerate(rows(data / "squality/v1-3/txt/dev.jsonl.gz")):
        asked, other = row["questions"][1:3]
        texts = [one["responses"][0]["response_text"] for one in (asked, other)]
        own: Side = "first" if number % 2 else "second"
        first, second = texts if own == "first" else texts[::-1]
        name = f"story-{number}"
        found.append(
            Dispute.of(asked["question_text"], first, second, source=row["document"], id=name)
        )
        rights[name] = own
        if len(found) == count:
            break
    return found, rights


def claims(data: Path, count: int) -> tuple[list[Dispute], dict[str, Side]]:
    found: list[Dispute] = []
    rights: dict[str, Side] = {}
    for row in list(rows(data / "debate_claims_covid/claims.jsonl.gz"))[:count]:
        name = f"claim-{row['claim_id']}"
        evidence = "\n\n".join(one["content"] for one in row["sources"] if one["content"])
        found.append(Dispute.of(row["claim"], "True", "False", source=evidence, id=name))
        rights[name] = "first" if row["veracity"] else "second"
    return found, rights


def seats(run: Run, server: Server) -> dict[str, Speaker]:
    debater = Endpoint(model="debater", base_url=server.url, temperature=0.4, timeout=20.0)
    judge = replace(debater, model="judge", temperature=0.0)
    speaks, judges = Speaker(debater.open(run)), Speaker(judge.open(run))
    return {"first": speaks, "second": speaks, "consultant": speaks, "judge": judges}


@pytest.mark.parametrize("source", [stories, claims])
def test_the_judge_reads_quotes_and_nothing_else_of_the_source(
    run: Run, data: Path, source: Any
) -> None:
    disputes, rights = source(data, 3)
    with serving(Stage(next_token=think)) as server:
        played = drive([RULES.play(one) for one in disputes], seats(run, server))
    for dispute, one in zip(disputes, played, strict=True):
        assert len(one.speeches) == 4
        for speech in one.speeches:
            assert counted(speech.text) == (1, 1)
            assert all(
                verified(words, dispute.source) is (kind == "v")
                for kind, words in pieces(speech.text)
                if kind != "text"
            )
            assert "<v_quote>mine" not in speech.text
        assert one.answer != Abstains(reason="")
    words = [one.split() for one in (dispute.source for dispute in disputes)]
    runs = [" ".join(each[at : at + 12]) for each in words for at in range(0, len(each) - 12, 40)]
    judged = " ".join(text_of(body) for body in server.bodies if body["model"] == "judge")
    spoken = " ".join(text_of(body) for body in server.bodies if body["model"] == "debater")
    plain = " ".join(judged.split())
    assert not [one for one in runs if one in plain]
    assert [one for one in runs if one in " ".join(spoken.split())]
    assert 0.0 <= accuracy(played, rights).estimate <= 1.0


def test_what_is_drawn_again_is_paid_once_more_and_never_twice(run: Run, data: Path) -> None:
    disputes, _ = stories(data, 4)
    with serving(Stage(next_token=think)) as server:
        played = drive([RULES.play(one) for one in disputes], seats(run, server))
    draws = [speech.drawn for one in played for speech in one.speeches]
    assert set(draws) == {1, 2}  # some fitted at once, some did not
    asked = [body for body in server.bodies if body["model"] == "debater"]
    assert len(asked) == sum(draws)
    assert len([body for body in server.bodies if body["model"] == "judge"]) == 2 * len(disputes)


def test_a_judge_that_mumbles_is_counted_as_wrong(run: Run, data: Path) -> None:
    disputes, rights = claims(data, 3)
    game = replace(RULES, rounds=1, judging=Judging(words=True))
    with serving(Stage(mumbles=True)) as server:
        mute = drive([game.play(one) for one in disputes], seats(run, server))
    assert unanswered(mute) == 1.0
    assert accuracy(mute, rights).estimate == 0.0
    assert {one.answer for one in mute} == {Abstains(reason="no verdict on the last line")}


def test_a_run_of_games_that_broke_off_goes_on_without_paying_again(
    data: Path, tmp_path: Path
) -> None:
    disputes, _ = stories(data, 6)
    rules = Consultancy(rounds=1, speaking=RULES.speaking, interactive=False)

    def play(server: Server) -> list[Transcript]:
        with Run(tmp_path / "run", cache=tmp_path / "replies.sqlite") as run:
            players = seats(run, server)

            def games(some: Any) -> list[Transcript]:
                return drive(consultations(rules, some), players)

            return run.map("transcripts", games, disputes, chunk=2)

    with serving(Stage(next_token=think)) as alone, Run(tmp_path / "alone") as run:
        whole = drive(consultations(rules, disputes), seats(run, alone))
        needed = len(alone.bodies)
    with serving(Stage(next_token=think, shut_after=needed // 2)) as server:
        with pytest.raises(EndpointError):
            play(server)
        before = len(server.bodies)
        server.shut_after = 10**9
        again = play(server)
        assert play(server) == again
    assert list(map(texts, again)) == list(map(texts, whole))
    assert 0 < before < needed
    # a call in flight as the server closed is asked again; nothing that was answered is
    assert len(server.bodies) == sum(server.answered.values())
    assert sum(server.answered.values()) == needed


def texts(one: Transcript) -> list[str]:
    return [speech.text for speech in one.speeches]


def test_a_real_model_debates_and_judges_behind_a_server(
    data: Path, tmp_path: Path, run: Run
) -> None:
    """It can say A and B and was never taught to argue; all else is as real as it gets."""
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("who hid the lamp ? A B the miller ran and hid it\n" * 20, "utf-8")
    spec = Transformer(
        shape=Shape(vocab=300, hidden=16, layers=1, heads=2, context=4096),
        tokenizer=str(corpus),
        max_new_tokens=8,
    )
    policy = spec.open(run)
    policy.voice.words.tokenizer.chat_template = CHAT
    policy.optimise(Adam(lr=3e-2))
    asked = [Prompt.of(f"who hid the lamp {n}") for n in range(3)]
    letters = [Completion(prompt=p, text=t) for p in asked for t in ("A", "B", " A", " B")]
    for _ in range(20):
        policy.fit_texts(letters, NLL())
    policy.save(tmp_path / "policy")
    disputes = [replace(one, source=one.source[:400]) for one in claims(data, 2)[0]]
    game = replace(RULES, rounds=1, watch=True, speaking=replace(RULES.speaking, attempts=2))
    with served(tmp_path / "policy") as url:
        model = Endpoint(model="m", base_url=url, temperature=1.0, timeout=60.0, max_new_tokens=8)
        player = Speaker(model.open(run))
        played = drive(
            [game.play(one) for one in disputes],
            dict.fromkeys(("first", "second", "judge"), player),
        )
    for one in played:
        assert isinstance(one.answer, Prefers)
        assert 0 < one.answer.p_first < 1
        assert len(one.p) == 2
        assert all(speech.failed and speech.drawn == 2 for speech in one.speeches)
