# Sourced by the other scripts: chooses the cluster and defines how to access it. Uses kind if kind and Docker work, else the
# tests' cluster, which needs neither.
cluster=$1 overlay=$2
home=${CLUSTER_HOME:-${INFER_CACHE:-$HOME/.cache/libinfer}/cluster}
if command -v kind >/dev/null && docker info >/dev/null 2>&1; then
  kind=yes
  kubectl() { command kubectl --context "kind-$cluster" "$@"; }
else
  kind=
  kubectl() { "$home/bin/kubectl" --kubeconfig="$home/etc/admin.conf" "$@"; }
fi
# The image of the overlay, as in its manifests.
image() {
  sed -n 's/^images: \[{name: [^,]*, newName: \([^,]*\), newTag: \([^}]*\)}\]$/\1:\2/p' "k8s/overlays/$overlay/kustomization.yaml"
}
[ -d "k8s/overlays/$overlay" ] || { echo "OVERLAY: '$overlay' does not exist; use one of: $(ls k8s/overlays | paste -sd ' ')" >&2; exit 2; }
