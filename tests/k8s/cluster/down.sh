#!/bin/bash
# Ends the node's PID 1 (the kernel then ends every process of its PID namespace) and removes its control groups. "wipe" also
# removes the state.
B=${CLUSTER_HOME:-${INFER_CACHE:-$HOME/.cache/libinfer}/cluster}; P=$(cat $B/run/node.pid 2>/dev/null)
[ -n "$P" ] && kill -9 $P 2>/dev/null
for i in $(seq 50); do [ -d /proc/$P ] || break; sleep 0.1; done; rm -f $B/run/node.pid
ip link del k8s0 2>/dev/null
for c in /sys/fs/cgroup/*/kubepods; do [ -d $c ] && find $c -depth -type d -exec rmdir {} \; ; done
[ "$1" = wipe ] && rm -rf $B/var $B/run $B/hostvar $B/hostrun $B/log
true
