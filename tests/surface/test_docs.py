"""The pages: every block runs, every command resolves, every link leads somewhere."""

from __future__ import annotations

import importlib
import importlib.util
import re
import shlex
import sys
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from solon.bench import compose
from solon.bench.bench import compose_bench
from solon.bench.debating import debating_on, one_question
from solon.bench.disputing import OneClaim, claims_in, disputing_on
from solon.bench.named import named
from solon.catalogue import Entry, entries, find
from solon.cli import parse
from solon.cli.commands import show, split
from solon.researchers.conducting import composed
from solon.run.spec import override

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(
    r'(<!-- not run: [^>]+ -->\n)?^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$',
    re.MULTILINE | re.DOTALL,
)
INLINE = re.compile(r"`(solon \w+ [^`]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
RECIPE_PAGE = [
    "What it is",
    "What is new",
    "Settings",
    "Metrics explained",
    "Deviations from the paper",
    "Laboratory result",
    "How it can mislead",
]


@dataclass(frozen=True)
class Block:
    language: str
    title: str
    text: str
    skipped: bool


def blocks(page: Path) -> list[Block]:
    return [
        Block(language=language, title=title, text=text, skipped=bool(reason))
        for reason, language, title, text in FENCE.findall(page.read_text())
    ]


def names(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


def settle(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder as a reader would have it: the page's own files, the docs, nothing of ours."""
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("SOLON_CACHE", str(folder / "replies.sqlite"))
    (folder / "docs").symlink_to(DOCS)
    for block in blocks(page):
        if block.title:
            (folder / block.title).write_text(block.text)
            monkeypatch.delitem(sys.modules, Path(block.title).stem, raising=False)


# the audits' pages and their file formats run in tests/audits
RUN = [p for p in PAGES if p.parent.name != "audits" and not p.name.startswith("recorded-")]
PYTHON = [p for p in RUN if any(b.language == "python" and not b.title for b in blocks(p))]


@pytest.mark.parametrize("page", PYTHON, ids=names(PYTHON))
def test_every_block_of_python_runs_in_the_order_of_its_page(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(page, tmp_path, monkeypatch)
    if page.name == "report.md":
        example_run(page, tmp_path)
    reader = ModuleType("reader")
    monkeypatch.setitem(sys.modules, "reader", reader)  # dataclasses look their module up
    for block in blocks(page):
        if block.language == "python" and not block.title and not block.skipped:
            exec(compile(block.text, str(page), "exec"), reader.__dict__)


def example_run(page: Path, folder: Path) -> None:
    """The run that the page names."""
    found = re.search(r'Path\("(runs/[^"]+)"\)', page.read_text())
    assert found is not None
    spec = importlib.util.spec_from_file_location("fake_run", ROOT / "tests/report/fake_run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.write_run(folder / found[1])


def commands(page: Path) -> list[str]:
    """Every command of a shell block, its lines joined, and every whole one within a sentence."""
    text = page.read_text()
    shell = "\n".join(b.text for b in blocks(page) if b.language == "sh")
    lines = shell.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip()] + INLINE.findall(FENCE.sub("", text))


SHELL = [page for page in PAGES if commands(page)]


@pytest.mark.parametrize("page", SHELL, ids=names(SHELL))
def test_every_command_of_a_page_resolves(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(page, tmp_path, monkeypatch)
    for command in commands(page):
        program, *words = shlex.split(command, comments=True)
        match program:
            case "solon" if "debate" in words[:2]:
                resolve_debate(parse(words))
            case "solon" if words[:2] == ["show", "prover-estimator"]:
                disputing_on("lab", {})
            case "solon":
                resolve(words)
            case "make":
                assert re.search(rf"^{words[0]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), (
                    command
                )
            case "python":
                assert (ROOT / words[0]).is_file(), command
            case _:
                pytest.fail(f"an unknown program: {command}")


def resolve_debate(said: Namespace) -> None:
    if said.command is show:
        debating_on(said.on, split(said.settings)[0])
        return
    if said.protocol == "prover-estimator":
        claims = claims_in(said.settings)
        changes, _ = split([one for one in said.settings if one not in claims])
        asked = OneClaim(claim="x") if claims or said.questions else None
        disputing_on(said.on, changes, questions=asked)
        return
    theirs = said.settings if said.first is None else said.settings[1:]
    asked = None if said.first is said.questions else one_question("Who?", "a", "b", None)
    debating_on(said.on, split(theirs)[0], by=said.protocol, questions=asked)


def resolve(words: list[str]) -> None:
    """Parses the line as the program does, and finds its parts and keys, without running it."""
    said = parse(words)
    match words[0]:
        case "research":
            composed(said.on, split(said.settings)[0])
        case "show" if said.recipe == "research":
            composed(said.on, split(said.settings)[0])
        case "run" | "show":
            changes, _ = split(said.settings)
            compose(find("recipes", said.recipe).load(), named(said.on), changes)
        case "label":
            compose_bench(named(said.on), split(said.settings)[0])
        case "audit" if said.audit == "all":
            changes, _ = split(said.settings)
            compose_bench(named(said.on), changes)
        case "audit":
            audit, (changes, _) = find("audits", said.audit).load(), split(said.settings)
            if said.judgements is not None or said.answers is not None:
                override(audit(), changes)
            else:
                compose_bench(named(said.on), changes)
        case _:
            assert words[0] in {"constitution", "list", "report"}


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    # the report's picture is made from a run: scripts/screenshot.py
    gone = [one for one in links if not one.endswith(".png") and not (page.parent / one).exists()]
    assert not gone


def test_every_page_is_in_the_navigation() -> None:
    told = re.findall(r"([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(told) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


@pytest.mark.parametrize("entry", entries("recipes"), ids=lambda entry: entry.name)
def test_every_recipe_has_a_page_in_one_order(entry: Entry) -> None:
    page = (DOCS / "recipes" / f"{entry.name}.md").read_text()
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == RECIPE_PAGE
    for marker in ("about: {}", "table: settings {}", "deviations: {}"):
        assert f"<!-- {marker.format(entry.name)} -->" in page


def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_hook", ROOT / "scripts/docs_hook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_the_pages_are_filled_from_the_source() -> None:
    made = hook()
    filled = {page.name: made.on_page_markdown(page.read_text()) for page in DOCS.rglob("*.md")}
    assert not [name for name, text in filled.items() if made.MARKER.search(text)]
    recipe, _ = compose(find("recipes", "canonical").load(), named("lab"), {})
    beta = recipe.climb.objective.kl.coefficient
    assert f"| `climb.objective.kl.coefficient` | `{beta}` |" in filled["canonical.md"]
    assert "4. The reward is shifted" in filled["canonical.md"]
    assert filled["index.md"].count("\n| `") == len(entries("recipes")) + len(entries("audits"))
    with pytest.raises(ValueError, match="no table 'recipies'"):
        made.on_page_markdown("<!-- table: recipies -->")


def test_the_examples_of_the_folder_are_what_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = named(str(ROOT / "examples" / "my_bench.py"))
    recipe, _ = compose(find("recipes", "canonical").load(), made, {"policy.lora.rank": "8"})
    assert (recipe.policy.lora.rank, len(recipe.judge.judge.judges)) == (8, 2)
    monkeypatch.syspath_prepend(ROOT / "examples")
    brief = importlib.import_module("brief_judge")
    session = brief.session(climb__steps="2")
    assert session.recipe.climb.steps == 2
    assert session.recipe.judge == brief.Brief()
