"""Many sequences as one row of real tokens, with each distinct prompt laid down once.

axes: N tokens laid down, S sequences, T tokens of the longest completion, M scored tokens,
      B rows of one attention group, Q its queries, K its keys
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Ids = tuple[int, ...]
Indices = NDArray[np.int64]

# A group is cut where the next row is this much shorter than its longest, once it holds enough
# tokens to pay for one more call: measured on 16 to 64 rows of 20 to 200 tokens.
SHORTER = 0.75
ENOUGH = 384


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A prompt and a completion in token ids, the prompt never empty.

    Example:
        Row(prompt=(5, 6), completion=(7, 8, 3))
    """

    prompt: Ids
    completion: Ids

    def __len__(self) -> int:
        return len(self.prompt) + len(self.completion)


@dataclass(slots=True, kw_only=True)
class AttentionGroup:
    """Rows of similar length that attend in one call.

    ``queries`` [B Q] and ``keys`` [B K] index the N tokens; query q of row b may see keys
    0..offsets[b] + q. Short rows repeat their last token: as a key it lies in the future of every
    real query, as a query nobody reads it.
    """

    queries: Tensor
    keys: Tensor
    offsets: Tensor
    causal: bool
    lengths: list[int]
    masks: dict[tuple[int, torch.dtype], Tensor] = field(
        default_factory=dict[tuple[int, torch.dtype], Tensor]
    )

    def mask(self, window: int, dtype: torch.dtype) -> Tensor:
        """Additive mask [B 1 Q K]; with a window (> 0) a query sees only that many last keys."""
        known = self.masks.get((window, dtype))
        if known is None:
            device = self.queries.device
            key = torch.arange(self.keys.size(1), device=device)
            query = self.offsets[:, None] + torch.arange(self.queries.size(1), device=device)
            # a query that sees nothing would poison the gradient of every key
            query = query.clamp(max=self.keys.size(1) - 1)
            seen = key <= query[..., None]
            if window:
                seen &= key > query[..., None] - window
            known = torch.zeros(seen.shape, dtype=dtype, device=device)
            known = known.masked_fill_(~seen, float("-inf"))[:, None]
            self.masks[window, dtype] = known
        return known


@dataclass(slots=True, kw_only=True)
class Layout:
    """One forward pass: what to feed, who attends to whom, and where the scored tokens lie.

    ``home`` [N] finds each token among the groups' queries laid end to end. The hidden state at
    ``scored`` [M] predicts ``targets`` [M], which belong to the flat places ``cells`` [M] of the
    [S T] matrix; ``ends`` [S] are the last tokens laid down of each sequence.
    """

    ids: Tensor
    positions: Tensor
    groups: list[AttentionGroup]
    home: Tensor
    scored: Tensor
    targets: Tensor
    cells: Tensor
    ends: Tensor
    shape: tuple[int, int]

    @property
    def tokens(self) -> int:
        return self.ids.numel()

    def matrix(self, values: Tensor) -> Tensor:
        """[M] values as [S T], 0 past the ends."""
        rows, columns = self.shape
        flat = values.new_zeros(rows * columns).index_copy(0, self.cells, values)
        return flat.view(rows, columns)

    def mask(self) -> Tensor:
        """[S T]: 1 on the completions' tokens."""
        return self.matrix(torch.ones(len(self.cells), device=self.cells.device))


def lay_out(
    rows: Sequence[Row], *, device: torch.device, last: bool = False, packed: bool = True
) -> Layout:
    """A layout of the rows; without ``last`` the final token of each completion, which predicts
    nothing that is asked for, is left out. Unpacked: no sharing, and one group for all rows.
    """
    builder = _Builder(last=last)
    shared = Counter(row.prompt for row in rows) if packed else Counter[Ids]()
    for number, row in enumerate(rows):
        builder.add(number, row, share=shared[row.prompt] > 1)
    return builder.layout(rows, device=device, packed=packed)


@dataclass(slots=True)
class _Builder:
    """Collects segments: (key indices, offset of the first query)."""

    last: bool
    ids: list[int] = field(default_factory=list[int])
    positions: list[int] = field(default_factory=list[int])
    stems: dict[Ids, Indices] = field(default_factory=dict[Ids, Indices])
    segments: list[tuple[Indices, int]] = field(default_factory=list[tuple[Indices, int]])
    scored: list[Indices] = field(default_factory=list[Indices])
    targets: list[int] = field(default_factory=list[int])
    ends: list[int] = field(default_factory=list[int])

    def add(self, number: int, row: Row, *, share: bool) -> None:
        kept = row.completion if self.last else row.completion[:-1]
        if share:
            stem = self.stems.get(row.prompt)
            if stem is None:
                stem = self.stems[row.prompt] = self._place(row.prompt, 0)
                self.segments.append((stem, 0))
            whole = np.concatenate([stem, self._place(kept, len(stem))])
            if kept:
                self.segments.append((whole, len(stem)))
        else:
            whole = self._place(row.prompt + kept, 0)
            self.segments.append((whole, 0))
        first = len(row.prompt) - 1
        self.scored.append(whole[first : first + len(row.completion)])
        self.targets.extend(row.completion)
        self.ends.append(int(whole[-1]))
        assert number == len(self.ends) - 1, "rows are added in order"

    def _place(self, ids: Ids, position: int) -> Indices:
        start = len(self.ids)
        self.ids.extend(ids)
        self.positions.extend(range(position, position + len(ids)))
        return np.arange(start, start + len(ids))

    def layout(self, rows: Sequence[Row], *, device: torch.device, packed: bool) -> Layout:
        home = np.zeros(len(self.ids), dtype=np.int64)
        groups: list[AttentionGroup] = []
        begin = 0
        for members in _similar(self.segments) if packed else [self.segments]:
            group = _group(members, home, begin, device)
            begin += group.queries.numel()
            groups.append(group)
        lengths = [len(row.completion) for row in rows]
        longest = max([1, *lengths])
        cells = [np.arange(n) + number * longest for number, n in enumerate(lengths)]

        def tensor(values: object) -> Tensor:
            return torch.as_tensor(np.asarray(values, dtype=np.int64), device=device)

        return Layout(
            ids=tensor(self.ids)[None],
            positions=tensor(self.positions)[None],
            groups=groups,
            home=tensor(home),
            scored=tensor(np.concatenate(self.scored)),
            targets=tensor(self.targets),
            cells=tensor(np.concatenate(cells)),
            ends=tensor(self.ends),
            shape=(len(rows), longest),
        )


def _similar(segments: Sequence[tuple[Indices, int]]) -> list[list[tuple[Indices, int]]]:
    """Segments in groups of similar length; whole rows and continuations of a prompt apart."""
    ordered = sorted(segments, key=lambda segment: (segment[1] > 0, -len(segment[0])))
    groups: list[list[tuple[Indices, int]]] = []
    for _, kind in groupby(ordered, key=lambda segment: segment[1] > 0):
        held, longest = 0, 0
        for segment in kind:
            if not longest or (len(segment[0]) < SHORTER * longest and held > ENOUGH):
                groups.append([])
                held, longest = 0, len(segment[0])
            groups[-1].append(segment)
            held += len(segment[0])
    return groups


def _group(
    members: Sequence[tuple[Indices, int]], home: Indices, begin: int, device: torch.device
) -> AttentionGroup:
    """One attention group; writes where its queries lie into ``home``."""
    longest_key = max(len(keys) for keys, _ in members)
    longest_query = max(len(keys) - offset for keys, offset in members)
    queries = np.empty((len(members), longest_query), dtype=np.int64)
    table = np.empty((len(members), longest_key), dtype=np.int64)
    for row, (keys, offset) in enumerate(members):
        real = len(keys) - offset
        table[row, : len(keys)], table[row, len(keys) :] = keys, keys[-1]
        queries[row, :real], queries[row, real:] = keys[offset:], keys[-1]
        home[keys[offset:]] = begin + row * longest_query + np.arange(real)
    return AttentionGroup(
        queries=torch.as_tensor(queries, device=device),
        keys=torch.as_tensor(table, device=device),
        offsets=torch.as_tensor([offset for _, offset in members], device=device),
        causal=all(offset == 0 for _, offset in members),
        lengths=[len(keys) for keys, _ in members],
    )


def cut(units: Sequence[Sequence[Row]], budget: int) -> list[list[int]]:
    """Units (rows that must stay together) in chunks of at most ``budget`` laid-down tokens.

    The longest come first, so that running out of memory shows at once; siblings stay side by
    side, so that they share their prompt. A unit longer than the budget is a chunk of its own.
    """
    reach: dict[Ids, tuple[int, int]] = {}
    for number, unit in enumerate(units):
        known = reach.get(unit[0].prompt, (0, -number))
        reach[unit[0].prompt] = (max(known[0], *(len(row) for row in unit)), known[1])
    order = sorted(range(len(units)), key=lambda i: reach[units[i][0].prompt], reverse=True)
    chunks: list[list[int]] = []
    held, stems = 0, set[Ids]()
    for number in order:
        cost = _cost(units[number], stems)
        if not chunks or held + cost > budget:
            chunks.append([])
            held, stems = 0, set[Ids]()
            cost = _cost(units[number], stems)
        chunks[-1].append(number)
        stems.update(row.prompt for row in units[number])
        held += cost
    return [sorted(chunk) for chunk in chunks]


def _cost(unit: Sequence[Row], stems: set[Ids]) -> int:
    new = {row.prompt for row in unit} - stems
    return sum(map(len, new)) + sum(len(row.completion) for row in unit)
