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
  --errors-for-leak-kinds=definite,indirect,possible --show-leak-kinds=definite,indirect,possible
  --suppressions="$here/valgrind.supp")

# The shared library under the name that programs ask the loader for.
mkdir "$work/shared"
ln -s "$libraries/libcaffe2_qtensor.so" "$work/shared/libcaffe2_qtensor.so"
ln -s "$libraries/libcaffe2_qtensor.so" "$work/shared/libcaffe2_qtensor.so.0"

# compiler_for SOURCE: the command, as an array of that name. The drop-in headers come first, and a
# program whose name says so has a Caffe2 of that age around it.
compiler_for() {
  case $1 in
    *.cc) compiler=("${CXX:-c++}" -std=c++11 -I "$here/../include/caffe2_qtensor/compat") ;;
    *) compiler=("${CC:-cc}" -std=c99) ;;
  esac
  case $1 in
    *_in_caffe2_2017.cc) compiler+=(-I "$here/caffe2_2017") ;;
    *_in_caffe2_2021.cc) compiler+=(-I "$here/caffe2_2021") ;;
  esac
}

# link_and_run PROGRAM LINKAGE TOOL LINK-COMMAND...
link_and_run() {
  local program=$1 linkage=$2 tool=$3 run libraries_to_link
  shift 3
  libraries_to_link=(-L "$work/shared" -lcaffe2_qtensor "-Wl,-rpath,$work/shared" -lpthread -lm)
  if [ "$linkage" = static ]; then
    libraries_to_link=("$libraries/libcaffe2_qtensor.a" "${native[@]}")
  fi
  if [ "$tool" = valgrind ]; then
    # Valgrind 3.19 does not know AVX-512.
    run=(env CAFFE2_QTENSOR_KERNELS=avx2 "${memcheck[@]}")
  else
    # Requests beyond any memory are to be refused by the library, not by the sanitizer.
    run=(env ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1:strict_string_checks=1
      UBSAN_OPTIONS=print_stacktrace=1)
  fi
  mkdir "$program.scratch"
  "$@" -o "$program" "${libraries_to_link[@]}" &&
    "${run[@]}" "$program" "$data" "$texts" "$program.scratch"
}

# check_source SOURCE: one program in every variant, a line for each. It is compiled once for each
# tool and linked twice.
check_source() {
  local source=$1 tool linkage extra program compiler start
  compiler_for "$source"
  for tool in valgrind sanitizers; do
    extra=()
    [ "$tool" = valgrind ] || extra=("${sanitizers[@]}")
    program="$work/$(basename "$source").$tool"
    "${compiler[@]}" "${flags[@]}" "${extra[@]}" -c "$source" -o "$program.o" \
      >"$program.log" 2>&1 || true
    for linkage in shared static; do
      start=$SECONDS
      if link_and_run "$program.$linkage" "$linkage" "$tool" \
        "${compiler[0]}" "${extra[@]}" "$program.o" >>"$program.log" 2>&1; then
        echo "ok      $(basename "$source") $linkage $tool, $((SECONDS - start)) s"
      else
        echo "FAILED  $(basename "$source") $linkage $tool"
        sed 's/^/        /' "$program.log"
      fi
      rm -rf "$program.$linkage" "$program.$linkage.scratch"
    done
  done
}

# As many programs at once as there are processors; a report is shown when it is whole.
cores=$(nproc)
for source in "$here"/*.c "$here"/*.cc; do
  while [ "$(jobs -rp | wc -l)" -ge "$cores" ]; do
    wait -n || true
  done
  report="$work/$(basename "$source").report"
  { check_source "$source" >"$report" 2>&1 && cat "$report"; } &
done
wait

passed=$(cat "$work"/*.report | grep -c '^ok ' || true)
failed=$(cat "$work"/*.report | grep -c '^FAILED ' || true)
# A report that ends early has fewer lines than its four.
missing=$((4 * $(ls "$here"/*.c "$here"/*.cc | wc -l) - passed - failed))
if [ "$missing" -ne 0 ]; then
  echo "FAILED  $missing variants without a report"
  failed=$((failed + missing))
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
