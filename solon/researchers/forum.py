"""What agents tell each other: one JSON file a post, copied to every agent's folder.

Posts are text by authors who may be hostile: they are read strictly, and no number in them counts.
Scores come from the scorer's records alone.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal, get_args

import orjson

from solon.errors import DataError, InputError
from solon.researchers.ledger import Record
from solon.researchers.workspace import read_bytes

PostKind = Literal["result", "hypothesis", "insight", "error"]
LONGEST = {"agent": 40, "kind": 16, "title": 200, "text": 20000, "digest": 64}
AGENT = re.compile(r"[a-z0-9][a-z0-9-]*")
DIGEST = re.compile(r"|[0-9a-f]{64}")
LARGEST = 1 << 17


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One thing that an agent found; ``digest`` names the method it is about, where it is.

    Example:
        Post(agent="ada", kind="hypothesis", title="Old labels", text="They may be noisier.")
    """

    agent: str
    kind: PostKind
    title: str
    text: str
    digest: str = ""

    def __post_init__(self) -> None:
        for name, most in LONGEST.items():
            value: object = getattr(self, name)
            if not isinstance(value, str):
                raise InputError(f"post: expected text as {name}, got {type(value).__name__}")
            if len(value) > most:
                raise InputError(f"post: expected {name} of at most {most}, got {len(value)}")
        if self.kind not in get_args(PostKind):
            raise InputError(f"post: expected a kind of {get_args(PostKind)}, got {self.kind!r}")
        if not AGENT.fullmatch(self.agent):
            raise InputError(f"post: expected an agent of a-z, 0-9 and -, got {self.agent!r}")
        if not DIGEST.fullmatch(self.digest):
            raise InputError("post: expected a digest of 64 hex digits or none, got another")

    @property
    def name(self) -> str:
        """Its file's name, by what it says: the same post is one file."""
        return f"{hashlib.sha256(self.bytes()).hexdigest()[:16]}_{self.agent}.json"

    def bytes(self) -> bytes:
        try:
            return orjson.dumps(asdict(self), option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:
            raise InputError(
                "post: expected text that is valid UTF-8, got lone surrogates"
            ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What one copying did: files written, files that were there, and files that are no posts.

    Example:
        Synced(copied=3, already=9, refused=("x.json: expected the fields of a post, got []",))
    """

    copied: int
    already: int
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forum:
    """A folder of posts, outside every agent's workspace.

    Example:
        Forum(folder=Path("forum")).share(post)
    """

    folder: Path

    def share(self, post: Post, *, scored: Collection[str] | None = None) -> Path:
        """A result is refused where ``scored``, the digests the scorer knows, lacks its method."""
        if post.kind == "result" and scored is not None and post.digest not in scored:
            raise InputError("post: expected a result about a method that was scored, got another")
        put(self.folder / post.name, post.bytes())
        return self.folder / post.name

    def posts(self) -> tuple[list[Post], tuple[str, ...]]:
        """The posts, by file name, and why each other file is none."""
        found, refused = list[Post](), list[str]()
        for path in sorted(self.folder.glob("*.json")):
            try:
                found.append(read_post(path))
            except InputError as error:
                refused.append(str(error))
        return found, tuple(refused)

    def sync(self, into: Sequence[Path]) -> Synced:
        """Every post into each of these folders; what an agent changed in its copy is restored."""
        posts, unread = self.posts()
        counts, refused = [0, 0], list(unread)
        for path, post in ((folder / post.name, post) for folder in into for post in posts):
            try:
                counts[put(path, post.bytes())] += 1
            except DataError as error:
                refused.append(str(error))
        return Synced(copied=counts[True], already=counts[False], refused=tuple(refused))


def put(path: Path, content: bytes) -> bool:
    """Whether it had to be written; readers see the whole file or none, and no link is followed."""
    if path.parent.is_symlink() or (path.parent.exists() and not path.parent.is_dir()):
        raise DataError(path.parent, expected="a folder", came="a link or a file")
    if path.is_dir() and not path.is_symlink():
        raise DataError(path, expected="a file, or none yet", came="a folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        if read_bytes(path.parent, path.name, most=LARGEST) == content:
            return False
    except DataError:
        pass
    partial = path.with_name(f".{path.name}.{os.urandom(8).hex()}.partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return True


def read_post(path: Path) -> Post:
    """Strictly the fields of a post, each a text within its length, under the post's own name."""
    try:
        read: object = orjson.loads(read_bytes(path.parent, path.name, most=LARGEST))
    except orjson.JSONDecodeError:
        raise DataError(path.name, expected="one JSON object", came="other bytes") from None
    names = {one.name for one in fields(Post)}
    if not isinstance(read, dict) or set(read) != names:
        came = sorted(map(str, read))[:8] if isinstance(read, dict) else type(read).__name__
        raise DataError(path.name, expected="the fields of a post", came=came)
    post = Post(**read)
    if path.name != post.name:
        raise DataError(path.name, expected=f"the name {post.name}", came="another")
    return post


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One agent's place: the best PGR it was told, the method's digest, and its submissions.

    Example:
        Standing(agent="ada", pgr=0.35, digest="9f" * 32, queries=12)
    """

    agent: str
    pgr: float
    digest: str
    queries: int


def leaderboard(records: Iterable[Record]) -> list[Standing]:
    """From the scorer's records only, and of those only what agents were told; best first."""
    best, queries = dict[str, Record](), dict[str, int]()
    for one in records:
        if one.kind != "score":
            continue
        queries[one.agent] = queries.get(one.agent, 0) + 1
        if one.improved and one.released is not None:
            best[one.agent] = one
    standings = [
        Standing(agent=agent, pgr=one.released, digest=one.digest, queries=queries[agent])
        for agent, one in best.items()
        if one.released is not None
    ]
    return sorted(standings, key=lambda one: (-one.pgr, one.agent))
