"""transformers and torch in this process: policies, rewards and anchors with less work by default."""

from solon.engines.local.frozen import FrozenPolicy
from solon.engines.local.policy import LocalPolicy
from solon.engines.local.transformer import Transformer
from solon.engines.local.weights import Lora, Shape

__all__ = [
    "FrozenPolicy",
    "LocalPolicy",
    "Lora",
    "Shape",
    "Transformer",
]
