#!/bin/bash
# Generates go.mod and go.sum: require and replace lines for one Kubernetes patch release, then tidy.
SRC=$(cd "$(dirname "$0")" && pwd); B=${CLUSTER_HOME:-${INFER_CACHE:-$HOME/.cache/libinfer}/cluster}; mkdir -p $B/src; cp -r "$SRC"/. $B/src/ 2>/dev/null; cd $B/src; export GOMODCACHE=$B/gomod GOCACHE=$B/gocache GOFLAGS="-buildvcs=false -modcacherw"; bash patch.sh
V=${1:-34.4}
MODS="api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap code-generator component-base component-helpers controller-manager cri-api cri-client csi-translation-lib dynamic-resource-allocation endpointslice externaljwt kms kube-aggregator kube-controller-manager kube-proxy kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission"
{
echo "module hk"; echo; echo "go 1.24.0"; echo; echo "godebug default=go1.24"; echo
echo "require ("; echo "	k8s.io/kubernetes v1.$V"; for m in component-base kubectl client-go; do echo "	k8s.io/$m v0.$V"; done
echo "	go.etcd.io/etcd/server/v3 v3.6.4"; echo "	helm.sh/helm/v3 v3.19.5"; echo "	github.com/coredns/coredns v1.12.0"; echo "	sigs.k8s.io/metrics-server v0.7.2"; echo ")"; echo
echo "tool ("; echo "	helm.sh/helm/v3/cmd/helm"; echo "	sigs.k8s.io/metrics-server/cmd/metrics-server"; echo ")"; echo
echo "replace ("; for m in $MODS; do echo "	k8s.io/$m => k8s.io/$m v0.$V"; done
echo "	sigs.k8s.io/metrics-server => ./metrics-server"; echo "	github.com/coredns/coredns => ./coredns"; echo ")"
} > go.mod
rm -f go.sum; nice go mod tidy
