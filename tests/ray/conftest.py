"""A cluster of several nodes on one machine, one for each file of tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head with room for four copies; tests add nodes to it, and take them away."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'solon[ray]'")
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 4, "object_store_memory": 80 << 20, "include_dashboard": False}
    # a node that was taken away is missed after two seconds instead of fifteen
    head["_system_config"] = {"health_check_period_ms": 1000, "health_check_failure_threshold": 2}
    made = Cluster(initialize_head=True, head_node_args=head)
    ray.init(address=made.address, log_to_driver=False, logging_level=logging.WARNING)
    yield made
    ray.shutdown()
    made.shutdown()
