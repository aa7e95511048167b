#!/usr/bin/env bash
# Runs the C and C++ programs in this folder under valgrind, and under AddressSanitizer with
# UndefinedBehaviorSanitizer, each linked with the shared and with the static library.
#
#   c_tests/run_checked.sh LIBRARIES TEXTS
#
# LIBRARIES is the folder with libcaffe2_qtensor.so and .a, such as target/release. TEXTS holds the
# golden files as text; `cargo test` leaves them in target/tmp/golden. CC, CXX and VALGRIND name
# other tools. A missing tool fails; nothing is installed.
#
# A line for each program and variant, with what it said where it failed, and a count at the end.
set -euo pipefail

if [ $# -ne 2 ]; then
  echo "usage: $0 LIBRARIES TEXTS" >&2
  exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
libraries=$(cd "$1" && pwd)
texts=$(cd "$2" && pwd)
data=$(cd "$here/../tests/data" && pwd)
for file in "$libraries"/libcaffe2_qtensor.{so,a} \
  "$texts"/{qtensor,trace,wire,int8_tensor,blobs}.txt; do
  if [ ! -f "$file" ]; then
    echo "$0: there is no $file" >&2
    exit 2
  fi
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What a static link needs besides: `cargo rustc -- --print native-static-libs`.
native=(-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc)
flags=(-g -O1 -Wall -Wextra -Wpedantic -Werror -I "$here/../include")
sanitizers=(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
# What is still reachable at the end belongs to the standard libraries.
memcheck=("${VALGRIND:-valgrind}" --quiet --error-exitcode=99 --leak-check=full
  --errors-for-leak-kinds=definite,indirect,possible --show-leak-kinds=definite,indirect,possible)

# The shared library under the name that programs ask the loader for.
mkdir "$work/shared"
ln -s "$libraries/libcaffe2_qtensor.so" "$work/shared/libcaffe2_qtensor.so"
ln -s "$libraries/libcaffe2_qtensor.so" "$work/shared/libcaffe2_qtensor.so.0"

passed=0
failed=0

# build SOURCE LINKAGE PROGRAM [FLAGS...]: the drop-in headers come first, and a program whose name
# says so has a Caffe2 of that age around it.
build() {
  local source=$1 linkage=$2 program=$3 compiler
  shift 3
  case $source in
    *.cc) compiler=("${CXX:-c++}" -std=c++11 -I "$here/../include/caffe2_qtensor/compat") ;;
    *) compiler=("${CC:-cc}" -std=c99) ;;
  esac
  case $source in
    *_in_caffe2_2017.cc) compiler+=(-I "$here/caffe2_2017") ;;
    *_in_caffe2_2021.cc) compiler+=(-I "$here/caffe2_2021") ;;
  esac
  local link=(-L "$work/shared" -lcaffe2_qtensor "-Wl,-rpath,$work/shared" -lpthread -lm)
  if [ "$linkage" = static ]; then
    link=("$libraries/libcaffe2_qtensor.a" "${native[@]}")
  fi
  "${compiler[@]}" "${flags[@]}" "$@" "$source" -o "$program" "${link[@]}"
}

# check SOURCE LINKAGE TOOL [FLAGS...]: builds and runs one program in one variant.
check() {
  local source=$1 linkage=$2 tool=$3
  shift 3
  local label program scratch run=()
  label="$(basename "$source") $linkage $tool"
  program="$work/$(basename "$source").$linkage.$tool"
  scratch="$program.scratch"
  mkdir "$scratch"
  if [ "$tool" = valgrind ]; then
    # Valgrind 3.19 does not know AVX-512.
    run=(env CAFFE2_QTENSOR_KERNELS=avx2 "${memcheck[@]}")
  else
    # Requests beyond any memory are to be refused by the library, not by the sanitizer.
    run=(env ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1:strict_string_checks=1
      UBSAN_OPTIONS=print_stacktrace=1)
  fi
  if { build "$source" "$linkage" "$program" "$@" &&
    "${run[@]}" "$program" "$data" "$texts" "$scratch"; } >"$program.log" 2>&1; then
    echo "ok      $label"
    passed=$((passed + 1))
  else
    echo "FAILED  $label"
    sed 's/^/        /' "$program.log"
    failed=$((failed + 1))
  fi
  rm -rf "$scratch" "$program"
}

for source in "$here"/*.c "$here"/*.cc; do
  for linkage in shared static; do
    check "$source" "$linkage" valgrind
    check "$source" "$linkage" sanitizers "${sanitizers[@]}"
  done
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
