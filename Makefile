# The two commands are `make demo` and `make test`; both install what they lack and say so.
#
#   make demo     builds the library and two C programs, and runs them on files of the real Caffe2
#   make test     everything that must hold
#   make bench    our speed beside that of others, in one run
#   make header   writes include/caffe2_qtensor.h and c_tests/exports.txt anew from the source
#   make fuzz     fuzzes each target for FUZZ_SECONDS (default 600)
#   make clean    removes all that was built

export PATH := $(HOME)/.cargo/bin:$(PATH)

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
INSTALL := .ci/install
CFLAGS ?= -O2
FUZZ_SECONDS ?= 600

# What a program needs besides the static library.
NATIVE_LIBS := -lpthread -ldl -lm

.PHONY: demo test header fuzz clean library

demo: library
	@mkdir -p $(TARGET)/demo
	@for program in list quantize; do \
	  $(CC) -std=c99 -Wall -Wextra -Wpedantic -Werror $(CFLAGS) -Iinclude \
	    examples/c/$$program.c $(TARGET)/release/libcaffe2_qtensor.a $(NATIVE_LIBS) \
	    -o $(TARGET)/demo/$$program || exit 1; \
	done
	@echo
	@$(TARGET)/demo/list tests/data/blobs.minidb tests/data/chunked.minidb \
	  tests/data/digits/digits_mlp.minidb tests/data/digits/digits_int8.minidb
	@$(TARGET)/demo/quantize tests/data/digits/digits_mlp.minidb $(TARGET)/demo/digits_8bit.minidb
	@echo
	@$(TARGET)/demo/list $(TARGET)/demo/digits_8bit.minidb

library: cargo
	@cargo build --release --locked

test: cargo
	@$(INSTALL) g++ clang valgrind binutils cmake ninja-build pkg-config dpkg-dev file
	@.ci/test

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
