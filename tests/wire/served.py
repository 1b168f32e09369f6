"""A model folder behind the server of examples/serve.py, on loopback."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from wire.server import listening


@contextmanager
def served(folder: Path, **settings: str) -> Iterator[str]:
    """The base URL under which the folder answers as ``m``."""
    with listening(_example().application(str(folder), name="m", **settings)) as url:
        yield url


def _example() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "examples" / "serve.py"
    spec = importlib.util.spec_from_file_location("serve", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["serve"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
