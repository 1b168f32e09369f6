"""A PostgreSQL server of the tests' own: a folder, a socket in it, nothing that outlives them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg

PASSWORD = "correct horse@battery"  # the @ has to be written as %40 in a URL
SETTINGS = "-c listen_addresses= -c max_connections=40"
QUICK = " -c fsync=off -c full_page_writes=off"  # what a power cut would take, nothing else


class NoServer(Exception):
    """There is no PostgreSQL here, and why."""


@dataclass
class Postgres:
    folder: Path
    programs: Path
    numbers: Iterator[int]
    settings: str

    def start(self) -> None:
        options = f"{self.settings} -c unix_socket_directories={self.folder}"
        self.run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        """``fast`` ends each connection with a word, ``immediate`` as a crash would."""
        self.run("pg_ctl", "-w", "-m", how, "stop")

    def database(self) -> str:
        """The URL of a new and empty database."""
        name = f"replies{next(self.numbers)}"
        self.execute(f"create database {name}")
        return self.url(name)

    def url(self, database: str) -> str:
        password = PASSWORD.replace("@", "%40").replace(" ", "%20")
        return f"postgresql+psycopg://solon:{password}@/{database}?host={self.folder}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """As a person at the server would, beside the code under test."""
        with psycopg.connect(
            host=str(self.folder),
            user="solon",
            password=PASSWORD,
            dbname=database,
            autocommit=True,
        ) as connection:
            rows = connection.execute(statement.encode())
            return rows.fetchall() if rows.description else []

    def run(self, program: str, *arguments: str) -> None:
        as_owner(self.folder, self.programs / program, "-D", str(self.folder / "data"), *arguments)


@contextmanager
def serving_postgres(*, settings: str = SETTINGS + QUICK) -> Iterator[Postgres]:
    """A running server. Raises NoServer where none is installed, or no user may run it."""
    programs = installed()
    with tempfile.TemporaryDirectory(prefix="solon-pg-") as name:
        folder = Path(name)
        (folder / "password").write_text(PASSWORD)
        if owner():
            for path in (folder, folder / "password"):
                shutil.chown(path, owner(), owner_group())
        server = Postgres(folder, programs, count(), settings)
        flags = ("-U", "solon", "-A", "scram-sha-256", "--no-sync", "-E", "UTF8", "--locale=C")
        server.run("initdb", *flags, f"--pwfile={folder / 'password'}")
        server.start()
        try:
            yield server
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                server.stop("immediate")


def installed() -> Path:
    """The folder of initdb and pg_ctl: on the path, else where Debian puts the newest."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise NoServer("no PostgreSQL server: initdb is neither on the path nor in /usr/lib/postgresql")


def owner() -> str:
    """Who runs the server: PostgreSQL refuses root. Empty: we ourselves."""
    return "nobody" if os.geteuid() == 0 else ""


def owner_group() -> str:
    import grp
    import pwd

    return grp.getgrgid(pwd.getpwnam(owner()).pw_gid).gr_name


def as_owner(folder: Path, *command: str | Path) -> None:
    who = {"user": owner(), "group": owner_group(), "extra_groups": []} if owner() else {}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        **who,
    )
    assert done.returncode == 0, done.stderr
