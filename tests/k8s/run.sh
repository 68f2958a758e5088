#!/bin/bash
# Run by make e2e: tests manifests, monitoring, and the five systems on a cluster. Starts a cluster if none runs, and then stops
# it again.
set -euo pipefail
cd "$(dirname "$0")"
home=${CLUSTER_HOME:-${INFER_CACHE:-$HOME/.cache/libinfer}/cluster}
if ! { [ -f "$home/run/node.pid" ] && [ -d "/proc/$(cat "$home/run/node.pid")" ]; }; then
  trap 'cluster/down.sh' EXIT
fi
cluster/ensure.sh
python3 monitoring_test.py
python3 e2e.py
