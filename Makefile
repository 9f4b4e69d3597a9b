# Everything runs in .venv, set up once from constraints.txt with any Python >= 3.11.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo "$$python" && break; done)
CONFIG ?= configs/self_similar_burgers/profile_1.yaml
READY := .venv/.ready
BIN := .venv/bin
# the packages whose names are for use from outside
PUBLIC := pinnlab $(addprefix pinnlab.,equations problems geometry operators networks engines jets residuals optimisers collocation training reporting solution)

.PHONY: fit test long-test slurm-test lint docs benchmark setup clean

fit: $(READY)
	$(BIN)/python -m pinnlab fit --config $(CONFIG) $(ARGS)

test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m "not long" $(ARGS)

# twenty kills at random moments, W&B lost in the middle; some minutes
long-test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m long $(ARGS)

# the scripts of slurm/ on a SLURM cluster of two nodes on this host, which is installed (Debian, root) if it is missing
slurm-test: $(READY)
	PINNLAB_SLURM_TESTS=1 $(BIN)/python -m pytest tests/slurm $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# pdoc shows what a module holds: the names that pinnlab imports on first use are asked for before
docs: $(READY)
	$(BIN)/python -c "from pinnlab import *; from pdoc.__main__ import cli; cli()" \
		--docformat google --math --output-directory docs/api $(PUBLIC)

# all of the catalogue beside the published records, one thread; hours, and it goes on where it was stopped
benchmark: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.benchmark $(ARGS) && $(BIN)/python -m experiments.benchmark.summary

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(if $(PYTHON),,$(error pinnlab needs Python 3.11 or newer with its venv module: make PYTHON=/path/to/python3))
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt setuptools
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e ".[test]"
	touch $(READY)

clean:
	rm -rf .venv build dist docs/api *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
