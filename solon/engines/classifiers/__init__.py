"""What learns to classify: linear and small heads over features, and transformers with a head."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solon.engines.classifiers.features import Bag, Encoder, Given
    from solon.engines.classifiers.finetuned import FineTuned
    from solon.engines.classifiers.probe import Probe

__all__ = ["Bag", "Encoder", "FineTuned", "Given", "Probe"]
# a probe over features that are given waits for no transformer
WHERE = {
    "Bag": "features",
    "Encoder": "features",
    "FineTuned": "finetuned",
    "Given": "features",
    "Probe": "probe",
}


def __getattr__(name: str) -> Any:
    if name not in WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{WHERE[name]}"), name)
