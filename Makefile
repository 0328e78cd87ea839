# What people type; `make` alone lists it. Longer recipes are in scripts/.
#
# Every cargo call takes the whole workspace: a part of it would be built with other features, and
# with them most of the dependencies once more.

SHELL := bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# One folder for all checkouts: the first build is long.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/esteira/target
CARGO_FLAGS := --workspace --locked
export ESTEIRA := $(CARGO_TARGET_DIR)/debug/esteira

# The local simulator, and what it holds.
export S3_PORT ?= 4566
export S3_DIR ?= .esteira/s3
export DEMO_PORT ?= 4577
export DEMO_DIR ?= .esteira/demo

# Without an endpoint of your own everything goes to the local simulator. `S3=real` leaves the
# standard AWS settings alone, whatever they are. Tests and measurements get none of this.
ON_S3 := config up down bucket-s3 run-job exec-bash
ifneq ($(S3),real)
  ifeq ($(origin AWS_ENDPOINT_URL),undefined)
    AWS_ENDPOINT_URL := http://127.0.0.1:$(S3_PORT)
  endif
  $(ON_S3): export AWS_ENDPOINT_URL := $(AWS_ENDPOINT_URL)
  ifneq ($(filter http://127.0.0.1:% http://localhost:%,$(AWS_ENDPOINT_URL)),)
    $(ON_S3): export AWS_ACCESS_KEY_ID := $(or $(AWS_ACCESS_KEY_ID),dummy)
    $(ON_S3): export AWS_SECRET_ACCESS_KEY := $(or $(AWS_SECRET_ACCESS_KEY),dummy)
    $(ON_S3): export AWS_REGION := $(or $(AWS_REGION),us-east-1)
  endif
endif

.PHONY: help config build up down bucket-s3 run-job exec-bash demo clean-demo test test-interop bench lint

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "  make demo is the place to start; README.md has the rest."

config: ## check the tools, show the AWS settings in force, create ./input
	@scripts/config.sh

build: ## build everything (the first time long, then seconds)
	@cargo build $(CARGO_FLAGS)

up: build ## start the S3 simulator (S3_PORT=4566, S3_DIR=.esteira/s3)
	@"$$ESTEIRA" up --port "$$S3_PORT" --dir "$$S3_DIR"

down: build ## stop the S3 simulator
	@"$$ESTEIRA" down --port "$$S3_PORT"

bucket-s3: build ## bucket=B action=create|move_obj|list [path=P]; bucket=all action=all lists buckets
	@scripts/bucket-s3.sh

run-job: build ## run the job until Ctrl-C; once=1 takes what is there and ends [bucket=B] [pipeline=P]
	@exec "$$ESTEIRA" run $${pipeline:+"$$pipeline"} $${bucket:+--bucket "$$bucket"} $(if $(once),--once)

exec-bash: build ## a shell with esteira and the AWS settings (container=demo: those of the demo)
	@exec scripts/exec-bash.sh

demo: build ## everything in one go on sample data: simulator, events, job, the four tables
	@exec scripts/demo.sh

clean-demo: ## stop the demo's simulator and delete its folder
	@exec scripts/clean-demo.sh

test: ## all tests that need nothing but Rust
	cargo test $(CARGO_FLAGS)

test-interop: ## against moto, deltalake, Polars, DuckDB and Spark (makes its own venvs)
	@exec scripts/test-interop.sh

bench: ## measure; see docs/benchmarks.md
	@exec scripts/bench.sh

.PHONY: chaos

chaos: ## the job on an S3 that fails, by seed: SEED=7 [PROFILE=light|rough|storm] [ROUNDS=10]
	@exec scripts/chaos.sh

.PHONY: soak limits

soak: ## kill the job at every step and at any time, by seed: SEED=1 KILLS=500
	@exec scripts/soak.sh

limits: ## large objects, bombs and a backlog within 512 MiB of memory: [MEBIBYTES=512] [BACKLOG=5120] (Linux, root)
	@exec scripts/limits.sh

.PHONY: bench-growth bench-endurance

bench-growth: ## what a batch of updates costs as tables grow, against MERGE (Linux)
	@exec scripts/bench-growth.sh

bench-endurance: ## ten thousand small batches in a row (Linux)
	@exec scripts/bench-endurance.sh

.PHONY: fuzz

fuzz: ## fuzz what reads from outside: [TARGET=decode] [SECONDS_EACH=1200] (nightly Rust, cargo-fuzz)
	@exec scripts/fuzz.sh

lint: ## formatting, clippy and documentation, warnings are errors
	cargo fmt --all --check
	cargo clippy $(CARGO_FLAGS) --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc $(CARGO_FLAGS) --no-deps
