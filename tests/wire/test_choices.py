"""Soft labels from a server's log-probabilities: every surface form, no borrowed mass."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest

from solon.engines.endpoint import Endpoint
from solon.engines.endpoint.choices import Tally
from solon.engines.endpoint.wire import alternatives, spelt
from solon.records import Abstains, Prompt
from solon.run.run import Run
from tests.wire.server import Server, only, serving


def log(**shares: float) -> dict[str, float]:
    return {token: math.log(share) for token, share in shares.items()}


def logs(shares: Mapping[str, float]) -> dict[str, float]:
    return {token: math.log(share) for token, share in shares.items()}


def endpoint(server: Server, **settings: object) -> Endpoint:
    return replace(Endpoint(model="m", base_url=server.url, timeout=5.0), **settings)


def probabilities(answer: tuple[float, ...] | Abstains) -> list[float]:
    assert not isinstance(answer, Abstains), answer
    return [math.exp(logp) for logp in answer]


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_surface_forms_of_a_choice_add_up(run: Run, api: str):
    listed = logs(
        {"1": 0.3, " 1": 0.2, "\n1": 0.05, "2": 0.25, "▁2": 0.1, "<0x32>": 0.05, "x": 0.05}
    )
    if api == "chat":  # bytes say the text; a token's marks are for servers that send none
        listed = logs(
            {"1": 0.3, " 1": 0.2, "\n1": 0.05, "2": 0.25, " 2": 0.1, "2 ": 0.05, "x": 0.05}
        )
    with serving(Server(next_token=lambda text: listed)) as server:
        (answer,) = endpoint(server, api=api).open(run).choose([Prompt.of("which?")], ("1", "2"))
    assert probabilities(answer) == pytest.approx([0.55, 0.40], abs=1e-6)
    (body,) = server.bodies
    assert body["max_tokens"] == 1
    assert body["temperature"] == 1.0


def test_prompts_are_answered_in_order_and_a_failed_one_abstains(run: Run):
    def listed(text: str) -> dict[str, float]:
        share = int(text.split()[1]) / 20
        return logs({"1": share + 0.01, "2": 0.98 - share})

    prompts = [Prompt.of(f"row {i}") for i in range(20)]
    with serving(Server(next_token=listed, fault=only("400", rows="row 7"))) as server:
        answers = endpoint(server).open(run).choose(prompts, ("1", "2"))
    assert answers[7] == Abstains(reason="HTTP 400: fault 400 for row 7")
    for i, answer in enumerate(answers):
        if i != 7:
            assert probabilities(answer) == pytest.approx([i / 20 + 0.01, 0.98 - i / 20], abs=1e-6)


def test_a_choice_that_is_not_listed_gets_the_most_that_it_can_have():
    tally = Tally(("1", "2", "3"), top=3)
    assert tally.read(tuple(logs({"1": 0.6, "2": 0.2, "x": 0.15}).items())) == []
    assert probabilities(tally.answer()) == pytest.approx([0.6, 0.2, 0.05])  # what the list leaves
    tally = Tally(("1", "2"), top=2)
    tally.read(tuple(logs({"1": 0.6, "x": 0.1}).items()))
    assert probabilities(tally.answer()) == pytest.approx([0.6, 0.1])  # the last one listed
    # a sampled token beyond the top is no bound on those that are not listed
    tally.read(tuple(logs({"1": 0.6, "x": 0.2, "y": 0.001}).items()))
    tally = Tally(("1", "2"), top=2)
    tally.read(tuple(logs({"1": 0.6, "x": 0.2, "y": 0.001}).items()))
    assert probabilities(tally.answer()) == pytest.approx([0.6, 0.2])


def test_it_abstains_where_no_choice_is_listed(run: Run):
    with serving(Server(next_token=lambda text: log(I=0.9, As=0.1))) as server:
        (answer,) = endpoint(server).open(run).choose([Prompt.of("which?")], ("1", "2"))
    assert answer == Abstains(reason="none of 1, 2 is a likely next word")


def test_a_server_without_logprobs_is_noted_once_and_every_prompt_abstains(run: Run):
    notes: list[str] = []
    fault = only("no_logprobs", attempts=range(9))
    with serving(Server(fault=fault)) as server:
        policy = endpoint(server).open(run)
        policy.client.note = notes.append
        answers = policy.choose([Prompt.of("a"), Prompt.of("b")], ("1", "2"))
        policy.choose([Prompt.of("a")], ("1", "2"))
    assert {answer.reason[:36] for answer in answers if isinstance(answer, Abstains)} == {
        "the server sent no log-probabilities"
    }
    assert len(notes) == 1
    assert server.asked["a"] == 2  # a reply without them is not kept as an answer


def digits(text: str) -> dict[str, float]:
    """A vocabulary without "10": the model writes 1, then 0 in three cases of four."""
    if text.endswith("1"):
        return logs({"0": 0.75, ".": 0.25})
    return logs({"1": 0.4, "9": 0.35, "8": 0.25})


SCALE = tuple(str(step) for step in range(1, 11))


@pytest.mark.parametrize("settings", [{"api": "completions"}, {"prefill": True}])
def test_ten_that_is_written_in_two_tokens_takes_a_second_call(run: Run, settings: dict):
    with serving(Server(next_token=digits)) as server:
        policy = endpoint(server, **settings).open(run)
        (answer,) = policy.choose([Prompt.of("how good?")], SCALE, cue="Score: ")
    found = dict(zip(SCALE, probabilities(answer), strict=True))
    assert found["1"] == pytest.approx(0.1, abs=1e-6)
    assert found["10"] == pytest.approx(0.3, abs=1e-6)
    assert found["9"] == pytest.approx(0.35, abs=1e-6)
    assert found["2"] < 1e-9
    assert len(server.bodies) == 2
    if "prefill" in settings:
        assert server.bodies[1]["messages"][-1] == {"role": "assistant", "content": "Score: 1"}
        assert server.bodies[1]["continue_final_message"] is True
    else:
        assert server.bodies[1]["prompt"].endswith("Score: 1")


def test_ten_in_two_tokens_abstains_where_no_answer_can_be_continued(run: Run):
    with serving(Server(next_token=digits)) as server:
        (answer,) = endpoint(server).open(run).choose([Prompt.of("how good?")], SCALE)
    assert isinstance(answer, Abstains)
    assert "'1' may begin a longer choice" in answer.reason
    assert "0 to 9" in answer.reason


def test_ten_that_is_one_token_leaves_one_alone(run: Run):
    listed = logs({"10": 0.5, "1": 0.2, "9": 0.3})
    with serving(Server(next_token=lambda text: listed)) as server:
        (answer,) = endpoint(server).open(run).choose([Prompt.of("how good?")], SCALE)
    assert probabilities(answer)[::9] == pytest.approx([0.2, 0.5], abs=1e-6)
    assert len(server.bodies) == 1


def test_an_unfinished_word_that_cannot_move_a_label_is_not_asked_about(run: Run):
    listed = logs({"9": 0.6, "8": 0.3996, "1": 0.0004})
    with serving(Server(next_token=lambda text: listed)) as server:
        (answer,) = endpoint(server).open(run).choose([Prompt.of("how good?")], SCALE)
    assert probabilities(answer)[0] == pytest.approx(0.0004, abs=1e-6)


def test_a_word_of_three_tokens_is_followed_to_its_end(run: Run):
    def listed(text: str) -> dict[str, float]:
        steps = {"har": {"m": 0.5, "p": 0.5}, "harm": {"less": 0.9, "ful": 0.1}}
        return logs(steps.get(text.rsplit(maxsplit=1)[-1], {" har": 0.8, " safe": 0.2}))

    with serving(Server(next_token=listed)) as server:
        policy = endpoint(server, api="completions").open(run)
        (answer,) = policy.choose([Prompt.of("is it")], ("harmless", "harmful", "safe"))
    assert probabilities(answer) == pytest.approx([0.36, 0.04, 0.2], abs=1e-6)
    assert [body["prompt"] for body in server.bodies] == ["is it", "is it har", "is it harm"]


def test_a_cue_ends_the_last_turn_of_a_server_that_starts_its_own_answer(run: Run):
    with serving() as server:
        endpoint(server).open(run).choose([Prompt.of("which?")], ("1", "2"), cue="Better:")
    assert server.bodies[0]["messages"] == [{"role": "user", "content": "which?\n\nBetter:"}]


def test_tokens_are_read_with_their_vocabularys_marks():
    marked = ["▁1", "Ġ1", "Ċ", "<0x31>", "bytes:\\x31", "1"]
    assert [spelt(token) for token in marked] == [" 1", " 1", "\n", "1", "1", "1"]
    assert spelt("whatever", [32, 49]) == " 1"


@pytest.mark.parametrize("bad", [None, "x", float("inf")])
def test_a_log_probability_that_is_no_number_is_malformed(bad: object):
    with pytest.raises(ValueError, match="no number"):
        alternatives({"content": [{"top_logprobs": [{"token": "1", "logprob": bad}]}]})
