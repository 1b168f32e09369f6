"""vLLM beside the local engine: weights learn here, and are sampled there.

OnVllm(policy=Transformer(model="models/base"))                          vLLM in this process
OnVllm(policy=..., sampler=Server(base_url="http://gpu:8000/v1"))        a vLLM server
Vllm(model="models/judge")                                               a judge or a debater
"""

from typing import TYPE_CHECKING

from solon.engines.lazy import lazily

if TYPE_CHECKING:
    from solon.engines.vllm.engine import Engine
    from solon.engines.vllm.learner import OnVllm, VllmLearner
    from solon.engines.vllm.policy import Vllm, VllmPolicy
    from solon.engines.vllm.server import Server

__all__ = ["Engine", "OnVllm", "Server", "Vllm", "VllmLearner", "VllmPolicy"]
WHERE = {
    "Engine": "engine",
    "OnVllm": "learner",
    "Server": "server",
    "Vllm": "policy",
    "VllmLearner": "learner",
    "VllmPolicy": "policy",
}

__getattr__ = lazily(__name__, WHERE)
