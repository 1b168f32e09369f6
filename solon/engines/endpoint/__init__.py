"""OpenAI-compatible servers as policies: paid once, capped, retried, in order.

Endpoint(model="gpt-4o-mini")                                       a Spec, opened by a run
Endpoint(model="qwen3-8b", base_url="http://localhost:8000/v1", prefill=True)
"""

from solon.engines.endpoint.policy import Endpoint, EndpointPolicy
from solon.engines.endpoint.wire import Reply

__all__ = ["Endpoint", "EndpointPolicy", "Reply"]
