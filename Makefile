# `make demo` and `make test` install what they need, then run.

CARGO ?= cargo
TOOLS := $(CURDIR)/target/tools
FUZZ_SECONDS ?= 30
VENV := $(CURDIR)/.venv

PY := velora-py
RUFF_PATHS := velora-py conformance/python examples/python

.PHONY: demo test test-rust test-python servers lint lint-rust lint-python build-python develop-python \
	lock-python bench soak fuzz mutants

demo:
	$(CARGO) run --locked --quiet -p velora-examples --bin demo

test: test-rust test-python

test-rust: servers
	rustup target add wasm32-unknown-unknown
	$(CARGO) test --locked --workspace --exclude velora-bench --all-features
	$(CARGO) check --locked -p velora-core --no-default-features --target wasm32-unknown-unknown
	$(CARGO) check --locked -p velora-core --no-default-features --features client --target wasm32-unknown-unknown

test-python: servers develop-python
	$(CARGO) build --locked -p velora-simulator -p velora-servers
	$(VENV)/bin/python -m pytest --quiet $(PY)

# The tests start a PostgreSQL and a Redis of their own, from the programs of Debian's
# packages; what runs on the machine already is left alone.
servers:
	@if ! { command -v redis-server && command -v openssl && \
		{ ls /usr/lib/postgresql/*/bin/initdb || command -v initdb; }; } >/dev/null 2>&1; then \
		as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		$$as_root apt-get update -qq && \
		$$as_root env DEBIAN_FRONTEND=noninteractive \
			apt-get install -qq -y --no-install-recommends postgresql redis-server openssl; \
	fi

lint: lint-rust lint-python

lint-rust:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --exclude velora-bench --all-features --all-targets -- -D warnings
	$(CARGO) clippy --locked -p velora-core --no-default-features -- -D warnings
	$(CARGO) clippy --locked -p velora-core --no-default-features --features client -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked -p velora-core --all-features --no-deps

lint-python: $(VENV)/test
	$(VENV)/bin/ruff check $(RUFF_PATHS)
	$(VENV)/bin/ruff format --check $(RUFF_PATHS)
	$(VENV)/bin/mypy --config-file $(PY)/pyproject.toml $(PY)/python $(PY)/bench/rounds.py

# The wheel and the source distribution, into target/wheels.
build-python: $(VENV)/test
	cd $(PY) && $(VENV)/bin/maturin build --locked --release --sdist --out $(CURDIR)/target/wheels

# The package into the project's own environment, quickly built.
develop-python: $(VENV)/test
	cd $(PY) && $(VENV)/bin/maturin develop --locked --quiet --profile dev

lock-python: $(VENV)/test
	$(VENV)/bin/pip install --quiet pip-tools
	cd $(PY)/requirements && for name in test bench; do \
		$(VENV)/bin/pip-compile --quiet --upgrade --strip-extras --no-header --no-annotate \
			--no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
			--output-file $$name.txt $$name.in || exit 1; \
	done

$(VENV)/%: $(PY)/requirements/%.txt
	test -d $(VENV) || python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement $<
	touch $@

# First that no contender is a no-op, then the ratios.
bench: servers $(VENV)/bench
	$(CARGO) test --locked --profile bench -p velora-bench --lib
	$(CARGO) bench --locked -p velora-bench --bench report
	$(CARGO) bench --locked -p velora-bench --bench stores
	$(CARGO) bench --locked -p velora-bench --bench clients -- --python $(VENV)/bin/python
	$(CARGO) build --locked --release -p velora-simulator
	cd $(PY) && $(VENV)/bin/maturin develop --locked --quiet --release
	$(VENV)/bin/python $(PY)/bench/verify.py
	$(VENV)/bin/python $(PY)/bench/clients.py $(CURDIR)/target/release/velora-simulator

# What `make test` does a little of, at length.
soak: servers
	VELORA_SOAK_KILLS=200 $(CARGO) test --locked -p velora-examples --test export -- --nocapture killed
	VELORA_SOAK_KILLS=1000 $(CARGO) test --locked -p velora-conformance --test workers -- --nocapture killed
	VELORA_SOAK_OUTAGES=25 $(CARGO) test --locked -p velora-core --all-features --test stores -- --nocapture forgets_nothing
	VELORA_SOAK_CASES=1000 $(CARGO) test --locked -p velora-core --all-features --lib simulation
	$(CARGO) build --locked --release -p velora-simulator
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
