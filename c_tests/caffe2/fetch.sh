#!/usr/bin/env bash
# Makes sure of a prebuilt Caffe2 for the tests: the one in torch 1.8.1, with the headers of the
# protobuf it was built with and MKL's, from the package registries. Says where it is in its last
# line: a folder with `include` and `lib`.
#
#   c_tests/caffe2/fetch.sh [CACHE]
#
# CACHE is a folder to keep it in, by default caffe2_qtensor in the user's cache. It is fetched once:
# 804 MB, of which 360 MB are kept. An interrupted download goes on where it stopped. The registry is
# the one that pip is told to use, by PIP_INDEX_URL or its configuration.
set -euo pipefail

cache=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/caffe2_qtensor}
root=$cache/caffe2-1.8.1
downloads=$cache/downloads

torch="torch-1.8.1-cp38-cp38-manylinux1_x86_64.whl"
torch_sha256=e7ad1649adb7dc2a450e70a3e51240b84fa4746c69c8f98989ce0c254f9fba3a
grpc=grpcio-tools-1.28.1.tar.gz
grpc_sha256=adf089aaf6e21358b12e39d9fa7c28611340d8399a918c0b72ff122ce9b7e0af
mkl=mkl_include-2026.2.0-py2.py3-none-manylinux_2_28_x86_64.whl
mkl_sha256=889cc72057a1671fee1e9a8beb2fc4e0d222ba78c08b6d69584dae03fbec4822
# What the folder holds, so that a change of this list makes it anew.
contents="$torch_sha256 $grpc_sha256 $mkl_sha256 1"

fail() {
  echo "$0: $*" >&2
  exit 1
}

ready() { [ "$(cat "$root/contents" 2>/dev/null)" = "$contents" ]; }

done_with() {
  echo "$root"
  exit
}

index_url() {
  local url=${PIP_INDEX_URL:-}
  if [ -z "$url" ] && command -v pip >/dev/null; then
    url=$(pip config get global.index-url 2>/dev/null || true)
  fi
  url=${url:-https://pypi.org/simple}
  echo "${url%/}"
}

get() { curl --fail --silent --show-error --location --retry 3 --connect-timeout 30 "$@"; }

# address PROJECT FILE: where the registry has a file, by its page for the project.
address() {
  local page link
  page=$(get "$index/$1/" 2>&1) ||
    fail "there is no Caffe2 in $root, and the package registry cannot be reached to fetch it: $page"
  link=$(grep -o 'href="[^"]*"' <<<"$page" | sed 's/^href="//; s/["#].*//; s/&amp;/\&/g' |
    grep -F "/$2" | head -n 1) || fail "the package registry has no file $2"
  case $link in
    http://* | https://*) echo "$link" ;;
    /*) echo "$(sed -E 's|^([a-z]+://[^/]*).*|\1|' <<<"$index")$link" ;;
    *) echo "$index/$1/$link" ;;
  esac
}

is_right() { [ "$(sha256sum "$1" | cut -d ' ' -f 1)" = "$2" ]; }

# download PROJECT FILE SHA256
download() {
  local file=$downloads/$2 url
  if [ -e "$file" ] && is_right "$file" "$3"; then
    return
  fi
  url=$(address "$1" "$2")
  echo "Fetching $2" >&2
  # What is there already may be whole, or of no use to go on from.
  get --continue-at - --output "$file" "$url" || get --output "$file" "$url" ||
    fail "$2 could not be fetched; run this again to go on"
  if ! is_right "$file" "$3"; then
    rm -f "$file"
    fail "$2 is not the file it should be, by its sha256; it was removed"
  fi
}

if ready; then
  done_with
fi
for tool in curl unzip tar sha256sum flock; do
  command -v "$tool" >/dev/null || fail "$tool is not installed"
done
mkdir -p "$downloads"
# Another one may be at it, or have done it by now.
exec 9>"$cache/lock"
flock 9
if ready; then
  done_with
fi

index=$(index_url)
download torch "$torch" "$torch_sha256"
download grpcio-tools "$grpc" "$grpc_sha256"
download mkl-include "$mkl" "$mkl_sha256"

# Whole or not there at all.
new=$root.new
rm -rf "$new" "$root"
mkdir -p "$new/include" "$new/lib"
unzip -q "$downloads/$torch" 'torch/include/ATen/*' 'torch/include/c10/*' \
  'torch/include/caffe2/*' 'torch/include/torch/*' torch/lib/libc10.so torch/lib/libtorch_cpu.so \
  'torch/lib/libgomp-*' 'torch/lib/libcudart-*' 'torch/lib/libnvToolsExt-*' -d "$new"
mv "$new"/torch/include/* "$new/include"
mv "$new"/torch/lib/* "$new/lib"
rm -r "$new/torch"
tar -xzf "$downloads/$grpc" -C "$new/include" --strip-components=4 --wildcards --no-anchored \
  'third_party/protobuf/src/google/*.h' 'third_party/protobuf/src/google/*.inc'
unzip -q -j "$downloads/$mkl" '*/include/mkl_cblas*.h' '*/include/mkl_types.h' \
  '*/include/mkl_version.h' -d "$new/include"
echo "$contents" >"$new/contents"
mv "$new" "$root"
rm -r "$downloads"
done_with
