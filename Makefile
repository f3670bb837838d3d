# Everything that a person or CI types. `make` alone lists it.
#
# Needs only Python 3.11 or 3.12 (flytekit takes no newer one) and make; each target makes what it lacks in .venv. `make test`, `make docs`
# and `make demo-languages` alone install system packages, and only those that are missing.

VENV   := .venv
BIN    := $(VENV)/bin
BUILD  := build
PYTHON ?= $(shell for p in python3 python3.12 python3.11 python; do \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$p && break; done)

NOTEBOOKS := $(wildcard notebooks/*.md)
PAGE      := $(BUILD)/extending_flyte.html
SPHINX    := $(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -c docs -d $(BUILD)/doctrees
PYTEST    := $(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help demo demo-languages lab test check quick static lint types tests docs docs-links pictures looks plugins bench bench-peers system clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 23

demo: $(VENV)/.demo  ## run the tutorial for real and write it as a page that opens offline
	@$(BIN)/python notebooks/publish.py --to $(BUILD) notebooks/extending_flyte.md
	@echo "open it in any browser: file://$(CURDIR)/$(PAGE)"

demo-languages: $(VENV)/.demo $(VENV)/.frames  ## make images of R and Julia (on Debian), run the page about languages
	@bash .ci/system mmdebstrap bubblewrap
	@mkdir -p $(BUILD)
	@$(BIN)/python notebooks/images.py > $(BUILD)/images.env
	@env $$(cat $(BUILD)/images.env) $(BIN)/python notebooks/publish.py --to $(BUILD) notebooks/languages.md
	@echo "open it in any browser: file://$(CURDIR)/$(BUILD)/languages.html"

lab: $(VENV)/.lab  ## open the tutorial in JupyterLab
	@$(BIN)/jupytext --quiet --sync $(NOTEBOOKS)
	$(BIN)/jupyter lab $(LAB_ARGS) notebooks/extending_flyte.ipynb

test: system check  ## install what the tests need, then everything that CI runs

check: static tests  ## everything that CI runs: lint, types, layers, all tests

quick: static $(VENV)/.test  ## the same without what is slow
	$(PYTEST) -m "not slow"

static: lint types

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

tests: $(VENV)/.test
	$(PYTEST)

docs: $(VENV)/.docs  ## build the docs site, notebooks included (they need R, which is installed on Debian); warnings are errors
	@bash .ci/system r-base-core
	$(SPHINX) -b html . $(BUILD)/site
	@echo "open it in any browser: file://$(CURDIR)/$(BUILD)/site/index.html"

docs-links: $(VENV)/.docs  ## check the links of the docs to other sites, which needs a network
	$(SPHINX) -b linkcheck . $(BUILD)/links

pictures: $(VENV)/.test  ## take the pictures of the README and the docs anew
	for name in take live form; do $(BIN)/python docs/pictures/$$name.py || exit 1; done

looks: $(VENV)/.test  ## take pictures of all that people see into build/pictures, beside those of a revision, AT
	$(if $(AT),$(BIN)/python docs/pictures/experience.py --at $(AT))
	$(BIN)/python docs/pictures/experience.py

plugins: $(VENV)/.test  ## try flytekit's plugins, each in an environment of its own; PLUGINS names some of them
	$(BIN)/python docs/make_plugins.py $(PLUGINS)

bench: $(VENV)/.test  ## flytenb against flytekit and the peers that are there: ratios taken in one run
	$(BIN)/python benchmarks/run.py $(BENCH_ARGS)

bench-peers: | $(BIN)/python  ## install the peers of the benchmarks, each in an environment of its own
	$(BIN)/python benchmarks/peers/install.py --to .venvs

system:
	@bash .ci/system

clean:  ## remove what the targets made, except .venv
	rm -rf $(BUILD) dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis notebooks/*.ipynb

# uv makes environments and installs in them. Where it is missing, it is installed from PyPI into .venv; INSTALLER=pip does without it.
INSTALLER ?= uv
HAS_UV    := $(shell command -v uv)
UV        := $(or $(HAS_UV),$(BIN)/uv)
PIP       := $(BIN)/python -m pip --disable-pip-version-check
# By the pip of $(PYTHON), if it has one: making an environment with a pip of its own takes twice the time of all this, and
# `pip --python` starts pip a second time. Wheels of uv are for any Python 3 (py3-none-PLATFORM): pip compares each of thousands of
# wheels in the index with all tags of a Python, which takes a fifth of its time with those of CPython. Its cache costs more than it
# saves: it packs and hashes a wheel of 17 MB once more.
ANY_PYTHON := --only-binary :all: --implementation py --abi none --python-version 3 --ignore-requires-python
BRING_UV   = $(PYTHON) -m venv --without-pip $(VENV) && \
  $(PYTHON) -m pip --disable-pip-version-check install --quiet --no-cache-dir --no-compile --no-deps $(ANY_PYTHON) \
    --target $(VENV)/uv 'uv>=0.8' 2>/dev/null && \
  mv $(VENV)/uv/bin/* $(BIN) && rm -rf $(VENV)/uv && \
  $(UV) pip install --quiet --python $(BIN)/python pip

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "flytenb needs Python 3.11 or 3.12; say where it is: make PYTHON=/path/to/python"; exit 1; }
	@if [ $(INSTALLER) = uv ] && [ -n "$(HAS_UV)" ]; then uv venv --quiet --seed --python $(PYTHON) $(VENV); \
	  elif [ $(INSTALLER) = uv ] && $(BRING_UV); then :; \
	  else $(PYTHON) -m venv --clear $(VENV); fi || \
	  { rm -rf $(VENV); echo "this Python can't make environments; on Debian: apt install python3-venv"; exit 1; }
	@[ $(INSTALLER) = pip ] || [ -n "$(HAS_UV)" ] || [ -x $(UV) ] || $(PIP) install --quiet 'uv>=0.8' || \
	  echo "uv can't be installed; pip is used instead"

# One stamp per set of extras: made again when the dependencies change.
$(VENV)/.%: pyproject.toml | $(BIN)/python
	@echo "installing flytenb[$*] into $(VENV); the first time takes up to a minute"
	@if [ $(INSTALLER) = pip ] || ! $(UV) pip install --quiet --python $(BIN)/python --editable '.[$*]'; then \
	  $(PIP) install --quiet --editable '.[$*]'; fi
	@touch $@
