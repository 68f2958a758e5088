# syntax=docker/dockerfile:1
# The image contains only the program, the libraries it loads, a shell and certificates. Builds with docker, podman and buildah:
#   docker build -t libinfer:latest .                                        mount models at /models
#   docker build -t libinfer:cuda --build-arg DEVICE=cuda .                  with LibTorch's GPU libraries
ARG BASE=docker.io/library/debian:bookworm-slim@sha256:96e378d7e6531ac9a15ad505478fcc2e69f371b10f5cdf87857c4b8188404716

FROM $BASE AS build
ARG DEVICE=cpu
# Each device has its own cache: with a shared cache, the GPU libraries would end up in the CPU image.
ENV INFER_CACHE=/cache/libinfer-$DEVICE CCACHE_DIR=/cache/ccache DEBIAN_FRONTEND=noninteractive
WORKDIR /src
# Copied before the sources, so that a change of the sources does not repeat the installation.
COPY scripts scripts
RUN --mount=type=cache,target=/cache \
    apt-get update -qq && apt-get install -y -qq --no-install-recommends binutils busybox-static ca-certificates >/dev/null && \
    scripts/setup.sh --build $(if [ "$DEVICE" = cuda ]; then echo --cuda; fi)
COPY . .
RUN --mount=type=cache,target=/cache \
    cmake --preset image && cmake --build build/image --target infer_cli && \
    k8s/image/rootfs.sh build/image/bin/infer /rootfs

FROM scratch
COPY --from=build /rootfs /
ENV PATH=/usr/bin:/bin HOME=/tmp INFER_HOST=0.0.0.0 INFER_MODELS=/models SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
EXPOSE 8002 9002
ENTRYPOINT ["/usr/bin/infer"]
CMD ["serve"]
