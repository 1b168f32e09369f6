"""Benches by name, or from a Python file of the user's."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

from solon.bench.bench import Bench
from solon.errors import SettingError

BENCHES = {"lab": "town", "local": "files", "endpoint": "files"}


def named(name: str) -> Bench:
    """A built-in bench, or the ``bench`` of a Python file; else SettingError names all."""
    if name in BENCHES:
        module = importlib.import_module(f"solon.bench.{BENCHES[name]}")
        return getattr(module, name)()
    if name.endswith(".py"):
        return _from_file(Path(name))
    raise SettingError(f"no bench {name!r}; there are {', '.join(BENCHES)}, or a .py file of yours")


def _from_file(path: Path) -> Bench:
    spec = importlib.util.spec_from_file_location(f"bench of {path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise SettingError(f"{path}: expected a Python file that holds a bench, got none")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look up their module by its name
    spec.loader.exec_module(module)
    bench = getattr(module, "bench", None)
    if not isinstance(bench, Bench):
        raise SettingError(f"{path}: expected `bench = Bench(...)`, got {type(bench).__name__}")
    return bench
