"""A recipe whose policy is sampled by copies on Ray: the same run, record for record."""

from pathlib import Path
from typing import Any

import pytest
from tiny import tiny

from solon.run import lines
from solon.run.run import Run
from solon.run.shards import read_records

pytestmark = pytest.mark.cluster

pytest.importorskip("ray", reason="Ray is not installed: pip install 'solon[ray]'")
CLOCK = {"time", "seconds", "began"}


@pytest.fixture
def cluster() -> Any:
    """What OnRay begins by itself, taken down at the end."""
    import ray

    yield
    ray.shutdown()


def finished(folder: Path, **changes: str) -> dict[str, Any]:
    recipe, _ = tiny("canonical", judge="human", climb__steps="6", **changes)
    with Run(folder, seed=5, checkpoint_seconds=0.0) as run:
        recipe(run)
        metrics = lines.read(folder / "metrics.jsonl")
        return {
            "metrics": [{k: v for k, v in line.items() if k not in CLOCK} for line in metrics],
            "texts": [
                (one.completion.policy, one.completion.tokens, one.reward)
                for one in read_records(folder / "records" / "rollouts")
            ],
            "logps": [
                one.completion.logps for one in read_records(folder / "records" / "rollouts")
            ],
            "preferences": read_records(folder / "records" / "preferences"),
            "id": run.policies["final"].id,
            "weights": (folder / "policies" / "final" / "model.safetensors").read_bytes(),
        }


@pytest.mark.slow
def test_a_canonical_run_with_its_policy_on_ray_is_the_same_run(
    cluster: Any, tmp_path: Path
) -> None:
    plain = finished(tmp_path / "plain")
    on_ray = finished(tmp_path / "ray", policy="ray", policy__copies="2", policy__address="local")
    assert on_ray["id"] == plain["id"]
    assert on_ray["texts"] == plain["texts"]
    assert len(on_ray["texts"]) == 48
    for here, there in zip(plain["logps"], on_ray["logps"], strict=True):
        assert there == pytest.approx(here, abs=1e-5)  # another batch, other last digits
    assert [(p.chosen.text, p.rejected.text, p.p) for p in on_ray["preferences"]] == [
        (p.chosen.text, p.rejected.text, p.p) for p in plain["preferences"]
    ]
    assert on_ray["metrics"] == plain["metrics"]
    assert on_ray["weights"] == plain["weights"]
