"""Two processes learn as one does: DDP and FSDP2, over gloo, launched by torchrun."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from agreeing import Told, close, launched, tie
from hypothesis import given
from hypothesis import strategies as st
from several import (
    SMALL,
    TEXTS,
    Stopped,
    adapted,
    halved,
    onwards,
    opened,
    refused,
    tied,
    trajectory,
    whole_run,
)
from transformers import AutoModelForCausalLM, AutoTokenizer

from solon.engines.endpoint import Endpoint
from solon.engines.local import Lora, Transformer
from solon.engines.local.layout import Row
from solon.engines.local.sharing import deal
from solon.errors import RunError, SettingError
from solon.records import Abstains, Prompt
from solon.run import lines
from solon.run.ranks import Alone, at_work, working
from solon.run.run import Run
from solon.run.shards import read_records

SHARDINGS = ("ddp", "fsdp2")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One process first, which leaves a state and a cut run behind; then two, from a launcher."""
    out = tmp_path_factory.mktemp("several")
    one: dict[str, Any] = {}
    with Run(out / "run-one", seed=3) as run:
        policy = opened(run)
        one = trajectory(policy)
        policy.save_state(out / "one" / "state")
        one["refused"] = refused(policy)
        policy.save(out / "tied")
        tie(out / "tied")
        one["onwards"] = onwards(policy)
        one["tied"] = tied(run, out / "tied")
        one["adapter"] = adapted(run)
        one["halved"] = halved(run)
    with pytest.raises(Stopped):
        whole_run(out / "cut", stop=True)
    one["run"] = whole_run(out / "whole")
    launched(str(Path(__file__).with_name("several.py")), str(out))
    first, second = (json.loads((out / f"found-{rank}.json").read_text()) for rank in (0, 1))
    assert first == second  # every process knows the same
    return Told(one, first, out)


@pytest.mark.parametrize("sharding", SHARDINGS)
def test_two_processes_follow_the_trajectory_of_one(told: Told, sharding: str) -> None:
    close(told.two[sharding]["metrics"], told.one["metrics"])
    close(told.two[sharding]["logp"], told.one["logp"])
    assert told.two[sharding]["id"] == told.one["id"]


@pytest.mark.parametrize("sharding", SHARDINGS)
def test_two_processes_draw_the_completions_of_one(told: Told, sharding: str) -> None:
    assert told.two[sharding]["tokens"] == [list(one) for one in told.one["tokens"]]


@pytest.mark.parametrize("sharding", SHARDINGS)
def test_an_anchor_stays_what_it_was(told: Told, sharding: str) -> None:
    close(told.two[sharding]["anchor"], told.one["anchor"])


@pytest.mark.parametrize("sharding", SHARDINGS)
def test_tied_weights_in_padded_batches_learn_as_in_one_process(told: Told, sharding: str) -> None:
    close(told.two[sharding]["tied"], told.one["tied"])


@pytest.mark.parametrize("sharding", SHARDINGS)
def test_sixteen_bits_and_their_value_network_learn_as_in_one_process(
    told: Told, sharding: str
) -> None:
    found, wanted = told.two[sharding]["halved"], told.one["halved"]
    for mine, other in zip(found, wanted, strict=True):
        assert mine == {name: pytest.approx(x, rel=0.02, abs=0.02) for name, x in other.items()}
    assert abs(found[2]["explained_variance"]) > 1e-3  # the head is no longer 0


@pytest.mark.parametrize("sharding", SHARDINGS)
def test_a_loss_that_is_no_number_in_one_process_stops_both(told: Told, sharding: str) -> None:
    said, logp = told.two[sharding]["refused"]
    assert said == told.one["refused"][0]
    assert "expected a finite loss, got nan" in said
    close(logp, told.two[sharding]["logp"])  # no weight was changed


@pytest.mark.parametrize("sharding", SHARDINGS)
def test_what_one_process_kept_two_go_on_with(told: Told, sharding: str) -> None:
    close(told.two[sharding]["resumed"], told.one["onwards"])


@pytest.mark.parametrize("sharding", SHARDINGS)
def test_what_two_processes_kept_one_goes_on_with(
    told: Told, sharding: str, tmp_path: Path
) -> None:
    with Run(tmp_path, seed=3) as run:
        policy = opened(run)
        policy.load_state(told.folder / sharding / "state")
        close(onwards(policy), told.two[sharding]["onwards"])


def test_an_adapter_learns_in_two_processes_as_in_one(told: Told) -> None:
    close(told.two["adapter"], told.one["adapter"])


@pytest.mark.parametrize("sharding", SHARDINGS)
def test_weights_of_two_processes_are_one_hugging_face_folder(
    told: Told, sharding: str, run: Run
) -> None:
    folder = told.folder / sharding / "model"
    model, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(info.values())
    assert model.num_parameters() == sum(
        p.numel() for p in opened(run).voice.decoder.trained().values()
    )
    assert AutoTokenizer.from_pretrained(folder).eos_token_id is not None
    again = Transformer(model=str(folder), max_new_tokens=10).open(run)
    close(again.logp(TEXTS), told.two[sharding]["logp"])


def test_a_run_cut_off_in_one_process_ends_in_two_as_if_whole(told: Told) -> None:
    close(told.two["run"], told.one["run"])
    for name in ("metrics", "watched"):
        cut, whole = (said(told.folder / run / f"{name}.jsonl") for run in ("cut", "whole"))
        close(cut, whole)
        assert len(cut) >= 8
    for path in sorted((told.folder / "whole" / "records").iterdir()):
        found = read_records(told.folder / "cut" / "records" / path.name)
        assert [texts(one) for one in found] == [texts(one) for one in read_records(path)]


def said(file: Path) -> list[dict[str, Any]]:
    return [{k: v for k, v in line.items() if k != "time"} for line in lines.read(file)]


def texts(record: Any) -> list[str]:
    """The completions of a record, without their numbers."""
    completions = [getattr(record, name, None) for name in ("completion", "chosen", "rejected")]
    return [one.text for one in completions if one is not None]


# -- what needs no second process


@dataclass(frozen=True)
class Apart:
    """One of two processes, which never meets the other."""

    rank: int
    count: int = 2
    told: Any = None

    def agreed(self, make: Any, /) -> Any:
        return self.told if self.rank else make()

    def gathered(self, mine: Any, /) -> list[Any]:
        return [mine] * self.count

    def add_up(self, tensors: Any, /) -> None: ...


@pytest.mark.parametrize("sharding", SHARDINGS)
def test_sharding_without_a_group_of_processes_is_one_line(sharding: Any, run: Run) -> None:
    with pytest.raises(SettingError, match=f"{sharding}: expected a group of processes, .*torchr"):
        replace(SMALL, sharding=sharding).open(run)


def test_an_adapter_is_not_cut_into_parts(tmp_path: Path) -> None:
    spec = replace(SMALL, sharding="fsdp2", lora=Lora(rank=2))
    refusal = pytest.raises(SettingError, match="lora: expected none with sharding=fsdp2")
    with working(Apart(rank=0)), Run(tmp_path / "two") as run, refusal:
        spec.open(run)
    assert at_work() == Alone()


def test_only_the_first_process_writes(tmp_path: Path) -> None:
    with Run(tmp_path) as first:
        first.log(0, loss=1.0)
        with pytest.raises(RunError, match="another process is working"):
            Run(tmp_path)
        with working(Apart(rank=1)):
            second = Run(tmp_path)
        second.log(0, loss=2.0)
        second.note("not a word")
        second.close()
    assert [line["loss"] for line in lines.read(tmp_path / "metrics.jsonl")] == [1.0]
    assert not (tmp_path / "notes.jsonl").exists()


def test_the_second_process_is_told_what_a_server_answered(tmp_path: Path) -> None:
    answers = [Abstains(reason="the server was asked by the first process")]
    with working(Apart(rank=1, told=answers)), Run(tmp_path) as run:
        nobody = Endpoint(model="m", base_url="http://127.0.0.1:9/v1").open(run)
        assert nobody.ask([Prompt.of("a")]) == answers
        assert not run.ledger.totals()
    assert not list(tmp_path.glob("*"))


ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 9)).map(
        lambda one: Row(prompt=(one[0],), completion=(1,) * one[1])
    ),
    min_size=1,
    max_size=30,
)


@given(ROWS, st.integers(1, 5))
def test_work_is_dealt_out_once_and_evenly(rows: list[Row], count: int) -> None:
    hands = deal([[row] for row in rows], count)
    assert sorted(i for hand in hands for i in hand) == list(range(len(rows)))
    assert all(hand == sorted(hand) for hand in hands)
    prompts = {row.prompt for row in rows}
    held = [sum(len(rows[i]) for i in hand) for hand in hands]
    largest = max(len(row) for row in rows)
    if len(prompts) >= count:  # siblings stay together
        assert sum(len({rows[i].prompt for i in hand}) for hand in hands) == len(prompts)
        largest = max(sum(len(row) for row in rows if row.prompt == p) for p in prompts)
    assert max(held) - min(held) <= largest
