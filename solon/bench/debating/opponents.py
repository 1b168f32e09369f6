"""A second model for one seat: the first one's settings, until its own are set."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace

from solon.seams.feedback import Policy, Spec


def renamed(model: Spec[Policy], name: str) -> Spec[Policy]:
    """The same model under that name in records and ledger, where it can have one."""
    if not is_dataclass(model) or isinstance(model, type):
        return model
    named = any(field.name == "name" for field in fields(model))
    return replace(model, name=name) if named else model
