#!/bin/bash
# Imports a local image into the running node: import.sh IMAGE NAME... Skips an unchanged image.
set -euo pipefail
home=${CLUSTER_HOME:-${INFER_CACHE:-$HOME/.cache/libinfer}/cluster}
ctr() { nsenter -t "$(cat "$home/run/node.pid")" -m -n -p ctr -a "$home/run/containerd/containerd.sock" -n k8s.io images "$@"; }
image=$1 name=$2
id=$(buildah inspect --type image --format '{{.FromImageID}}' "$image")
stamp=$home/images/${name//[:\/]/_}.id
if [ "$(cat "$stamp" 2>/dev/null)" != "$id" ] || ! ctr ls -q | grep -qxF "docker.io/library/$name"; then
  archive=$home/images/${name//[:\/]/_}.oci
  rm -f "$archive"
  buildah push -q --disable-compression "$image" "oci-archive:$archive:docker.io/library/$name"
  ctr import "$archive" >/dev/null
  rm -f "$archive"
  echo "$id" >"$stamp"
fi
for other in "${@:3}"; do ctr tag --force "docker.io/library/$name" "docker.io/library/$other" >/dev/null; done
