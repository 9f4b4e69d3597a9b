# Everything runs in .venv, set up once from constraints.txt with any Python >= 3.11: what a fit needs first, the tools
# of tests and documents when they are asked for.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo "$$python" && break; done)
CONFIG ?= configs/self_similar_burgers/profile_1.yaml
READY := .venv/.ready
TOOLS := .venv/.tools
BIN := .venv/bin

.PHONY: fit test long-test slurm-test lint docs notebooks benchmark setup clean

fit: $(READY)
	$(BIN)/python -m pinnlab fit --config $(CONFIG) $(ARGS)

test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m "not long" $(ARGS)

# twenty kills at random moments, W&B lost in the middle; some minutes
long-test: $(TOOLS)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m long $(ARGS)

# the scripts of slurm/ on a SLURM cluster of two nodes on this host, which is installed (Debian, root) if it is missing
slurm-test: $(TOOLS)
	PINNLAB_SLURM_TESTS=1 $(BIN)/python -m pytest tests/slurm $(ARGS)

lint: $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# one site of all documents, from docs/, docstrings and notebooks; open site/index.html
docs: $(TOOLS)
	$(BIN)/python docs/site/build.py --out site

# what the notebooks print and draw, stored in them anew
notebooks: $(TOOLS)
	OMP_NUM_THREADS=1 $(BIN)/python docs/site/execute.py

# all of the catalogue beside the published records, one thread; hours, and it goes on where it was stopped
benchmark: $(TOOLS)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.benchmark $(ARGS) && $(BIN)/python -m experiments.benchmark.summary

setup: $(TOOLS)

$(READY): pyproject.toml constraints.txt
	$(if $(PYTHON),,$(error pinnlab needs Python 3.11 or newer with its venv module: make PYTHON=/path/to/python3))
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt setuptools
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e .
	touch $(READY)

$(TOOLS): $(READY)
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e ".[test]"
	touch $(TOOLS)

clean:
	rm -rf .venv build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
