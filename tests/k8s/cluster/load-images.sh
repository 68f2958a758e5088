#!/bin/bash
# imports images (default: all of images/) into the running node
B=${CLUSTER_HOME:-${INFER_CACHE:-$HOME/.cache/libinfer}/cluster}; cd $B; for i in ${@:-$B/images/*.tar}; do nsenter -t $(cat $B/run/node.pid) -m -n -p ctr -a $B/run/containerd/containerd.sock -n k8s.io images import $(realpath $i); done
