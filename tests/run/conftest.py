"""A PostgreSQL server for the tests of this folder that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.run.postgres import NoServer, Postgres, serving_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    try:
        with serving_postgres() as server:
            yield server
    except NoServer as error:
        pytest.skip(str(error))
