"""What learns to classify: linear and small heads over features, and transformers with a head."""

from solon.engines.classifiers.features import Bag, Encoder, Given
from solon.engines.classifiers.finetuned import FineTuned
from solon.engines.classifiers.probe import Probe

__all__ = ["Bag", "Encoder", "FineTuned", "Given", "Probe"]
