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
    "$target_dir/$host/release/$target" -set_cover_merge=1 -max_len=1024 -timeout=10 \
        -detect_leaks=0 "$kept" "${sources[@]}" >"$target_dir/$target-keep.log" 2>&1 || exit
    rm -f "corpus/$target"/*
    # Each is named by its content's hash; the seeds are committed already.
    (cd "$kept" && sha1sum "$OLDPWD/seeds/$target"/* | cut -d' ' -f1 | xargs rm -f)
    cp "$kept"/* "corpus/$target/"
    rm -r "$kept"
    echo "$target: $(ls "corpus/$target" | wc -l) inputs"
done
du -sb corpus | cut -f1 | xargs echo "bytes altogether:"
