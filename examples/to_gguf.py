"""A Llama-style model folder with byte-level BPE, as one GGUF file for llama.cpp's server.

    pip install gguf "llama-cpp-python[server]"
    python examples/to_gguf.py FOLDER model.gguf
    python -m llama_cpp.server --model model.gguf --model_alias mine --logits_all True --port 8000

For models of a shape that Solon made (``policy.shape...``); llama.cpp's own converter knows others.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType
from numpy.typing import NDArray
from safetensors.numpy import load_file

LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
ENDS = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("file", type=Path)
    given = parser.parse_args()
    config = json.loads((given.folder / "config.json").read_text("utf-8"))
    writer = GGUFWriter(given.file, "llama")
    add_shape(writer, config)
    add_words(writer, json.loads((given.folder / "tokenizer.json").read_text("utf-8")), config)
    for name, weight in load_file(given.folder / "model.safetensors").items():
        writer.add_tensor(renamed(name), turned(name, weight.astype(np.float32), config))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_shape(writer: GGUFWriter, config: dict) -> None:
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_vocab_size(config["vocab_size"])


def add_words(writer: GGUFWriter, tokenizer: dict, config: dict) -> None:
    """The vocabulary, padded with unused tokens to the rows of the embedding."""
    known = {number: word for word, number in tokenizer["model"]["vocab"].items()}
    special = {token["id"] for token in tokenizer["added_tokens"] if token["special"]}
    words = [known.get(i, f"<unused {i}>") for i in range(config["vocab_size"])]
    unused = [i for i in range(len(words)) if i not in known]
    kinds = np.full(len(words), TokenType.NORMAL)
    kinds[[*special, *unused]] = TokenType.CONTROL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(words)
    writer.add_token_types(kinds.tolist())
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["model"]["merges"]])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_pad_token_id(config["pad_token_id"])
    writer.add_add_bos_token(False)


def renamed(name: str) -> str:
    stem = name.removesuffix(".weight")
    if stem in ENDS:
        return f"{ENDS[stem]}.weight"
    _, _, number, inner = stem.split(".", 3)
    return f"blk.{number}.{LAYER[inner]}.weight"


def turned(name: str, weight: NDArray[np.float32], config: dict) -> NDArray[np.float32]:
    """llama.cpp rotates neighbouring pairs of a head, transformers its two halves."""
    heads = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}
    found = [config[key] for part, key in heads.items() if part in name]
    if not found:
        return weight
    rows, columns = weight.shape
    halves = weight.reshape(found[0], 2, rows // found[0] // 2, columns)
    return halves.swapaxes(1, 2).reshape(rows, columns)


if __name__ == "__main__":
    main()
