"""transformers and torch in this process: less work is the default, and tested to be the same."""

from typing import TYPE_CHECKING

from solon.engines.lazy import lazily

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

__getattr__ = lazily(__name__, WHERE)
