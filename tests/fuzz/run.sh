#!/usr/bin/env bash
# Fuzzes each target for SECONDS: run.sh BUILD SECONDS. What is found stays in BUILD/corpus; a crash ends it with an error.
set -euo pipefail
build=$1 seconds=$2
python3 "$(dirname "$0")/make_corpus.py" "$build/tests/golden" "$build/corpus"
for target in chunked encoding engine head image inference manifest multipart request safetensors table tokenizer; do
  echo "fuzz: $target for $seconds s"
  log=$build/corpus/$target.log
  if ! "$build/bin/fuzz_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=65536 \
      -artifact_prefix="$build/corpus/$target-" "$build/corpus/$target" 2>"$log"; then
    tail -40 "$log"
    exit 1
  fi
  grep -E '^#[0-9]+\s+DONE|^Done' "$log"
done
