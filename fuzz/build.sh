# Builds the targets, for fuzz/run.sh and fuzz/keep.sh, which read this file: sets `host`,
# `target_dir` and `limits`.

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
