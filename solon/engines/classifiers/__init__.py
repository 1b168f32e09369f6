"""What learns to classify: linear and small heads over features, and transformers with a head."""

from typing import TYPE_CHECKING

from solon.engines.lazy import lazily

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

__getattr__ = lazily(__name__, WHERE)
