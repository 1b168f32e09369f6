"""What TRL's own trainers make of fixed log-probabilities: the figures that tests/equations reads.

    python -m venv trl && trl/bin/pip install torch==2.13.0 trl==1.16.0
    trl/bin/python scripts/trl_fixture.py tests/equations/trl_pairs.json

The loss methods of TRL's trainers run as they stand, one pair at a time, on a stub in place of the
trainer and a model that answers with our log-probabilities: no formula is copied. Two of them are
fed in another way than a trainer would: cDPO, which TRL 1.16 has only in its CPO trainer, gets the
log-ratios of policy and anchor there; ORPO gets our own term of imitation, which TRL takes over the
prompt too. Each case: our objective's settings, TRL's losses, and their gradients in the logps.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from trl import DPOTrainer, KTOTrainer
from trl.experimental.cpo import CPOTrainer
from trl.experimental.orpo import ORPOTrainer

PAIRS = {
    "chosen": [-4.0, -9.5, -30.25, -0.75, -12.0],
    "rejected": [-5.0, -7.25, -41.0, -3.5, -12.0],
    "anchor_chosen": [-4.2, -8.0, -52.5, -1.5, -12.5],
    "anchor_rejected": [-4.9, -9.75, -33.0, -1.25, -11.0],
    "chosen_tokens": [6.0, 9.0, 24.0, 2.0, 8.0],
    "rejected_tokens": [7.0, 5.0, 31.0, 3.0, 8.0],
}
MARKS = {
    "logps": [-4.0, -9.5, -30.25, -0.75],
    "anchor": [-4.2, -8.0, -52.5, -1.25],
    "desirable": [True, False, True, False],
}
KL_LOGPS = {"above": ([-6.0, -7.0], [-8.5, -6.5]), "clamped": ([-8.0, -7.0], [-6.0, -6.5])}
"""Log-probabilities, under policy and anchor, of completions that answer another prompt."""

Loss = Callable[[Tensor, Tensor, int], Tensor]
"""Of leaves chosen [1] and rejected [1], of pair i."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    file = parser.parse_args().file
    versions = {name: version(name).split("+")[0] for name in ("trl", "torch")}
    found = {"versions": versions, "pairs": PAIRS, "marks": MARKS}
    found |= {"cases": [*pair_cases()], "kto": [*kto_cases()]}
    parts = [f"{json.dumps(key)}: {json.dumps(part)}" for key, part in found.items()]
    file.write_text("{\n" + ",\n".join(parts) + "\n}\n", "utf-8")


def pair_cases() -> Iterator[dict[str, Any]]:
    for beta in (0.1, 0.5):
        yield case("DPO", dpo("sigmoid", beta), beta=beta)
        yield case("Hinge", dpo("hinge", beta), beta=beta)
        yield case("IPO", dpo("ipo", beta), beta=beta, per="token")
        for flip in (0.0, 0.1, 0.3):
            yield case("CDPO", cdpo(beta, flip), beta=beta, flip=flip)
            yield case("RDPO", dpo("robust", beta, flip), beta=beta, flip=flip)
    for beta, gamma in ((2.0, 1.0), (2.5, 0.25)):
        yield case("SimPO", simpo(beta, gamma), beta=beta, gamma=gamma)
    for lam in (0.1, 1.0):
        yield case("ORPO", orpo(lam), lam=lam)


def case(objective: str, loss: Loss, **settings: Any) -> dict[str, Any]:
    """Losses of the pairs one by one, and the gradient of each in its two log-probabilities."""
    losses: list[float] = []
    gradients: list[list[float]] = []
    for i in range(len(PAIRS["chosen"])):
        chosen, rejected = (leaf(PAIRS[side][i]) for side in ("chosen", "rejected"))
        value = loss(chosen, rejected, i)
        value.backward()
        losses.append(value.item())
        gradients.append([chosen.grad.item(), rejected.grad.item()])
    return {"objective": objective, "settings": settings, "losses": losses, "gradients": gradients}


def leaf(value: float) -> Tensor:
    return torch.tensor([value], dtype=torch.float64, requires_grad=True)


def trainer(**settings: Any) -> SimpleNamespace:
    """What the loss methods read of a trainer, gathering over a single process."""
    one = SimpleNamespace(device=torch.device("cpu"), gather=same, gather_for_metrics=same)
    private = {"_metrics": {"train": defaultdict(list)}, "_total_train_tokens": 0, "_tp_size": 1}
    plain = {"aux_loss_enabled": False, "precompute_ref_logps": True}
    model = SimpleNamespace(training=True)
    return SimpleNamespace(accelerator=one, model=model, **plain, **private, **settings)


def loss_of(kind: type[Any]) -> Callable[..., Tensor]:
    """The trainer's loss, which is private to it."""
    return vars(kind)["_compute_loss"]


def same(value: Any) -> Any:
    return value


def answers(summed: Tensor, mask: Tensor) -> Callable[..., SimpleNamespace]:
    """A model whose completions have these summed log-probabilities, shared by their tokens."""
    shared = mask[:, 1:] * (summed / mask.sum(1))[:, None]
    nothing = torch.zeros_like(shared)
    said = SimpleNamespace(log_probs=shared, entropy=nothing.detach(), mean_logits=nothing.detach())
    said.is_top1 = nothing > 0
    return lambda **_: said


def batch(lengths: list[float]) -> dict[str, Tensor]:
    """Completions of these lengths after a prompt of two tokens."""
    places = torch.arange(2 + int(max(lengths)))
    ends = torch.tensor(lengths)[:, None] + 2
    mask = ((places >= 2) & (places < ends)).long()
    attended = (places < ends).long()
    return {"input_ids": attended, "attention_mask": attended, "completion_mask": mask}


def dpo(kind: str, beta: float, flip: float = 0.0) -> Loss:
    stub = trainer(beta=beta, label_smoothing=flip, loss_types=[kind], loss_weights=[1.0])
    stub.ld_alpha, stub.use_weighting, stub.f_divergence_type = None, False, "reverse_kl"

    def loss(chosen: Tensor, rejected: Tensor, i: int) -> Tensor:
        inputs = batch([PAIRS["chosen_tokens"][i], PAIRS["rejected_tokens"][i]])
        for side in ("chosen", "rejected"):
            anchor = torch.tensor([PAIRS[f"anchor_{side}"][i]], dtype=torch.float64)
            inputs[f"ref_{side}_logps"] = anchor
        model = answers(torch.cat([chosen, rejected]), inputs["completion_mask"])
        return loss_of(DPOTrainer)(stub, model, inputs, return_outputs=False)

    return loss


def cpo(kind: str, beta: float, **settings: float) -> SimpleNamespace:
    return trainer(loss_type=kind, beta=beta, alpha=0.0, **settings)


def cdpo(beta: float, flip: float) -> Loss:
    stub = cpo("sigmoid", beta, label_smoothing=flip)

    def loss(chosen: Tensor, rejected: Tensor, i: int) -> Tensor:
        ratios = chosen - PAIRS["anchor_chosen"][i], rejected - PAIRS["anchor_rejected"][i]
        return CPOTrainer.cpo_loss(stub, *ratios)[0].mean()

    return loss


def simpo(beta: float, gamma: float) -> Loss:
    stub = cpo("simpo", beta, simpo_gamma=gamma, label_smoothing=0.0)
    return lambda chosen, rejected, i: CPOTrainer.cpo_loss(stub, *means(chosen, rejected, i))[0]


def orpo(lam: float) -> Loss:
    stub = trainer(beta=lam)
    stub.odds_ratio_loss = lambda *means: ORPOTrainer.odds_ratio_loss(stub, *means)

    def loss(chosen: Tensor, rejected: Tensor, i: int) -> Tensor:
        chosen, rejected = means(chosen, rejected, i)
        logits = torch.zeros(1)
        stub.concatenated_forward = lambda *_: (chosen, rejected, logits, logits, -chosen.mean())
        return ORPOTrainer.get_batch_loss_metrics(stub, None, {})[0]

    return loss


def means(chosen: Tensor, rejected: Tensor, i: int) -> tuple[Tensor, Tensor]:
    return chosen / PAIRS["chosen_tokens"][i], rejected / PAIRS["rejected_tokens"][i]


def kto_cases() -> Iterator[dict[str, Any]]:
    for kind in KL_LOGPS:
        for beta, desirable, undesirable in ((0.1, 1.0, 1.0), (0.5, 1.25, 0.75)):
            settings = {"beta": beta, "desirable": desirable, "undesirable": undesirable}
            yield kto(kind, settings)


def kto(kind: str, settings: dict[str, float]) -> dict[str, Any]:
    policy, anchor = (torch.tensor(v, dtype=torch.float64) for v in KL_LOGPS[kind])
    named = {"desirable_weight": settings["desirable"], "beta": settings["beta"]}
    named |= {"undesirable_weight": settings["undesirable"], "calculate_KL": True}
    stub = trainer(loss_type="kto", _compute_kl_logps=lambda *_: policy, **named)
    logps = torch.tensor(MARKS["logps"], dtype=torch.float64, requires_grad=True)
    inputs = batch([3.0, 5.0, 12.0, 2.0]) | {"label": torch.tensor(MARKS["desirable"])}
    inputs |= {"ref_logps": torch.tensor(MARKS["anchor"], dtype=torch.float64)}
    inputs |= {"ref_KL_logps": anchor}
    model = answers(logps, inputs["completion_mask"])
    value = loss_of(KTOTrainer)(stub, model, inputs, return_outputs=False)
    value.backward()
    [kl] = vars(stub)["_metrics"]["train"]["kl"]
    found = {"kl": kl, "loss": value.item(), "gradient": logps.grad.tolist()}
    return {"settings": settings} | found


if __name__ == "__main__":
    main()
