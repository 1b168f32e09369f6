"""TRL's trainers through the same steps, and between them the turns of the others."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from contenders import BETA, KL_WEIGHT, RATE, Material, Step
from torch import Tensor
from transformers import PrinterCallback, TrainerCallback
from workload import CONTEXT, NEW, SIBLINGS, completions, preferences, reward

SAMPLES = "_generate_single_turn"  # the trainers' method that draws answers


def trl_trainer(material: Material) -> Any:
    """TRL's own trainer at its defaults, but for gradient checkpointing and bfloat16, both off."""
    import trl
    from datasets import Dataset

    work, tokenizer = material.work, material.tokenizer
    shared: dict[str, Any] = {
        "output_dir": "bench-out/trl", "use_cpu": True, "bf16": False, "seed": 1,
        "gradient_checkpointing": False, "learning_rate": RATE, "save_strategy": "no",
        "lr_scheduler_type": "constant", "per_device_train_batch_size": work.batch,
        "max_steps": material.steps, "report_to": "none", "disable_tqdm": True,
        "train_sampling_strategy": "sequential",
    }  # fmt: skip
    name, more = {
        "supervised": ("SFT", {"max_length": CONTEXT, "shuffle_dataset": False}),
        "reward": ("Reward", {"max_length": CONTEXT}),
        "preference": ("DPO", {"max_length": CONTEXT, "beta": BETA}),
        "rloo": ("RLOO", {"beta": KL_WEIGHT}),
        "grpo": ("GRPO", {"beta": 0.0, "loss_type": "grpo"}),
    }[work.method]
    positional: list[Any] = [material.fresh()]
    if work.online:
        more |= {"num_generations": SIBLINGS, "max_completion_length": NEW}
        more |= {"shuffle_dataset": False}
        positional.append(lambda completions, **_: [reward(text) for text in completions])
    if work.method == "preference":
        positional.append(material.policy())
    return getattr(trl, f"{name}Trainer")(
        *positional,
        args=getattr(trl, f"{name}Config")(**shared, **more),
        train_dataset=Dataset.from_list(rows_for_trl(material)),
        processing_class=tokenizer,
    )


def rows_for_trl(material: Material) -> list[dict[str, str]]:
    if material.work.online:
        return [{"prompt": prompt.text} for prompt in material.prompts]
    if material.work.method == "supervised":
        texts = completions(material.prompts, seed=2)
        return [{"prompt": c.prompt.text, "completion": c.text} for c in texts]
    return [
        {"prompt": p.chosen.prompt.text, "chosen": p.chosen.text, "rejected": p.rejected.text}
        for p in preferences(material.prompts)
    ]


class Between(TrainerCallback):
    """After each step of TRL's, the others take the same one."""

    def __init__(self, trainer: Any, material: Material, others: Callable[[int], None]) -> None:
        self.material, self.others = material, others
        self.steps: list[Step] = []
        self.now, self.begun = Step(), 0.0
        self.watch(trainer, "compute_loss", self.saw_loss)
        self.watch(trainer, "_clip_grad_norm", self.saw_norm)
        if material.work.online:
            self.plain = getattr(trainer, SAMPLES)
            setattr(trainer, SAMPLES, self.generate)
        trainer.remove_callback(PrinterCallback)  # its own lines would break up the table
        trainer.add_callback(self)

    def watch(self, owner: Any, name: str, saw: Callable[[Any], None]) -> None:
        plain = getattr(owner, name)

        def watched(*given: Any, **named: Any) -> Any:
            found = plain(*given, **named)
            saw(found)
            return found

        setattr(owner, name, watched)

    def saw_loss(self, loss: Tensor) -> None:
        self.now.loss = loss.detach()  # a number only after the clock has stopped

    def saw_norm(self, norm: Tensor) -> None:
        self.now.norm = norm.detach()

    def generate(self, *given: Any, **named: Any) -> Any:
        torch.manual_seed(len(self.steps))
        begun = time.process_time()
        found = self.plain(*given, **named)
        self.now.sampling = time.process_time() - begun
        answers = found[0] if isinstance(found, tuple) else found
        self.now.tokens = sum(map(len, answers))
        self.material.drawn.append([list(answer) for answer in answers])
        return found

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.begun = time.process_time()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.now.cpu = time.process_time() - self.begun
        self.now.loss, self.now.norm = float(self.now.loss), float(self.now.norm)
        self.steps.append(self.now)
        self.others(len(self.steps) - 1)
        self.now, self.begun = Step(), time.process_time()
