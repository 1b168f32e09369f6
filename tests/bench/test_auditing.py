"""The audits at the end of a run: what can be measured is, what cannot be is said."""

from __future__ import annotations

from pathlib import Path

from solon.bench.auditing import audit_run
from solon.bench.bench import Bench
from solon.records import Compare, Completion, Judgement, Prefers, Prompt
from solon.run import lines
from solon.run.run import Run


def judged(first: str, second: str, p: float) -> Judgement[Compare, Prefers]:
    prompt = Prompt.of(f"{first}, or {second}?")
    pair = Compare(
        first=Completion(prompt=prompt, text=first), second=Completion(prompt=prompt, text=second)
    )
    return Judgement(question=pair, answer=Prefers(p_first=p, orders=(p, 0.5)), judge="fair@1")


def test_an_audit_that_cannot_be_made_is_a_note_and_no_end(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        run.save("judgements", [judged("abc", "xyz", 0.9), judged("one", "two", 0.2)])
        found = audit_run(run, Bench(name="bare"))
    assert set(found) == {"position_bias"}
    [note] = [line["note"] for line in lines.read(tmp_path / "notes.jsonl")]
    assert note.startswith("not audited: length_bias")
