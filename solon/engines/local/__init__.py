"""transformers and torch in this process: less work is the default, and tested to be the same."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solon.engines.local.frozen import FrozenPolicy
    from solon.engines.local.policy import LocalPolicy
    from solon.engines.local.reward import LocalReward, RewardTransformer
    from solon.engines.local.transformer import Transformer
    from solon.engines.local.weights import Lora, Shape

__all__ = [
    "FrozenPolicy",
    "LocalPolicy",
    "LocalReward",
    "Lora",
    "RewardTransformer",
    "Shape",
    "Transformer",
]
# an optimiser, or a probe that needs no transformer, waits for none
WHERE = {
    "FrozenPolicy": "frozen",
    "LocalPolicy": "policy",
    "LocalReward": "reward",
    "Lora": "weights",
    "RewardTransformer": "reward",
    "Shape": "weights",
    "Transformer": "transformer",
}


def __getattr__(name: str) -> Any:
    if name not in WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{WHERE[name]}"), name)
