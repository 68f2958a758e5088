#!/usr/bin/env bash
# Prints the first of docker, podman and buildah that really works: a client without its engine does not.
if docker info >/dev/null 2>&1; then
  echo docker
elif podman info >/dev/null 2>&1; then
  echo podman
elif buildah images >/dev/null 2>&1; then
  echo buildah
else
  echo "image: none of docker, podman and buildah works here; install one: on Debian apt-get install buildah" >&2
  exit 1
fi
