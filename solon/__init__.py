"""Solon: reinforcement learning from AI feedback, and scalable oversight, that can be checked.

Importing this loads no torch: each name below is fetched from its module when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solon.bench.bench import Bench
    from solon.bench.session import Session
    from solon.engines.endpoint import Endpoint
    from solon.engines.local import Lora, RewardTransformer, Shape, Transformer
    from solon.errors import SolonError
    from solon.judges.human import HumanLabels, PromptFile
    from solon.judges.llm import LlmJudge
    from solon.judges.logits import LogitJudge, LogitScore
    from solon.judges.wrappers import BothOrders, Jury
    from solon.objectives.adam import Adam
    from solon.recipes.best_of_n import BestOfN
    from solon.recipes.canonical import Canonical
    from solon.recipes.direct import Direct
    from solon.recipes.supervised import Supervised
    from solon.records import (
        Abstains,
        Compare,
        Completion,
        Finding,
        Judgement,
        Preference,
        Prefers,
        Prompt,
    )
    from solon.run.run import Run

_HOMES = {
    "Abstains": "records",
    "Adam": "objectives.adam",
    "Bench": "bench.bench",
    "BestOfN": "recipes.best_of_n",
    "BothOrders": "judges.wrappers",
    "Canonical": "recipes.canonical",
    "Compare": "records",
    "Completion": "records",
    "Direct": "recipes.direct",
    "Endpoint": "engines.endpoint",
    "Finding": "records",
    "HumanLabels": "judges.human",
    "Judgement": "records",
    "Jury": "judges.wrappers",
    "LlmJudge": "judges.llm",
    "LogitJudge": "judges.logits",
    "LogitScore": "judges.logits",
    "Lora": "engines.local",
    "Preference": "records",
    "Prefers": "records",
    "Prompt": "records",
    "PromptFile": "judges.human",
    "RewardTransformer": "engines.local",
    "Run": "run.run",
    "Session": "bench.session",
    "Shape": "engines.local",
    "SolonError": "errors",
    "Supervised": "recipes.supervised",
    "Transformer": "engines.local",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"solon has no {name!r}; it has {', '.join(_HOMES)}")
    return getattr(import_module(f"solon.{_HOMES[name]}"), name)


__all__ = [
    "Abstains",
    "Adam",
    "Bench",
    "BestOfN",
    "BothOrders",
    "Canonical",
    "Compare",
    "Completion",
    "Direct",
    "Endpoint",
    "Finding",
    "HumanLabels",
    "Judgement",
    "Jury",
    "LlmJudge",
    "LogitJudge",
    "LogitScore",
    "Lora",
    "Preference",
    "Prefers",
    "Prompt",
    "PromptFile",
    "RewardTransformer",
    "Run",
    "Session",
    "Shape",
    "SolonError",
    "Supervised",
    "Transformer",
]
