"""A model folder behind an OpenAI-compatible server, with true log-probabilities.

    python examples/serve.py FOLDER --port 8000
    solon run canonical --on endpoint judge.model=FOLDER judge.base_url=http://localhost:8000/v1 ...

One request at a time, for small models and for trying things out: vLLM and llama.cpp serve many. It
answers /v1/completions and /v1/chat/completions (a tokenizer without a chat template gets a script
of Human and Assistant). ``model`` must be the folder's name or its path as given.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from aiohttp import web

from solon.engines.local import LocalPolicy, Transformer
from solon.engines.local.layout import Row
from solon.engines.local.sampling import Manner
from solon.errors import SolonError
from solon.records import Completion, Message, Prompt, digest


class Alone:
    """What a policy asks of a run, where there is none."""

    def seed_for(self, *names: object) -> int:
        return int(digest(names), 16) % 2**63

    def note(self, text: str, /) -> None:
        print(text)


@dataclass(frozen=True, kw_only=True)
class Served:
    """One policy and the names and the key that it answers to."""

    policy: LocalPolicy
    names: frozenset[str]
    key: str = ""

    async def completions(self, request: web.Request) -> web.Response:
        body = await request.json()
        return self.reply(request, body, Prompt.of(str(body.get("prompt", "")), role="text"))

    async def chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        turns = [Message(role=turn["role"], text=turn["content"]) for turn in body["messages"]]
        return self.reply(request, body, Prompt(id=digest(turns), messages=tuple(turns)))

    async def models(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({"data": [{"id": name} for name in sorted(self.names)]})

    def reply(self, request: web.Request, body: Mapping[str, Any], prompt: Prompt) -> web.Response:
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return refusal(401, "wrong key")
        if body.get("model") not in self.names:
            return refusal(404, f"no model {body.get('model')!r}")
        words = self.policy.voice.words
        ids, whole = words.whole_prompt(prompt)
        if not whole:
            return refusal(400, f"the prompt is longer than {len(ids)} tokens")
        more = min(int(body.get("max_tokens", 16)), words.context - len(ids))
        completion = self.draw(body, prompt, more)
        usage = {"prompt_tokens": len(ids), "completion_tokens": len(completion.tokens)}
        choice = self.choice(
            body, completion, self.top(body, Row(prompt=ids, completion=completion.tokens))
        )
        return web.json_response({"model": body["model"], "choices": [choice], "usage": usage})

    def draw(self, body: Mapping[str, Any], prompt: Prompt, more: int) -> Completion:
        manner = Manner(
            temperature=float(body.get("temperature", 1.0)),
            top_p=float(body.get("top_p", 1.0)),
            top_k=0,
            max_new_tokens=more,
        )
        seed = int(body.get("seed", 0))
        voice = replace(
            self.policy.voice,
            manner=manner,
            seed_for=lambda *_: seed,
        )
        return voice.sample([prompt], 1, self.policy.id)[0].completions[0]

    def top(self, body: Mapping[str, Any], row: Row) -> list[dict[str, float]]:
        """For each token, the likeliest ones with their log-probabilities in nats."""
        wanted = int(body.get("top_logprobs") or body.get("logprobs") or 0)
        if not wanted:
            return []
        decoder, tokenizer = self.policy.voice.decoder, self.policy.voice.words.tokenizer
        layout = decoder.lay_out([row])
        with torch.inference_mode():
            hidden = decoder.hidden(layout).index_select(0, layout.scored)
            logps, ids = (
                decoder.logits(hidden).log_softmax(-1).topk(min(wanted, decoder.vocabulary))
            )
        found = [
            zip(tokenizer.convert_ids_to_tokens(one), values, strict=True)
            for one, values in zip(ids.tolist(), logps.tolist(), strict=True)
        ]
        # a model may have more rows than its tokenizer has tokens
        return [{name: logp for name, logp in one if name} for one in found]

    def choice(
        self, body: Mapping[str, Any], completion: Completion, top: list[dict[str, float]]
    ) -> dict[str, Any]:
        found = {"index": 0, "finish_reason": completion.finish}
        if "messages" not in body:
            logprobs = {"top_logprobs": top} if top else None
            return found | {"text": completion.text, "logprobs": logprobs}
        content = [
            {"top_logprobs": [{"token": name, "logprob": logp} for name, logp in one.items()]}
            for one in top
        ]
        message = {"role": "assistant", "content": completion.text}
        return found | {"message": message, "logprobs": {"content": content} if top else None}


def refusal(status: int, text: str) -> web.Response:
    return web.json_response({"error": {"message": text}}, status=status)


def application(folder: str, *, name: str = "", key: str = "") -> web.Application:
    """The server of that model folder."""
    whole = Transformer(model=folder, name="served", max_new_tokens=1, max_prompt_tokens=2**20)
    policy = whole.open(Alone())
    names = frozenset({name or folder, folder.rstrip("/").rsplit("/", 1)[-1]})
    served = Served(policy=policy, names=names, key=key)
    app = web.Application()
    app.router.add_post("/v1/completions", served.completions)
    app.router.add_post("/v1/chat/completions", served.chat)
    app.router.add_get("/v1/models", served.models)
    return app


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    arguments.add_argument("folder")
    arguments.add_argument("--port", type=int, default=8000)
    arguments.add_argument("--name", default="", help="the name it answers to")
    arguments.add_argument("--key", default="", help="answer only to this key")
    given = arguments.parse_args()
    try:
        app = application(given.folder, name=given.name, key=given.key)
    except SolonError as error:
        raise SystemExit(f"serve: {error}") from None
    web.run_app(app, host="127.0.0.1", port=given.port, access_log=None)


if __name__ == "__main__":
    main()
