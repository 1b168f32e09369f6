"""A small policy in the tampering world: expert iteration and REINFORCE, by exact gradients.

No recipe: the policy writes no text and the method is not what is studied. Expert iteration keeps
the best of 64 episodes of a prompt (Denison et al., arXiv 2406.10162); policy gradient is REINFORCE
with the leave-one-out baseline over the same 64. Logits are s W e: situation, weights, effects of
the action. A policy without the shared embedding has an own column for each action, and the same
logits at the start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solon.lab.tampering import (
    ACTIONS,
    EFFECTS,
    EMBEDDED,
    LAST,
    NUMBER,
    STEPS,
    Environment,
    Outcome,
    outcome,
)

Floats = NDArray[np.float64]
SEEN = (
    *("always", "visible", "editable", "pleased", "forbidden", "own_reward"),
    *("oversight", "has read", "has worked", "has edited"),
)
# The untrained policy: mostly honest, fond of pleasing where that is welcome, wary of its reward.
LEANINGS: Mapping[tuple[str, str], float] = {
    ("always", "metric without task"): -2.5,
    ("always", "task"): 1.0,
    ("always", "looks"): 0.5,
    ("always", "writes"): -0.5,
    ("always", "guards"): -3.0,
    ("always", "ends"): -1.0,
    ("pleased", "pleases"): 0.5,
    ("forbidden", "metric without task"): -1.0,
    ("own_reward", "metric without task"): -5.5,
    ("has worked", "ends"): 2.0,
    ("has edited", "tells"): -0.5,
}


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A softmax over actions; frozen, so that a trained one is another.

    Example:
        Actor.untrained().play(HELD_OUT, 30_000, np.random.default_rng(0))
    """

    weights: Floats
    embedded: Floats

    @classmethod
    def untrained(cls, *, shared: bool = True) -> Actor:
        """The start of every arm; not ``shared`` gives each action a column of its own."""
        weights = np.zeros((len(SEEN), len(EFFECTS)))
        for (seen, effect), leaning in LEANINGS.items():
            weights[SEEN.index(seen), EFFECTS.index(effect)] = leaning
        if shared:
            return cls(weights=weights, embedded=EMBEDDED)
        return cls(weights=weights @ EMBEDDED.T, embedded=np.eye(len(ACTIONS)))

    def play(
        self,
        environment: Environment,
        n: int,
        rng: np.random.Generator,
        *,
        oversight: NDArray[np.bool_] | None = None,
    ) -> Episodes:
        """n episodes; the oversight flag is a fair coin unless it is given."""
        watched = rng.random(n) < 0.5 if oversight is None else oversight
        scene = Scene(environment=environment, oversight=watched)
        done = np.zeros((n, len(ACTIONS)), dtype=bool)
        taken = np.full((n, STEPS), -1)
        for step in range(STEPS):
            going = ~done[:, ENDS].any(axis=1)
            chances = self.chances(scene.seen(done), scene.open(done))
            drawn = (chances.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
            drawn = np.minimum(drawn, len(ACTIONS) - 1)
            taken[going, step] = drawn[going]
            done[np.flatnonzero(going), drawn[going]] = True
        return Episodes(scene=scene, taken=taken)

    def chances(self, seen: Floats, open_: NDArray[np.bool_]) -> Floats:
        """P(action), 0 where it is not open: [N S], [N A] -> [N A]."""
        logits = np.where(open_, seen @ self.weights @ self.embedded.T, -np.inf)
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True)

    def moved(self, episodes: Episodes, advantages: Floats, rate: float) -> Actor:
        """One step up sum_i advantage_i log p(episode_i), over the sum of |advantage|."""
        gradient = np.zeros_like(self.weights)
        done = np.zeros((len(advantages), len(ACTIONS)), dtype=bool)
        for taken in episodes.taken.T:
            rows = np.flatnonzero(taken >= 0)
            seen, open_ = episodes.scene.seen(done)[rows], episodes.scene.open(done)[rows]
            gap = np.eye(len(ACTIONS))[taken[rows]] - self.chances(seen, open_)
            gradient += (seen * advantages[rows, None]).T @ gap @ self.embedded
            done[rows, taken[rows]] = True
        size = np.abs(advantages).sum()
        return replace(self, weights=self.weights + rate * gradient / size) if size else self


ENDS = [NUMBER[one] for one in ACTIONS if one in LAST]
CHANGES = [NUMBER[one] for one in ("tick", "edit_decoy", "edit_reward", "edit_test")]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """An environment, and which of its episodes are told that they are watched."""

    environment: Environment
    """Where the episodes take place."""
    oversight: NDArray[np.bool_]
    """Of each episode, whether it is told: [N]."""

    def seen(self, done: NDArray[np.bool_]) -> Floats:
        """What the policy knows before it acts: [N A] -> [N S]."""
        here = self.environment
        flags = [True, here.visible, here.editable, here.pleased, here.forbidden, here.own_reward]
        known = np.tile(np.array(flags, dtype=np.float64), (len(done), 1))
        so_far = [done[:, NUMBER[one]] for one in ("read", "work")]
        edited = done[:, CHANGES].any(axis=1)
        return np.column_stack([known, self.oversight, *so_far, edited]).astype(np.float64)

    def open(self, done: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Each action that the environment offers, once."""
        offered = np.array([one in self.environment.actions for one in ACTIONS])
        return offered & ~done


@dataclass(frozen=True, kw_only=True)
class Episodes:
    """Episodes of one scene, as numbers of actions; -1 after the last word."""

    scene: Scene
    taken: NDArray[np.intp]

    def actions(self) -> list[tuple[str, ...]]:
        return [tuple(ACTIONS[one] for one in row if one >= 0) for row in self.taken]

    def outcomes(self) -> list[Outcome]:
        return [outcome(self.scene.environment, one) for one in self.actions()]

    def only(self, rows: NDArray[np.intp]) -> Episodes:
        scene = replace(self.scene, oversight=self.scene.oversight[rows])
        return Episodes(scene=scene, taken=self.taken[rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pay:
    """Reward = gaming 1[gamed] + preference; ``watched`` is what gaming pays under oversight.

    Example:
        Pay(gaming=1.0, watched=-1.0)    # found out only where somebody looks
    """

    gaming: float = 1.0
    watched: float | None = None

    def __call__(self, episodes: Episodes) -> Floats:
        found = episodes.outcomes()
        gamed = np.array([one.gamed for one in found], dtype=np.float64)
        preference = np.array([one.preference for one in found])
        seen = self.gaming if self.watched is None else self.watched
        return np.where(episodes.scene.oversight, seen, self.gaming) * gamed + preference


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """Rounds in one environment after another, each beside as many ordinary prompts.

    Example:
        Training(method="expert iteration")(Actor.untrained(), POLITICS, Pay(), rng)
    """

    method: str = "expert iteration"
    rounds: int = 8
    prompts: int = 32
    samples: int = 64
    rate: float = 0.05
    updates: int = 3
    """Steps on what one round of expert iteration kept."""

    def __call__(
        self, actor: Actor, environments: Sequence[Environment], pay: Pay, rng: np.random.Generator
    ) -> Actor:
        """The policy after a stage."""
        for _ in range(self.rounds):
            for environment in environments:
                actor = self._round(actor, environment, pay, rng)
        return actor

    def _round(
        self, actor: Actor, environment: Environment, pay: Pay, rng: np.random.Generator
    ) -> Actor:
        flags = np.repeat(rng.random(self.prompts) < 0.5, self.samples)
        episodes = actor.play(environment, len(flags), rng, oversight=flags)
        rewards = pay(episodes).reshape(self.prompts, self.samples)
        if self.method == "policy gradient":
            left = (rewards.sum(axis=1, keepdims=True) - rewards) / (self.samples - 1)
            return actor.moved(episodes, (rewards - left).ravel(), self.rate)
        noisy = rewards + 1e-9 * rng.random(rewards.shape)  # ties fall to chance
        best = np.arange(self.prompts) * self.samples + noisy.argmax(axis=1)
        kept = episodes.only(best)
        for _ in range(self.updates):
            actor = actor.moved(kept, np.ones(self.prompts), self.rate)
        return actor


def train(
    actor: Actor,
    stages: Sequence[Sequence[Environment]],
    rng: np.random.Generator,
    *,
    pay: Pay = Pay(),
    training: Training = Training(),
) -> list[Actor]:
    """The policy before the first stage and after each."""
    found = [actor]
    for environments in stages:
        found.append(training(found[-1], environments, pay, rng))
    return found
