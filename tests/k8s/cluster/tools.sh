#!/bin/bash
# Builds the tools that check manifests without a cluster, from their Go modules: kubeconform and kube-score, and the modules with
# the schemas of custom resources.
set -e
B=${CLUSTER_HOME:-${INFER_CACHE:-$HOME/.cache/libinfer}/cluster}
export GOMODCACHE=$B/gomod GOCACHE=$B/gocache GOFLAGS="-buildvcs=false -modcacherw -trimpath" GOBIN=$B/bin CGO_ENABLED=0
cd $B
go install -ldflags "-s -w" github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0
go mod download github.com/prometheus-operator/prometheus-operator@v0.85.0 github.com/kedacore/keda/v2@v2.21.0
go install -ldflags "-s -w" github.com/zegl/kube-score/cmd/kube-score@v1.20.0
