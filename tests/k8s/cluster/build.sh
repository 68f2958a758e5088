#!/bin/bash
# Builds bin/hyperkube (apiserver, controller-manager, scheduler, kubelet, kube-proxy, kubectl, etcd), bin/helm,
# bin/metrics-server and the pod images. Everything stays under CLUSTER_HOME (default ~/.cache/libinfer/cluster). CORE=1 pins the
# build to that core.
set -e
S=$(cd "$(dirname "$0")" && pwd); B=${CLUSTER_HOME:-${INFER_CACHE:-$HOME/.cache/libinfer}/cluster}; export CLUSTER_HOME=$B
mkdir -p $B/bin $B/images $B/src; cp -r $S/src/. $B/src/; cd $B/src
export GOMODCACHE=$B/gomod GOCACHE=$B/gocache GOFLAGS="-buildvcs=false -modcacherw" CGO_ENABLED=0
V=$(sed -n 's/^\tk8s.io\/kubernetes \(v[0-9.]*\)$/\1/p' go.mod); M=${V#v}; N=${M#*.}
X=k8s.io/component-base/version
LD="-s -w -X $X.gitVersion=$V -X $X.gitMajor=${M%%.*} -X $X.gitMinor=${N%%.*} -X $X.gitCommit=goproxy -X $X.gitTreeState=clean -X $X.buildDate=1970-01-01T00:00:00Z"
LD="$LD -X helm.sh/helm/v3/internal/version.version=$(sed -n 's/^.*helm.sh.helm.v3 \(v[0-9.]*\).*$/\1/p' go.mod | head -1)"
G="${CORE:+taskset -c $CORE} nice go"
b() { local t=$SECONDS; $G build -trimpath -ldflags "$LD" -o $B/bin/$1 $2; echo "$1: $((SECONDS-t)) s, $(stat -c %s $B/bin/$1) bytes"; }
bash patch.sh
b hyperkube ./cmd/hyperkube
for n in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl etcd; do ln -sf hyperkube $B/bin/$n; done
b pause ./cmd/pause
b metrics-server sigs.k8s.io/metrics-server/cmd/metrics-server
b coredns ./cmd/coredns
b helm helm.sh/helm/v3/cmd/helm
for n in pause metrics-server coredns; do python3 mkimage.py $B/images/$n.tar localhost/$n:1 $B/bin/$n; done
[ -x /usr/bin/busybox ] && DEST=busybox python3 mkimage.py $B/images/busybox.tar localhost/busybox:1 /usr/bin/busybox || true   # from Debian's busybox-static: a shell for pods
