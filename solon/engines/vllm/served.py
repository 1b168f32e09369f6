"""A look at what a server serves, before anything is pushed there.

A push of another shape fails halfway, and vLLM 0.32 takes no weights at all after that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from transformers import AutoConfig, PreTrainedConfig

from solon.engines.local.voice import Voice
from solon.engines.vllm.request import logprobs_mode
from solon.engines.vllm.routes import Routes
from solon.errors import SettingError

SIZES = (
    "model_type",
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "tie_word_embeddings",
)


def served(routes: Routes, wanted: str, voice: Voice, note: Callable[[str], None]) -> str:
    """The model's name there. Raises SettingError where the server does not fit the learner."""
    named = {one["id"]: one["root"] for one in routes.get("/v1/models")["data"]}
    name = wanted or next(iter(named), "")
    if name not in named:
        raise SettingError(f"served: expected one of {', '.join(named)}, got {name!r}")
    config = routes.get("/server_info?config_format=json")["vllm_config"]["model_config"]
    check_settings(config, voice)
    try:
        theirs = AutoConfig.from_pretrained(named[name], local_files_only=True)
    except (OSError, ValueError):
        note(f"{routes.root} serves {named[name]!r}, whose shape cannot be looked up from here")
    else:
        check_shape(theirs, voice)
    return name


def check_settings(config: Mapping[str, Any], voice: Voice) -> None:
    """The server's settings against ours."""
    longest = voice.words.longest_prompt + voice.manner.max_new_tokens
    if config["max_model_len"] < longest:
        raise SettingError(
            f"max_prompt_tokens + max_new_tokens: expected at most the server's "
            f"{config['max_model_len']} (its --max-model-len), got {longest}"
        )
    mode = logprobs_mode(voice.manner)
    if mode is not None and config["logprobs_mode"] != mode:
        raise SettingError(
            f"temperature={voice.manner.temperature:g}: expected a server with "
            f"--logprobs-mode {mode}, got {config['logprobs_mode']}"
        )


def check_shape(config: PreTrainedConfig, voice: Voice) -> None:
    """The served model's shape against the learner's."""
    theirs, ours = (c.get_text_config() for c in (config, voice.decoder.model.config))
    pairs = {name: (getattr(ours, name, None), getattr(theirs, name, None)) for name in SIZES}
    other = [f"{name} {got} for {own}" for name, (own, got) in pairs.items() if own != got]
    if other:
        raise SettingError(
            f"served: expected a model of the learner's shape, got {', '.join(other)}"
        )
