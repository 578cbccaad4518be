# `make demo` and `make test` install what they need, then run.

CARGO ?= cargo
TOOLS := $(CURDIR)/target/tools
FUZZ_SECONDS ?= 30
NODE := velora-node
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
PYTHON := $(shell command -v python3)
VENV := $(CURDIR)/.venv

.PHONY: demo test lint bench soak fuzz mutants
.PHONY: build-node test-node lint-node bench-node soak-node

demo:
	$(CARGO) run --locked --quiet -p velora-examples --bin demo

test: test-node
	rustup target add wasm32-unknown-unknown
	$(CARGO) test --locked --workspace --exclude velora-bench --all-features
	$(CARGO) check --locked -p velora-core --no-default-features --target wasm32-unknown-unknown
	$(CARGO) check --locked -p velora-core --no-default-features --features client --target wasm32-unknown-unknown

lint: lint-node
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --exclude velora-bench --all-features --all-targets -- -D warnings
	$(CARGO) clippy --locked -p velora-core --no-default-features -- -D warnings
	$(CARGO) clippy --locked -p velora-core --no-default-features --features client -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked -p velora-core --all-features --no-deps

# First that no contender is a no-op, then the ratios.
bench: bench-node
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
soak: soak-node
	VELORA_SOAK_KILLS=200 $(CARGO) test --locked -p velora-examples --test export -- --nocapture killed
	VELORA_SOAK_CASES=1000 $(CARGO) test --locked -p velora-core --all-features --lib simulation
	$(CARGO) build --locked --profile bench -p velora-simulator
	$(CARGO) bench --locked -p velora-bench --bench memory -- --simulator $(CURDIR)/target/release/velora-simulator

# The npm package, in place: the addon and the TypeScript layer. A function that panics
# is in this build, for its test; what is published is built without.
build-node: $(NODE)/node_modules
	cd $(NODE) && node scripts/build.mjs --features panics

test-node: build-node
	$(CARGO) build --locked --quiet -p velora-simulator
	cd $(NODE) && npm test --silent

# That the types hold, that the generated files are those of the sources, and that
# everyone can load the package.
lint-node: build-node
	cd $(NODE) && npx --no-install tsc --project tsconfig.types.json
	git diff --exit-code --stat -- $(NODE)/native $(NODE)/package-lock.json
	cd $(NODE) && npx --no-install publint --strict
	cd $(NODE) && npx --no-install attw --pack . --profile node16 --quiet

# The addon as it is published, beside the one of the tests.
bench-node: export NAPI_RS_NATIVE_LIBRARY_PATH := $(CURDIR)/target/release/velora.node
bench-node: build-node $(NODE)/bench/node_modules
	$(CARGO) build --locked --profile bench -p velora-node --target $(HOST)
	$(CARGO) build --locked --profile bench -p velora-simulator
	cp target/$(HOST)/release/libvelora_node.so $$NAPI_RS_NATIVE_LIBRARY_PATH
	cd $(NODE) && node bench/verify.mjs && node bench/clients.mjs

# Ten million verifications, a thousand threads, on every Node that is supported.
soak-node: build-node
	cd $(NODE) && VELORA_SOAK_VERIFICATIONS=10000000 VELORA_SOAK_THREADS=1000 VELORA_SOAK_CASES=20000 \
		node --expose-gc --test test/process.test.mjs test/properties.test.mjs

# The tests on the Node of this major version: `make test-node-24`.
test-node-%: build-node
	$(CARGO) build --locked --quiet -p velora-simulator
	cd $(NODE) && npm exec --yes --package=node@$* -- node --expose-gc --test test/*.test.mjs

$(NODE)/node_modules $(NODE)/bench/node_modules: %/node_modules: %/package-lock.json
	cd $* && npm ci --silent
	touch $@

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
