# checks.sh: what the scripts with checks of their own share; to be sourced once `$work`, a folder
# for the log, is known.
#
#   check NAME COMMAND...   runs a command, in a shell of its own that stops at the first error, and
#                           says `ok` or `FAILED`, with what was said
#   quickly COMMAND...      runs a command, in which cargo spends no time on optimization: for what
#                           asks how the library is built in, not how fast it is
#   summary                 ends the script: the count, and an exit status

passed=0
failed=0

check() {
  local name=$1
  shift
  # Not in a condition itself, where a function would go on after an error.
  set +e
  (
    set -e
    "$@"
  ) >"$work/check.log" 2>&1
  local status=$?
  set -e
  if [ $status -eq 0 ]; then
    echo "ok      $name"
    passed=$((passed + 1))
  else
    echo "FAILED  $name"
    sed 's/^/        /' "$work/check.log"
    failed=$((failed + 1))
  fi
}

quickly() {
  export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
  export CARGO_PROFILE_RELEASE_OPT_LEVEL=0
  "$@"
}

summary() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit
}
