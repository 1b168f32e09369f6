"""Weights that no longer change: an anchor whose log-probabilities are paid for once."""

from __future__ import annotations

import hashlib
import struct
from array import array
from collections import OrderedDict
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from solon.engines.local.choosing import choose
from solon.engines.local.layout import Row
from solon.engines.local.voice import Logps, Voice
from solon.records import Abstains, Completion, Group, Prompt

# Token log-probabilities remembered by one anchor: 32 MiB of float32.
REMEMBERED = 8 << 20


@dataclass(slots=True, kw_only=True)
class FrozenPolicy:
    """A policy as it was. Satisfies Frozen and Chooser.

    With LoRA the model is shared with the policy that learns: ``adapter`` is what it wore then, and
    None is the start, without any adapter. ``shared`` tells the two apart.
    """

    id: str
    voice: Voice
    shared: bool = False
    adapter: Mapping[str, Tensor] | None = None
    _known: OrderedDict[bytes, Logps] = field(default_factory=OrderedDict[bytes, Logps])
    _held: int = 0

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        with self.worn():
            return self.voice.sample(prompts, n, self.id)

    def lengths(self, completions: Sequence[Completion], /) -> list[int]:
        """Tokens of each completion, EOS included."""
        return [len(row.completion) for row in self.voice.rows(completions)]

    def logp(self, completions: Sequence[Completion], /) -> list[float]:
        """Summed log-probabilities in nats, at temperature 1."""
        rows = self.voice.rows(completions)
        return [float(x.sum(dtype="float64")) for x in self.token_logps(rows, 1.0)]

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[str], *, cue: str = ""
    ) -> list[tuple[float, ...] | Abstains]:
        with self.worn():
            return choose(self.voice, prompts, choices, cue)

    def save(self, folder: Path, /) -> None:
        """A folder that transformers' AutoModelForCausalLM loads, adapters folded in."""
        with self.worn():
            self.voice.save(folder, self.id)

    def token_logps(self, rows: Sequence[Row], temperature: float) -> list[Logps]:
        """As Voice.token_logps, but each row is computed once and remembered."""
        keys = [_key(row, temperature) for row in rows]
        new = {k: row for k, row in zip(keys, rows, strict=True) if k not in self._known}
        with self.worn():
            fresh = self.voice.token_logps(list(new.values()), temperature) if new else []
        computed = dict(zip(new, fresh, strict=True))
        found = [computed[k] if k in computed else self._known[k] for k in keys]
        for k, logps in computed.items():
            self._remember(k, logps)
        return found

    def _remember(self, k: bytes, logps: Logps) -> None:
        self._known[k] = logps
        self._held += len(logps)
        while self._held > REMEMBERED:
            self._held -= len(self._known.popitem(last=False)[1])

    @contextmanager
    def worn(self) -> Generator[None]:
        """The decoder as this policy, for a while."""
        if not self.shared:
            yield
            return
        with self.voice.decoder.wearing(self.adapter):
            yield


def _key(row: Row, temperature: float) -> bytes:
    """What the row's log-probabilities depend on, given the weights; the ids themselves would take
    ten times the room of what is remembered.
    """
    ids = array("q", (len(row.prompt), *row.prompt, *row.completion)).tobytes()
    return hashlib.blake2b(ids + struct.pack("d", temperature), digest_size=16).digest()
