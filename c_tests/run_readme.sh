#!/usr/bin/env bash
# Does what the README says: every snippet under "Link it" and the programs in it are taken out of
# README.md, built as they stand, and run.
#
#   c_tests/run_readme.sh WORKDIR
#
# WORKDIR, such as target/readme, keeps the build folders from run to run. A missing tool fails;
# nothing is installed on the system.
#
# A line for each snippet, with what was said where it failed, and a count at the end.
set -euo pipefail

if [ $# -ne 1 ]; then
  echo "usage: $0 WORKDIR" >&2
  exit 2
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "$1"
work=$(cd "$1" && pwd)
# shellcheck source=c_tests/checks.sh
. "$root/c_tests/checks.sh"
# shellcheck source=c_tests/snippets.sh
. "$root/c_tests/snippets.sh"
export CMAKE_BUILD_PARALLEL_LEVEL=2

# What is made by the README's words is new; the source and the projects stay where they were, for
# their build folders' sake.
export PREFIX="$work/prefix"
rm -rf "$PREFIX" "$work/snippets"
mkdir -p "$work/snippets" "$work/source"
find "$work/source" -mindepth 1 -maxdepth 1 ! -name build ! -name target -exec rm -rf {} +
(cd "$root" && find . -mindepth 1 -maxdepth 1 ! -name .git ! -name target ! -name build -print0 |
  tar -c --exclude='./*/target' --null --files-from=-) | tar -x -C "$work/source"

snippets "$work/snippets"
# The first program is the first block of C, and what it prints stands behind it.
awk '/^```c$/ { inside = 1; next } inside && /^```/ { exit } inside' "$root/README.md" \
  >"$work/snippets/first.c"
sed -n 's/^It prints `\(.*\)`\. .*/\1/p' "$root/README.md" >"$work/snippets/expected"

prints_as_promised() { diff <("$1") "$work/snippets/expected"; }

# in_folder NAME: an empty folder with the first program, to build in.
in_folder() {
  rm -rf "$work/here/$1"
  mkdir -p "$work/here/$1"
  cd "$work/here/$1"
  cp "$work/snippets/first.c" .
}

by_hand() {
  in_folder "by-hand-$1"
  ln -s "$work/source/include" include
  mkdir -p target/release
  local library
  for library in "$work"/source/target/release/libcaffe2_qtensor.{so,a}; do
    ln -s "$library" target/release/
  done
  bash -e "$work/snippets/by-hand/$1.sh"
  prints_as_promised ./first
}
pkg_config() {
  in_folder "pkg-config-$1"
  PKG_CONFIG_PATH="$PREFIX/lib/pkgconfig" bash -e "$work/snippets/pkg_config/$1.sh"
  prints_as_promised ./first
}
# project NAME CMAKE-ARGUMENTS...: builds a project; its build folder is kept.
project() {
  local folder="$work/projects/$1"
  mkdir -p "$folder"
  cp "$work/snippets/first.c" "$work/snippets/$1"/* "$folder"
  mkdir -p "$folder/third_party"
  ln -sfn "$work/source" "$folder/third_party/caffe2_qtensor"
  rm -f "$folder/build/CMakeCache.txt"
  cmake -S "$folder" -B "$folder/build" "${@:2}"
  cmake --build "$folder/build"
}
first_project() {
  project "$@"
  prints_as_promised "$work/projects/$1/build/first"
}
dropin() {
  project dropin "-DCMAKE_PREFIX_PATH=$PREFIX" "-DCMAKE_CXX_FLAGS=$1"
  diff <("$work/projects/dropin/build/dropin") "$work/snippets/dropin/expected"
}
first_in_cpp() {
  in_folder cpp
  c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror "$work/snippets/cpp/first.cc" -o first \
    "-I$PREFIX/include" "$PREFIX/lib/libcaffe2_qtensor.a" -lpthread -ldl -lm
  prints_as_promised ./first
}
products_in_cpp() {
  in_folder products
  c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror "$work/snippets/products/products.cc" -o products \
    "-I$PREFIX/include" "$PREFIX/lib/libcaffe2_qtensor.a" -lpthread -ldl -lm
  diff <(./products) "$work/snippets/products/expected"
}
install_copy() {
  cd "$work/source"
  rm -f build/CMakeCache.txt
  bash -e "$work/snippets/install.sh"
}
package() {
  cd "$work/source"
  rm -f build/*.deb build/*.tar.gz
  bash -e "$work/snippets/package.sh"
  ls build/*.deb build/*.tar.gz
}
cargo_build() {
  cd "$work/source"
  CARGO_TARGET_DIR=target cargo build --release --lib --locked
}

check "cargo build --release --lib" cargo_build
check "shared, by hand" by_hand shared
check "static, by hand" by_hand static
check "install" quickly install_copy
check "find_package" first_project find_package "-DCMAKE_PREFIX_PATH=$PREFIX"
check "add_subdirectory" quickly first_project add_subdirectory
check "FetchContent" quickly first_project fetch_content \
  "-DFETCHCONTENT_SOURCE_DIR_CAFFE2_QTENSOR=$work/source"
check "pkg-config, shared" pkg_config shared
check "pkg-config, static" pkg_config static
check "drop-in headers, C++11" dropin -std=c++11
check "drop-in headers, C++17" dropin -std=c++17
check "the first program in C++" first_in_cpp
check "products in C++" products_in_cpp
check "packages" quickly package
summary
