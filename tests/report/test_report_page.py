from __future__ import annotations

import base64
import hashlib
import math
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import orjson
import pytest
from fake_run import AFTER, SCRIPT, write_lines, write_run

from solon.errors import DataError, RunError
from solon.report import write_report
from solon.report.evidence import finding, read
from solon.report.page import SECTIONS, page
from solon.report.proxy import paths
from solon.report.section import sampled

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Outline(HTMLParser):
    """Tags with their attributes, the text, and every tag that does not close in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def outline(text: str) -> Outline:
    parsed = Outline()
    parsed.feed(text)
    parsed.close()
    return parsed


@pytest.fixture(scope="module")
def text(ran: Path) -> str:
    return page(read(ran))


def test_every_tag_closes_in_its_place(text: str) -> None:
    parsed = outline(text)
    assert parsed.wrong == []
    assert parsed.open == []
    assert len(parsed.tags) > 500


def test_every_section_is_there_and_in_the_contents(text: str) -> None:
    parsed = outline(text)
    found = {attrs.get("id") for tag, attrs in parsed.tags if tag == "section"}
    linked = {attrs["href"] for tag, attrs in parsed.tags if tag == "a"}
    wanted = {title.lower().replace(" ", "-") for title in [*SECTIONS, "How to read this page"]}
    assert found == wanted
    assert linked == {f"#{name}" for name in wanted}


def test_nothing_runs_and_nothing_is_fetched(text: str) -> None:
    parsed = outline(text)
    tags = {tag for tag, _ in parsed.tags}
    assert not tags & {"script", "img", "link", "iframe", "object", "form", "base", "use", "image"}
    for _, attrs in parsed.tags:
        assert not [name for name in attrs if name.startswith("on") or name in ("src", "style")]
        assert str(attrs.get("href") or "#").startswith("#")
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    assert not re.search(r"url\(|@import|@font-face|expression", style[1])


def test_the_policy_admits_this_style_and_nothing_else(text: str) -> None:
    policy = next(
        attrs["content"]
        for tag, attrs in outline(text).tags
        if "http-equiv" in attrs and tag == "meta"
    )
    style = text.split("<style>")[1].split("</style>", maxsplit=1)[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_hostile_text_is_shown_and_stays_text(text: str) -> None:
    parsed = outline(text)
    assert SCRIPT in parsed.text
    assert "<script" not in text
    assert "onerror=alert(1)" in parsed.text
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\x1b]", text)
    assert "⟨U+202E⟩" in parsed.text
    assert "⟨U+200B ×3⟩" in parsed.text


def test_the_verdict_says_no_more_than_the_intervals(text: str) -> None:
    words = outline(text).text
    assert "Gold of RLAIF, 0.634 (0.605 to 0.663), is higher than that of SFT, 0.412" in words
    assert "The win rate of RLAIF, 73.2\u00a0% (68.9\u00a0% to 77.5\u00a0%), is above even" in words
    assert "Completions are 41 % longer." in words
    assert (
        "Audits: 2 pass, 1 inconclusive, 1 warn, 1 without a bound. Warned by length bias." in words
    )


def test_the_page_says_what_the_run_was_and_how_to_repeat_it(text: str) -> None:
    words = outline(text).text
    assert "canonical on town" in words
    assert "2026-08-23 09:14 UTC" in words
    assert "41 min 6 s" in words
    assert "solon run canonical --on town objective.beta=0.1 seed=3" in words


def test_samples_stand_side_by_side_with_the_gold_that_was_watched(text: str) -> None:
    words = outline(text).text
    assert "12 of 40 prompts" in words
    assert "Before: sft@60mean gold 0.412" in words
    assert f"{AFTER}gold 0.875" in words
    assert "half way" not in words


def test_judgements_are_counted_by_judge_with_abstentions_and_flips(text: str) -> None:
    words = outline(text).text
    assert "Abstentions: 12 of 301" in words
    assert "no verdict in the reply" in words
    assert "8 of 288 answers: the first 4, the others drawn by seed." in words
    flips = re.search(r"Orders that disagree most: 4 of (\d+)", words)
    assert flips is not None
    assert f"{flips[1]} of 288" in words
    assert "score 7.4" in words


def test_an_unknown_price_is_never_shown_as_nothing(text: str) -> None:
    costs = text.split('id="costs"')[1].split("</section>", maxsplit=1)[0]
    assert outline(costs).text.count("unknown") == 2
    assert "0.4417" in costs


def test_alarms_say_when_why_and_whether_they_ended_the_loop(text: str) -> None:
    told = outline(text).text.split("Alarms")[2].split("Audits")[0]
    places = [told.index(word) for word in ("gold", "falls", "went on", "held out", "ended")]
    assert places == sorted(places)
    assert "except one by gold" in told


def test_verdicts_of_audits_are_symbol_and_word(text: str) -> None:
    audits = outline(text.split('id="audits"')[1].split("</section>", maxsplit=1)[0]).text
    assert audits.count("✓ pass") == 2
    assert "1 measured without a bound" in audits
    assert audits.count("▲ warn") == 1
    assert audits.count("? inconclusive") == 1


def test_measures_that_span_decades_are_drawn_on_a_log_scale(text: str) -> None:
    assert "learning rate, log scale" in text
    assert "loss, log scale" not in text


def test_a_watched_measure_never_shares_an_axis_with_a_logged_one(text: str) -> None:
    titles = re.findall(r"<figcaption><b>([^<]*)</b>", text)
    assert titles.count("length") == titles.count("length, watched") == 1
    assert "Further measures of climb: clip fraction, learning rate, grad norm" in text


def test_reward_and_gold_are_paired_at_watched_steps(ran: Path) -> None:
    reward, gold = paths(read(ran), "climb")
    assert len(reward) == len(gold) == 12
    assert [x for x, _ in reward] == [x for x, _ in gold]
    assert gold[-1][0] == pytest.approx(math.sqrt(11 * (110 / 119) ** 1.2))


def test_a_negative_estimate_of_kl_counts_as_none_travelled(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    watched = {"stage": "climb", "policy": "p", "gold": 0.5, "reward": 1.0}
    write_lines(
        tmp_path / "watched.jsonl",
        [{**watched, "step": 0, "kl": -0.1}, {**watched, "step": 1, "kl": 4.0}],
    )
    assert paths(read(tmp_path), "climb")[0] == [(0.0, 1.0), (2.0, 1.0)]


def test_a_policy_that_went_nowhere_has_no_reward_against_gold(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    seen = {"stage": "climb", "policy": "p", "gold": 0.5, "reward": 1.0, "kl": 0.0}
    write_lines(tmp_path / "watched.jsonl", [{**seen, "step": step} for step in range(3)])
    assert "it needs gold, reward and a KL that moved" in page(read(tmp_path))


def test_the_same_run_gives_the_same_bytes(ran: Path) -> None:
    first = write_report(ran).read_bytes()
    assert write_report(ran).read_bytes() == first
    assert (ran / "report.html").is_file()


def test_a_manifest_alone_makes_a_page_that_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"recipe": "cream", "seed": 0}')
    parsed = outline(write_report(tmp_path).read_text(encoding="utf-8"))
    assert parsed.wrong == []
    assert "This run has no closing table yet." in parsed.text
    absent = parsed.text.split("Not in this run")[1].split("How to read")[0]
    assert absent.count("No ") >= len(SECTIONS)


@pytest.mark.parametrize(
    "part",
    [
        "summary.json",
        "stages.jsonl",
        "metrics.jsonl",
        "watched.jsonl",
        "ledger.jsonl",
        "notes.jsonl",
        "audits",
        "records",
        "records/samples",
        "records/critiques-2",
    ],
)
def test_any_part_may_be_missing(ran: Path, tmp_path: Path, part: str) -> None:
    folder = shutil.copytree(ran, tmp_path / "run")
    gone = folder / part
    if gone.is_dir():
        shutil.rmtree(gone)
    else:
        gone.unlink()
    parsed = outline(write_report(folder).read_text(encoding="utf-8"))
    assert parsed.wrong == []


def test_half_a_last_line_of_a_killed_run_is_left_out(ran: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(ran, tmp_path / "run")
    whole = len(read(folder).metrics)
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"stage": "climb", "st')
    assert len(read(folder).metrics) == whole


def test_a_broken_line_is_named(ran: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(ran, tmp_path / "run")
    (folder / "stages.jsonl").write_text('{"stage": "a"}\nnot json\n{"stage": "b"}\n')
    with pytest.raises(DataError, match=r"stages\.jsonl, row 1: expected JSON"):
        write_report(folder)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"expected a run directory, found no manifest\.json"):
        write_report(tmp_path)


def test_a_finding_without_a_bound_on_one_side_is_open_there() -> None:
    plain = {"audit": "a", "quantity": "q", "estimate": 1, "low": 0.5, "high": 2, "n": 9}
    assert finding(plain | {"bound": [None, 3]}, file=Path("a.json"), row=0).verdict == "pass"
    assert finding(plain, file=Path("a.json"), row=0).bound == (-math.inf, math.inf)
    with pytest.raises(DataError, match=r"a\.json, row 0, field 'estimate': expected numbers"):
        finding(plain | {"estimate": "high"}, file=Path("a.json"), row=0)


def test_a_repeated_step_keeps_what_was_said_last(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    write_lines(
        tmp_path / "metrics.jsonl",
        [{"stage": "s", "step": k, "loss": loss} for k, loss in ((0, 1), (1, 9), (1, 2))],
    )
    text = page(read(tmp_path))
    assert "loss: 2 at 1" in text
    assert "loss: 9" not in text


def test_a_sample_is_the_first_few_and_a_seeded_draw() -> None:
    items = list(range(1000))
    found = sampled(items, first=5, drawn=5, seed=3)
    assert found[:5] == items[:5]
    assert len(set(found)) == 10
    assert found == sampled(items, first=5, drawn=5, seed=3) == sorted(found)
    assert found != sampled(items, first=5, drawn=5, seed=4)
    assert sampled(items[:8], first=5, drawn=5, seed=3) == items[:8]


def test_ten_thousand_judgements_and_a_flood_of_text_stay_under_two_megabytes(
    tmp_path: Path,
) -> None:
    folder = write_run(tmp_path / "run", judged=10_000)
    manifest = orjson.loads((folder / "manifest.json").read_bytes())
    manifest["settings"]["flood"] = "\u200bx" * 2_000_000
    (folder / "manifest.json").write_bytes(orjson.dumps(manifest))
    write_lines(
        folder / "metrics.jsonl",
        [{"stage": "climb", "step": k, "loss": 1 / (k + 1)} for k in range(20_000)],
    )
    assert write_report(folder).stat().st_size < 2_000_000
