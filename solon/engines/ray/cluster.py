"""The cluster: joined or begun, how much room it has, and what it says of the dead."""

from __future__ import annotations

import logging
import sys
import sysconfig
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import ray
from ray import cloudpickle
from ray.exceptions import (
    LocalRayletDiedError,
    NodeDiedError,
    ObjectLostError,
    RayActorError,
    WorkerCrashedError,
)

import solon
from solon.errors import ClusterError

# What Ray raises where a process or a node went away; what the inner part raises comes as a value.
LOST = (RayActorError, ObjectLostError, NodeDiedError, WorkerCrashedError, LocalRayletDiedError)
INSTALLED = (*map(Path, sysconfig.get_paths().values()), Path(solon.__file__).parent)


def join(address: str) -> None:
    """Joins that cluster, else RAY_ADDRESS's, else this machine's, else begins one."""
    if ray.is_initialized():
        return
    try:
        ray.init(
            address=address or None,
            log_to_driver=False,
            logging_level=logging.WARNING,
            include_dashboard=False,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ClusterError(f"no Ray cluster at {address or 'RAY_ADDRESS'}: {said}") from error


def room(needs: Mapping[str, float]) -> int:
    """How many copies of such needs find their resources free now, taken over all nodes."""
    free = ray.available_resources()
    counts = [free.get(name, 0.0) // need for name, need in needs.items() if need]
    return int(min(counts)) if counts else sys.maxsize


def carried(part: Any) -> bytes:
    """The part pickled, with the classes that stand in files of the user's inside.

    Other machines share what is installed, and not the folder that the driver was started in.
    """
    with _by_value(part):
        return cloudpickle.dumps(part)


@contextmanager
def _by_value(part: Any) -> Generator[None]:
    names = {type(one).__module__ for one in _parts(part)}
    own = [sys.modules[name] for name in names if not _installed(sys.modules[name])]
    for module in own:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)


def _installed(module: ModuleType) -> bool:
    """True for what has no file, too: it is built in, or is pickled by value anyway."""
    file = getattr(module, "__file__", None)
    return file is None or any(Path(file).is_relative_to(folder) for folder in INSTALLED)


def _parts(part: Any) -> Iterator[Any]:
    """The value and all that it is made of."""
    yield part
    if isinstance(part, tuple | list):
        held: list[Any] = list(part)
    elif is_dataclass(part) and not isinstance(part, type):
        held = [getattr(part, field.name) for field in fields(part)]
    else:
        return
    for one in held:
        yield from _parts(one)
