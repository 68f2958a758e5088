#!/usr/bin/env bash
# Measures everything in docs/benchmarks.md: run.sh BUILD MODEL. Takes about half an hour on two cores. Nothing else should run
# meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 model=$2
cache=${INFER_CACHE:-$HOME/.cache/libinfer}
benchmarks/peers/setup.sh
export INFER_BENCH_MODEL=$model
for suite in bench_core bench_image bench_model; do
  "$build/bin/$suite" --benchmark_counters_tabular=true
done
python3 benchmarks/compare.py --build "$build" --model "$model"
python3 benchmarks/peers/peers.py --build "$build" --model "$model"
python3 benchmarks/workloads.py --build "$build" --peers "$cache/peers"
python3 benchmarks/protocols.py --build "$build" --peers "$cache/peers"
python3 benchmarks/refused_bytes.py --infer "$build/bin/infer"
