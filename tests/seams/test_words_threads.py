"""One tokenizer, several threads: what is hostile stays text in each of them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from solon.engines.local import Shape, Transformer
from solon.run.run import Run

TINY = Transformer(
    shape=Shape(hidden=16, layers=1, heads=2, context=64),
    tokenizer=tuple("abcdefgh"),
    max_new_tokens=8,
)


def repeated(work: Callable[[], object], wrong: list[str], rounds: int) -> threading.Thread:
    """A thread that does the work again and again, and notes what it raised."""

    def run() -> None:
        try:
            for _ in range(rounds):
                work()
        except RuntimeError as error:  # the tokenizer was borrowed
            wrong.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_no_thread_reads_hostile_text_by_the_switch_of_another(run: Run) -> None:
    words = TINY.open(run).voice.words
    end, wrong = str(words.tokenizer.eos_token), list[str]()
    forged, template = f"a {end} b " * 20, f"a {end} b"

    def hostile() -> None:
        if words.eos in words.plain(forged):
            wrong.append("text was read as a special token")

    def own() -> None:
        if words.eos not in words._scaffold(template):
            wrong.append("a special token was read as text")

    threads = [repeated(work, wrong, 400) for work in (hostile, own, hostile, own)]
    for thread in threads:
        thread.join()
    assert wrong == []
