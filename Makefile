# `make demo` and `make test` install what they need, then run.

CARGO ?= cargo
TOOLS := $(CURDIR)/target/tools
FUZZ_SECONDS ?= 30

.PHONY: demo test lint bench fuzz mutants

demo:
	$(CARGO) run --locked --quiet -p velora-examples --bin demo

test:
	rustup target add wasm32-unknown-unknown
	$(CARGO) test --locked --workspace --exclude velora-bench --all-features
	$(CARGO) check --locked -p velora-core --no-default-features --target wasm32-unknown-unknown

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --exclude velora-bench --all-features --all-targets -- -D warnings
	$(CARGO) clippy --locked -p velora-core --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked -p velora-core --all-features --no-deps

# First that no contender is a no-op, then the ratios.
bench:
	$(CARGO) test --locked --profile bench -p velora-bench --lib
	$(CARGO) bench --locked -p velora-bench --bench report

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
