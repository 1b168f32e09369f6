"""The policy gradients again, in plain Python floats and loops, straight from their papers."""

import math
import statistics
from dataclasses import dataclass

LENGTHS = [3, 2, 1, 3, 2, 2]
GROUPS = [7, 7, 7, 2, 2, 5]
REWARDS = [1.0, 0.25, -0.5, 0.7, 0.7, 2.0]


@dataclass
class Batch:
    """Six completions of three groups (of 3, 2 and 1), sampled by an older policy."""

    logps: list[list[float]]
    old: list[list[float]]
    anchor: list[list[float]]
    values: list[list[float]]
    rewards: list[float]
    lengths: list[int]
    groups: list[int]


def wave(a: float, b: float) -> list[list[float]]:
    return [[-0.9 + 0.6 * math.sin(a * i + b * t) for t in range(n)] for i, n in enumerate(LENGTHS)]


def batch(rewards=tuple(REWARDS)) -> Batch:
    old = wave(1.3, 2.1)
    drift = wave(0.7, 1.9)
    return Batch(
        logps=[
            [o + 0.5 * (d + 0.9) for o, d in zip(*r, strict=True)]
            for r in zip(old, drift, strict=True)
        ],
        old=old,
        anchor=wave(2.9, 0.4),
        values=wave(0.5, 1.1),
        rewards=list(rewards),
        lengths=LENGTHS,
        groups=GROUPS,
    )


def siblings(b: Batch, i: int) -> list[int]:
    return [j for j, g in enumerate(b.groups) if g == b.groups[i]]


def paid(b: Batch, i: int, beta: float) -> list[float]:
    return [beta * (o - a) for o, a in zip(b.old[i], b.anchor[i], strict=True)]


def total(b: Batch, i: int, beta: float) -> float:
    return b.rewards[i] - sum(paid(b, i, beta))


def togo(b: Batch, i: int, t: int, beta: float) -> float:
    return b.rewards[i] - sum(paid(b, i, beta)[t:])


def clip(rho: float, low: float, high: float) -> float:
    return min(max(rho, 1 - low), 1 + high)


def surrogate(b: Batch, i: int, t: int, advantage: float, low: float, high: float) -> float:
    rho = math.exp(b.logps[i][t] - b.old[i][t])
    return max(-advantage * rho, -advantage * clip(rho, low, high))


def reinforce(b: Batch, baseline: str, beta: float = 0.05) -> float:
    n = len(b.rewards)
    loss = 0.0
    for i in range(n):
        others = [total(b, j, beta) for j in range(n) if j != i]
        for t in range(b.lengths[i]):
            z = togo(b, i, t, beta)
            base = {"none": 0.0, "mean": statistics.fmean(others), "value": b.values[i][t]}
            loss -= b.logps[i][t] * (z - base[baseline])
            loss += (z - b.values[i][t]) ** 2 if baseline == "value" else 0.0
    return loss / n


def rloo(b: Batch, beta: float = 0.05) -> float:
    loss = 0.0
    for i in range(len(b.rewards)):
        others = [total(b, j, beta) for j in siblings(b, i) if j != i]
        if others:
            for t in range(b.lengths[i]):
                loss -= b.logps[i][t] * (togo(b, i, t, beta) - statistics.fmean(others))
    return loss / len(b.rewards)


def rloo_clipped(b: Batch, width: float, beta: float = 0.05) -> float:
    loss = 0.0
    for i in range(len(b.rewards)):
        others = [total(b, j, beta) for j in siblings(b, i) if j != i]
        if others:
            advantage = total(b, i, beta) - statistics.fmean(others)
            rho = math.exp(sum(b.logps[i]) - sum(b.old[i]))
            loss += max(-advantage * rho, -advantage * clip(rho, width, width))
    return loss / len(b.rewards)


def ppo(b: Batch, now: list[list[float]], *, white_rewards: bool, beta: float = 0.05) -> float:
    """``now`` is what the value head says at this epoch; ``b.values`` what it said at credit."""
    gamma, lam = 0.99, 0.9
    rewards = [
        [
            -p + (b.rewards[i] if t == b.lengths[i] - 1 else 0.0)
            for t, p in enumerate(paid(b, i, beta))
        ]
        for i in range(len(b.rewards))
    ]
    if white_rewards:
        flat = [r for row in rewards for r in row]
        scale = math.sqrt(statistics.pvariance(flat) + 1e-8)
        mean = statistics.fmean(flat)
        rewards = [[(r - mean) / scale + mean for r in row] for row in rewards]
    advantages = []
    for r, v in zip(rewards, b.values, strict=True):
        row, running = [0.0] * len(r), 0.0
        for t in reversed(range(len(r))):
            following = v[t + 1] if t + 1 < len(r) else 0.0
            running = r[t] + gamma * following - v[t] + gamma * lam * running
            row[t] = running
        advantages.append(row)
    flat = [a for row in advantages for a in row]
    mean, scale = statistics.fmean(flat), math.sqrt(statistics.pvariance(flat) + 1e-8)
    loss = 0.0
    for i, row in enumerate(advantages):
        for t, a in enumerate(row):
            target, old, new = a + b.values[i][t], b.values[i][t], now[i][t]
            held = old + min(max(new - old, -0.2), 0.2)
            loss += surrogate(b, i, t, (a - mean) / scale, 0.2, 0.2)
            loss += 0.1 * 0.5 * max((new - target) ** 2, (held - target) ** 2)
    return loss / sum(b.lengths)


def standardised(b: Batch, rewards: list[float], i: int) -> float:
    group = [rewards[j] for j in siblings(b, i)]
    if max(group) == min(group):
        return 0.0
    return (rewards[i] - statistics.fmean(group)) / statistics.stdev(group)


def grpo(b: Batch, beta: float = 0.04) -> float:
    loss = 0.0
    for i, n in enumerate(b.lengths):
        a = standardised(b, b.rewards, i)
        for t in range(n):
            d = b.logps[i][t] - b.anchor[i][t]
            k3 = math.exp(-d) - 1 + d
            loss += (surrogate(b, i, t, a, 0.2, 0.2) + beta * k3) / n
    return loss / len(b.rewards)


def dr_grpo(b: Batch, longest: int, beta: float = 0.05) -> float:
    loss = 0.0
    for i, n in enumerate(b.lengths):
        group = [total(b, j, beta) for j in siblings(b, i)]
        a = total(b, i, beta) - statistics.fmean(group)
        loss += sum(surrogate(b, i, t, a, 0.2, 0.2) for t in range(n)) / longest
    return loss / len(b.rewards)


def dapo(b: Batch, longest: int, cache: int) -> float:
    shaped = []
    for r, n in zip(b.rewards, b.lengths, strict=True):
        over = n - (longest - cache)
        shaped.append(r + (0.0 if over <= 0 else -1.0 if n > longest else -over / cache))
    loss, tokens = 0.0, 0
    for i, n in enumerate(b.lengths):
        if len({b.rewards[j] for j in siblings(b, i)}) == 1:
            continue
        tokens += n
        a = standardised(b, shaped, i)
        loss += sum(surrogate(b, i, t, a, 0.2, 0.28) for t in range(n))
    return loss / tokens
