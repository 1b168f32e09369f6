# Every target sets up .venv itself, and again only when the pins change.
PYTHON ?= python3
# Test processes at a time; each loads torch (0.4 GB).
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export TOKENIZERS_PARALLELISM := false
export HF_HUB_OFFLINE := 1

.PHONY: demo test cluster check claims bench docs clean

demo: $(STAMP)
	$(BIN)/solon run canonical

test: check
	$(BIN)/pytest -n $(WORKERS)

# Clusters of several nodes on this machine, killed in the middle: their clocks want it for themselves.
cluster: $(STAMP)
	$(BIN)/pytest -m cluster tests/ray tests/invariants/test_ray.py

check: $(STAMP)
	$(BIN)/ruff format --check -q .
	$(BIN)/ruff check -q .
	$(BIN)/codespell solon tests docs dev benches examples scripts README.md CHANGELOG.md CONTRIBUTING.md
	$(BIN)/lint-imports
	$(BIN)/pyright

claims: $(STAMP)
	$(BIN)/python -m solon.claims

bench: $(STAMP)
	$(BIN)/python benches/training.py --setup

docs: $(STAMP)
	$(BIN)/pip install -q -c constraints.txt -e '.[docs]'
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) runs site bench-out .ruff_cache .pytest_cache .hypothesis

# torch first, and by itself: a CPU wheel that is at hand satisfies what the others ask for.
$(STAMP): pyproject.toml constraints.txt
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt torch
	$(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	touch $(STAMP)
