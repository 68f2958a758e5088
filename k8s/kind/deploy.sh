#!/usr/bin/env bash
# Applies the overlay and waits for its rollout: deploy.sh CLUSTER OVERLAY
set -euo pipefail
cd "$(dirname "$0")/../.."
. k8s/kind/cluster.sh "$@"

kubectl apply -k "k8s/overlays/$overlay"
kubectl get -k "k8s/overlays/$overlay" -o name | grep '^deployment' | while read -r deployment; do
  namespace=$(sed -n 's/^namespace: //p' "k8s/overlays/$overlay/kustomization.yaml")
  kubectl -n "${namespace:-default}" rollout status "$deployment" --timeout=180s
done
