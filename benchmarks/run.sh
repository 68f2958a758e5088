#!/usr/bin/env bash
# Measures everything that docs/benchmarks.md reports: run.sh BUILD MODEL. Takes about half an hour on two cores, during
# which nothing else should run.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 model=$2
cache=${INFER_CACHE:-$HOME/.cache/libinfer}
if ! command -v hey >/dev/null; then
  sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get install -y -qq --no-install-recommends hey >/dev/null
fi
if ! "$cache/peers/bin/python" -c 'import fastapi, sentence_transformers' 2>/dev/null; then
  echo "bench: installing the peers (FastAPI, torch, Pillow, sentence-transformers) into $cache/peers"
  python3 -m venv "$cache/peers"
  "$cache/peers/bin/pip" install --quiet -r benchmarks/peers/requirements.txt
fi
export INFER_BENCH_MODEL=$model
for suite in bench_core bench_image bench_model; do
  "$build/bin/$suite" --benchmark_counters_tabular=true
done
python3 benchmarks/compare.py --build "$build" --model "$model" --peers "$cache/peers"
python3 benchmarks/workloads.py --build "$build" --peers "$cache/peers"
tests/conformance/setup.sh
python3 benchmarks/protocols.py --build "$build" --peers "$cache/peers"
