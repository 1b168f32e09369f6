from dataclasses import dataclass
from typing import Literal

import pytest

from solon.errors import SettingError
from solon.run.spec import digest_of, override, plain


@dataclass(frozen=True)
class Model:
    model: str = "a"
    heads: int = 4
    rate: float = 0.1
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judge:
    policy: Model = Model()
    mode: Literal["mean", "logit"] = "mean"
    limit: int | None = None
    strict: bool = False


@dataclass(frozen=True)
class Both:
    judge: Judge = Judge()


@dataclass(frozen=True)
class Recipe:
    judge: Both = Both()
    policy: Model = Model()
    other: Model = Model()


def test_a_leaf_is_parsed_on_its_declared_type() -> None:
    made = override(
        Recipe(),
        {
            "policy.heads": "8",
            "policy.rate": "1e-3",
            "judge.judge.mode": "logit",
            "judge.judge.limit": "3",
            "judge.judge.strict": "true",
            "policy.files": "a.txt,b.txt",
        },
    )
    assert made.policy == Model(heads=8, rate=1e-3, files=("a.txt", "b.txt"))
    assert made.judge.judge == Judge(mode="logit", limit=3, strict=True)


def test_none_is_a_value_where_the_type_allows_it() -> None:
    value = Judge(limit=3)
    assert override(value, {"limit": "none"}).limit is None


def test_a_key_may_skip_the_names_of_wrappers() -> None:
    assert override(Recipe(), {"judge.model": "b"}).judge.judge.policy.model == "b"


def test_an_ambiguous_key_is_answered_with_the_ways() -> None:
    with pytest.raises(SettingError, match=r"say which one: policy\.heads or other\.heads"):
        override(Recipe(), {"heads": "2"})


def test_a_mistake_is_answered_with_the_alternatives() -> None:
    with pytest.raises(SettingError, match=r"Model has no 'hed'; it has model, heads, rate, files"):
        override(Recipe(), {"policy.hed": "2"})
    with pytest.raises(SettingError, match="policy.heads: expected int, got 'many'"):
        override(Recipe(), {"policy.heads": "many"})
    with pytest.raises(SettingError, match="expected one of mean, logit, got 'sum'"):
        override(Recipe(), {"judge.mode": "sum"})


def test_a_whole_part_is_chosen_by_name_whatever_the_order_of_keys() -> None:
    choices = {"policy": {"big": Model(heads=16)}}
    made = override(Recipe(), {"policy.rate": "0.5", "policy": "big"}, choices=choices)
    assert made.policy == Model(heads=16, rate=0.5)


def test_the_digest_follows_the_value() -> None:
    assert digest_of(Recipe()) == digest_of(Recipe())
    assert digest_of(Recipe()) != digest_of(Recipe(policy=Model(heads=5)))
    assert plain(Model()) == {
        "kind": f"{__name__}.Model",
        "model": "a",
        "heads": 4,
        "rate": 0.1,
        "files": [],
    }


def test_a_value_that_its_part_refuses_is_a_mistake_of_the_users() -> None:
    from solon.objectives.noise import CDPO

    with pytest.raises(
        SettingError, match=r"flip: CDPO\.flip: expected 0 <= flip < 0\.5, got 0\.7"
    ):
        override(CDPO(), {"flip": "0.7"})
    assert override(CDPO(), {"flip": "0.2"}) == CDPO(flip=0.2)
