#!/usr/bin/env bash
# Builds the library with CMake, installs, moves and packages it, and links with it in every way
# that c_tests/consumers has a project for; each program is built with all warnings as errors, and
# run.
#
#   c_tests/run_linking.sh WORKDIR
#
# WORKDIR, such as target/linking, keeps cargo's and CMake's build folders from run to run; what was
# installed or packaged is made anew. CC, CXX and OTHER_CXX (clang++) name other compilers. A
# missing tool fails; nothing is installed on the system.
#
# A line for each check, with what was said where it failed, and a count at the end.
set -euo pipefail

if [ $# -ne 1 ]; then
  echo "usage: $0 WORKDIR" >&2
  exit 2
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
for tool in cmake ctest cpack ninja make pkg-config nm valgrind dpkg-deb file mpicc mpirun; do
  if ! command -v "$tool" >/dev/null; then
    echo "$0: $tool is not installed" >&2
    exit 2
  fi
done
mkdir -p "$1"
work=$(cd "$1" && pwd)
case $work/ in
  "$root"/target/*) ;;
  "$root"/*)
    echo "$0: $work would be copied into itself; name a folder under target/" >&2
    exit 2
    ;;
esac
# Where `cargo test` has built what writes the golden files.
test_target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")
other_cxx=${OTHER_CXX:-clang++}
# What a user may have set must not move anything, nor help a program find the library.
unset LD_LIBRARY_PATH PKG_CONFIG_PATH CMAKE_PREFIX_PATH CMAKE_GENERATOR CMAKE_BUILD_TYPE DESTDIR
export CARGO_TARGET_DIR="$work/not here" CARGO_BUILD_TARGET=wasm32-unknown-unknown
export CMAKE_BUILD_PARALLEL_LEVEL=2

# shellcheck source=c_tests/checks.sh
. "$root/c_tests/checks.sh"

# The consumers and the source stand in folders with names that are easily taken apart.
mkdir -p "$work/fresh"
find "$work/fresh" -mindepth 1 -delete
copy="$work/source tree+1"
consumers="$copy/c_tests/consumers"
rm -rf "$copy"
mkdir "$copy"
(cd "$root" && find . -mindepth 1 -maxdepth 1 ! -name .git ! -name target -print0 |
  tar -c --exclude='./*/target' --exclude='*.o' --null --files-from=-) | tar -x -C "$copy"
listing() { (cd "$copy" && find . -printf '%p %s %T@\n' | sort); }
listing >"$work/listing"

main="$work/main"
prefix="$work/fresh/moved prefix+1"
plain_prefix="$work/fresh/plain"
small_prefix="$work/fresh/small"
libdir=lib/some-linux

# `cargo test` runs every program; a dozen shows that CMake's targets are as good.
some_programs='^(golden_tensors|test_tensor|test_header|test_threads|cpp_tensor|cpp_databases|dropin_client)'
configure_main() {
  cmake -S "$root" -B "$main" -G Ninja -DCAFFE2_QTENSOR_BUILD_TESTS=ON \
    "-DCAFFE2_QTENSOR_TEST_CARGO_FOLDER=$test_target" \
    "-DCAFFE2_QTENSOR_TEST_PROGRAMS=$some_programs" "$@"
}
build_main() {
  configure_main -DCMAKE_INSTALL_PREFIX=/usr/local -DCMAKE_INSTALL_LIBDIR=lib
  cmake --build "$main"
}
ctest_main() { (cd "$main" && ctest -j2 --output-on-failure); }
# only_exports ARCHIVE
only_exports() {
  nm -g --defined-only "$1" | awk 'NF == 3 { print $3 }' | sort |
    diff - "$root/c_tests/exports.txt"
}
install_and_move() {
  cmake --install "$main" --prefix "$work/fresh/first/place"
  mv "$work/fresh/first/place" "$prefix"
  rmdir "$work/fresh/first"
  cmake --install "$main" --prefix "$plain_prefix"
  local component
  for component in shared development; do
    cmake --install "$main" --prefix "$small_prefix" --component "caffe2_qtensor_$component"
  done
  diff <(cd "$root/include" && find . -name '*.h' -o -name '*.hpp' | sort) \
    <(cd "$prefix/include" && find . -type f | sort)
  # Nothing remembers where it was.
  ! grep -r "$work" "$prefix/lib/cmake" "$prefix/lib/pkgconfig"
}

# The command with its manual and completions, wherever the copy was moved, and not in one without.
command_installed() {
  local file
  "$prefix/bin/qtensor" verify "$root/tests/data/digits/digits_mlp.minidb"
  for file in share/man/man1/qtensor.1 share/man/man1/qtensor-quantize.1 \
    share/bash-completion/completions/qtensor share/zsh/site-functions/_qtensor \
    share/fish/vendor_completions.d/qtensor.fish; do
    [ -s "$prefix/$file" ]
  done
  bash -n "$prefix/share/bash-completion/completions/qtensor"
  [ ! -e "$small_prefix/bin" ]
}

# consumer NAME FOLDER CONFIGURATIONS CMAKE-ARGUMENTS...: configures, builds and runs one project.
consumer() {
  local name=$1 folder=$2 configurations=$3 configuration
  shift 3
  local build="$work/consumers/$name"
  # Installed copies are new each time, and so is what CMake remembers of them.
  rm -rf "$build/CMakeCache.txt"
  # CMake 4 must be told that projects of Caffe2's age may go on.
  cmake -S "$consumers/$folder" -B "$build" "$@" \
    -DCMAKE_POLICY_VERSION_MINIMUM=3.5 --no-warn-unused-cli
  for configuration in $configurations; do
    cmake --build "$build" --config "$configuration"
    # A consumer without a test would pass unseen.
    (cd "$build" && ctest -C "$configuration" --output-on-failure --no-tests=error)
  done
}

# The second build of the same thing must not link anything again.
nothing_new() {
  local build="$work/consumers/$1" programs before
  shift
  for programs in "$@"; do
    before=$(stat -c %y "$build/$programs")
    cmake --build "$build" --config Release
    [ "$(stat -c %y "$build/$programs")" = "$before" ]
  done
}
installs_nothing_of_ours() {
  rm -rf "$work/fresh/theirs"
  cmake --install "$work/consumers/add_subdirectory" --config Release \
    --prefix "$work/fresh/theirs"
  [ "$(cd "$work/fresh/theirs" && find . -type f)" = ./bin/static ]
}

# static_link FLAGS...: the archive in a program with these flags for the linker.
static_link() {
  local program="$work/fresh/static"
  "${CC:-cc}" -std=c99 -I "$prefix/include" "$consumers/program/program.c" -o "$program" "$@" \
    -lpthread -ldl -lm
  "$program"
  # Valgrind 3.19 does not know AVX-512.
  CAFFE2_QTENSOR_KERNELS=avx2 valgrind --quiet --error-exitcode=9 --leak-check=full "$program"
}
archive="$prefix/lib/libcaffe2_qtensor.a"
into_shared() {
  "${CC:-cc}" -shared -o "$work/fresh/libwrapper.so" -Wl,--whole-archive "$archive" \
    -Wl,--no-whole-archive -Wl,--no-undefined -lpthread -ldl -lm -lgcc_s -lc
  nm -D --defined-only "$work/fresh/libwrapper.so" | awk '{ print $3 }' | sort |
    diff - "$root/c_tests/exports.txt"
  static_link -L "$work/fresh" "-Wl,-rpath,$work/fresh" -lwrapper
}

# pkg_config PC-FOLDER [SYSROOT]
pkg_config() {
  local build="$work/fresh/pkg config"
  rm -rf "$build"
  mkdir "$build"
  cp "$consumers/pkg_config/Makefile" "$build"
  PKG_CONFIG_PATH=$1 pkg-config --variable=compat_includedir caffe2_qtensor |
    grep '/include/caffe2_qtensor/compat$'
  make -C "$build" "PKG_CONFIG_PATH=$1" "SYSROOT=${2:-}" "PROGRAM=$consumers/program" run
}

packages="$work/fresh/packages"
package() {
  configure_main -DCMAKE_INSTALL_PREFIX=/usr "-DCMAKE_INSTALL_LIBDIR=$libdir"
  DESTDIR="$work/fresh/staged" cmake --install "$main"
  (cd "$main" && cpack -B "$packages")
  ls "$packages"/*.deb "$packages"/*.tar.gz
}
debian_package() {
  local deb system="$work/fresh/system"
  deb=$(echo "$packages"/*.deb)
  dpkg-deb --info "$deb"
  [ "$(dpkg-deb --field "$deb" Package)" = caffe2-qtensor ]
  dpkg-deb --field "$deb" Depends | grep libc6
  dpkg-deb --contents "$deb" | grep share/doc/caffe2-qtensor/LICENSE
  mkdir -p "$system"/var/lib/dpkg/{info,updates}
  touch "$system"/var/lib/dpkg/{status,available}
  # An empty system has no C library to depend on, and no shell for the script that tells the
  # loader: a program that does nothing stands for it.
  if [ "$(id -u)" -eq 0 ]; then
    mkdir "$system/bin"
    echo 'int main(void) { return 0; }' | "${CC:-cc}" -static -x c - -o "$system/bin/sh"
    dpkg --root="$system" --log=/dev/null --force-depends --install "$deb"
    dpkg --root="$system" --status caffe2-qtensor | grep 'install ok installed'
  else
    dpkg-deb --extract "$deb" "$system"
  fi
}
unpack_archive() {
  mkdir "$work/fresh/unpacked"
  tar -xzf "$packages"/*.tar.gz -C "$work/fresh/unpacked" --strip-components=1
}
examples() {
  local folder alone
  for folder in "$root"/examples/*/; do
    [ -f "$folder/CMakeLists.txt" ] || continue
    alone="$work/fresh/examples/$(basename "$folder")"
    mkdir -p "$work/fresh/examples"
    cp -r "$folder" "$alone"
    cmake -S "$alone" -B "$alone/build" "-DCMAKE_PREFIX_PATH=$prefix"
    cmake --build "$alone/build"
  done
  "$work/fresh/examples/c/build/list" "$root"/tests/data/*.minidb
  "$work/fresh/examples/c/build/classify" "$root"/tests/data/digits/digits_{mlp,train,test}.minidb 4
  "$prefix/bin/qtensor" quantize "$root/tests/data/digits/digits_mlp.minidb" --precision 4 \
    -o "$work/fresh/examples/digits.minidb"
  "$work/fresh/examples/cpp/build/digits" \
    "$root"/tests/data/digits/digits_{mlp,train,test}.minidb "$work/fresh/examples/digits.minidb"
}
# The same bytes for every number of ranks; values that are no multiple of 8, in parts of any size.
ranks() {
  local program=$work/fresh/examples/mpi/build/calibrate data=$work/fresh/values.f32 number
  cat "$root"/tests/data/data_{normal,laplace,outliers}.f32 >"$data"
  head -c 79988 "$root/tests/data/data_relu.f32" >>"$data"
  for number in 1 2 3 4; do
    mpirun --allow-run-as-root --oversubscribe -n "$number" \
      "$program" "$data" 4 "$work/fresh/ranks$number.minidb"
    cmp "$work/fresh/ranks1.minidb" "$work/fresh/ranks$number.minidb"
  done
  # What the library refuses reaches the user in its own words.
  printf '\0\0\300\177' >>"$data"
  if mpirun --allow-run-as-root --oversubscribe -n 2 \
    "$program" "$data" 4 "$work/fresh/refused.minidb" >"$work/fresh/refusal" 2>&1; then
    return 1
  fi
  grep "index .* is NaN" "$work/fresh/refusal"
}
refuses() {
  local pattern=$1
  shift
  if cmake -S "$root" -B "$work/fresh/refused" "$@" >"$work/fresh/refusal" 2>&1; then
    return 1
  fi
  rm -rf "$work/fresh/refused"
  # CMake breaks lines where it likes.
  tr -s '\n ' ' ' <"$work/fresh/refusal" | grep "$pattern"
}
old_cargo() {
  local old="$work/fresh/cargo"
  printf '#!/bin/sh\necho "cargo 1.80.0 (of old)"\n' >"$old"
  chmod +x "$old"
  refuses "is version 1.80.0, and .* or newer is needed" "-DCAFFE2_QTENSOR_CARGO=$old"
}
untouched() { listing | diff "$work/listing" -; }

make_=(-G "Unix Makefiles")
ninja=(-G Ninja)
multi=(-G "Ninja Multi-Config")
installed=("-DCMAKE_PREFIX_PATH=$prefix")
in_tree=("-DCHECKOUT=$copy")
# Caffe2's function of 2017 cannot take a path apart that has spaces itself, and pkgconf 1.8 does
# not recognize a sysroot that has.
generations=()
sysroot="$work/fresh/system"
case $work in
  *' '*)
    echo "Without Caffe2's way of 2017 and without a sysroot, as there are spaces in $work"
    generations=(-DWITHOUT_2017=ON)
    sysroot=
    ;;
esac

check "build" build_main
check "ctest, shared and static" ctest_main
check "archive: no symbol but ours" only_exports "$main/lib/libcaffe2_qtensor.a"
check "install, move" install_and_move
check "the command" command_installed
check "find_package, Make" consumer find_package find_package Release "${make_[@]}" \
  "${installed[@]}"
check "find_package, Ninja Multi-Config, $other_cxx" consumer find_package_multi find_package \
  "Debug Release" "${multi[@]}" "${installed[@]}" "-DCMAKE_CXX_COMPILER=$other_cxx"
check "find_package, a configuration of one's own" consumer find_package_asan find_package Asan \
  "${ninja[@]}" "${installed[@]}" -DCMAKE_BUILD_TYPE=Asan "-DCMAKE_MAP_IMPORTED_CONFIG_ASAN=Debug"
check "find_package, a component that is not there" consumer missing_component missing_component \
  Release "${ninja[@]}" "-DCMAKE_PREFIX_PATH=$small_prefix"
check "add_subdirectory, Ninja Multi-Config" quickly consumer add_subdirectory add_subdirectory \
  "Debug Release" "${multi[@]}" "${in_tree[@]}"
check "add_subdirectory, nothing to build again" quickly nothing_new add_subdirectory \
  Release/shared Release/static
check "add_subdirectory, installs nothing of ours" installs_nothing_of_ours
check "FetchContent, Make, Debug" consumer fetch_content fetch_content Debug "${make_[@]}" \
  "${in_tree[@]}" -DCMAKE_BUILD_TYPE=Debug
check "archive, Debug: no symbol but ours" only_exports \
  "$work/consumers/fetch_content/_deps/caffe2_qtensor-build/lib/libcaffe2_qtensor.a"
check "caffe2_interface, installed" consumer caffe2_interface caffe2_interface Release \
  "${make_[@]}" "-DCMAKE_PREFIX_PATH=$plain_prefix" "${generations[@]}"
check "caffe2_interface, installed, spaces" consumer caffe2_interface_spaces caffe2_interface \
  Release "${ninja[@]}" "${installed[@]}" -DWITHOUT_2017=ON
check "caffe2_interface, in the tree" consumer caffe2_interface_tree caffe2_interface Debug \
  "${ninja[@]}" "${in_tree[@]}" "${generations[@]}" -DIN_TREE=ON -DCMAKE_BUILD_TYPE=Debug \
  "-DCMAKE_CXX_COMPILER=$other_cxx"
check "two Rust libraries" consumer two_rust_libraries two_rust_libraries Release "${ninja[@]}" \
  "${installed[@]}" "-DLOCALIZE=$root/cmake/localize.cmake"
check "archive" static_link "$archive"
check "archive, sections dropped" static_link -Wl,--gc-sections "$archive"
check "archive, whole" static_link -Wl,--whole-archive "$archive" -Wl,--no-whole-archive
check "archive, not position independent" static_link -no-pie "$archive"
check "archive, in a shared library" into_shared
if command -v ld.lld >/dev/null; then
  check "archive, lld" static_link -fuse-ld=lld -Wl,--gc-sections "$archive"
fi
check "pkg-config" pkg_config "$prefix/lib/pkgconfig"
check "examples alone" examples
check "examples on four ranks" ranks
check "package" package
check "staged under /usr, pkg-config" pkg_config "$work/fresh/staged/usr/$libdir/pkgconfig"
check "staged under /usr, find_package" consumer staged find_package Release "${ninja[@]}" \
  "-Dcaffe2_qtensor_DIR=$work/fresh/staged/usr/$libdir/cmake/caffe2_qtensor"
check "Debian package" debian_package
check "Debian package, find_package" consumer debian find_package Release "${ninja[@]}" \
  "-Dcaffe2_qtensor_DIR=$work/fresh/system/usr/$libdir/cmake/caffe2_qtensor"
check "Debian package, pkg-config" pkg_config "$work/fresh/system/usr/$libdir/pkgconfig" "$sysroot"
check "archive of files" unpack_archive
check "archive of files, find_package" consumer unpacked find_package Release "${make_[@]}" \
  "-Dcaffe2_qtensor_DIR=$work/fresh/unpacked/$libdir/cmake/caffe2_qtensor"
check "archive of files, pkg-config" pkg_config "$work/fresh/unpacked/$libdir/pkgconfig"
check "refuses an absolute folder" refuses "has to be relative" -DCMAKE_INSTALL_LIBDIR=/opt/lib
check "refuses an old cargo" old_cargo
check "source untouched" untouched

summary
