# The two commands are `make demo` and `make test`; both install what they lack and say so.
#
#   make demo     installs the library into a folder, builds a C++ program with that copy by
#                 find_package, and runs it on a model of the real Caffe2
#   make test     everything that must hold
#   make test-exhaustive
#                 every float there is to codes, by every kernel of this machine (minutes)
#   make bench    our speed beside that of others, in one run
#   make quality  how good the chosen scales and biases are, beside an exhaustive search
#   make test-caffe2
#                 the library and a prebuilt Caffe2 in one process; fetches that Caffe2 once
#   make soak-caffe2
#                 random calls and messages through both, for SOAK_SECONDS (default 3600)
#   make bench-caffe2
#                 our speed and memory beside that Caffe2's
#   make header   writes include/caffe2_qtensor.h and c_tests/exports.txt anew from the source
#   make fuzz     fuzzes each target for FUZZ_SECONDS (default 600)
#   make clean    removes all that was built

export PATH := $(HOME)/.cargo/bin:$(PATH)

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
INSTALL := .ci/install
FUZZ_SECONDS ?= 600

# What a program needs besides the static library.
NATIVE_LIBS := -lpthread -ldl -lm

.PHONY: demo test test-exhaustive header fuzz clean library

DEMO := $(TARGET)/demo
DIGITS := tests/data/digits

demo: cargo
	@$(INSTALL) g++ make cmake
	@mkdir -p $(DEMO)/models
	@rm -f $(DEMO)/build/CMakeCache.txt $(DEMO)/example/CMakeCache.txt
	@cmake -S . -B $(DEMO)/build -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_MESSAGE=NEVER
	@env -u MAKEFLAGS -u MAKELEVEL cmake --build $(DEMO)/build
	@cmake --install $(DEMO)/build --prefix $(DEMO)/prefix
	@cmake -S examples/cpp -B $(DEMO)/example -DCMAKE_PREFIX_PATH=$(DEMO)/prefix
	@env -u MAKEFLAGS -u MAKELEVEL cmake --build $(DEMO)/example
	@echo
	@$(DEMO)/example/digits $(DIGITS)/digits_mlp.minidb $(DIGITS)/digits_test.minidb $(DEMO)/models

library: cargo
	@cargo build --release --locked --package caffe2_qtensor

test: cargo
	@$(INSTALL) g++ clang valgrind binutils cmake ninja-build pkg-config dpkg-dev file \
	  openmpi-bin libopenmpi-dev
	@.ci/test

# One parameter set after the other: each takes all processors.
test-exhaustive: cargo
	@cargo test --locked --release --test exhaustive -- --ignored --nocapture --test-threads=1

header: cargo
	@CAFFE2_QTENSOR_BLESS=1 cargo test --locked --test header

fuzz: cargo
	@$(INSTALL) g++
	@fuzz/run.sh $(FUZZ_SECONDS)

clean:
	rm -rf $(TARGET) fuzz/target

.PHONY: cargo
cargo:
	@command -v cargo >/dev/null || { echo \
	  "No cargo in PATH: a Rust toolchain is needed, 1.89 or newer (https://rustup.rs)." >&2; \
	  exit 1; }

include benches/bench.mk
include c_tests/caffe2/caffe2.mk
