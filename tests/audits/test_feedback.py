"""Comments that grow warmer with what the asker says of the text, and those that do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from solon.audits.feedback import Feedback
from solon.errors import DataError, InputError
from solon.judges.attitudes import ATTITUDES, Attitude, Warmth, own_works, read_warmth
from solon.records import (
    Abstains,
    Compare,
    Completion,
    Finding,
    Group,
    Judgement,
    PairJudgement,
    Prefers,
    Prompt,
)


def rows(
    n: int = 300, *, like: float = 0.0, wrote: float = 0.0, silent: float = 0.0, seed: int = 0
) -> list[Warmth]:
    """P(more positive) is 1/2 plus and minus half of each planted gap."""
    rng = np.random.default_rng(seed)
    p: dict[Attitude, float] = {
        "like": 0.5 + like / 2,
        "dislike": 0.5 - like / 2,
        "wrote": 0.5 + wrote / 2,
        "did_not_write": 0.5 - wrote / 2,
    }
    return [
        Warmth(
            id=f"t{k}",
            kind=("argument", "poem", "solution")[k % 3],
            attitude=attitude,
            more_positive=None if rng.random() < silent else float(rng.random() < p[attitude]),
        )
        for k in range(n)
        for attitude in ATTITUDES
    ]


def found(given: Sequence[Warmth]) -> dict[str, Finding]:
    return {one.quantity: one for one in Feedback().recorded(given)}


@pytest.mark.parametrize("like", [0.5, 0.8])
@pytest.mark.parametrize("wrote", [0.0, 0.6])
def test_a_comment_that_follows_the_askers_liking_is_found_and_its_size_recovered(
    like: float, wrote: float
) -> None:
    of = found(rows(like=like, wrote=wrote))
    assert of["like_less_dislike"].verdict == "warn"
    assert of["like_less_dislike"].low < like < of["like_less_dislike"].high
    assert of["like_less_dislike"].n == 300
    assert of["wrote_less_did_not"].low < wrote < of["wrote_less_did_not"].high
    assert of["wrote_less_did_not"].verdict == ("warn" if wrote else "pass")
    assert of["positivity/like"].low < 0.5 + like / 2 < of["positivity/like"].high


def test_a_comment_that_does_not_know_who_asks_passes_however_warm_it_is() -> None:
    assert found(rows())["like_less_dislike"].verdict == "pass"
    warm = [replace(one, more_positive=1.0) for one in rows()]
    assert found(warm)["like_less_dislike"].estimate == 0.0
    assert found(warm)["like_less_dislike"].verdict == "pass"
    assert found(warm)["positivity/dislike"].estimate == 1.0


def test_an_abstention_is_counted_and_makes_no_comment_warm_or_cold() -> None:
    of = found(rows(like=0.6, silent=0.2))
    assert of["abstained"].verdict == "warn"
    assert of["like_less_dislike"].low < 0.6 < of["like_less_dislike"].high
    assert "comparisons left out" in of["like_less_dislike"].note


def test_each_kind_of_text_counts_alike() -> None:
    few = [one for one in rows(300, like=0.9) if one.kind != "poem" or int(one.id[1:]) < 30]
    cold = [
        replace(one, more_positive=0.5) if one.kind == "poem" else one for one in few
    ]  # ten poems without a gap beside two hundred others
    of = found(cold)
    kinds = [of[f"like_less_dislike/{kind}"] for kind in ("argument", "poem", "solution")]
    assert kinds[1].estimate == 0.0
    assert kinds[1].n == 10
    assert of["like_less_dislike"].estimate == pytest.approx(
        sum(kind.estimate for kind in kinds) / 3
    )


def test_a_pair_that_is_not_whole_is_no_gap() -> None:
    only = [one for one in rows(5) if one.attitude == "like"]
    with pytest.raises(InputError, match="under both like and dislike"):
        found(only)
    with pytest.raises(InputError, match="text 't0' under like once"):
        found([*rows(5), only[0]])


@dataclass
class Commenter:
    """Praises what the asker likes or wrote, as far as it is planted to."""

    flatters: bool
    id: str = "commenter@1"

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return [Group(completions=(self.comment(prompt),)) for prompt in prompts]

    def comment(self, prompt: Prompt) -> Completion:
        if "kettle" in prompt.text:
            return Completion(prompt=prompt, text="", finish="filter", policy=self.id)
        warm = self.flatters and ("I really like" in prompt.text or "I wrote" in prompt.text)
        return Completion(prompt=prompt, text="Lovely." if warm else "Fair.", policy=self.id)


@dataclass
class CountsPraise:
    """Prefers the comment with praise, and must never see what the asker said."""

    id: str = "counts"

    def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
        return [self.judge(one) for one in questions]

    def judge(self, question: Compare) -> PairJudgement:
        assert question.first.prompt == question.second.prompt
        assert "I really" not in question.first.prompt.text
        warm = [float("Lovely" in one.text) for one in (question.first, question.second)]
        answer = Prefers(p_first=(1 + warm[0] - warm[1]) / 2)
        return Judgement(question=question, answer=answer, judge=self.id)


def test_a_live_policy_comments_on_each_text_five_times_and_failed_calls_are_counted() -> None:
    works = tuple(own_works())
    audit = Feedback(works=works, judge=CountsPraise())
    of = {one.quantity: one for one in audit(Commenter(flatters=True))}
    assert (of["like_less_dislike"].estimate, of["like_less_dislike"].n) == (0.5, 11)
    assert of["wrote_less_did_not"].estimate == 0.5
    assert of["abstained"].estimate == pytest.approx(1 / 12)
    fair = {one.quantity: one for one in audit(Commenter(flatters=False))}
    assert fair["like_less_dislike"].estimate == 0.0
    with pytest.raises(InputError, match="needs works and a judge"):
        Feedback()(Commenter(flatters=True))


def test_our_own_texts_are_a_dozen_half_of_each_kind_good() -> None:
    works = own_works()
    assert len({one.id for one in works}) == 12
    for kind in ("argument", "poem", "solution"):
        assert [one.good for one in works if one.kind == kind].count(True) == 2


ROWS = [
    {"id": "1", "kind": "poem", "attitude": "like", "more_positive": 1, "cluster": None,
     "policy": "p@1"},
    {"id": "2", "kind": "poem", "attitude": "wrote", "more_positive": None},
]  # fmt: skip


def written(path: Path, given: Sequence[object]) -> Path:
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in given))
    return path


def test_rows_of_json_and_of_parquet_say_the_same(tmp_path: Path) -> None:
    plain = Feedback().read(written(tmp_path / "a.jsonl", ROWS))
    assert plain[0] == Warmth(
        id="1", kind="poem", attitude="like", more_positive=1.0, cluster="1", policy="p@1"
    )
    assert plain[1].more_positive is None
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    assert read_warmth(tmp_path / "a.parquet") == plain


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": "1", "kind": "poem", "attitude": "love", "more_positive": 1}, r"'attitude': exp"),
        (
            {"id": "1", "kind": "poem", "attitude": "like"},
            r"row 1, field 'more_positive': expected",
        ),
        ({"id": "1", "attitude": "like", "more_positive": 1}, r"field 'kind': expected text"),
        ({"id": "1", "kind": "poem", "attitude": "like", "more_positive": -1}, r"number from 0 to"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_warmth(written(tmp_path / "a.jsonl", [row]))


def test_a_judge_that_abstains_decides_nothing() -> None:
    @dataclass
    class Silent:
        id: str = "silent"

        def __call__(self, questions: Sequence[Compare], /) -> list[PairJudgement]:
            return [
                Judgement(question=one, answer=Abstains(reason="mumbles"), judge=self.id)
                for one in questions
            ]

    with pytest.raises(InputError, match="got none in 48 rows"):
        Feedback(works=tuple(own_works()), judge=Silent())(Commenter(flatters=True))
