# Everything a newcomer needs: make train, make test. PYTHON chooses the interpreter (3.11 to 3.13).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: train test test-fast lint install install-dev clean
.DELETE_ON_ERROR:

train: install
	$(BIN)/python src/train.py experiment=quickstart

test: install-dev lint
	$(BIN)/pytest -n auto --maxprocesses 4

test-fast: install-dev
	$(BIN)/pytest -n auto --maxprocesses 4 -m "not slow and not ddp and not gpu"

lint: install-dev
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell
	$(BIN)/yamllint --strict .

install: $(VENV)/.ready
install-dev: $(VENV)/.ready-dev

$(BIN)/python:
	$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info < (3, 14), "Python 3.11 to 3.13 is needed: make PYTHON=python3.12"'
	$(PYTHON) -m venv $(VENV)

# torch first and by its pinned version: pip then asks no index for a newer one.
$(VENV)/.ready: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing the pinned dependencies into $(VENV)"
	$(PIP) $$(grep -E '^(torch|torchvision)==' constraints.txt)
	$(PIP) --editable .
	touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	$(PIP) --editable '.[dev,text,judge,sweep]'
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info
