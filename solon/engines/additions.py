"""What a user adds to an engine's own arguments, as a JSON object."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

import orjson

from solon.errors import SettingError


def additions(extra: str, *, ours: AbstractSet[str]) -> dict[str, Any]:
    """The object that ``extra`` spells. Raises SettingError for an argument that is ours."""
    try:
        fields = orjson.loads(extra or "{}")
    except ValueError as error:
        raise SettingError(f"extra: expected a JSON object, got {extra!r} ({error})") from error
    if not isinstance(fields, dict) or ours & set(fields):
        raise SettingError(f"extra: expected an object without {', '.join(sorted(ours))}")
    return fields
