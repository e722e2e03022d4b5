# make demo: raw portraits to the survival report.   make test: lint and the test suite.
# Both make .venv from requirements.lock first; uv is used where it is present.

CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: demo test lint pretrain

demo: .venv/installed
	snakemake --cores $(CORES)
	@echo "The report is results/report.html"

# Most of the time is waiting, for the cluster and for Snakemake to start: two tests at a time.
test: lint resources/detector/face_landmark.tflite
	pytest -q -rs -n 2 --dist loadfile --no-loadscope-reorder

lint: .venv/installed
	ruff check
	ruff format --check
	PYTHONPATH=workflow/scripts lint-imports --no-logo --no-cache
	snakefmt --check Snakefile rules
	snakemake --lint

# Trains the networks in resources/ anew; hours on a CPU. The generator goes on where it was stopped.
pretrain: .venv/installed
	snakemake --cores $(CORES) results/pretraining/perception.safetensors \
	  results/pretraining/generator.safetensors

resources/detector/face_landmark.tflite: .venv/installed
	snakemake --cores 1 --quiet all --until fetch_detector

.venv/installed: requirements.lock
	if command -v uv >/dev/null; then \
	  uv venv --quiet --clear .venv && uv pip install --quiet --python .venv -r requirements.lock; \
	else \
	  $(PYTHON) -m venv --clear .venv && .venv/bin/pip install --quiet -r requirements.lock; \
	fi
	touch $@
