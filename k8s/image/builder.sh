#!/usr/bin/env bash
# Prints the first of docker, podman and buildah that works: a client without its engine does not count.
if docker info >/dev/null 2>&1; then
  echo docker
elif podman info >/dev/null 2>&1; then
  echo podman
elif buildah images >/dev/null 2>&1; then
  echo buildah
else
  echo "image: docker, podman and buildah do not work here; install one of them, on Debian with apt-get install buildah" >&2
  exit 1
fi
