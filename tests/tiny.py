"""The lab bench made tiny: every recipe through every stage in seconds, with the same code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from solon.bench.bench import Bench, compose
from solon.bench.town import lab
from solon.catalogue import find

SMALL = {
    "policy.shape.hidden": "16",
    "policy.shape.layers": "1",
    "policy.shape.heads": "2",
    "policy.max_new_tokens": "12",
    "demonstrations.n": "64",
    "judge.shape.hidden": "16",
    "judge.shape.layers": "1",
    "judge.shape.heads": "2",
    "judge.lessons.n": "64",
    "scorer.shape.hidden": "16",
    "scorer.shape.layers": "1",
    "scorer.shape.heads": "2",
    "scorer.lessons.n": "64",
}
RL = {"climb.steps": "4", "climb.batch": "4", "climb.group": "2"}
LABELS = {"label.prompts": "24", "label.chunk": "6"}
PREFER = {"prefer.batch": "8", "prefer.probe": "4", "prefer.epochs": "1"}
SHORT = {
    "supervised": {"take": "64"},
    "canonical": LABELS | RL,
    "direct": RL,
    "best_of_n": LABELS | {"take": "8", "n": "3"},
    "preference": LABELS | PREFER,
    "online_preference": {"steps": "4", "batch": "4", "probe": "4"},
}


def tiny(recipe: str, **changes: str) -> tuple[Any, Bench]:
    """(recipe, bench) with the named parts, small enough for a test."""
    bench = replace(lab(), evaluate=12, watch=4, watch_every=2)
    keys = {key.replace("__", "."): text for key, text in changes.items()}
    small = dict(SMALL)
    if "judge" in keys:  # another judge: nothing of the schooled one is left to shrink
        small = {key: text for key, text in small.items() if not key.startswith("judge.")}
    return compose(find("recipes", recipe).load(), bench, small | SHORT[recipe] | keys)
