"""All audits at once: lights by verdict, nothing asked twice, what cannot be audited said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path

import orjson
import pytest

from solon.bench.battery import Battery, both_ways
from solon.bench.bench import Bench
from solon.bench.town import lab
from solon.cli import main
from solon.lab.judges import Dials, PlantedPair
from solon.records import Compare, Finding, PairJudgement, Prefers
from solon.report.lights import beyond, deciding
from solon.run import lines
from solon.run.run import Run


@dataclass
class Counted:
    """A planted judge that counts what it is asked, and may fail when it has had enough."""

    dials: Dials

    def __post_init__(self) -> None:
        # no fields: a battery's folder is named by the settings, and these are none
        self.id = "counted"
        self.most = float("inf")
        self.asked: list[int] = []

    def open(self, run: Run) -> Counted:
        return self

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        if sum(self.asked) + len(questions) > self.most:
            raise KeyboardInterrupt
        self.asked.append(len(questions))
        return PlantedPair(dials=self.dials)(questions)

    def samples(self, questions: Sequence[Compare], /, *, n: int) -> list[list[PairJudgement]]:
        self.asked.append(n * len(questions))
        return PlantedPair(dials=self.dials).samples(questions, n=n)


def bench(judge: Counted) -> Bench:
    asked = lab().questions
    assert asked is not None
    return replace(lab(), judge=judge, questions=lambda seed: asked(seed)[:150])


def lit(page: Path) -> dict[str, str]:
    """The verdict of every audit's findings that have a bound, the worst one."""
    found: dict[str, str] = {}
    for path in sorted((page.parent / "audits").glob("*.json")):
        rows = orjson.loads(path.read_bytes())
        bounded = [r["verdict"] for r in rows if r["bound"] != [None, None]]
        order = ("warn", "inconclusive", "pass", "measured")
        found[path.stem] = min(bounded, key=order.index) if bounded else "measured"
    return found


def test_a_planted_flaw_lights_its_own_audit(tmp_path: Path) -> None:
    biased = Counted(dials=Dials(discernment=3.0, position=3.0))
    found = lit(Battery().page(bench(biased), root=tmp_path))
    assert found["position_bias"] == "warn"
    assert set(found) == {
        *("position_bias", "agreement", "calibration", "length_bias"),
        *("repetition", "verbosity", "format_hacks", "injection", "sensitivity"),
    }
    even = lit(Battery().page(bench(Counted(dials=Dials(discernment=3.0))), root=tmp_path / "even"))
    assert even["position_bias"] != "warn"


def test_the_page_begins_with_the_failures_and_shows_the_surest_mistakes(tmp_path: Path) -> None:
    judge = Counted(dials=Dials(discernment=1.0, deference=4.0, position=3.0))
    page = Battery().page(bench(judge), root=tmp_path)
    text = unescape(page.read_text())
    assert "How town fails" in text
    head = text.split("In two minutes")[2].split("<h2>")[0]
    assert head.index("▲ fails") < head.index("✓ passes")
    mistakes = lines.read(page.parent / "mistakes.jsonl")
    assert len(mistakes) == 5
    assert mistakes[0]["sure"] == max(line["sure"] for line in mistakes) > 0.7
    assert mistakes[0]["preferred"] in text.split("Worst failures")[2]
    assert "no policy was audited" in text


def test_what_was_asked_is_never_asked_again(tmp_path: Path) -> None:
    judge = Counted(dials=Dials(discernment=3.0))
    Battery().page(bench(judge), root=tmp_path)
    before = sum(judge.asked)
    Battery().page(bench(judge), root=tmp_path)
    assert sum(judge.asked) == before


def test_a_battery_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    dials = Dials(discernment=3.0)
    whole = Counted(dials=dials)
    Battery().page(bench(whole), root=tmp_path / "whole")
    cut = Counted(dials=dials)
    cut.most = 400
    with pytest.raises(KeyboardInterrupt):
        Battery().page(bench(cut), root=tmp_path)
    rest = Counted(dials=dials)
    page = Battery().page(bench(rest), root=tmp_path)
    assert sum(rest.asked) <= sum(whole.asked) - 300  # both orders of 150 pairs were kept
    assert len(lit(page)) == 9


def test_a_judge_that_keeps_both_orders_is_asked_once(tmp_path: Path) -> None:
    pairs = lab().questions
    assert pairs is not None
    asked = pairs(1)[:20]
    judge = Counted(dials=Dials(discernment=3.0, position=1.0))
    said = both_ways(judge, asked)
    assert sum(judge.asked) == 40
    for one in said:
        assert isinstance(one.answer, Prefers)
        first, second = one.answer.orders
        assert first > second  # the first slot is favoured in both
        assert one.answer.p_first == pytest.approx((first + second) / 2)


def test_answers_and_recorded_verdicts_are_audited_without_a_call(tmp_path: Path) -> None:
    battery = Battery(
        judgements="docs/recorded-verdicts.jsonl", answers="docs/recorded-answers.jsonl"
    )
    found = lit(battery.page(replace(lab(), judge=None), root=tmp_path))
    assert {"position_bias", "length_bias", "evasiveness", "preachiness"} <= {
        name.partition("-")[0] for name in found
    }


def test_a_bench_without_a_judge_says_so(tmp_path: Path) -> None:
    page = Battery().page(replace(lab(), judge=None), root=tmp_path)
    assert "no judge was audited" in page.read_text()


def test_the_command_prints_where_the_page_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["audit", "all", "--judgements", "docs/recorded-verdicts.jsonl", "--runs", str(tmp_path)])
    assert Path(capsys.readouterr().out.split()[-1]).is_file()


def test_the_command_of_all_audits_keeps_findings_and_fails_where_one_warns(
    tmp_path: Path,
) -> None:
    docs, out = Path(__file__).parents[2] / "docs", tmp_path / "found.json"
    files = ["--judgements", str(docs / "recorded-verdicts.jsonl")]
    files += ["--answers", str(docs / "recorded-answers.jsonl")]
    told = ["audit", "all", *files, "--runs", str(tmp_path), "--out", str(out), "--strict"]
    with pytest.raises(SystemExit, match="1"):
        main(told)
    assert "warn" in {one["verdict"] for one in orjson.loads(out.read_bytes())}


def test_a_live_audit_keeps_to_its_budget(tmp_path: Path) -> None:
    rows = tmp_path / "pairs.jsonl"
    rows.write_text('{"prompt":"a","chosen":"b","rejected":"c"}\n')
    judge = ["judge.model=q", "judge.base_url=http://127.0.0.1:9/v1"]
    judge += ["judge.price_in=1", "judge.price_out=1"]
    for audit in ("position_bias", "all"):
        told = ["audit", audit, "--pairs", str(rows), "--runs", str(tmp_path), "--budget", "0"]
        with pytest.raises(SystemExit, match="3"):
            main([*told, "--on", "endpoint", *judge])


def test_the_finding_furthest_out_decides() -> None:
    def finding(estimate: float, low: float, high: float, most: float) -> Finding:
        return Finding(
            audit="a", quantity="q", estimate=estimate, low=low, high=high, n=9, bound=(0.0, most)
        )

    near, far, fine = finding(0.3, 0.2, 0.4, 0.1), finding(0.9, 0.8, 1.0, 0.1), finding(0, 0, 0, 1)
    assert beyond(near) == pytest.approx(2.0)
    assert deciding([fine, near, far]) is far
    assert deciding([fine]) is fine
    assert deciding([]) is None
