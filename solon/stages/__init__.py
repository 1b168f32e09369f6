"""The movements that recipes are made of: imitate, label, fit a reward, climb it.

Each is a frozen dataclass whose fields are its settings and whose call does the work inside a run,
continued from its last checkpoint. A recipe holds them as fields, so ``climb.adam.lr=1e-4`` sets a
leaf of any recipe that climbs.
"""
