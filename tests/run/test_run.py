from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from solon.errors import RunError
from solon.records import Prompt
from solon.run import lines
from solon.run.run import Run
from solon.run.start import write_manifest

PROMPTS = [Prompt.of(f"prompt {i}") for i in range(10)]


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


@dataclass
class Counter:
    """A learner whose whole state is a number."""

    value: int = 0
    restored: list[int] = field(default_factory=list[int])

    def save_state(self, folder: Path) -> None:
        (folder / "value").write_text(str(self.value))

    def load_state(self, folder: Path) -> None:
        self.value = int((folder / "value").read_text())
        self.restored.append(self.value)


def loop(folder: Path, counter: Counter, *, stop_at: int | None = None) -> list[int]:
    seen: list[int] = []
    with Run(folder, checkpoint_seconds=0.0) as run, run.stage("climb"):
        for step, item in run.steps(list(range(6)), counter):
            if step == stop_at:
                raise Killed
            counter.value += item
            run.log(step, loss=float(counter.value))
            seen.append(step)
    return seen


def test_a_loop_goes_on_from_its_last_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        loop(tmp_path, Counter(), stop_at=4)
    again = Counter()
    assert loop(tmp_path, again) == [4, 5]
    assert again.value == sum(range(6))
    steps = [line["step"] for line in lines.read(tmp_path / "metrics.jsonl")]
    assert steps == [0, 1, 2, 3, 4, 5]


def test_a_finished_loop_yields_nothing_and_restores_its_end(tmp_path: Path) -> None:
    loop(tmp_path, Counter())
    again = Counter()
    assert loop(tmp_path, again) == []
    assert again.value == 15


def test_metrics_said_after_the_last_checkpoint_are_said_again_once(tmp_path: Path) -> None:
    counter = Counter()
    with Run(tmp_path, checkpoint_seconds=1e9) as run, pytest.raises(Killed), run.stage("climb"):
        for step, _ in run.steps(list(range(6)), counter):
            run.log(step, loss=0.0)
            if step == 3:
                raise Killed
    assert loop(tmp_path, Counter()) == [0, 1, 2, 3, 4, 5]
    assert len(lines.read(tmp_path / "metrics.jsonl")) == 6


def test_a_torn_checkpoint_falls_back_to_the_one_before(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        loop(tmp_path, Counter(), stop_at=4)
    newest = sorted((tmp_path / "checkpoints" / "climb").glob("step-*"))[-1]
    (newest / "0" / "value").write_text("")
    again = Counter()
    assert loop(tmp_path, again) == [3, 4, 5]
    assert again.value == 15


def test_a_torn_last_line_goes_before_the_next_and_other_peoples_files_stay(tmp_path: Path) -> None:
    with Run(tmp_path) as run, run.stage("climb"):
        run.log(0, loss=1.0)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"stage":"climb","st')
    (tmp_path / "rows.jsonl").write_text('{"prompt":"a"}\n{"prompt":"b"}')
    with Run(tmp_path) as run, run.stage("climb"):
        run.log(1, loss=2.0)
    assert [line["step"] for line in lines.read(tmp_path / "metrics.jsonl")] == [0, 1]
    assert (tmp_path / "rows.jsonl").read_text().endswith('"b"}')


def test_a_password_in_a_url_is_not_in_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["solon", "judge.base_url=https://me:s3cretpw@host/v1"])
    write_manifest(tmp_path, Named("https://me:s3cretpw@host/v1"), bench="lab", seed=0)
    told = (tmp_path / "manifest.json").read_text()
    assert "s3cretpw" not in told
    assert told.count("https://***@host/v1") == 2


@dataclass(frozen=True)
class Named:
    base_url: str


def test_a_mark_that_never_reached_the_disk_is_no_mark(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        loop(tmp_path, Counter(), stop_at=4)
    newest = sorted((tmp_path / "checkpoints" / "climb").glob("step-*"))[-1]
    (newest / "complete.json").write_text("")
    assert loop(tmp_path, Counter()) == [3, 4, 5]


def test_what_a_broken_save_left_is_gone_after_the_next(tmp_path: Path) -> None:
    class Breaks(Counter):
        def save_state(self, folder: Path) -> None:
            super().save_state(folder)
            if self.value == 6:
                raise Killed

    with pytest.raises(Killed):
        loop(tmp_path, Breaks())
    folder = tmp_path / "checkpoints" / "climb"
    assert [path.name for path in folder.glob(".partial-*")] == [".partial-000004"]
    with pytest.raises(Killed):
        loop(tmp_path, Counter(), stop_at=4)
    assert not list(folder.glob(".partial-*"))


def test_items_that_were_worked_on_are_never_worked_on_again(tmp_path: Path) -> None:
    asked: list[str] = []

    def work(batch: Sequence[Prompt], stop: int = -1) -> list[Prompt]:
        if len(asked) == stop:
            raise Killed
        asked.extend(prompt.id for prompt in batch)
        return list(batch)

    with Run(tmp_path) as run, pytest.raises(Killed):
        run.map("prompts", lambda batch: work(batch, stop=6), PROMPTS, chunk=3)
    assert len(asked) == 6
    with Run(tmp_path) as run:
        assert run.map("prompts", work, PROMPTS, chunk=3) == PROMPTS
    assert asked == [prompt.id for prompt in PROMPTS]


def test_what_is_made_once_is_read_back_by_the_next_process(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> list[Prompt]:
        made.append(1)
        return PROMPTS

    for _ in range(2):
        with Run(tmp_path) as run:
            assert run.once("prompts", make) == PROMPTS
    assert made == [1]


def test_batches_depend_on_the_seed_and_hold_every_item_once_an_epoch(tmp_path: Path) -> None:
    with Run(tmp_path / "a", seed=1) as one, Run(tmp_path / "b", seed=2) as two:
        first = one.batches(list(range(10)), 4, epochs=2)
        assert first == one.batches(list(range(10)), 4, epochs=2)
        assert first != two.batches(list(range(10)), 4, epochs=2)
        assert sorted(sum(first[:3], [])) == list(range(10)) == sorted(sum(first[3:], []))
        assert len(one.batches(list(range(10)), 4, steps=8)) == 8


def test_two_processes_cannot_work_in_one_folder(tmp_path: Path) -> None:
    with Run(tmp_path), pytest.raises(RunError, match="another process"):
        Run(tmp_path)


def test_a_line_cut_short_by_a_kill_is_left_out_and_mended(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    lines.append(path, {"stage": "setup", "step": 0})
    with path.open("ab") as file:
        file.write(b'{"step": 1')
    assert [line["step"] for line in lines.read(path)] == [0]
    with Run(tmp_path) as run:
        run.log(2, loss=1.0)
    assert [line["step"] for line in lines.read(path)] == [0, 2]


def test_watchers_look_at_every_kth_step_and_at_the_last(tmp_path: Path) -> None:
    @dataclass
    class Fixed:
        id: str = "tiny@1"

        def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[object]:
            return []

    with Run(tmp_path) as run, run.stage("climb"):
        run.watch(lambda step, policy: {"gold": 0.5}, every=2)
        for step in range(4):
            run.show(step, Fixed(), last=step == 3)
    assert [line["step"] for line in lines.read(tmp_path / "watched.jsonl")] == [0, 2, 3]
