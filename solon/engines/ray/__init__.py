"""Ray: copies of any part, on one machine or many, behind the seam of that part.

OnRay(inner=BothOrders(judge=LogitJudge(policy=Transformer(...))), copies=4)     a judge
OnRay(inner=Transformer(model="models/base"), copies=4, num_gpus=1)              what learns

onray, parts, learner     the value, and what it opens to on the driver's side
copies, cutting           a batch is cut, asked, and joined again, whoever dies meanwhile
copy, away                a copy, and what it has of the run
dataset                   labels over a Ray data set
desk, counter             how copies reach the run's ledger, cache and notes
"""

from typing import TYPE_CHECKING

from solon.engines.lazy import lazily

if TYPE_CHECKING:
    from solon.engines.ray.dataset import labelled
    from solon.engines.ray.learner import RayLearner
    from solon.engines.ray.onray import OnRay
    from solon.engines.ray.parts import RayChooser, RayJudge, RayPolicy, RayScorer

__all__ = ["OnRay", "RayChooser", "RayJudge", "RayLearner", "RayPolicy", "RayScorer", "labelled"]
WHERE = {
    "OnRay": "onray",
    "RayChooser": "parts",
    "RayJudge": "parts",
    "RayLearner": "learner",
    "RayPolicy": "parts",
    "RayScorer": "parts",
    "labelled": "dataset",
}

__getattr__ = lazily(__name__, WHERE)
