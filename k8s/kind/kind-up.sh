#!/usr/bin/env bash
# Creates the cluster or reuses an existing one: kind-up.sh CLUSTER OVERLAY
set -euo pipefail
cd "$(dirname "$0")/../.."
. k8s/kind/cluster.sh "$@"

if [ -n "$kind" ]; then
  kind get clusters 2>/dev/null | grep -qx "$cluster" || kind create cluster --name "$cluster" --config k8s/kind/kind-config.yaml
  kubectl apply -f https://github.com/kubernetes-sigs/metrics-server/releases/download/v0.7.2/components.yaml
  # Uses the image's digest, so that a moved tag cannot change the image.
  image=registry.k8s.io/metrics-server/metrics-server:v0.7.2@sha256:ffcb2bf004d6aa0a17d90e0247cf94f2865c8901dcab4427034c341951c239f9
  kubectl patch deployment metrics-server -n kube-system --type=json -p "[
    {\"op\":\"replace\",\"path\":\"/spec/template/spec/containers/0/image\",\"value\":\"$image\"},
    {\"op\":\"add\",\"path\":\"/spec/template/spec/containers/0/args/-\",\"value\":\"--kubelet-insecure-tls\"}]"
else
  echo "kind-up: kind or Docker does not work here; starting the tests' cluster instead"
  tests/k8s/cluster/ensure.sh
  echo "kubectl: $home/bin/kubectl --kubeconfig=$home/etc/admin.conf"
fi
