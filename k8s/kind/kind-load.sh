#!/usr/bin/env bash
# Puts the image into the node under the name that the overlay uses: kind-load.sh CLUSTER OVERLAY
set -euo pipefail
cd "$(dirname "$0")/../.."
. k8s/kind/cluster.sh "$@"

name=$(image)
name=${name:-libinfer:latest}
if [ -n "$kind" ]; then
  docker tag localhost/libinfer:latest "$name"
  kind load docker-image "$name" --name "$cluster"
else
  tests/k8s/import.sh localhost/libinfer:latest "$name"
fi
