#!/usr/bin/env bash
# Builds this library, installs it, builds the programs of this folder with that copy and a prebuilt
# Caffe2, and runs them; and does what the README says of a prebuilt Caffe2.
#
#   c_tests/caffe2/run.sh ROOT WORKDIR [bench | soak SECONDS]
#
# ROOT is what fetch.sh says; WORKDIR, such as target/caffe2, keeps the build folders from run to run.
# `bench` and `soak` build all and run that alone.
#
# A line for each check, with what was said where it failed, and a count at the end.
set -euo pipefail

if [ $# -lt 2 ]; then
  echo "usage: $0 ROOT WORKDIR [bench | soak SECONDS]" >&2
  exit 2
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
caffe2=$(cd "$1" && pwd)
mkdir -p "$2"
work=$(cd "$2" && pwd)
# shellcheck source=c_tests/checks.sh
. "$root/c_tests/checks.sh"
# shellcheck source=c_tests/snippets.sh
. "$root/c_tests/snippets.sh"
export CMAKE_BUILD_PARALLEL_LEVEL=2
unset MAKEFLAGS MAKELEVEL

prefix=$work/prefix
build=$work/build
install_library() {
  rm -rf "$prefix"
  cmake -S "$root" -B "$work/library" -DCMAKE_BUILD_TYPE=Release \
    -DCAFFE2_QTENSOR_BUILD_COMMAND=OFF
  cmake --build "$work/library"
  cmake --install "$work/library" --prefix "$prefix"
}
build_programs() {
  rm -f "$build/CMakeCache.txt"
  cmake -S "$root/c_tests/caffe2" -B "$build" "-DCAFFE2_ROOT=$caffe2" "-DCMAKE_PREFIX_PATH=$prefix"
  cmake --build "$build"
}
test_program() { (cd "$build" && ctest --verbose --timeout 500 -R "^$1\$"); }
readme_program() {
  rm -rf "$work/snippets" "$work/readme/CMakeCache.txt"
  snippets "$work/snippets"
  cmake -S "$work/snippets/prebuilt" -B "$work/readme" "-DCAFFE2_ROOT=$caffe2" \
    "-DCMAKE_PREFIX_PATH=$prefix"
  cmake --build "$work/readme"
  cd "$work"
  diff <("$work/readme/prebuilt") "$work/snippets/prebuilt/expected"
}

check "the library, installed" install_library
check "the programs" build_programs
if [ "$failed" -ne 0 ]; then
  summary
fi
case ${3:-} in
  bench) exec "$build/bench_caffe2" "$work" ;;
  soak)
    export CAFFE2_QTENSOR_SECONDS=$4
    exec "$build/differential" "$root/tests/data" "$work" "$work"
    ;;
esac
for source in "$root"/c_tests/caffe2/*.cc; do
  name=$(basename "$source" .cc)
  case $name in
    bench_*) ;;
    *) check "$name" test_program "$name" ;;
  esac
done
check "the README's program in a prebuilt Caffe2" readme_program
summary
