# All paths are relative, so that a folder with a space in its name works too.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONVCLI := $(BIN)/python -m convcli
DEMO := demo
PYTEST := -m pytest --numprocesses=logical --maxprocesses=4 --dist=worksteal

# The lowest versions that pyproject.toml allows: of Python, and in tests/oldest.py of what is installed into it.
OLDEST := .venv-oldest
OLDEST_PYTHON ?= $(shell sed -n 's/^requires-python = ">=\(.*\)"/python\1/p' pyproject.toml)

# What is the same with any version of what is installed: integers, words, files, the order of imports, signals and
# processes, drawings, the sums of networks, the benchmarks. Other instructions of the processor are tried with the newest versions.
ANY_VERSION := tests/layers tests/networks tests/kernels tests/batch tests/jobs tests/drawing tests/learning tests/analysis tests/cli/calculators
ANY_VERSION += tests/test_imports.py tests/test_files.py tests/test_documents.py tests/test_command_pages.py tests/test_man_pages.py tests/test_links.py tests/test_troubleshooting.py tests/test_new_variant.py tests/benchmarks $(wildcard tests/cli/test_*.py)
NEWEST := tests/test_same_bytes.py::test_other_instructions_give_the_same_samples
# Examples of a property that are tried with the lowest versions; with the newest there are more.
FEW := --hypothesis-profile=few

.DEFAULT_GOAL := help
.PHONY: help demo test oldest corpora check format docs pages man package bench clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /\1|/' | while IFS='|' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@$(BIN)/python -m compileall -q convcli  # so that the first start is as quick as the next
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(OLDEST)/installed-dev: pyproject.toml
	$(OLDEST_PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m tests.oldest > $(OLDEST)/constraints.txt
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(OLDEST)/constraints.txt --editable '.[dev]'
	@touch $@

$(VENV)/installed-bench: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

demo: $(VENV)/installed ## install, make the pictures of the documents, show each calculator
	@$(BIN)/python -m tests.documents $(DEMO)
	@$(CONVCLI) draw --n 5 --k 3 --s 2 --p 1 -o $(DEMO)/conv.html --force --quiet
	@echo "The pictures are in $$(pwd)/$(DEMO), and conv.html, a page that shows a layer at work."
	@for question in "shape --n 7 --k 3 --s 2 --p 1" "params --in 64 --out 128 --k 3" \
	    "cost --n 112 --in 64 --out 128 --k 3 --p 1" "compare --n 112 --in 64 --out 128 --k 3 --p 1"; do \
	    echo; echo "\$$ convcli $$question"; $(CONVCLI) $$question || exit 1; \
	done

test: $(VENV)/installed-dev check ## install with the dev extra; run ruff, mypy and pytest
	$(BIN)/python $(PYTEST)

oldest: $(OLDEST)/installed-dev ## run pytest with the lowest versions that are allowed
	$(OLDEST)/bin/python $(PYTEST) $(FEW) $(addprefix --ignore=,$(ANY_VERSION)) --deselect=$(NEWEST)

corpora: $(VENV)/installed-dev ## filter the thousand test pictures of Pillow, fetched on first use
	$(BIN)/python -m pytest -m corpora tests/images

check: $(VENV)/installed-dev ## run ruff and mypy
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

package: $(VENV)/installed-dev ## build the sdist and the wheel in dist/, try the wheel in an empty environment
	$(BIN)/python -m tests.try_package dist

docs: $(VENV)/installed-dev ## write all generated parts: pages, outputs of commands, pictures
	$(BIN)/python -m tests.make_documents --outputs --pictures

pages: $(VENV)/installed-dev ## write the pages, lists and man pages that are generated from the code
	$(BIN)/python -m tests.make_documents

man: $(VENV)/installed-dev ## write the man pages
	$(BIN)/python -m tests.man_pages

bench: $(VENV)/installed-bench ## measure convcli beside its peers; ARGS='--quick'
	$(BIN)/python -m tests.benchmarks $(ARGS)

format: $(VENV)/installed-dev ## format the code, sort the imports
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

clean: ## remove what the other targets made
	rm -rf $(VENV) $(OLDEST) $(DEMO) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
