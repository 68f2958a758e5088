#!/bin/bash
# Installs cluster DNS and the metrics server, which autoscaling needs, and waits until both serve.
set -e
S=$(cd "$(dirname "$0")" && pwd); B=${CLUSTER_HOME:-${INFER_CACHE:-$HOME/.cache/libinfer}/cluster}
K="$B/bin/kubectl --kubeconfig=$B/etc/admin.conf"
$K apply -f $S/addons/dns.yaml >/dev/null
rm -rf $B/run/metrics-server; mkdir -p $B/run; cp -r $S/addons/metrics-server $B/run/metrics-server
cp -r $B/gomod/sigs.k8s.io/metrics-server@v0.7.2/manifests/base $B/run/metrics-server/base; chmod -R u+w $B/run/metrics-server
$K apply -k $B/run/metrics-server >/dev/null
$K -n kube-system rollout status deploy/coredns --timeout=120s
$K -n kube-system rollout status deploy/metrics-server --timeout=180s
