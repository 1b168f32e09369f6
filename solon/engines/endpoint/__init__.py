"""OpenAI-compatible servers as policies: paid once, capped, retried, in order.

Endpoint(model="gpt-4o-mini")                                       a Spec, opened by a run
Endpoint(model="qwen3-8b", base_url="http://localhost:8000/v1", prefill=True)
Endpoint(model="gpt-4o-mini", batch=True)                           half the price, within a day

client                                       in order, from the cache, else as it is served
online with gate and pace; batches           calls one by one; calls as files
exchange, account                            one request, retried; what a call costs and whom
"""

from solon.engines.endpoint.batches import Batches
from solon.engines.endpoint.policy import Endpoint, EndpointPolicy
from solon.engines.endpoint.wire import Reply

__all__ = ["Batches", "Endpoint", "EndpointPolicy", "Reply"]
