"""The page's disputed claims: counted, drawn from records, every word inert."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import orjson
from fake_run import IMAGE, SCRIPT
from report.test_tree import bare, played

from solon.records import TreeDebate
from solon.report.evidence import read
from solon.report.page import page
from solon.report.section import Absent
from solon.report.trees import trees
from solon.run.shards import read_records, write_records


def written(folder: Path, *debates: TreeDebate) -> Path:
    (folder / "manifest.json").write_bytes(orjson.dumps({"recipe": "disputing", "bench": "lab"}))
    write_records(folder / "records" / "trees", debates)
    return folder


def test_a_debate_comes_back_from_its_shard_as_it_was(tmp_path: Path) -> None:
    debates = [played(flaw=flaw, whole=whole) for flaw in range(4) for whole in (False, True)]
    debates.append(replace(debates[0], opening=None, rounds=(), checked=(), failed="prover: mute"))
    folder = written(tmp_path, *debates)
    back = read_records(folder / "records" / "trees")
    assert back == debates
    assert [one.share for one in back] == [one.share for one in debates]
    assert back[1].rounds[1].estimates[2].given == (True, True)


def test_debates_are_counted_and_the_page_says_what_it_is(tmp_path: Path) -> None:
    won, void = played(flaw=3, whole=True), played(flaw=0, whole=True)
    mute = replace(won, rounds=(), failed="judge: mute", opening=None, game="other@1")
    text = page(read(written(tmp_path, won, void, mute)))
    assert "Disputed claims" in text
    assert "Transcripts" not in text
    cells = re.findall(r"<td[^>]*>(.*?)</td>", text)
    assert cells[:6] == [won.game, "2", "0", "1", "0", "0.25"]  # half of the stake, and nothing
    assert cells[6:12] == ["other@1", "1", "1", "0", "–", "–"]
    assert "3 of 3 debates" in bare(text)


def test_a_run_without_debates_says_so(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(b"{}")
    assert isinstance(trees(read(tmp_path)), Absent)


def test_hostile_claims_gates_and_reasons_stay_text(tmp_path: Path) -> None:
    ended = played(flaw=2, whole=True)
    one = ended.rounds[1]
    names = {claim: f"{SCRIPT}{IMAGE}{claim}\u202e" for claim in one.siblings}
    hostile = replace(
        one,
        claim=names[one.claim],
        siblings=tuple(names.values()),
        estimates=tuple(replace(row, claim=names[row.claim]) for row in one.estimates),
        assumed=tuple(replace(made, claim=names[made.claim]) for made in one.assumed),
        gate=SCRIPT,
    )
    broken = replace(ended, rounds=(), claim=SCRIPT, failed=SCRIPT)
    debates = replace(ended, rounds=(ended.rounds[0], hostile)), broken
    text = page(read(written(tmp_path, *debates)))
    assert "&lt;script&gt;" in text
    assert not re.search(r"<(script|img|/body)\b", text.split("</main>")[0])
    assert "\u202e" not in text
