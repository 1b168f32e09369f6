"""A plan on paper: a billion labels, and a step of learning for a policy of 70B weights on 64 GPUs.

    python benches/plan.py          # prints the tables of docs/scale.md, which a test compares

What Solon itself costs was measured, by the command named beside it. What a GPU, a network and a
disk do is their data sheet times a stated share: nothing of it was run.
"""

from __future__ import annotations

from dataclasses import dataclass

GB, TB = 1e9, 1e12
HOUR = 3600.0

# -- measured on two shared virtual cores
LABEL_CPU = 0.89e-3  # s a label, rows read and written   python benches/paid.py --rows 200000
CALL_CPU = 0.47e-3  # s a call to a server                python benches/endpoint.py
PUTS = 23_486  # replies a second into PostgreSQL          python benches/cache.py
REPLY_BYTES = 145  # of the cache                         python benches/paid.py
LABEL_BYTES = 742  # of the labels, rows of a kilobyte    python benches/paid.py
STATE_BYTES = 18  # a weight that learns: 2 weights, 4 gradient, 4 master, 8 AdamW's moments
RECOMPUTED = 1.15  # times the work, with gradient checkpointing (decision 017); in theory 4/3

# -- data sheets: H100 SXM, 8 in a machine, 400 Gb/s of network for each
FLOPS, MEMORY_RATE, MEMORY, NETWORK = 989e12, 3.35 * TB, 80 * GB, 50 * GB
DISK = 2 * GB  # bytes/s of one machine's
# -- shares of these that we assume
PREFILL, DECODE, LEARN, WIRE = 0.5, 0.6, 0.4, 0.7


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage does, on what, and for how long."""

    name: str
    on: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Pairwise labels by a judge behind servers."""

    n: float = 1e9
    orders: int = 2
    judge: float = 8e9  # weights
    prompt: int = 1000  # tokens
    shared: int = 300  # of them the same in every prompt, which prefix caching reads once
    gpus: int = 64
    cores: int = 64

    def stages(self) -> list[Stage]:
        calls = self.n * self.orders
        read = calls * (self.prompt - self.shared) * 2 * self.judge
        return [
            Stage(
                "rows read, calls sent, labels written",
                f"{self.cores} cores, a shard each",
                (self.n * (LABEL_CPU - CALL_CPU) + calls * CALL_CPU) / self.cores,
            ),
            Stage(
                "prompts read by the judge",
                f"{self.gpus} GPUs",
                read / (self.gpus * FLOPS * PREFILL),
            ),
            Stage("replies kept in PostgreSQL", "one client of one database", calls / PUTS),
            Stage(
                f"{calls * REPLY_BYTES / GB:,.0f} GB of replies",
                "one disk",
                calls * REPLY_BYTES / DISK,
            ),
            Stage(
                f"{self.n * LABEL_BYTES / GB:,.0f} GB of labels",
                "one disk",
                self.n * LABEL_BYTES / DISK,
            ),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of RLOO: vLLM samples on 24 GPUs, FSDP2 learns on 32, a judge reads on 8."""

    weights: float = 70e9
    layers: int = 80
    width: int = 8192
    heads: tuple[int, int] = (8, 128)  # of keys and values, and their width
    prompts: int = 512
    group: int = 4
    prompt: int = 512
    completion: int = 512
    samplers: int = 24
    tensor: int = 8  # GPUs of one sampling engine
    learners: int = 32
    chunk: int = 1024  # tokens of one pass of one process
    judge: float = 8e9
    judging: int = 8  # GPUs

    @property
    def sequences(self) -> int:
        return self.prompts * self.group

    @property
    def tokens(self) -> float:
        """That learning reads: siblings share their prompt."""
        return self.prompts * (self.prompt + self.group * self.completion)

    @property
    def state(self) -> float:
        """Bytes of a learning process: its part, the anchor's, and two layers gathered."""
        part = (STATE_BYTES + 2) * self.weights / self.learners
        return part + 2 * 2 * self.weights / self.layers

    @property
    def activations(self) -> tuple[float, float]:
        """Bytes of a chunk's backward pass, all kept (34 a token, layer and width: 2205.05198) and
        with gradient checkpointing (2, and one layer's 34)."""
        a_layer = self.chunk * self.width
        return 34 * a_layer * self.layers, a_layer * (2 * self.layers + 34)

    @property
    def passes(self) -> int:
        """Chunks of one learning process."""
        return max(1, round(self.tokens / self.learners / self.chunk))

    def sampling(self) -> float:
        at_once = self.sequences / (self.samplers / self.tensor)
        kept = 2 * 2 * self.heads[0] * self.heads[1] * self.layers  # bytes a token
        context = self.prompt + self.completion / 2
        moved = 2 * self.weights + at_once * context * kept
        memory = moved / (self.tensor * MEMORY_RATE * DECODE)
        work = 2 * self.weights * at_once / (self.tensor * FLOPS * PREFILL)
        prefill = 2 * self.weights * self.prompts * self.prompt / (self.samplers * FLOPS * PREFILL)
        return prefill + self.completion * max(memory, work)

    def gathered(self) -> float:
        """Seconds in which a process receives every other's part of 2 bytes a weight."""
        return 2 * self.weights * (1 - 1 / self.learners) / (NETWORK * WIRE)

    def stages(self, *, checkpointing: bool) -> list[Stage]:
        flops = self.learners * FLOPS * LEARN
        again = RECOMPUTED if checkpointing else 1.0
        scored = 2 * 2 * self.weights * self.tokens / flops  # the anchor, and the credit's pass
        updated = 6 * self.weights * self.tokens / flops * again
        forward = 2 * self.passes * self.gathered()
        # gathered forwards and backwards, and gradients of 2 bytes handed back
        both = 3 * self.passes * self.gathered()
        judged = self.sequences * (self.prompt + 2 * self.completion) * 2 * self.judge
        return [
            Stage(
                "weights pushed to the samplers",
                "network",
                2 * self.weights / self.tensor / (NETWORK * WIRE),
            ),
            Stage("sampling", f"{self.samplers} GPUs, {self.tensor} an engine", self.sampling()),
            Stage("judging", f"{self.judging} GPUs", judged / (self.judging * FLOPS * PREFILL)),
            Stage("calls to the judge", "one core", self.sequences * CALL_CPU),
            Stage("log-probabilities: arithmetic", f"{self.learners} GPUs", scored),
            Stage("log-probabilities: weights gathered", "network", forward),
            Stage("update: arithmetic", f"{self.learners} GPUs", updated),
            Stage("update: weights gathered, gradients back", "network", both),
        ]


def told(seconds: float) -> str:
    """Seconds, or hours where they are many."""
    if seconds >= 2 * HOUR:
        return f"{seconds / HOUR:,.0f} h"
    return f"{seconds:,.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def table(stages: list[Stage]) -> str:
    longest = max(stage.seconds for stage in stages)
    lines = ["| stage | on | time |", "|---|---|--:|"]
    for stage in stages:
        mark = "**" if stage.seconds == longest else ""
        lines.append(f"| {stage.name} | {stage.on} | {mark}{told(stage.seconds)}{mark} |")
    return "\n".join(lines)


def totals(stages: list[Stage]) -> str:
    """A step one stage after another, and with rollouts ahead of the learner."""
    made = sum(stage.seconds for stage in stages[:4])
    learnt = sum(stage.seconds for stage in stages[4:])
    return (
        f"One after another a step takes {told(made + learnt)}; with `climb.ahead=1`, which\n"
        f"samples and judges while the learner learns, {told(max(made, learnt))}."
    )


def plan() -> str:
    """The tables, as Markdown."""
    small, large = Labels().stages(), Labels(judge=70e9).stages()
    short, long = Step(), Step(chunk=16_384)
    kept, again = short.stages(checkpointing=False), long.stages(checkpointing=True)
    held, (all_kept, recomputed) = short.activations[0] / GB, (x / GB for x in long.activations)
    return f"""A judge of 8B weights:

{table(small)}

One of 70B reads for {told(large[1].seconds)}, and all else stays.

A step with chunks of 1,024 tokens, every activation kept:

{table(kept)}

A learning process holds {short.state / GB:.0f} GB of weights, gradients and moments, and
{held:.0f} GB of activations.

The same with `gradient_checkpointing` and chunks of 16,384:

{table(again)}

It holds {recomputed:.0f} GB of activations, where keeping all would take {all_kept:.0f}.
{totals(again)}"""


if __name__ == "__main__":
    print(plan())
