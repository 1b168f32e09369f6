"""Settings explain themselves: each key has a meaning, is shown, and can be set."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, make_dataclass
from pathlib import Path
from typing import Any

import pytest

import solon
from solon.bench.bench import ROLES, compose, objectives, parts_by_name
from solon.bench.named import named
from solon.bench.showing import settings
from solon.catalogue import entries, find, meanings
from solon.cli import main
from solon.objectives.policy import GRPO, PPO

SHOWN = [(one.name, bench) for one in entries("recipes") for bench in ("lab", "local", "endpoint")]
OPENED = ("bench", "engines", "judges", "lab")


def leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(key, default) below a dataclass; a part that the bench leaves empty is no leaf."""
    for field in fields(value):
        inner, key = getattr(value, field.name), f"{prefix}{field.name}"
        if is_dataclass(inner) and not isinstance(inner, type):
            yield from leaves(inner, f"{key}.")
        elif key not in ROLES:
            yield key, inner


def unexplained(value: Any) -> list[str]:
    said = {key: meaning for key, _, meaning in settings(value)}
    return [key for key, _ in leaves(value) if not said[key]]


def shown(recipe: str, bench: str) -> Any:
    return compose(find("recipes", recipe).load(), named(bench), {}, whole=False)[0]


@pytest.mark.parametrize(("recipe", "bench"), SHOWN)
def test_every_setting_of_a_recipe_has_a_meaning(recipe: str, bench: str) -> None:
    made = shown(recipe, bench)
    assert len(list(leaves(made))) >= 25
    assert not unexplained(made)


@pytest.mark.parametrize(("recipe", "bench"), SHOWN)
def test_show_prints_every_key_and_meaning_in_80_columns(
    recipe: str, bench: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    main(["show", recipe, "--on", bench])
    printed = capsys.readouterr().out
    words = " ".join(printed.split())
    assert not [line for line in printed.splitlines() if len(line) > 80]
    for key, default, meaning in settings(shown(recipe, bench)):
        assert " ".join(f"{key} = {default} {meaning}".split()) in words


@pytest.mark.parametrize(("recipe", "bench"), SHOWN)
def test_every_scalar_can_be_set_by_its_own_text(recipe: str, bench: str) -> None:
    kind, parts, made = find("recipes", recipe).load(), named(bench), shown(recipe, bench)
    scalars = {
        k: v for k, v in leaves(made) if v is None or isinstance(v, bool | int | float | str)
    }
    assert len(scalars) >= 25
    for key, default in scalars.items():
        again, _ = compose(kind, parts, {key: str(default)}, whole=False)
        assert again == made, key


@pytest.mark.parametrize("bench", ["lab", "local", "endpoint"])
def test_every_part_that_is_chosen_by_name_explains_itself(bench: str) -> None:
    of_labels = {f"weak {key}": parts for key, parts in objectives("weak_to_strong").items()}
    chosen = {**objectives("canonical"), **of_labels, **parts_by_name(named(bench))}
    lacking = {
        f"{role}={name}": unexplained(part)
        for role, parts in chosen.items()
        for name, part in parts.items()
    }
    assert {"climb.objective=ppo", "judge=human"} <= set(lacking)
    assert not {name: keys for name, keys in lacking.items() if keys}


def test_every_audit_explains_its_bounds() -> None:
    kinds = [one.load() for one in entries("audits")]
    assert len(kinds) >= 5
    assert not [
        f"{k.__name__}.{f.name}" for k in kinds for f in fields(k) if f.name not in meanings(k)
    ]


def specs() -> Iterator[type[Any]]:
    """Every public dataclass that a bench can hold: one that opens."""
    for floor in OPENED:
        for found in pkgutil.walk_packages([f"{solon.__path__[0]}/{floor}"], f"solon.{floor}."):
            for name, kind in vars(importlib.import_module(found.name)).items():
                if not isinstance(kind, type) or kind.__module__ != found.name:
                    continue
                if name[0] != "_" and is_dataclass(kind) and hasattr(kind, "open"):
                    yield kind


def test_everything_that_a_bench_can_hold_explains_itself() -> None:
    kinds = list(specs())
    names = {kind.__name__ for kind in kinds}
    assert {"Transformer", "Endpoint", "Jury", "People", "TextFile"} <= names
    lacking = [(k, f.name) for k in kinds for f in fields(k) if f.name not in meanings(k)]
    # groups of one leaf or more, each of which has its own meaning
    assert not [f"{k.__name__}.{name}" for k, name in lacking if not group(k, name)]


def group(kind: type[Any], name: str) -> bool:
    default = next(field.default for field in fields(kind) if field.name == name)
    return is_dataclass(default) and not unexplained(default)


@dataclass(frozen=True, kw_only=True)
class Plain:
    """A base."""

    near: int = 1
    """Steps to the anchor."""
    far: int = 2
    """Steps to the horizon."""


@dataclass(frozen=True, kw_only=True)
class Steep(Plain):
    """What inherits."""

    near: int = 3
    far: int = 4
    """Metres to the horizon."""


def test_an_inherited_setting_keeps_its_meaning_until_it_is_told_anew() -> None:
    assert meanings(Steep) == {"near": "Steps to the anchor.", "far": "Metres to the horizon."}
    assert meanings(Plain)["far"] == "Steps to the horizon."
    for kind in (GRPO, PPO):
        assert meanings(kind)["epochs"] == "Passes over each batch of rollouts."
        assert set(meanings(kind)) == {field.name for field in fields(kind)}


def test_a_class_that_has_no_file_has_no_meanings() -> None:
    assert meanings(make_dataclass("Typed", [("n", int, 1)])) == {}


def test_show_explains_a_part_from_a_file_of_the_user(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.py").write_text('''
from dataclasses import dataclass
from solon.bench import Bench

@dataclass(frozen=True)
class Mine:
    """Texts of mine."""
    share: float = 0.5
    """Share of my texts."""

    def open(self, run):
        return self

bench = Bench(name="mine", demonstrations=Mine())
''')
    main(["show", "supervised", "--on", str(tmp_path / "mine.py"), "demonstrations.share=0.25"])
    printed = " ".join(capsys.readouterr().out.split())
    assert "demonstrations.share = 0.25 Share of my texts." in printed
