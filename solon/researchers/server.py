"""The scorer as a process of its own, which alone reads the labels; agents talk to its socket.

One JSON object a line, one answer a line:

    {"do": "score", "agent": "ada", "token": "...", "code": "def method(problem): ..."}
    {"pgr": 0.35, "improved": true, "reason": ""}

FINAL is not among what a line may ask.
"""

from __future__ import annotations

import fcntl
import hmac
import os
import socket
import socketserver
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import orjson

from solon.errors import EndpointError, InputError, SettingError
from solon.researchers.forum import Standing, leaderboard
from solon.researchers.office import Office
from solon.researchers.rules import Reply
from solon.researchers.scorer import Scorer

LONGEST = 1 << 20
PATIENCE = 30.0
UNTIL_EOF = "--until-eof"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Answers one line with one line, whatever the line is.

    Example:
        Desk(scorer=scorer, tokens={"ada": token}, lock=Lock()).answer(b"{}")
    """

    scorer: Scorer
    tokens: Mapping[str, str]
    lock: Lock

    def answer(self, line: bytes) -> bytes:
        try:
            return orjson.dumps(self._answer(line)) + b"\n"
        except Exception as error:  # noqa: BLE001 - one request must not end the others
            said = " ".join(str(error).split())
            if isinstance(error, SettingError) or not isinstance(error, InputError):
                said = f"scorer: {type(error).__name__} within; the operator's trace has it"
                self.scorer.trace.append("operator", "fault", {"error": repr(error)})
        return orjson.dumps({"error": said}) + b"\n"

    def _answer(self, line: bytes) -> Any:
        asked = _request(line)
        agent, token = asked["agent"], asked["token"]
        known = self.tokens.get(agent, "")
        if not known or not hmac.compare_digest(known.encode(), token.encode()):
            raise InputError("token: expected that of the agent, got another")
        with self.lock:
            if asked["do"] == "leaderboard":
                return [asdict(one) for one in leaderboard(self.scorer.ledger.records)]
            ask = self.scorer.score if asked["do"] == "score" else self.scorer.gate
            return asdict(ask(agent, asked["code"]))


def _request(line: bytes) -> dict[str, str]:
    try:
        asked: object = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise InputError("request: expected one JSON object a line, got other bytes") from None
    if not isinstance(asked, dict) or set(asked) != {"do", "agent", "token", "code"}:
        raise InputError("request: expected do, agent, token and code, got other fields")
    if not all(isinstance(value, str) for value in asked.values()):
        raise InputError("request: expected text in every field, got other values")
    if asked["do"] not in ("score", "gate", "leaderboard"):
        raise InputError("request: expected do as score, gate or leaderboard, got another")
    return asked


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: Path, desk: Desk) -> None:
        self.desk = desk
        super().__init__(str(path), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left, or fell silent, is no error of the server's."""


class _Handler(socketserver.StreamRequestHandler):
    timeout = PATIENCE

    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        while line := self.rfile.readline(LONGEST):
            if not line.endswith(b"\n"):
                self.wfile.write(
                    orjson.dumps({"error": "request: expected a shorter line"}) + b"\n"
                )
                return
            self.wfile.write(self.server.desk.answer(line))


def serve(folder: Path, path: Path) -> None:
    """Answers on the socket until it is ended; one process at a time serves a folder."""
    office = Office(folder=folder)
    lock = (folder / ".lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    desk = Desk(scorer=office.open(), tokens=office.settings()["tokens"], lock=Lock())
    with _Server(path, desk) as server:
        # whoever can reach the socket may ask; the token says who is asking
        path.chmod(0o666)
        server.serve_forever()


@contextmanager
def serving(folder: Path, path: Path, *, wait: float = 60.0) -> Generator[None]:
    """Runs the scorer as a process of its own for as long as this lasts, and this process does."""
    module = "solon.researchers.server"
    command = (sys.executable, "-m", module, str(folder), str(path), UNTIL_EOF)
    log = folder / "errors.txt"
    path.unlink(missing_ok=True)  # of a scorer whose user was killed
    with (
        log.open("wb") as said,
        # an interrupt from the keyboard is for who waits, and reaches the scorer as its end
        subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stderr=said, start_new_session=True
        ) as process,
    ):
        try:
            until = time.monotonic() + wait
            while not path.exists():
                if process.poll() is not None or time.monotonic() > until:
                    lines = log.read_text(errors="replace").split("\n")
                    came = next((line for line in reversed(lines) if line), "silence")
                    raise EndpointError(f"scorer: expected a socket, got {came}")
                time.sleep(0.02)
            yield
        finally:
            process.terminate()
            process.wait()
            path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerClient:
    """The scorer from an agent's side: score, gate and the leaderboard, and nothing else.

    Example:
        ScorerClient(path=Path("scorer.sock"), token=tokens["ada"]).score("ada", code)
    """

    path: Path
    token: str
    seconds: float = 3600.0

    def score(self, agent: str, code: object) -> Reply:
        return Reply(**self._ask("score", agent, code))

    def gate(self, agent: str, code: object) -> Reply:
        return Reply(**self._ask("gate", agent, code))

    def leaderboard(self, agent: str) -> list[Standing]:
        return [Standing(**one) for one in self._ask("leaderboard", agent, "")]

    def _ask(self, do: str, agent: str, code: object) -> Any:
        asked = {"do": do, "agent": agent, "token": self.token, "code": code}
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(self.seconds)
                line.connect(str(self.path))
                line.sendall(orjson.dumps(asked) + b"\n")
                answer = line.makefile("rb").readline()
        except OSError as error:
            raise EndpointError(f"scorer: expected an answer, got {error}") from None
        if not answer:
            raise EndpointError("scorer: expected an answer, got none")
        read = orjson.loads(answer)
        if isinstance(read, dict) and "error" in read:
            raise InputError(read["error"])
        return read


def _end_with_stdin() -> None:
    """Ends as soon as whoever started this has, by a kill too: its records are for who goes on."""
    while os.read(0, 4096):  # sys.stdin would hold a lock that an orderly end waits for
        pass
    os._exit(0)


if __name__ == "__main__":
    if UNTIL_EOF in sys.argv[3:]:
        Thread(target=_end_with_stdin, daemon=True).start()
    serve(Path(sys.argv[1]), Path(sys.argv[2]))
