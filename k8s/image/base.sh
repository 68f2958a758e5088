#!/usr/bin/env bash
# Makes the Dockerfile's base image from Debian's packages if no registry can be reached, and gives it the tag of the public
# image. Uses this machine's mirror and certificates: base.sh IMAGE. Needs root, debootstrap and buildah.
set -euo pipefail
image=$1
suite=${image##*:}
suite=${suite%-slim}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $suite" | sed -n 1p)
debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$mirror" >"$root.log" 2>&1 || {
  tail -5 "$root.log" >&2
  exit 1
}
rm -f "$root.log"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
# Behind a TLS-intercepting proxy, the build container must trust the proxy's certificate too.
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
container=$(buildah from scratch)
buildah copy --quiet "$container" "$root" / >/dev/null
buildah config --cmd bash "$container"
buildah commit --quiet --rm "$container" "$image" >/dev/null
echo "image: $image made from $mirror"
