"""Tests that need the sandbox's walls: skipped, with what is missing, where they do not stand."""

import pytest

from solon.errors import SettingError
from solon.researchers.sandbox import Sandbox


def works() -> str:
    """Why bubblewrap does not work here; empty where it does."""
    try:
        Sandbox(kind="bubblewrap").probe()
    except SettingError as error:
        return str(error)
    return ""


walled = pytest.mark.skipif(bool(works()), reason=works() or "bubblewrap works")
