#!/bin/bash
# Fuzzes each target for a number of seconds, after running it over the committed seeds:
#
#     fuzz/run.sh SECONDS [TARGET...]
#
# Needs the toolchain of the library and a C++ compiler, not cargo-fuzz: the flags below are those
# that it passes. Crashing inputs are kept in fuzz/artifacts, and what a run found interesting goes
# on growing in the target directory, where the next run starts from it.
set -u

seconds=${1:?"how many seconds for each target?"}
shift
cd "$(dirname "$0")" || exit 2
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(blob minidb observer)

host=x86_64-unknown-linux-gnu
target_dir=${CARGO_TARGET_DIR:-$(cd .. && pwd)/target}/fuzz
export CARGO_TARGET_DIR=$target_dir
# The sanitizer is no stable option; this lets the stable compiler take it.
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Zsanitizer=address -Cpasses=sancov-module
 -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
 -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
 --cfg fuzzing -Ccodegen-units=1 -Cdebug-assertions -Coverflow-checks"
RUSTFLAGS=$(echo $RUSTFLAGS)
if ! cargo build --quiet --locked --release --target $host; then
    echo "0 passed, 1 failed"
    exit 2
fi

# A run must repeat itself, answer within seconds, and never ask for more than its input explains.
limits=(-seed=1 -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=64 -max_len=4096
    -print_final_stats=1 -detect_leaks=1)
passed=0
failed=0

# Runs one step of a target; prints how many inputs it executed.
step() {
    local what=$1 log executed
    shift
    log=$target_dir/$what.log
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$what: FAILED"
        tail -n 40 "$log"
    fi
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "$what: ${executed:-an unknown number of} executions"
}

mkdir -p artifacts
for target in "${targets[@]}"; do
    program=$target_dir/$host/release/$target
    corpus=$target_dir/corpus/$target
    mkdir -p "$corpus"
    artifacts=-artifact_prefix=artifacts/$target-
    step "$target-seeds" "$program" "${limits[@]}" "$artifacts" -runs=0 "seeds/$target"
    step "$target" "$program" "${limits[@]}" "$artifacts" -max_total_time="$seconds" \
        "$corpus" "seeds/$target"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
