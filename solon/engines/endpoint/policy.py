"""An OpenAI-compatible server behind the synchronous seam of a policy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from solon.engines.additions import additions
from solon.engines.endpoint import wire
from solon.engines.endpoint.account import Account
from solon.engines.endpoint.batches.routes import Routes
from solon.engines.endpoint.batches.serving import BatchFiles
from solon.engines.endpoint.batches.settings import Batches
from solon.engines.endpoint.choices import START, Tally, Unfinished
from solon.engines.endpoint.client import Client, Serving
from solon.engines.endpoint.exchange import Server
from solon.engines.endpoint.gate import Gate
from solon.engines.endpoint.online import Online
from solon.engines.endpoint.prices import OPENAI, price_of
from solon.engines.endpoint.secret import secret
from solon.engines.endpoint.wire import Call, Reply
from solon.errors import SettingError, at_least
from solon.records import Abstains, Completion, Group, Prompt, digest
from solon.run.ledger import unpriced

if TYPE_CHECKING:
    from solon.run.run import Run

NO_LOGPROBS = (
    "the server sent no log-probabilities: use a judge that reads text, or a server with logprobs"
)
OURS = {"logprobs", "max_completion_tokens", "max_tokens", "messages", "model"} | {
    "n", "prompt", "stream", "top_logprobs"
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A model behind an OpenAI-compatible server; opens to an EndpointPolicy.

    Example:
        Endpoint(model="qwen3-8b", base_url="http://localhost:8000/v1", prefill=True)
    """

    model: str
    """Model, as the server names it."""
    base_url: str = "https://api.openai.com/v1"
    """Where the server is, up to /v1."""
    key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key, which goes nowhere but into the request."""
    api: Literal["chat", "completions"] = "chat"
    """Path that is asked: chat, or completions (a prompt's turns, joined by blank lines)."""
    prefill: bool = False
    """Whether the server continues a last assistant turn (vLLM and SGLang do); else a cue ends the
    last turn."""
    name: str = ""
    """What records and the ledger call it; empty is the model's name."""
    temperature: float = 0.0
    """Sampling temperature; 0 takes the likeliest token."""
    top_p: float = 1.0
    """Probability of the likeliest tokens that are drawn from; 1 takes all."""
    max_new_tokens: int = 512
    """Longest reply, in tokens."""
    top_logprobs: int = 20
    """Next tokens whose log-probabilities are asked for, the likeliest first."""
    seed: int | None = None
    """Seeds the draws, one a prompt id and sibling; none takes the run's where temperature > 0."""
    extra: str = ""
    """JSON object merged into the body, where null removes a field."""
    concurrency: int = 64
    """Most calls in flight; a share of 429s lowers it for a while."""
    timeout: float = 60.0
    """Seconds that bound one attempt."""
    attempts: int = 6
    """Attempts of a call; those that met a 429 do not count."""
    patience: float = 600.0
    """Seconds for which a call that meets 429s is tried again."""
    price_in: float | None = None
    """Money per million tokens read; set both prices, or none for a known model's."""
    price_out: float | None = None
    """Money per million tokens written."""
    batch: bool = False
    """Whether calls go as files through the server's Batch API: cheaper, and within a day."""
    batches: Batches = Batches()
    """Size of those files, how often they are looked at, and what share of the prices they cost."""

    def open(self, run: Run, /) -> EndpointPolicy:
        """Raises SettingError for a wrong setting, a missing key, or a budget without a price."""
        host = self._checked()
        name = f"{self.name or self.model}@{digest(self.base_url, self.model)[:6]}"
        price = price_of(host, self.model, self.price_in, self.price_out)
        if run.ledger.budget is not None and price is None:
            raise SettingError(unpriced(name))
        server = self._server(secret(self.key_env, needed=host == OPENAI))
        if self.batch and price:
            price = price.times(self.batches.share)
        account = Account(judge=name, price=price, cache=run.cache, ledger=run.ledger)
        serve = self._serving(server, account, run)
        client = Client(server=server, account=account, serve=serve, note=run.note)
        seed = run.seed_for("endpoint") if self.seed is None else self.seed
        return EndpointPolicy(self, name=name, client=client, seed=seed)

    def _serving(self, server: Server, account: Account, run: Run) -> Serving:
        if not self.batch:
            return Online(server=server, account=account, gate=Gate(self.concurrency))
        return BatchFiles(
            routes=Routes(server=server, base=self.base_url.rstrip("/"), path=self._path),
            account=account,
            settings=self.batches,
            folder=run.dir / "batches",
            display=run.display,
            note=run.note,
        )

    @property
    def _path(self) -> str:
        return "chat/completions" if self.api == "chat" else "completions"

    def _server(self, key: str) -> Server:
        headers = {"Content-Type": "application/json"}
        return Server(
            url=f"{self.base_url.rstrip('/')}/{self._path}",
            headers=headers | ({"Authorization": f"Bearer {key}"} if key else {}),
            secret=key,
            key_env=self.key_env,
            model=self.model,
            timeout=self.timeout,
            attempts=self.attempts,
            patience=self.patience,
        )

    def _checked(self) -> str:
        """The server's host, after every setting was looked at."""
        host = _host(self.base_url, self.key_env)
        at_least(self, concurrency=1, attempts=1, max_new_tokens=1, top_logprobs=1)
        if not 0 <= self.temperature < math.inf:
            raise SettingError(f"temperature: expected 0 or more, got {self.temperature}")
        for name in ("timeout", "patience", "top_p"):
            if not 0 < getattr(self, name) < math.inf:
                raise SettingError(f"{name}: expected a positive number, got {getattr(self, name)}")
        additions(self.extra, ours=OURS)
        return host


def _host(base_url: str, key_env: str) -> str:
    """Its host. Raises SettingError for what no request could be sent to, or holds a secret."""
    if "@" in base_url or "?" in base_url:  # before any message that tells it
        raise SettingError(f"base_url: expected no credentials in it; put them in {key_env}")
    expected = f"base_url: expected http(s)://host/path, got {base_url!r}"
    try:
        url = urlsplit(base_url)
        url.port  # noqa: B018 - raises for what is no port
    except ValueError as error:
        raise SettingError(f"{expected} ({error})") from None
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise SettingError(expected)
    return url.hostname


class EndpointPolicy:
    """A served model. Satisfies ``Policy`` and ``Chooser``; ``ask`` tells failures from replies.

    ``failures`` holds, by prompt id, why the last call for that prompt failed for good.
    """

    def __init__(self, spec: Endpoint, *, name: str, client: Client, seed: int) -> None:
        self.spec, self.id, self.client, self.seed = spec, name, client, seed
        self.failures: dict[str, str] = {}
        self._extra = additions(spec.extra, ours=OURS)
        self._noted = False

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        """n completions a prompt, one call each; a failed one has no text and finish "filter"."""
        answers = iter(self.ask(prompts, n=n))
        return [
            Group(completions=tuple(self._completion(prompt, next(answers)) for _ in range(n)))
            for prompt in prompts
        ]

    def ask(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Reply | Abstains]:
        """n replies a prompt, siblings adjacent; Abstains says why a call failed for good.

        Raises BudgetSpent and EndpointError; what was answered until then is kept.
        """
        return self.client.ask([self._draw(p, index) for p in prompts for index in range(n)])

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[str], *, cue: str = ""
    ) -> list[tuple[float, ...] | Abstains]:
        """Log-probability in nats of each choice as the next word, at temperature 1.

        A choice of several tokens ("10" as "1", "0") takes a second call where the server can
        continue an answer (``prefill`` or ``api="completions"``), else its prompt abstains. A
        choice that is not among the ``top_logprobs`` gets the most that it can have.
        """
        words = tuple(choice.strip() for choice in choices)
        assert all(words), "a choice is a word"
        assert len(set(words)) == len(words), "choices differ by more than their spaces"
        tallies = [Tally(words, self.spec.top_logprobs) for _ in prompts]
        failed: dict[int, Abstains] = {}
        ahead = [(place, START) for place in range(len(prompts))]
        while ahead:
            calls = [self._next(prompts[place], cue, after) for place, after in ahead]
            answers = zip(ahead, self.client.ask(calls), strict=True)
            ahead = []
            for (place, after), answer in answers:
                unread = self._listed(answer)
                if isinstance(unread, Abstains):
                    failed[place] = unread
                    continue
                found = tallies[place].read(unread, after)
                begun = [one.word for one in found if one.word]
                if self._continues:
                    ahead += [(place, one) for one in found]
                elif begun:
                    failed[place] = Abstains(reason=self._split(begun[0]))
        return [failed.get(place) or tally.answer() for place, tally in enumerate(tallies)]

    @property
    def _continues(self) -> bool:
        return self.spec.prefill or self.spec.api == "completions"

    def _split(self, word: str) -> str:
        return (
            f"{word!r} may begin a longer choice: use one-token choices (letters, or a scale of "
            "0 to 9), or a server that continues an answer (prefill=true or api=completions)"
        )

    def _listed(self, answer: Reply | Abstains) -> wire.Alternatives | Abstains:
        if isinstance(answer, Abstains):
            return answer
        if answer.alternatives:
            return answer.alternatives
        if not self._noted:
            self.client.note(f"{self.id}: {NO_LOGPROBS}")
            self._noted = True
        return Abstains(reason=NO_LOGPROBS)

    def _completion(self, prompt: Prompt, answer: Reply | Abstains) -> Completion:
        if isinstance(answer, Abstains):
            self.failures[prompt.id] = answer.reason
            note = answer.reason
            return Completion(prompt=prompt, text="", policy=self.id, finish="filter", note=note)
        self.failures.pop(prompt.id, None)
        return Completion(prompt=prompt, text=answer.text, policy=self.id, finish=answer.finish)

    def _draw(self, prompt: Prompt, index: int) -> Call:
        spec = self.spec
        body = self._asked(prompt) | {"temperature": spec.temperature, "top_p": spec.top_p}
        if spec.temperature > 0 or spec.seed is not None:
            body["seed"] = int(digest(self.seed, prompt.id, index), 16) % 2**31
        return self._call(body, index, limit=spec.max_new_tokens)

    def _next(self, prompt: Prompt, cue: str, after: Unfinished) -> Call:
        body = self._asked(prompt, cue, after.surface) | {"temperature": 1.0, "top_p": 1.0}
        top = self.spec.top_logprobs
        chat = {"logprobs": True, "top_logprobs": top}
        return self._call(
            body | (chat if self.spec.api == "chat" else {"logprobs": top}), 0, limit=1
        )

    def _call(self, body: dict[str, Any], index: int, *, limit: int) -> Call:
        url = self.client.server.url
        # OpenAI's newer models refuse max_tokens, and other servers do not all know its successor.
        host = urlsplit(url).hostname or ""
        newer = self.spec.api == "chat" and host.endswith((OPENAI, ".openai.azure.com"))
        body["max_completion_tokens" if newer else "max_tokens"] = limit
        body |= self._extra
        kept = {name: value for name, value in body.items() if value is not None}
        return wire.call(url, kept, index, limit=limit)

    def _asked(self, prompt: Prompt, cue: str = "", partial: str = "") -> dict[str, Any]:
        """The model and the prompt, with the answer's first words where there are some."""
        if self.spec.api == "completions":
            return {"model": self.spec.model, "prompt": prompt.text + cue + partial}
        if any(message.role == "text" for message in prompt.messages):
            raise SettingError(f"prompt {prompt.id!r} is raw text, not a chat: use api=completions")
        turns = [{"role": m.role, "content": m.text} for m in prompt.messages]
        body: dict[str, Any] = {"model": self.spec.model, "messages": turns}
        if not cue + partial:
            return body
        if not self.spec.prefill:
            turns[-1]["content"] += f"\n\n{cue}"
            return body
        if turns[-1]["role"] != "assistant":
            turns.append({"role": "assistant", "content": ""})
        turns[-1]["content"] += cue + partial
        return body | {"continue_final_message": True, "add_generation_prompt": False}
