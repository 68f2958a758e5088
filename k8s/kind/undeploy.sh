#!/usr/bin/env bash
# Removes what the overlay applied: undeploy.sh CLUSTER OVERLAY
set -euo pipefail
cd "$(dirname "$0")/../.."
. k8s/kind/cluster.sh "$@"

kubectl delete -k "k8s/overlays/$overlay" --ignore-not-found
