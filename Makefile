# make demo: set up, build, embed real photographs over HTTP.   make test: set up, build, run all tests.
BUILD ?= build/release
MODEL ?= models/clip-vit-b-32
INFER := $(BUILD)/bin/infer
JOBS ?= $(shell nproc)

OVERLAY ?= simulator-dev
CLUSTER ?= inference-cluster

.PHONY: image kind-up kind-load deploy undeploy kind-down e2e e2e-full help setup build demo serve test test-repeat test-core test-sanitizers fuzz conformance sabotage bench bench-guard peers package docs lint format clean

help:
	@echo "make demo    set up, build, embed real photographs over HTTP"
	@echo "make test    set up, build, run all tests"
	@echo "make test-repeat TIMES=20   the tests again and again on a machine that is busy"
	@echo "make conformance  clients that others wrote, against the program"
	@echo "make image   the container image   make kind-up kind-load deploy undeploy kind-down   a local cluster, OVERLAY=$(OVERLAY)"
	@echo "make e2e     the five systems on a real Kubernetes"
	@echo "make serve   the demo's server, until Ctrl-C"
	@echo "make bench   measure, and print the table of docs/benchmarks.md"
	@echo "make peers   what others reach on this machine      make bench-guard BASE=COMMIT   is HEAD slower than it?"
	@echo "make package  a .deb in build/package"
	@echo "make docs    the API reference, docs/api/index.html"
	@echo "make lint    clang-format and clang-tidy       make format   apply clang-format"

setup:
	@scripts/setup.sh

$(BUILD)/build.ninja: | setup
	cmake --preset release

build: setup $(BUILD)/build.ninja
	cmake --build $(BUILD) -j $(JOBS)

$(INFER): | build

$(MODEL)/infer.json: | build
	$(INFER) model create clip-vit-b-32 --seed 1 --out $(MODEL)

demo: build $(MODEL)/infer.json
	python3 scripts/demo.py $(INFER) $(MODEL)
	python3 scripts/demo_workloads.py $(INFER) models/demo

serve: build $(MODEL)/infer.json
	exec $(INFER) serve --model $(MODEL)

# The release build with LibTorch, then everything without it under the sanitizers.
test: build
	@scripts/setup.sh --tests
	ctest --test-dir $(BUILD) -j $(JOBS) --output-on-failure --no-tests=error
	$(MAKE) test-sanitizers
	$(MAKE) fuzz

# The release tests so many times beside stress-ng: one that depends on time fails here.
TIMES ?= 20
test-repeat: build
	tests/stress/repeat.sh $(TIMES) $(BUILD)

test-sanitizers: setup
	for preset in tsan asan; do \
	  cmake --preset $$preset && cmake --build build/$$preset -j $(JOBS) && \
	  ctest --test-dir build/$$preset -j $(JOBS) --output-on-failure --no-tests=error || exit 1; \
	done

# Each parser of foreign bytes, FUZZ_SECONDS long.
FUZZ_SECONDS ?= 30
fuzz: setup
	@scripts/setup.sh --tests
	cmake --preset fuzz && cmake --build build/fuzz -j $(JOBS) --target fuzz_chunked fuzz_encoding fuzz_engine fuzz_head fuzz_image fuzz_inference fuzz_manifest fuzz_multipart fuzz_request fuzz_safetensors fuzz_table fuzz_tokenizer
	python3 scripts/make_golden.py $${INFER_CACHE:-$$HOME/.cache/libinfer} build/fuzz/tests/golden
	tests/fuzz/run.sh build/fuzz $(FUZZ_SECONDS)

# Clients that others wrote, and Triton, against the program.
conformance: build
	tests/conformance/setup.sh
	python3 tests/conformance/run.py $(INFER)

# The container image, by the first of docker, podman and buildah that works.
image:
	k8s/image/build.sh localhost/libinfer:latest

# A local cluster: kind where Docker works, else the tests' own.
kind-up kind-load kind-down:
	k8s/kind/$@.sh $(CLUSTER) $(OVERLAY)

deploy undeploy:
	k8s/kind/$@.sh $(CLUSTER) $(OVERLAY)

# The five systems on a real cluster.
e2e: build
	@scripts/setup.sh --tests
	tests/k8s/run.sh

# Every row of docs/k8s-load-report.md, which it writes: half an hour.
e2e-full: build
	@scripts/setup.sh --tests
	python3 tests/k8s/e2e_full.py

# Breaks one line for each promise of docs/design.md and expects its tests to notice.
sabotage: setup
	python3 tests/sabotage/sabotage.py

# The torch-free core alone: needs a compiler and GoogleTest.
test-core:
	@scripts/setup.sh --core
	cmake --preset core && cmake --build build/core -j $(JOBS) && ctest --test-dir build/core -j $(JOBS) --output-on-failure

bench: setup
	cmake --preset release -DINFER_BENCHMARKS=ON && cmake --build $(BUILD) -j $(JOBS)
	@test -f $(MODEL)/infer.json || $(INFER) model create clip-vit-b-32 --seed 1 --out $(MODEL)
	benchmarks/run.sh $(BUILD) $(MODEL)

# Is HEAD slower than BASE, another commit?
bench-guard: $(MODEL)/infer.json
	@test -n "$(BASE)" || { echo "make bench-guard BASE=COMMIT compares HEAD with that commit" >&2; exit 2; }
	@scripts/setup.sh --guard
	python3 benchmarks/guard.py $(BASE)

# The table of docs/benchmarks.md that says what others reach: a quarter of an hour.
peers: build $(MODEL)/infer.json
	benchmarks/peers/setup.sh
	python3 benchmarks/peers/peers.py --build $(BUILD) --model $(MODEL)

# A .deb with LibTorch in it, in build/package.
package: setup
	cmake --preset release -B build/package -DINFER_TESTS=OFF -DINFER_BUNDLE_TORCH=ON
	cmake --build build/package -j $(JOBS)
	cd build/package && cpack

# The API reference from the public headers, docs/concepts and examples that the tests run. A symbol without a comment is an error.
docs:
	@scripts/setup.sh --docs
	doxygen docs/Doxyfile
	@echo "docs/api/index.html"

lint: setup
	scripts/lint.sh

format:
	scripts/lint.sh --fix

clean:
	rm -rf build
