#!/usr/bin/env bash
# Fuzzes each target for SECONDS, one on each core: run.sh BUILD SECONDS. BUILD/corpus keeps new inputs. Any finding is an error.
set -euo pipefail
build=$1 seconds=$2
python3 "$(dirname "$0")/make_corpus.py" "$build/tests/golden" "$build/corpus"
fuzz() {
  build=$1 seconds=$2 target=$3
  log=$build/corpus/$target.log
  if ! "$build/bin/fuzz_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=65536 \
      -artifact_prefix="$build/corpus/$target-" "$build/corpus/$target" 2>"$log"; then
    echo "fuzz: $target failed"
    tail -40 "$log"
    return 1
  fi
  echo "fuzz: $target for $seconds s: $(grep -E '^#[0-9]+\s+DONE|^Done' "$log" | tail -1)"
}
export -f fuzz
printf '%s\n' chunked encoding engine head image inference manifest multipart request safetensors table tokenizer |
  xargs -P "$(nproc)" -I TARGET bash -euo pipefail -c "fuzz '$build' '$seconds' TARGET"
