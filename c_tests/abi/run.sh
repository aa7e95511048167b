#!/usr/bin/env bash
# Compares what the header promises, every function with its types and every structure, with what is
# committed in baseline.abi.
#
#   c_tests/abi/run.sh WORKDIR           says what differs, and fails where anything does
#   c_tests/abi/run.sh WORKDIR --bless   writes baseline.abi anew
#
# Opaque types are opaque here, too. That the library has these functions is for tests/c_interface.rs
# to see, and that the header is the library's for tests/header.rs. Needs abigail-tools and a C
# compiler.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "${1:?"where to build?"}"
work=$(cd "$1" && pwd)
cd "$here"

# A pointer to each function, whose type is the function's; the names are those of the functions.
{
  echo '#include "caffe2_qtensor.h"'
  while read -r name; do
    echo "extern __typeof__($name) *const abi_$name;"
    echo "__typeof__($name) *const abi_$name = $name;"
  done <../exports.txt
  # What no function is given by its type, such as the constants of an enum.
  grep -o '^} qtensor_[a-z0-9_]*;' ../../include/caffe2_qtensor.h | tr -d '};' | while read -r name; do
    echo "extern $name abi_of_$name;"
    echo "$name abi_of_$name;"
  done
} >"$work/surface.c"
# The same wherever it is built.
(cd "$work" && "${CC:-cc}" -std=gnu99 -g -gdwarf-4 -fPIC -shared -I "$here/../../include" surface.c \
  -o surface.so)
write=(abidw --no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed
  --out-file "$work/found.abi" "$work/surface.so")
"${write[@]}"

functions=$(wc -l <../exports.txt)
if [ "${2:-}" = --bless ]; then
  cp "$work/found.abi" baseline.abi
  echo "baseline.abi holds $functions functions"
  exit
fi
changes=0
if ! abidiff --no-show-locs --no-corpus-path baseline.abi "$work/found.abi" \
  >"$work/changes" 2>&1; then
  cat "$work/changes"
  changes=$(awk '/changes summary:/ {
    for (at = 2; at <= NF; at++) if ($at ~ /^(Removed|Changed|Added)/) sum += $(at - 1)
  } END { print sum ? sum : "unknown" }' "$work/changes")
  echo "The ABI differs from c_tests/abi/baseline.abi; where it is meant to: make abi"
fi
echo "symbols $functions changes $changes"
[ "$changes" = 0 ]
