#!/bin/bash
# Adds to the committed inputs of each target the smallest part of what runs found that covers as
# much, of inputs up to 1 KiB:
#
#     fuzz/keep.sh [TARGET...]
set -u
cd "$(dirname "$0")" || exit 2
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(blob qtensor tensor minidb observer net npy calls)
. ./build.sh

for target in "${targets[@]}"; do
    kept=$(mktemp -d)
    mkdir -p "corpus/$target"
    sources=("seeds/$target" "corpus/$target" "$target_dir/corpus/$target")
    # The seeds are committed already, so that only what they do not cover is added to them.
    "$target_dir/$host/release/$target" -set_cover_merge=1 -max_len=1024 -timeout=10 \
        "$kept" "${sources[@]}" >"$target_dir/$target-keep.log" 2>&1 || exit
    rm -f "corpus/$target"/*
    for input in "$kept"/*; do
        cmp -s "$input" "seeds/$target/$(basename "$input")" || cp "$input" "corpus/$target/"
    done
    rm -r "$kept"
    echo "$target: $(ls "corpus/$target" | wc -l) inputs"
done
du -sb corpus | cut -f1 | xargs echo "bytes altogether:"
