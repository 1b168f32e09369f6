"""The key, which goes from the environment into the request and nowhere else."""

from __future__ import annotations

import os

from solon.errors import SettingError


def secret(env: str, *, needed: bool) -> str:
    """The key in that environment variable; "" where there is none and none is needed."""
    key = os.environ.get(env, "").strip()
    if not key and needed:
        raise SettingError(
            f"no key: set the environment variable {env}, or name another as key_env"
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise SettingError(f"the environment variable {env} holds no key: expected printable ASCII")
    return key
