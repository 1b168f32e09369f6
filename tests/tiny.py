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
    "seed_data.n": "32",
    "evaluations.n": "256",
    "guided.n": "64",
    "revised.n": "64",
    "judge.shape.hidden": "16",
    "judge.shape.layers": "1",
    "judge.shape.heads": "2",
    "judge.lessons.n": "64",
    "helpful.shape.hidden": "32",
    "helpful.shape.layers": "1",
    "helpful.shape.heads": "2",
    "helpful.lessons.n": "1536",
    "helpful.imitate.batch": "16",
    "helpful.imitate.adam.lr": "0.01",
    "scorer.shape.hidden": "16",
    "scorer.shape.layers": "1",
    "scorer.shape.heads": "2",
    "scorer.lessons.n": "64",
}
RL = {"climb.steps": "4", "climb.batch": "4", "climb.group": "2"}
LABELS = {"label.prompts": "24", "label.chunk": "6"}
PREFER = {"prefer.batch": "8", "prefer.probe": "4", "prefer.epochs": "1"}
# enough to say a number
TAUGHT = {
    "imitate.batch": "16",
    "imitate.epochs": "4",
    "imitate.adam.lr": "0.01",
    "imitate.adam.warmup": "5",
}
REVISE = {
    "revise.prompts": "24",
    "revise.turns": "2",
    "revise.helpful": "6",
    "revise.chunk": "6",
    "revise.max_failed": "1",
    "revise.imitate.batch": "8",
    "revise.imitate.epochs": "1",
}
SHORT = {
    "supervised": {"take": "64"},
    "canonical": LABELS | RL,
    "direct": RL,
    "best_of_n": LABELS | {"take": "8", "n": "3"},
    "preference": LABELS | PREFER,
    "online_preference": {"steps": "4", "batch": "4", "probe": "4"},
    "curriculum": RL | {"course.pairs": "24", "grade.chunk": "6", "grade.check": "4"},
    "ultrafeedback": PREFER | {"draft.prompts": "24", "draft.chunk": "6", "survey.chunk": "10"},
    "kto": LABELS | {"approve.batch": "8", "approve.probe": "4"},
    "diverse": RL | PREFER | {"pairs": "18", "spare": "1", "chunk": "6"},
    "dual": {
        "pairs": "24",
        "people.batch": "8",
        "ai.batch": "8",
        "people.probe": "4",
        "chunk": "6",
    },
    "spin": PREFER | {"take": "24", "iterations": "2"},
    "self_rewarding": PREFER | TAUGHT | {"iterations": "2", "rate.take": "16", "rate.n": "3"},
    "meta_rewarding": PREFER | TAUGHT | {"iterations": "3", "rate.take": "12", "rate.n": "3"},
    "critique": REVISE,
    "constitutional": LABELS | RL | REVISE | {"consult.prompts": "12", "consult.chunk": "6"},
    "cream": PREFER | {"take": "16", "n": "3"},
}


def tiny(recipe: str, **changes: str) -> tuple[Any, Bench]:
    """(recipe, bench) with the named parts, small enough for a test."""
    bench = replace(lab(), evaluate=12, watch=4, watch_every=2)
    keys = {key.replace("__", "."): text for key, text in changes.items()}
    small = dict(SMALL)
    if "judge" in keys:  # another judge: nothing of the schooled one is left to shrink
        small = {key: text for key, text in small.items() if not key.startswith("judge.")}
    return compose(find("recipes", recipe).load(), bench, small | SHORT[recipe] | keys)
