# `make demo` and `make test` install what they need, then run.

CARGO ?= cargo
TOOLS := $(CURDIR)/target/tools
FUZZ_SECONDS ?= 30
VENV := $(CURDIR)/.venv

PY := velora-py
RUFF_PATHS := velora-py conformance/python examples/python

NODE := velora-node
WASM := velora-wasm
# The browser for the tests: Debian's Chromium, unless VELORA_CHROMIUM names another one.
VELORA_CHROMIUM ?= /usr/bin/chromium
export VELORA_CHROMIUM
CHROMIUM := $(VELORA_CHROMIUM)
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
# Cargo compiles every set of features separately, so the programs that the tests start are
# built with the features of the tests. There are no Cargo examples, but `--examples` enables the
# features that the tests' dependencies enable.
TESTED := --locked --workspace --exclude velora-bench --all-features
PROGRAMS := $(TESTED) --quiet --examples --bin velora-simulator --bin velora-servers

.PHONY: demo test test-rust test-python test-node servers lint lint-rust lint-python lint-node
.PHONY: test-wasm lint-wasm build-wasm bench-wasm
.PHONY: build-python develop-python lock-python build-node pack-node pack-wasm bench bench-node soak soak-node fuzz mutants

demo:
	$(CARGO) run --locked --quiet -p velora-examples --bin demo

test: test-rust test-python test-node test-wasm

# The same random cases in every run. `make soak`, and Cargo alone, try new ones.
test-rust: export PROPTEST_RNG_SEED ?= 1
test-rust: servers
	rustup target add wasm32-unknown-unknown
	$(CARGO) test $(TESTED) --no-fail-fast
	$(CARGO) check --locked -p velora-core --no-default-features --target wasm32-unknown-unknown
	$(CARGO) check --locked -p velora-core --no-default-features --features client,js --target wasm32-unknown-unknown

test-python: servers develop-python
	$(CARGO) build $(PROGRAMS)
	$(VENV)/bin/python -m pytest --quiet $(PY)

test-node: servers build-node
	$(CARGO) build $(PROGRAMS)
	cd $(NODE) && npm test --silent

# The tests start their own PostgreSQL and Redis, from Debian's packages; servers that already
# run on the machine are left alone.
servers:
	@if ! { command -v redis-server && command -v openssl && \
		{ ls /usr/lib/postgresql/*/bin/initdb || command -v initdb; }; } >/dev/null 2>&1; then \
		as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		$$as_root apt-get update -qq && \
		$$as_root env DEBIAN_FRONTEND=noninteractive \
			apt-get install -qq -y --no-install-recommends postgresql redis-server openssl; \
	fi

lint: lint-rust lint-python lint-node lint-wasm

lint-rust:
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(TESTED) --all-targets -- -D warnings
	$(CARGO) clippy --locked -p velora-core --no-default-features -- -D warnings
	$(CARGO) clippy --locked -p velora-core --no-default-features --features full -- -D warnings
	$(CARGO) clippy --locked -p velora-core --no-default-features --features client -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked -p velora-core --all-features --no-deps

lint-python: $(VENV)/test
	$(VENV)/bin/ruff check $(RUFF_PATHS)
	$(VENV)/bin/ruff format --check $(RUFF_PATHS)
	$(VENV)/bin/mypy --config-file $(PY)/pyproject.toml $(PY)/python $(PY)/bench/rounds.py

# Keeps the paths of the build machine out of what is published.
NAMELESS := RUSTFLAGS="--remap-path-prefix=$(HOME)=home --remap-path-prefix=$(CURDIR)=velora"

# Builds the wheel and the source distribution into target/wheels. They are built separately,
# because a wheel built from the distribution has unused entries in its lock file, which
# `--locked` refuses.
build-python: $(VENV)/test
	cd $(PY) && $(VENV)/bin/maturin sdist --out $(CURDIR)/target/wheels
	cd $(PY) && $(NAMELESS) $(VENV)/bin/maturin build --locked --release --out $(CURDIR)/target/wheels

# Builds the npm package for the edge in place: the module in its three sizes, and the
# TypeScript layer.
build-wasm: $(WASM)/node_modules
	rustup component add rust-src
	rustup target add wasm32-unknown-unknown
	cd $(WASM) && node scripts/build.mjs

test-wasm: build-wasm $(CHROMIUM)
	$(CARGO) build $(PROGRAMS)
	cd $(WASM) && npm test --silent

lint-wasm: build-wasm
	$(CARGO) clippy --locked -p velora-wasm --no-default-features --target wasm32-unknown-unknown -- -D warnings
	$(CARGO) clippy --locked -p velora-wasm --target wasm32-unknown-unknown -- -D warnings
	$(CARGO) clippy --locked -p velora-wasm --features client --target wasm32-unknown-unknown -- -D warnings
	cd $(WASM) && npx --no-install publint --strict
	cd $(WASM) && npx --no-install attw --pack . --profile esm-only --quiet

# Reports the size of each entry in a worker, and the time of a verification in workerd.
bench-wasm: build-wasm $(WASM)/bench/node_modules
	cd $(WASM) && node bench/report.mjs

$(CHROMIUM):
	as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	$$as_root apt-get update -qq && \
	$$as_root apt-get install -y -qq --no-install-recommends chromium

# Installs a development build into the project's virtual environment. It includes a function
# that panics, as in `build-node`.
develop-python: $(VENV)/test
	cd $(PY) && $(VENV)/bin/maturin develop --locked --quiet --profile dev --features panics

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

# First checks that no contender is a no-op, then measures the ratios.
bench: servers bench-node bench-wasm $(VENV)/bench
	$(CARGO) test --locked --profile bench -p velora-bench --lib
	$(CARGO) bench --locked -p velora-bench --bench report
	$(CARGO) bench --locked -p velora-bench --bench stores
	$(CARGO) bench --locked -p velora-bench --bench clients -- --python $(VENV)/bin/python
	$(CARGO) build --locked --release -p velora-simulator
	cd $(PY) && $(VENV)/bin/maturin develop --locked --quiet --release
	$(VENV)/bin/python $(PY)/bench/verify.py
	$(VENV)/bin/python $(PY)/bench/clients.py $(CURDIR)/target/release/velora-simulator

# Runs the soak tests, of which `make test` runs short versions.
soak: servers soak-node
	VELORA_SOAK_KILLS=200 $(CARGO) test --locked -p velora-examples --test export -- --nocapture killed
	VELORA_SOAK_KILLS=1000 $(CARGO) test --locked -p velora-conformance --test workers -- --nocapture killed
	VELORA_SOAK_OUTAGES=25 $(CARGO) test --locked -p velora-core --all-features --test stores -- --nocapture forgets_nothing
	VELORA_SOAK_CASES=1000 $(CARGO) test --locked -p velora-core --all-features --lib simulation
	$(CARGO) build --locked --release -p velora-simulator
	$(CARGO) bench --locked -p velora-bench --bench memory -- --simulator $(CURDIR)/target/release/velora-simulator

# Builds the npm package in place: the addon and the TypeScript layer. This build includes a
# function that panics, for its test; the published build does not.
build-node: $(NODE)/node_modules
	cd $(NODE) && node scripts/build.mjs --features panics

# Builds what is published into target/npm: the package, and the package of this platform with
# the release build of the addon.
pack-node: $(NODE)/node_modules
	cd $(NODE) && $(NAMELESS) node scripts/pack.mjs

pack-wasm: build-wasm
	mkdir -p target/npm
	cd $(WASM) && npm pack --silent --pack-destination $(CURDIR)/target/npm

# Checks the types, that the generated files match the sources, and that the package can be
# loaded in every supported way.
lint-node: build-node
	cd $(NODE) && npx --no-install tsc --project tsconfig.types.json
	git diff --exit-code --stat -- $(NODE)/native $(NODE)/package-lock.json
	cd $(NODE) && npx --no-install publint --strict
	cd $(NODE) && npx --no-install attw --pack . --profile node16 --quiet

# Uses the addon as it is published, next to the one of the tests.
bench-node: ADDON := $(CURDIR)/target/release/velora.node
bench-node: build-node $(NODE)/bench/node_modules
	$(CARGO) build --locked --profile bench -p velora-node --target $(HOST)
	$(CARGO) build --locked --profile bench -p velora-simulator
	cp target/$(HOST)/release/libvelora_node.so $(ADDON)
	cd $(NODE) && export NAPI_RS_NATIVE_LIBRARY_PATH=$(ADDON) && node bench/verify.mjs && node bench/clients.mjs

# Ten million verifications and a thousand threads.
soak-node: build-node
	cd $(NODE) && VELORA_SOAK_VERIFICATIONS=10000000 VELORA_SOAK_THREADS=1000 VELORA_SOAK_CASES=20000 \
		node --expose-gc --test test/process.test.mjs test/properties.test.mjs

# Runs the tests on the given major version of Node.js: `make test-node-24`.
test-node-%: build-node
	$(CARGO) build $(PROGRAMS)
	cd $(NODE) && npm exec --yes --package=node@$* -- npm test --silent

# Installs the pinned versions. Not with `npm ci`, which fails if a mirror of the registry lacks
# the optional addons of other platforms.
$(NODE)/node_modules $(NODE)/bench/node_modules $(WASM)/node_modules $(WASM)/bench/node_modules: %/node_modules: %/package-lock.json
	cd $* && npm install --no-save --silent
	touch $@

# New findings stay in target/; the committed corpus is only extended by hand.
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
