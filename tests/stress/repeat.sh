#!/bin/sh
# Repeats the tests of a build folder beside stress-ng, as on a busy machine:
#
# tests/stress/repeat.sh [TIMES=20] [BUILD=build/release] [arguments for ctest, e.g. -R Robustness]
#
# Prints a line for each run and the names of failed tests. Exit code: 0 no test failed, 1 some failed, 2 the tests cannot run.
set -u
times=${1:-20}
build=${2:-build/release}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] && shift
case $times in '' | *[!0-9]* | 0) echo "repeat.sh: TIMES is '$times', not a number from 1" >&2; exit 2 ;; esac
if ! command -v stress-ng > /dev/null; then
  echo "repeat.sh: stress-ng is not installed; run apt-get install stress-ng" >&2
  exit 2
fi
if [ ! -f "$build/CTestTestfile.cmake" ]; then
  echo "repeat.sh: $build contains no tests; run cmake --preset release && cmake --build $build" >&2
  exit 2
fi
stress-ng --cpu "${STRESS_CPUS:-4}" --quiet &
stress=$!
trap 'kill $stress 2> /dev/null; wait $stress 2> /dev/null' EXIT
trap 'exit 130' INT TERM
log=$(mktemp)
failed=0
run=1
while [ "$run" -le "$times" ]; do
  if ctest --test-dir "$build" -j "$(nproc)" --output-on-failure --no-tests=error "$@" > "$log" 2>&1; then
    echo "run $run of $times: $(grep 'tests passed' "$log")"
  else
    failed=$((failed + 1))
    kept="$build/repeat-$run.log"
    cp "$log" "$kept"
    echo "run $run of $times: FAILED; the whole output is in $kept"
    sed -n '/The following tests FAILED/,/^Errors/p' "$log" | grep -E '^[[:space:]]+[0-9]+ - ' || tail -n 5 "$log"
  fi
  run=$((run + 1))
done
rm -f "$log"
echo "$failed of $times runs failed"
[ "$failed" -eq 0 ]
