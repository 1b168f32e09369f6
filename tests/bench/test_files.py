"""Real input: files of every kind, people's labels, and judges behind a server, end to end."""

from __future__ import annotations

import gzip
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from wire.served import served
from wire.server import Server, serving

from solon.bench.files import TextFile, inner_text, local, paragraphs
from solon.bench.session import Session
from solon.cli import main, parse
from solon.engines.endpoint import Endpoint
from solon.engines.local import Lora, Shape, Transformer
from solon.errors import DataError, SettingError, TooManyFailures
from solon.judges.human import HumanLabels
from solon.judges.prompts import PromptFile, is_test, opening, read_prompts
from solon.objectives.adam import Adam
from solon.objectives.imitation import NLL
from solon.records import Abstains, Completion, Message, Prompt
from solon.run.run import Run
from solon.run.shards import read_records
from solon.stages.fit_reward import split

HH = "\n\nHuman: {0}\n\nAssistant: {1}"


def write(path: Path, *rows: Any) -> Path:
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def read(path: Path, run: Run, **settings: Any) -> list[Completion]:
    return TextFile(path=(str(path),), **settings).open(run).demonstrate()


def labelled(path: Path, n: int = 40) -> Path:
    """n dialogues; the polite answer is chosen."""
    rows = [
        {"chosen": HH.format(f"ask {i}", "please do"), "rejected": HH.format(f"ask {i}", "go off")}
        for i in range(n)
    ]
    return write(path, *rows)


# -- demonstrations


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Why?", "completion": "Because."},
        {
            "prompt": [{"role": "user", "content": "Why?"}],
            "completion": [{"role": "assistant", "content": "Because."}],
        },
        {
            "messages": [
                {"role": "user", "content": "Why?"},
                {"role": "assistant", "content": "Because."},
            ]
        },
        {"prompt": "Why?", "chosen": "Because.", "rejected": "No."},
        {"chosen": HH.format("Why?", "Because."), "rejected": HH.format("Why?", "No.")},
    ],
    ids=["plain", "turns", "messages", "labelled", "hh"],
)
@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz"])
def test_every_schema_of_a_row_gives_the_same_demonstration(
    row: dict[str, Any], name: str, tmp_path: Path, run: Run
) -> None:
    [found] = read(write(tmp_path / name, row), run)
    assert found.prompt.messages == (Message(role="user", text="Why?"),)
    assert (found.text, found.finish) == ("Because.", "stop")


def test_plain_text_is_cut_into_pieces_of_which_the_last_one_ends(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "story.txt"
    path.write_text("one two\nthree\n\n\nfour five\n", "utf-8")
    found = read(path, run, words=2)
    assert [one.text for one in found] == ["one two ", "three\n\nfour ", "five"]
    assert [one.finish for one in found] == ["length", "length", "stop"]
    assert {one.prompt.messages for one in found} == {(Message(role="text", text=""),)}
    assert len({one.prompt.id for one in found}) == 3
    [row] = read(write(tmp_path / "x.jsonl", {"document": "one two"}), run)
    assert row.text == "one two"


def test_a_book_loses_its_header_and_its_licence_and_its_line_ends() -> None:
    book = "About\n*** START OF THIS PROJECT GUTENBERG EBOOK X ***\n\nOnce\nupon\n\na time"
    end = "End of the Project Gutenberg EBook of X"
    whole = f"{book}\n\n{end}\n*** END OF THIS PROJECT GUTENBERG EBOOK X ***\nLicence"
    assert paragraphs(inner_text(whole)) == "Once upon\n\na time"
    assert inner_text("no marks") == "no marks"


def test_labelled_rows_without_a_pair_are_counted_and_said(tmp_path: Path, run: Run) -> None:
    same = HH.format("Why?", "So.")
    path = write(
        tmp_path / "x.jsonl",
        {"chosen": same, "rejected": same},
        {"chosen": HH.format("Why?", "Because."), "rejected": same},
    )
    assert len(read(path, run)) == 1
    notes = (run.dir / "notes.jsonl").read_text("utf-8")
    assert "1 of 2 rows left out (both dialogues are the same: 1)" in notes


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"x\.jsonl, row 2: expected a JSON object, got Expecting property name"),
        ("[1]", r"x\.jsonl, row 2: expected a JSON object, got \[1\]"),
        ('{"prompt": "a"}', r"x\.jsonl, row 2, field 'completion': expected text, got nothing"),
        ('{"prompt": null}', r"x\.jsonl, row 2, field 'prompt': expected text"),
        ('{"text": 3}', r"x\.jsonl, row 2, field 'text': expected text, got 3"),
        ('{"answer": "a"}', r"x\.jsonl, row 2, field 'text': expected prompt and completion"),
        ('{"messages": [{"role": "user", "content": "a"}]}', r"row 2, field 'messages': expected"),
        ('{"chosen": "a"}', r"x\.jsonl, row 2, field 'rejected': expected text, got nothing"),
    ],
)
def test_a_bad_row_is_named_with_its_file_and_field(
    line: str, message: str, tmp_path: Path, run: Run
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(f'{{"text": "fine"}}\n{line}\n', "utf-8")
    with pytest.raises(DataError, match=message):
        read(path, run)


def test_files_that_cannot_be_read_are_named(tmp_path: Path, run: Run) -> None:
    torn = tmp_path / "torn.txt.gz"
    torn.write_bytes(gzip.compress(b"a b c" * 99)[:-20])
    spoilt = tmp_path / "spoilt.jsonl.gz"
    spoilt.write_bytes(gzip.compress(b'{"text": "a"}' * 99)[:12] + b"\xff" * 30)
    latin = tmp_path / "latin.txt"
    latin.write_bytes(b"\xe9t\xe9")
    empty = tmp_path / "empty.txt"
    empty.touch()
    for path in (torn, spoilt, latin, empty, tmp_path / "none.jsonl", tmp_path / "none.txt"):
        with pytest.raises(DataError, match=path.name):
            read(path, run)
    with pytest.raises(SettingError, match="expected a file, got none"):
        TextFile().open(run)
    with pytest.raises(SettingError, match="words: expected at least 1"):
        read(latin, run, words=0)


# -- one split for prompts, labels and demonstrations


def test_dialogues_that_begin_alike_are_on_one_side_in_every_file(tmp_path: Path, run: Run) -> None:
    path = labelled(tmp_path / "hh.jsonl.gz", 200)
    prompts = PromptFile(path=str(path), test=0.3).open(run)
    tests, trained = ({opening(p) for p in prompts.splits[name]} for name in ("test", "train"))
    labels = HumanLabels(path=str(path), test=0.3).open(run)
    shown = read(path, run, test=0.3)
    assert len(tests) + len(trained) == 200
    assert 40 <= len(tests) <= 80
    assert {opening(one.chosen.prompt) for one in labels.labels} == trained
    assert {opening(one.prompt) for one in shown} == trained
    assert labels.dropped == {"kept apart as test": len(tests)}
    for text in tests:
        later = (Message(role="user", text=text), Message(role="assistant", text="?"))
        longer = Prompt(id="", messages=(*later, Message(role="user", text="go on")))
        assert is_test(longer, 0.3)


def test_pairs_kept_aside_share_no_first_turn_with_those_learnt_from(
    tmp_path: Path, run: Run
) -> None:
    path = labelled(tmp_path / "hh.jsonl")
    data = list(HumanLabels(path=str(path)).open(run).labels)
    turns = (*data[0].chosen.prompt.messages, Message(role="user", text="go on"))
    later = Prompt(id="later", messages=turns)
    data.append(replace(data[0], chosen=replace(data[0].chosen, prompt=later)))
    held, kept = split(data, 0.5, seed=3)
    assert (len(held), len(kept)) in {(21, 20), (20, 21)}
    assert not {opening(one.chosen.prompt) for one in held} & {
        opening(one.chosen.prompt) for one in kept
    }


def test_a_transcript_without_a_dialogue_holds_no_prompt(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", {"chosen": "no dialogue", "rejected": "nor here"})
    with pytest.raises(DataError, match="field 'chosen': expected a dialogue that ends with"):
        read_prompts(path)


@pytest.mark.data
def test_the_real_dialogues_give_prompts_labels_and_demonstrations(data: Path, run: Run) -> None:
    path = data / "hh_rlhf_harmless_test" / "harmless-base_test.jsonl.gz"
    assert len(read_prompts(path)) == 1430
    assert len(HumanLabels(path=str(path)).open(run).labels) == 1427
    assert len(read(path, run)) == 1427


@pytest.mark.data
def test_the_real_stories_are_read_without_their_licence(data: Path, run: Run) -> None:
    texts = read(data / "grimm_tales" / "2591-0.txt.gz", run)
    whole = "".join(one.text for one in texts)
    assert 500_000 < len(whole) < 540_000
    assert "Gutenberg" not in whole
    assert sum(one.finish == "stop" for one in texts) == 1


# -- the benches


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of a few thousand weights that has learnt to say 1 or 2."""
    made = tmp_path_factory.mktemp("model")
    corpus = made / "corpus.txt"
    corpus.write_text("please do go off ask 0 1 2 1 2 1 2 1 2\n" * 20, "utf-8")
    shape = Shape(vocab=300, hidden=16, layers=1, heads=2, context=512)
    with Run(made / "run") as live:
        spec = Transformer(shape=shape, tokenizer=str(corpus), max_new_tokens=4)
        policy = spec.open(live)
        policy.optimise(Adam(lr=3e-2))
        asked = [Prompt.of(f"ask {i}", role="text") for i in (0, 1, 2)]
        said = [Completion(prompt=p, text=t) for p in asked for t in ("1", " 1", " 2")]
        for _ in range(20):
            policy.fit_texts(said, NLL())
        policy.save(made / "policy")
    return made / "policy"


def small(folder: Path, path: Path, **more: str) -> dict[str, str]:
    keys = {
        "policy.model": str(folder),
        "policy.max_new_tokens": "4",
        "prompts.path": str(path),
        "prompts.test": "0.2",
        "labels.test": "0.2",
        "fit_reward.batch": "8",
        "climb.steps": "2",
        "climb.batch": "2",
        "climb.group": "2",
        "evaluate": "6",
    }
    return keys | {key.replace("__", "."): text for key, text in more.items()}


def test_people_train_a_model_folder_and_the_table_claims_no_win(
    folder: Path, tmp_path: Path
) -> None:
    path = labelled(tmp_path / "hh.jsonl.gz")
    keys = small(folder, path, judge="human", labels__path=str(path))
    made = Session.find("canonical", "local", keys, root=tmp_path).run(quiet=True)
    trained = read_records(made / "records" / "preferences")
    rolled = read_records(made / "records" / "rollouts")
    tests = {opening(p) for p in read_prompts(path) if is_test(p, 0.2)}
    assert len(trained) == 40 - len(tests) > 25
    assert not tests & {opening(one.chosen.prompt) for one in trained}
    assert not tests & {opening(one.completion.prompt) for one in rolled}
    assert {opening(one.prompt) for one in read_records(made / "records" / "samples")} <= tests
    summary = json.loads((made / "summary.json").read_text("utf-8"))
    assert "win rate" not in summary["columns"]
    assert any(note.startswith("No win rate") for note in summary["notes"])
    assert (made / "policies" / "final" / "model.safetensors").is_file()
    assert (made / "report.html").is_file()


def test_random_weights_learn_plain_text_without_prompts(tmp_path: Path) -> None:
    path = tmp_path / "story.txt"
    path.write_text("once upon a time there was a king. " * 40, "utf-8")
    keys = {
        "policy.tokenizer": str(path),
        "policy.shape.vocab": "300",
        "policy.shape.hidden": "16",
        "policy.shape.layers": "1",
        "policy.shape.heads": "2",
        "demonstrations.path": str(path),
        "demonstrations.words": "8",
        "imitate.batch": "2",
        "imitate.adam.lr": "1e-2",
    }
    session = Session.find("supervised", "local", keys, root=tmp_path)
    assert session.recipe.policy.shape == Shape(vocab=300, hidden=16, layers=1, heads=2)
    made = session.run(quiet=True)
    lines = (made / "metrics.jsonl").read_text("utf-8").splitlines()
    losses = [json.loads(line)["loss"] for line in lines]
    assert losses[-1] < losses[0] - 0.5
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(made / "policies" / "final")
    assert model.config.hidden_size == 16


def test_a_judge_behind_a_server_is_asked_once_for_each_pair_and_order(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOLON_CACHE", str(tmp_path / "replies.sqlite"))
    path = write(tmp_path / "prompts.jsonl", *({"prompt": f"ask {i}"} for i in range(30)))
    with serving(Server(latency=0.0)) as server:
        keys = small(folder, path, judge__model="m", judge__base_url=server.url, label__prompts="8")
        del keys["labels.test"]
        made = Session.find("canonical", "endpoint", keys, root=tmp_path).run(quiet=True)
        asked = len(server.bodies)
        assert asked == 2 * len(read_records(made / "records" / "judgements"))
        again = Session.find("canonical", "endpoint", keys, root=tmp_path)
        assert again.run(quiet=True, fresh=True) != made
        assert len(server.bodies) == asked


def test_a_run_without_a_single_verdict_stops_and_says_why(folder: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "prompts.jsonl", *({"prompt": f"say {i}"} for i in range(30)))
    with serving(Server(next_token=lambda text: None)) as server:
        keys = small(folder, path, judge__model="m", judge__base_url=server.url, label__prompts="8")
        session = Session.find("canonical", "endpoint", keys, root=tmp_path)
        with pytest.raises(TooManyFailures, match="none of . judgements holds .* no log-prob"):
            session.run(quiet=True)


def test_a_part_that_is_none_begins_with_the_first_of_its_leaves() -> None:
    keys = {"policy.model": "m", "policy.lora.rank": "8", "prompts.path": "p"}
    assert Session.find("canonical", "local", keys).recipe.policy.lora == Lora(rank=8)


@pytest.mark.parametrize(
    ("recipe", "keys", "message"),
    [
        ("canonical", {}, "canonical needs prompts, and the bench 'local' has none: set prompts.p"),
        ("supervised", {}, "needs demonstrations, and .* has none: set demonstrations.path=FILE"),
        ("canonical", {"prompts.pth": "x"}, "PromptFile has no 'pth'; it has path, test, .*; did"),
    ],
)
def test_what_is_missing_is_said_with_the_key_to_set(
    recipe: str, keys: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        Session.find(recipe, "local", keys)


def test_settings_may_stand_before_and_after_the_options() -> None:
    typed = ["run", "canonical", "a=1", "--on", "local", "b=2", "--quiet", "c=3"]
    assert sorted(parse(typed).settings) == ["a=1", "b=2", "c=3"]
    for wrong in (["run", "canonical", "--nope", "a=1"], ["list", "a=1"]):
        with pytest.raises(SystemExit, match="2"):
            parse(wrong)


def test_a_missing_file_ends_in_one_line_and_exit_code_2(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = [f"policy.model={folder}", "prompts.path=gone.jsonl", "judge=human", "labels.path=x"]
    with pytest.raises(SystemExit, match="2"):
        main(["run", "canonical", "--on", "local", "--quiet", f"--runs={tmp_path}", *keys])
    said = capsys.readouterr().err
    assert said == "solon: gone.jsonl: expected a file, got nothing there\n"


def test_an_evaluator_of_ones_own_can_be_named() -> None:
    session = Session.find(
        "canonical", "local", {"prompts.path": "p", "evaluator": "text", "evaluator.model": "m"}
    )
    assert session.bench.evaluator == replace(
        local().choices["evaluator"]["text"],
        judge=replace(
            local().choices["evaluator"]["text"].judge,
            policy=Transformer(name="judge", temperature=0.0, model="m"),
        ),
    )


# -- a real model behind a server of our own


@pytest.mark.parametrize("api", ["completions", "chat"])
def test_a_served_folder_chooses_as_it_does_here(folder: Path, api: Any, run: Run) -> None:
    role = "text" if api == "completions" else "user"
    prompts = [Prompt.of(f"ask {i}", role=role) for i in range(3)]
    here = Transformer(model=str(folder), max_new_tokens=4).open(run)
    near = here.choose(prompts, ("1", "2"))
    with served(folder) as url:
        far = Endpoint(model="m", base_url=url, api=api, top_logprobs=100).open(run)
        for mine, theirs in zip(near, far.choose(prompts, ("1", "2")), strict=True):
            assert not isinstance(theirs, Abstains), theirs
            assert theirs == pytest.approx(mine, abs=1e-4)
            assert 0.3 < sum(map(math.exp, theirs)) < 1
        [group] = far.sample(prompts[:1], n=1)
        assert group.completions[0].finish in {"stop", "length"}


def test_a_choice_spelt_as_a_space_and_a_digit_has_the_mass_of_both_spellings(run: Run) -> None:
    def next_token(text: str) -> dict[str, float]:
        begun = text.endswith(" ")
        shares = {"1": 0.1, "2": 0.9} if begun else {" ": 0.6, "1": 0.2, "2": 0.1, "\n": 0.1}
        return {token: math.log(share) for token, share in shares.items()}

    with serving(Server(next_token=next_token)) as server:
        judge = Endpoint(model="m", base_url=server.url, api="completions").open(run)
        [found] = judge.choose([Prompt.of("Which?", role="text")], ("1", "2"))
        assert not isinstance(found, Abstains), found
        assert [math.exp(logp) for logp in found] == pytest.approx([0.26, 0.64])
        assert len(server.bodies) == 2
