"""Gates in a few words, as records and pages name them, and back.

The names: all, any, mean, at least 3, circuit 0110.
"""

from __future__ import annotations

from solon.errors import InputError
from solon.oversight.gates import And, Circuit, Gate, Mean, Or, Threshold

PLAIN: dict[str, Gate] = {"all": And(), "any": Or(), "mean": Mean()}
THRESHOLD, CIRCUIT = "at least ", "circuit "


def spelt(gate: Gate) -> str:
    """The gate in words; InputError for one of none of our kinds, which no record could bring back.

    Example:
        spelt(Threshold(3))     # "at least 3"
    """
    if isinstance(gate, Threshold):
        return f"{THRESHOLD}{gate.k}"
    if isinstance(gate, Circuit):
        return CIRCUIT + "".join("01"[bit] for bit in gate.table)
    for name, known in PLAIN.items():
        if gate == known:
            return name
    raise InputError(f"gate: expected one that has a name, got {gate}")


def gate_of(name: str) -> Gate:
    """The gate of that name."""
    rest = name.removeprefix(THRESHOLD)
    if rest != name and rest.isdigit():
        return Threshold(int(rest))
    table = name.removeprefix(CIRCUIT)
    if table != name and set(table) <= {"0", "1"}:
        return Circuit(tuple(bit == "1" for bit in table))
    if name not in PLAIN:
        raise InputError(f"gate: expected the name of one, got {name!r}")
    return PLAIN[name]
