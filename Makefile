# The two commands are `make demo` and `make test`; both install what they lack and say so.
#
#   make demo     the main job: a model of the real Caffe2 is quantized by the qtensor command, and
#                 classified with by a C++ program that finds the installed library; a report
#   make test     everything that must hold
#   make test-exhaustive
#                 every float there is to codes, by every kernel of this machine (minutes)
#   make test-trust
#                 every fault tried: fuzzing, memory that runs out, calls of the system that fail,
#                 processes that are killed, panics, races, changes of the ABI; one table
#   make bench    our speed beside that of others, in one run
#   make quality  how good the chosen scales and biases are, beside an exhaustive search
#   make test-caffe2
#                 the library and a prebuilt Caffe2 in one process; fetches that Caffe2 once
#   make soak-caffe2
#                 random calls and messages through both, for SOAK_SECONDS (default 3600)
#   make bench-caffe2
#                 our speed and memory beside that Caffe2's
#   make header   writes include/caffe2_qtensor.h and c_tests/exports.txt anew from the source
#   make abi      writes c_tests/abi/baseline.abi anew: the ABI that programs were built for
#   make fuzz     fuzzes each target for FUZZ_SECONDS (default 600)
#   make clean    removes all that was built

export PATH := $(HOME)/.cargo/bin:$(PATH)

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
INSTALL := .ci/install
FUZZ_SECONDS ?= 600

# What a program needs besides the static library.
NATIVE_LIBS := -lpthread -ldl -lm

.PHONY: demo test test-exhaustive test-trust header abi fuzz clean library

DEMO := $(TARGET)/demo
DIGITS := tests/data/digits

# The precisions to try, and how: levels on both sides of 0, for each output of a layer by itself.
DEMO_BITS := 8 6 4 3 2 1
DEMO_HOW := --symmetric --per-channel 0

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
	@$(DEMO)/prefix/bin/qtensor sweep $(DIGITS)/digits_mlp.minidb --precisions 1,2,3,4,6,8 \
	  --per-channel 0 --force --html $(DEMO)/report.html >$(DEMO)/sweep.txt
	@awk 'BEGIN { RS = "" } { last = $$0 } END { print last }' $(DEMO)/sweep.txt
	@for bits in $(DEMO_BITS); do \
	  $(DEMO)/prefix/bin/qtensor quantize $(DIGITS)/digits_mlp.minidb --precision $$bits $(DEMO_HOW) \
	    --force --quiet -o $(DEMO)/models/digits_$${bits}bit.minidb || exit; \
	done
	@echo
	@$(DEMO)/example/digits $(DIGITS)/digits_mlp.minidb $(DIGITS)/digits_train.minidb \
	  $(DIGITS)/digits_test.minidb $(DEMO_BITS:%=$(DEMO)/models/digits_%bit.minidb)
	@echo
	@echo "All numbers of the sweep: $(DEMO)/sweep.txt, and with pictures: $(DEMO)/report.html"

library: cargo
	@cargo build --release --locked --package caffe2_qtensor

test: cargo
	@$(INSTALL) g++ clang valgrind binutils cmake ninja-build pkg-config dpkg-dev file \
	  openmpi-bin libopenmpi-dev chromium
	@.ci/test

# One parameter set after the other: each takes all processors.
test-exhaustive: cargo
	@cargo test --locked --release --test exhaustive -- --ignored --nocapture --test-threads=1

test-trust: cargo
	@$(INSTALL) g++ clang valgrind abigail-tools binutils
	@.ci/trust

abi:
	@$(INSTALL) gcc abigail-tools
	@c_tests/abi/run.sh $(TARGET)/abi --bless

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
