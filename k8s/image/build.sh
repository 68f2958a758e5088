#!/usr/bin/env bash
# Builds an image with the first of docker, podman and buildah that works on this machine:
#   build.sh TAG [DOCKERFILE [CONTEXT [--build-arg NAME=VALUE]...]]
# If the base image cannot be pulled, base.sh makes it from packages that apt has verified.
set -euo pipefail
context=$(realpath "${3:-$(dirname "$0")/../..}")
cd "$(dirname "$0")/../.."
tag=$1 file=${2:-Dockerfile}
shift $(($# < 3 ? $# : 3))
base=$(sed -n 's/^ARG BASE=//p' Dockerfile)

builder=$(k8s/image/builder.sh)
case $builder in
  buildah)
    # Works without a daemon, and as root inside a container.
    export BUILDAH_ISOLATION=chroot
    if ! buildah inspect --type image "$base" >/dev/null 2>&1 && ! timeout 60 buildah pull -q "$base" >/dev/null 2>&1; then
      base=localhost/${base##*/}
      base=${base%@*}  # a locally made image does not have the registry's digest
      buildah inspect --type image "$base" >/dev/null 2>&1 || k8s/image/base.sh "$base"
    fi
    exec buildah bud --layers --force-rm --pull=never --format oci -q -t "$tag" -f "$file" --build-arg "BASE=$base" "$@" "$context"
    ;;
  podman) exec podman build --format oci -t "$tag" -f "$file" "$@" "$context" ;;
  docker) DOCKER_BUILDKIT=1 exec docker build -t "$tag" -f "$file" "$@" "$context" ;;
esac
