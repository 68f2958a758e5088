#!/bin/bash
# starts the node; needs bin/ and images/ from build.sh. CORE=1 pins everything to that core.
S=$(cd "$(dirname "$0")" && pwd); B=${CLUSTER_HOME:-${INFER_CACHE:-$HOME/.cache/libinfer}/cluster}; export CLUSTER_HOME=$B; cd $B; export HOME=$B/home; mkdir -p $HOME
[ -f run/node.pid ] && [ -d /proc/$(cat run/node.pid) ] && { echo already up; exit 0; }
T0=$(date +%s.%N); mkdir -p run log var
bash $S/certs.sh || exit 1
${CORE:+taskset -c $CORE} setsid nice -n -5 unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private \
  bash $S/node.sh > log/node.log 2>&1 < /dev/null &
until P=$(pgrep -P $! 2>/dev/null) && [ "$(readlink /proc/$P/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
echo $P > run/node.pid
ip link del k8s0 2>/dev/null
ip link add k8s0 type veth peer name k8s1 netns $P
ip addr add 10.123.0.1/24 dev k8s0; ip link set k8s0 up
K="$B/bin/kubectl --kubeconfig=$B/etc/admin.conf"
t() { awk "BEGIN{print $(date +%s.%N)-$T0}"; }
for i in $(seq 600); do $K get --raw=/readyz >/dev/null 2>&1 && break; sleep 0.3; done; echo "apiserver ready after $(t) s"
for i in $(seq 600); do $K get node node1 >/dev/null 2>&1 && break; sleep 0.3; done; echo "node registered after $(t) s"
$K wait --for=condition=Ready node/node1 --timeout=180s; echo "node Ready after $(t) s"
for i in $(seq 200); do $K -n default get sa default >/dev/null 2>&1 && break; sleep 0.3; done; echo "usable after $(t) s"
