"""What a model may do: read, write, run, submit, forum. Its words are hostile until checked.

A call gives text, whatever was asked: the result, or in one line what was expected and what came.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, cast

import solon
from solon.errors import DataError, InputError, SettingError
from solon.researchers.calls import LARGEST, LONGEST, TOOLS, checked, defined, named
from solon.researchers.forum import Forum, Post, PostKind
from solon.researchers.method import Method
from solon.researchers.rules import Client
from solon.researchers.sandbox import Ran, Sandbox, read_bytes, read_text
from solon.researchers.trace import Trace
from solon.researchers.workspace import FOLDER, Room, clear
from solon.text.hostile import Markup, neutralise

NOTES = "notes.md"
SHOWN, EXCERPT = 12, 1200


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """One agent's tools over its folder.

    Example:
        Tools(agent="ada", workspace=folder, problem=posed, client=client, forum=forum,
              trace=trace).call("read", '{"path": "notes.md"}')
    """

    agent: str
    """Its name at the scorer, on the forum and in the trace."""
    workspace: Path
    """Its folder, which sandboxed code writes to."""
    problem: Path
    """The folder of the problem without labels, shown at /problem."""
    client: Client = field(repr=False)
    """Scores methods."""
    forum: Forum
    """Where posts are."""
    trace: Trace
    """Where each call is written before it is made, and again with its result."""
    sandbox: Sandbox = field(default_factory=Sandbox)
    """Where commands run: behind walls, as nobody reads a command before it runs."""

    def __post_init__(self) -> None:
        if self.sandbox.kind == "process":
            raise SettingError("sandbox.kind: expected auto or bubblewrap for a model, got process")
        for name, folder in (("workspace", self.workspace), ("problem", self.problem)):
            if not folder.is_dir() or folder.is_symlink():
                raise SettingError(f"{name}: expected a folder, got {folder}")
        for kept in (self.trace.path, self.forum.folder, self.problem):
            if kept.resolve().is_relative_to(self.workspace.resolve()):
                raise SettingError(f"workspace: expected no {kept.name} within it, got {kept}")

    @property
    def definitions(self) -> list[dict[str, Any]]:
        """The tools in the format of OpenAI's chat."""
        return [defined(name, says, takes) for name, (says, takes) in TOOLS.items()]

    def call(self, name: str, arguments: str) -> str:
        """The result, neutralised and of bounded length; DataError where the trace is broken."""
        tool = name if name in TOOLS else "unknown"  # or a call could pass for another kind of row
        self.trace.append(self.agent, tool, {"name": name, "arguments": arguments})
        told: dict[str, object] = {}
        try:
            result = self._made(name, arguments, told)
        except Exception as error:  # noqa: BLE001 - a fault of ours is no end of the agent
            result = _line(f"{tool}: {error}")
            if isinstance(error, SettingError) or not isinstance(error, InputError):
                told["fault"] = f"{type(error).__name__}: {error}"
                result = f"{tool}: failed for a fault that is not yours; the trace has it"
        safe = result if isinstance(result, Markup) else neutralise(clip(result))
        safe = clip(safe, 2 * LONGEST)  # a character that is not seen becomes eight
        self.trace.append(self.agent, tool, {"result": safe, **told})
        return safe

    def notes(self) -> str:
        """What the agent kept for itself; why it cannot be read, where it cannot."""
        if not os.path.lexists(self.workspace / NOTES):
            return ""
        try:
            return clip(read_text(self.workspace, NOTES, most=LARGEST))
        except (InputError, OSError) as error:
            return f"({_line(str(error))})"

    def _made(self, name: str, arguments: str, told: dict[str, object]) -> str:
        if name not in TOOLS:
            raise InputError(f"expected a tool of {', '.join(TOOLS)}, got another")
        asked = checked(arguments, TOOLS[name][1])
        if name == "read":
            return read_text(self.workspace, named(asked["path"]), most=LARGEST)
        if name == "write":
            return self._write(named(asked["path"]), asked["text"])
        if name == "run":
            return self._run(asked["command"], told)
        if name == "submit":
            return self._submit(named(asked["path"]), told)
        return self._read_posts(asked) if asked["do"] == "read" else self._post(asked)

    def _write(self, name: str, text: str) -> str:
        content = text.encode()
        if len(content) > LARGEST:
            raise InputError(f"expected text of at most {LARGEST} bytes, got {len(content)}")
        if self._full():
            raise InputError("expected room in your folder, got none: remove files with run")
        try:
            write_bytes(self.workspace, name, content)
        except OSError as error:
            raise InputError(
                f"{name}: expected a place to write to, got {error.strerror}"
            ) from None
        return f"{name}: {len(content)} bytes written"

    def _run(self, command: str, told: dict[str, object]) -> str:
        if "\0" in command:
            raise InputError("expected a command without a zero byte, got one")
        package = Path(solon.__path__[0])
        try:
            ran = self.sandbox.run(
                ("/usr/bin/env", "PYTHONPATH=/package", "/bin/sh", "-c", command),
                workspace=self.workspace,
                read_only=[(package, "/package/solon"), (self.problem, "/problem")],
            )
        except DataError:  # no later run would get past it
            self._clear()
            came = f"one too deep; all but {NOTES} was removed"
            raise InputError(f"expected a folder that can be walked, got {came}") from None
        finally:
            self.workspace.chmod(0o700)  # what ran may have shut it to itself
        told |= {"rc": ran.rc, "why": ran.why, "seconds": round(ran.seconds, 3)}
        said = _said(ran)
        if self._full():  # every later run would be stopped at once
            self._clear()
            said += f"\nyour folder held more than it may: all but {NOTES} was removed"
        return said

    def _submit(self, name: str, told: dict[str, object]) -> str:
        method = self._method(name)
        told["digest"] = method.digest
        reply = self.client.score(self.agent, method.source)
        told |= {"scored": not reply.reason.startswith("budget:"), "pgr": reply.pgr}
        best = "no PGR told yet" if reply.pgr is None else f"your best PGR is {reply.pgr:g}"
        raised = "this submission raised it" if reply.improved else "this submission did not"
        return f"{best}; {raised}" + (f" ({_line(reply.reason)})" if reply.reason else "")

    def _post(self, asked: Mapping[str, str]) -> str:
        for need in ("kind", "title", "text"):
            if not asked.get(need, "").strip():
                raise InputError(f"expected {need} of a post, got none")
        if asked["kind"] == "result" and "path" not in asked:
            raise InputError("expected the path of the method that a result is about, got none")
        digest = self._method(named(asked["path"])).digest if "path" in asked else ""
        kind, title = cast("PostKind", asked["kind"]), asked["title"]
        post = Post(agent=self.agent, kind=kind, title=title, text=asked["text"], digest=digest)
        self.forum.share(post, scored=set(self._scored()))
        return f"posted as {post.name}"

    def _read_posts(self, asked: Mapping[str, str]) -> str:
        posts, refused = self.forum.posts()
        if name := asked.get("name"):
            found = next((one for one in posts if one.name == name), None)
            if found is None:
                raise InputError("expected the name of a post, got another")
            return _shown(found, most=LONGEST)
        newest = sorted(posts, key=lambda one: (self._age(one), one.name))[:SHOWN]
        told = f"{len(posts)} posts, the newest first; {len(refused)} files that are none"
        return Markup("\n".join([told, *(_shown(one, most=EXCERPT) for one in newest)]))

    def _age(self, post: Post) -> float:
        try:
            return -(self.forum.folder / post.name).stat().st_mtime
        except OSError:
            return 0.0

    def _method(self, name: str) -> Method:
        return Method.of(read_text(self.workspace, name, most=LARGEST))

    def _scored(self) -> Iterator[str]:
        """The digests that this agent had scored, by the trace, which it cannot write."""
        with self.trace.path.open("rb") as file:
            for line in file:
                if b'"submit"' not in line or not line.endswith(b"\n"):
                    continue
                row = json.loads(line)
                own = row["agent"] == self.agent and row["tool"] == "submit"
                if own and row["detail"].get("scored"):
                    yield row["detail"]["digest"]

    def _full(self) -> bool:
        limits = self.sandbox.limits
        room = Room.of(self.workspace, mb=limits.workspace_mb, files=limits.workspace_files)
        return room.passed()

    def _clear(self) -> None:
        """Removes all but the notes, and these too where they are no plain file."""
        try:
            kept = read_bytes(self.workspace, NOTES, most=LARGEST)
        except (DataError, OSError):
            kept = b""
        clear(self.workspace)
        if kept:
            write_bytes(self.workspace, NOTES, kept)


def write_bytes(workspace: Path, name: str, content: bytes) -> None:
    """The file, whole or not at all; no step of its path is a link, and none is followed."""
    *folders, last = PurePosixPath(name).parts
    at = os.open(workspace, FOLDER)
    try:
        for part in folders:
            at = _enter(at, part)
        partial = f".{os.urandom(8).hex()}.partial"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        try:
            with os.fdopen(os.open(partial, flags, 0o644, dir_fd=at), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, last, src_dir_fd=at, dst_dir_fd=at)
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(partial, dir_fd=at)
            raise
    finally:
        os.close(at)


def _enter(at: int, part: str) -> int:
    """The folder below, made where there is none; closes the one it is in."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(part, 0o755, dir_fd=at)
    below = os.open(part, FOLDER, dir_fd=at)
    os.close(at)
    return below


def clip(text: str, most: int = LONGEST) -> str:
    """The text's beginning and end, and how much lies between; Markup stays Markup."""
    if len(text) <= most:
        return text
    half = most // 2
    shown = f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"
    return Markup(shown) if isinstance(text, Markup) else shown


def _said(ran: Ran) -> str:
    """How a command ended, then what it wrote."""
    ended = f"stopped: it passed its {ran.why}" if ran.why else f"exit {ran.rc}"
    parts = [f"{ended} after {ran.seconds:.1f} s"]
    for name, written in (("stdout", ran.stdout), ("stderr", ran.stderr)):
        if written:
            parts.append(f"{name}:\n{clip(written.decode(errors='replace'), LONGEST // 2 - 100)}")
    return "\n".join(parts)


def _shown(post: Post, *, most: int) -> Markup:
    tags = frozenset({"post"})
    title, text = (neutralise(one, tags) for one in (_line(post.title), clip(post.text, most)))
    about = f' method="{post.digest[:12]}"' if post.digest else ""
    head = f'<post name="{post.name}" agent="{post.agent}" kind="{post.kind}"{about}>'
    return Markup(f"{head}\n{title}\n\n{text}\n</post>")


def _line(text: str) -> str:
    return " ".join(text.split())[:400]
