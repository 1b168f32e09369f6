from dataclasses import dataclass
from itertools import permutations
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


@dataclass(frozen=True)
class Span:
    low: int = 70
    high: int = 150
    plain: bool = True

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise SettingError(f"low, high: expected them in this order, got {self.low}")


@dataclass(frozen=True)
class Spoken:
    span: Span = Span()
    judge: Judge = Judge()


def test_settings_of_one_part_are_made_together_whatever_their_order() -> None:
    changes = {"span.high": "40", "span.low": "1", "judge.policy.heads": "2"}
    for order in permutations(changes):
        made = override(Spoken(), {key: changes[key] for key in order})
        assert made == Spoken(span=Span(low=1, high=40), judge=Judge(policy=Model(heads=2)))
    # whether a key names its part, or skips it
    assert override(Spoken(), {"high": "40", "span.low": "1"}).span == Span(low=1, high=40)


def test_settings_that_contradict_each_other_are_refused_in_one_line() -> None:
    with pytest.raises(SettingError) as why:
        override(Spoken(), {"span.high": "40", "span.low": "50"})
    assert str(why.value) == "low, high: expected them in this order, got 50"


@dataclass(frozen=True)
class Shy:
    first: int = 1
    second: int = 2

    def __post_init__(self) -> None:
        if self.first + self.second > 9:
            raise ValueError("too much")


def test_a_part_that_does_not_say_what_it_refuses_is_answered_with_the_keys() -> None:
    with pytest.raises(SettingError, match="^first, second: too much$"):
        override(Shy(), {"first": "5", "second": "5"})


def test_a_ready_made_part_is_in_place_before_keys_reach_into_it() -> None:
    choices = {"judge": {"strict": Judge(strict=True, policy=Model(heads=16))}}
    for order in permutations(("judge", "judge.limit", "judge.model")):
        said = {"judge": "strict", "judge.limit": "3", "judge.model": "b"}
        made = override(Spoken(), {key: said[key] for key in order}, choices=choices)
        assert made.judge == Judge(strict=True, limit=3, policy=Model(model="b", heads=16))


@dataclass(frozen=True)
class Loud:
    volume: int = 1


@dataclass(frozen=True)
class Voice:
    manner: Model | Loud = Model()


@dataclass(frozen=True)
class Stage:
    voice: Voice = Voice()


def test_a_key_may_skip_into_a_part_that_is_chosen_in_the_same_breath() -> None:
    choices = {"manner": {"loud": Loud()}}
    for keys in (("manner", "volume"), ("volume", "manner")):
        said = {"manner": "loud", "volume": "5"}
        made = override(Stage(), {key: said[key] for key in keys}, choices=choices)
        assert made.voice.manner == Loud(volume=5)
    with pytest.raises(SettingError, match="Stage has no 'volume'"):
        override(Stage(), {"volume": "5"})
