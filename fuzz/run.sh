#!/bin/bash
# Fuzzes each target for a number of seconds, after running it over the committed inputs; for 0 seconds
# it is only those:
#
#     fuzz/run.sh SECONDS [TARGET...]
#
# Needs the toolchain of the library and a C++ compiler, not cargo-fuzz: the flags below are those
# that it passes. Crashing inputs are kept in fuzz/artifacts, and what a run found interesting goes
# on growing in the target directory, where the next run starts from it; fuzz/keep.sh adds the
# smallest part of it that covers as much to the committed inputs.
set -u

seconds=${1:?"how many seconds for each target?"}
shift
cd "$(dirname "$0")" || exit 2
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(blob qtensor tensor minidb observer net npy calls)

. ./build.sh
# Temporary files are in memory where that can be written to, and gone in the end.
TMPDIR=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

passed=0
failed=0
executions=0
crashes=0
worst=0

# step NAME LEAST PROGRAM...: runs one step of a target; prints how many inputs it executed, which
# must be so many at least, and any.
step() {
    local what=$1 least=$2 log status=0 executed ratio
    shift 2
    log=$target_dir/$what.log
    "$@" >"$log" 2>&1 || status=$?
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    if [ "$status" -eq 0 ] && [ "${executed:-0}" -ge "$least" ] &&
        [ "${executed:-0}" -gt 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        crashes=$((crashes + 1))
        echo "$what: FAILED"
        tail -n 40 "$log"
    fi
    executions=$((executions + ${executed:-0}))
    # Targets print it whenever it grows.
    ratio=$(sed -n 's/^bytes per input byte: \([0-9.]*\) .*/\1/p' "$log" | sort -g | tail -n 1)
    worst=$(printf '%s\n' "$worst" "${ratio:-0}" | sort -g | tail -n 1)
    echo "$what: ${executed:-an unknown number of} executions${ratio:+, $ratio bytes per input byte}"
}

mkdir -p artifacts
for target in "${targets[@]}"; do
    program=$target_dir/$host/release/$target
    grown=$target_dir/corpus/$target
    mkdir -p "$grown"
    committed=()
    files=0
    for folder in "seeds/$target" "corpus/$target"; do
        [ -d "$folder" ] && committed+=("$folder") && files=$((files + $(ls "$folder" | wc -l)))
    done
    options=("${limits[@]}" "-artifact_prefix=artifacts/$target-")
    [ -f "dictionaries/$target" ] && options+=("-dict=dictionaries/$target")
    # The schedule by rare features takes most of the time where there are as many as calls have.
    [ "$target" = calls ] && options+=(-entropic=0)
    step "$target-committed" "$files" "$program" "${options[@]}" -runs=0 "${committed[@]}"
    [ "$seconds" -gt 0 ] || continue
    step "$target" "$files" "$program" "${options[@]}" -max_total_time="$seconds" "$grown" "${committed[@]}"
done
echo "bytes per input byte, worst $worst"
echo "fuzz executions $executions crashes $crashes"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
