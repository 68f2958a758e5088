#!/bin/bash
# Builds the program's image and the images with models, and imports them into the running node: images.sh INFER. Skips unchanged
# images.
set -euo pipefail
cd "$(dirname "$0")/../.."
infer=$1
cache=${INFER_CACHE:-$HOME/.cache/libinfer}
home=${CLUSTER_HOME:-$cache/cluster}
models=$home/models

make_models() {
  [ -f "$models/photo/clip-vit-b-32/infer.json" ] || "$infer" model create clip-vit-b-32 --seed 1 --out "$models/photo/clip-vit-b-32"
  if [ ! -f "$models/text/sentiment/infer.json" ]; then
    "$infer" model import "$cache/minilm" --arch bert --out "$models/minilm"
    "$infer" train text --base "$models/minilm" --data data/sentiment.csv --out "$models/text/sentiment"
  fi
}

make_models >/dev/null
k8s/image/build.sh localhost/libinfer:latest
k8s/image/build.sh localhost/photo-duplicate-inference:k8s-cpu k8s/image/Dockerfile.model "$models/photo"
k8s/image/build.sh localhost/mlops-inference:v1.0 k8s/image/Dockerfile.model "$models/text"
k8s/image/build.sh localhost/locust:local k8s/image/Dockerfile.locust k8s/chart/files
# Removes layers of earlier builds, except the named compile stage, from which the next build starts.
k8s/image/build.sh localhost/libinfer-build:latest Dockerfile . --target build
buildah rmi --prune >/dev/null
tests/k8s/import.sh localhost/locust:local locust:local
tests/k8s/import.sh localhost/libinfer:latest libinfer:latest k8s-inference-sim:local
tests/k8s/import.sh localhost/photo-duplicate-inference:k8s-cpu photo-duplicate-inference:k8s-cpu
tests/k8s/import.sh localhost/mlops-inference:v1.0 mlops-inference:v1.0 mlops-inference:v1.1 mlops-inference:v1.0-gpu
