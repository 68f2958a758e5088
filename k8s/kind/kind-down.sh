#!/usr/bin/env bash
# Deletes the cluster: kind-down.sh CLUSTER OVERLAY
set -euo pipefail
cd "$(dirname "$0")/../.."
. k8s/kind/cluster.sh "$@"

if [ -n "$kind" ]; then
  kind delete cluster --name "$cluster"
else
  tests/k8s/cluster/down.sh
fi
