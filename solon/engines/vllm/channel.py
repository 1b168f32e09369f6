"""One vLLM and whose weights it has: pushed before they are sampled, compared after each push."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace

import numpy as np

from solon.engines.local.voice import Voice
from solon.engines.vllm.request import Asker, Sampler
from solon.errors import SolonError
from solon.records import Completion, Group, Prompt, flat
from solon.run.ahead import begin

# Completions that are scored by the learner too after each push: a forward pass of a few rows.
CHECKED = 8
BEGINNING = 16  # tokens of these, where they are drawn for nothing else


@dataclass(slots=True, kw_only=True)
class Channel:
    """A sampler that a learner and the weights frozen from it share, one at a time."""

    sampler: Sampler
    tolerance: float
    _pushed: str = ""
    _checked: bool = True
    _metrics: dict[str, float] = field(default_factory=dict[str, float])
    _turn: threading.RLock = field(default_factory=threading.RLock)
    _under_way: list[Future[list[Group]]] = field(default_factory=list[Future[list[Group]]])

    def sample(self, voice: Voice, policy: str, prompts: Sequence[Prompt], n: int) -> list[Group]:
        """n completions of each prompt by the voice's weights, which ``policy`` is the id of."""
        asker = Asker(words=voice.words, manner=voice.manner, seed_for=voice.seed_for)
        requests = asker.requests(prompts, n, policy)
        with self._turn:
            self._push(voice, policy)
            drawn = voice.ranks.agreed(lambda: self.sampler.draw(requests))
            groups = asker.groups(prompts, n, policy, drawn)
            if not self._checked:
                self._check(voice, policy, flat(groups))
        return groups

    def begin_sample(
        self, voice: Voice, policy: str, prompts: Sequence[Prompt], n: int
    ) -> Future[list[Group]]:
        """The same, drawn while the weights change here; the next push waits for it.

        After a push a few beginnings are drawn and compared first, since later the learner may
        hold other weights.
        """
        asker = Asker(words=voice.words, manner=voice.manner, seed_for=voice.seed_for)
        requests = asker.requests(prompts, n, policy)
        with self._turn:
            self._push(voice, policy)
            if not self._checked:
                some = range(0, len(requests), max(1, len(requests) // CHECKED))[:CHECKED]
                asked = [replace(requests[i], most=min(requests[i].most, BEGINNING)) for i in some]
                groups = asker.groups(
                    [prompts[i // n] for i in some], 1, policy, self.sampler.draw(asked)
                )
                self._check(voice, policy, flat(groups))
            work = begin(
                lambda: asker.groups(prompts, n, policy, self.sampler.draw(requests)), name="vllm"
            )
            self._under_way.append(work)
        return work

    def forget(self) -> None:
        """The next sample pushes, whatever is there: an id may have come to mean other weights."""
        self._pushed = ""

    def told(self) -> dict[str, float]:
        """Metrics of the pushes since this was last asked."""
        told, self._metrics = self._metrics, {}
        return told

    def _push(self, voice: Voice, policy: str) -> None:
        held = voice.ranks.agreed(lambda: self.sampler.holds(policy))
        if held and self._pushed == policy:
            return
        wait(self._under_way)
        self._under_way.clear()
        self.sampler.load(voice, policy)
        self._pushed, self._checked = policy, False

    def _check(self, voice: Voice, policy: str, completions: Sequence[Completion]) -> None:
        """Compares vLLM's log-probabilities with the learner's on a few completions.

        Raises SolonError where they differ by more than ``tolerance``: a push that went wrong.
        """
        some = completions[:: max(1, len(completions) // CHECKED)][:CHECKED]
        if not some:
            return
        own = voice.token_logps(voice.rows(some), voice.manner.scale)
        told = [np.asarray(one.logps, dtype=np.float32) for one in some]
        gaps = np.concatenate([abs(a - b) for a, b in zip(own, told, strict=True)])
        mismatch = float(gaps.mean())
        if not mismatch <= self.tolerance:  # also where it is not a number
            raise SolonError(
                f"vllm: expected log-probabilities within {self.tolerance:g} nats a token of the "
                f"learner's after the push of {policy}, got {mismatch:.3g}: look at its dtype and "
                "settings, or raise tolerance"
            )
        self._checked, self._metrics = True, {"mismatch": mismatch}
