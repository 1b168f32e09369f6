"""What a reader may import, and what importing it costs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import solon
from solon import errors

ROOT = Path(solon.__file__).parent
MODULES = sorted(path for path in ROOT.rglob("*.py") if not path.name.startswith("_"))
PACKAGES = sorted(ROOT.rglob("__init__.py"))
MOST_SECONDS = 0.3  # measured: 0.03 beyond a bare Python; the margin is for slow machines

COST = """
import resource, sys
began = resource.getrusage(resource.RUSAGE_SELF).ru_utime
try:
    {code}
except SystemExit:
    pass
spent = resource.getrusage(resource.RUSAGE_SELF).ru_utime - began
heavy = [name for name in ("torch", "transformers", "aiohttp", "scipy") if name in sys.modules]
print(spent, *heavy, file=sys.stderr)
"""


def test_the_public_names_are_few_sorted_and_say_the_same_in_all_three_places() -> None:
    tree = ast.parse((ROOT / "__init__.py").read_text())
    typed = [
        name.name
        for block in tree.body
        if isinstance(block, ast.If)
        for line in block.body
        if isinstance(line, ast.ImportFrom)
        for name in line.names
    ]
    homes = next(
        ast.literal_eval(line.value)
        for line in tree.body
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "_HOMES"
    )
    assert solon.__all__ == sorted(solon.__all__)
    assert sorted(typed) == solon.__all__
    assert sorted(homes) == solon.__all__
    assert 20 <= len(solon.__all__) < 40


@pytest.mark.parametrize("name", solon.__all__)
def test_every_public_name_is_there_and_explains_itself(name: str) -> None:
    assert getattr(solon, name).__doc__


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(AttributeError, match=r"no 'Trainer'; it has Abstains, Adam"):
        _ = solon.Trainer


@pytest.mark.parametrize(
    "code",
    [
        "import solon",
        "from solon.cli import main; main(['--help'])",
        "from solon.cli import main; main(['list'])",
    ],
    ids=["import solon", "solon --help", "solon list"],
)
def test_looking_at_solon_loads_no_torch_and_takes_no_time(code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COST.format(code=code)], capture_output=True, text=True, check=True
    )
    spent, *heavy = done.stderr.split()
    assert not heavy
    assert float(spent) < MOST_SECONDS


@pytest.mark.parametrize("path", [*MODULES, *PACKAGES], ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_the_tree_of_errors_names_every_exception() -> None:
    drawn = re.findall(r"^\W*([A-Z]\w+)  ", str(errors.__doc__), re.MULTILINE)
    assert sorted(drawn) == errors.__all__
    kinds = [getattr(errors, name) for name in errors.__all__]
    assert all(issubclass(kind, errors.SolonError) for kind in kinds)
