# `make demo` and `make test` install what they need, then run.

CARGO ?= cargo
TOOLS := $(CURDIR)/target/tools
FUZZ_SECONDS ?= 30
PYTHON := $(shell command -v python3)
VENV := $(CURDIR)/.venv

.PHONY: demo test lint bench soak fuzz mutants

demo:
	$(CARGO) run --locked --quiet -p velora-examples --bin demo

test:
	rustup target add wasm32-unknown-unknown
	$(CARGO) test --locked --workspace --exclude velora-bench --all-features
	$(CARGO) check --locked -p velora-core --no-default-features --target wasm32-unknown-unknown
	$(CARGO) check --locked -p velora-core --no-default-features --features client --target wasm32-unknown-unknown

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --exclude velora-bench --all-features --all-targets -- -D warnings
	$(CARGO) clippy --locked -p velora-core --no-default-features -- -D warnings
	$(CARGO) clippy --locked -p velora-core --no-default-features --features client -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked -p velora-core --all-features --no-deps

# First that no contender is a no-op, then the ratios.
bench:
	$(CARGO) test --locked --profile bench -p velora-bench --lib
	$(CARGO) bench --locked -p velora-bench --bench report
	$(CARGO) bench --locked -p velora-bench --bench clients -- $(if $(PYTHON),--python $(VENV)/bin/python)

# Where there is a Python, the vendor's own loop is timed too.
ifneq ($(PYTHON),)
bench: $(VENV)/bench
endif

$(VENV)/bench: velora-core/benches/python/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement $<
	touch $@

# What `make test` does a little of, at length.
soak:
	VELORA_SOAK_KILLS=200 $(CARGO) test --locked -p velora-examples --test export -- --nocapture killed
	VELORA_SOAK_CASES=1000 $(CARGO) test --locked -p velora-core --all-features --lib simulation
	$(CARGO) build --locked --profile bench -p velora-simulator
	$(CARGO) bench --locked -p velora-bench --bench memory -- --simulator $(CURDIR)/target/release/velora-simulator

# New findings stay in target/; the committed corpus only grows by hand.
fuzz: $(TOOLS)/bin/cargo-fuzz
	cd velora-core && for target in signature_header timestamp event; do \
		mkdir -p ../target/fuzz-corpus/$$target; \
		RUSTC_BOOTSTRAP=1 $(TOOLS)/bin/cargo-fuzz fuzz run $$target \
			../target/fuzz-corpus/$$target fuzz/corpus/$$target -- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done

mutants: $(TOOLS)/bin/cargo-mutants
	$(TOOLS)/bin/cargo-mutants mutants --package velora-core

$(TOOLS)/bin/%:
	$(CARGO) install --locked --root $(TOOLS) $*
