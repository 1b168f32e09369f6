"""A bench for real models: LoRA on the policy, a jury of served models under a constitution.

    solon run canonical --on examples/my_bench.py

Edit the names; the server is any that speaks OpenAI's protocol and returns log-probabilities.
"""

from solon import (
    Bench,
    BothOrders,
    Endpoint,
    Jury,
    LogitJudge,
    Lora,
    PromptFile,
    RewardTransformer,
    Transformer,
)

SERVER = "http://localhost:8000/v1"

jurors = tuple(
    LogitJudge(
        policy=Endpoint(model=model, base_url=SERVER, name=model),
        preamble="preamble/harmless",
        constitution="harmless",
    )
    for model in ("qwen3-8b", "llama-3-8b")
)

bench = Bench(
    name="jury",
    prompts=PromptFile(path="prompts.jsonl"),
    policy=Transformer(model="models/base", lora=Lora(rank=16), max_new_tokens=200),
    judge=BothOrders(judge=Jury(judges=jurors)),
    reward=RewardTransformer(),
    # a judge that had no part in the training decides the closing table
    evaluator=BothOrders(judge=LogitJudge(policy=Endpoint(model="outsider", base_url=SERVER))),
)
