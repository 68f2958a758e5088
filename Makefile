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
	@echo "make test-repeat TIMES=20   repeat the tests on a busy machine"
	@echo "make conformance  run third-party clients against the server"
	@echo "make image   build the container image      make kind-up kind-load deploy undeploy kind-down   manage a local cluster, OVERLAY=$(OVERLAY)"
	@echo "make e2e     test the five systems on a real Kubernetes cluster"
	@echo "make serve   run the demo's server until Ctrl-C"
	@echo "make bench   measure, and print the table of docs/benchmarks.md"
	@echo "make peers   measure other servers on this machine      make bench-guard BASE=COMMIT   check whether HEAD is slower than COMMIT"
	@echo "make package  build a .deb in build/package"
	@echo "make docs    build the API reference, docs/api/index.html"
	@echo "make lint    run clang-format and clang-tidy       make format   apply clang-format"

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

# Tests the release build with LibTorch, then the code without LibTorch under the sanitizers.
test: build
	@scripts/setup.sh --tests
	ctest --test-dir $(BUILD) -j $(JOBS) --output-on-failure --no-tests=error
	$(MAKE) test-sanitizers
	$(MAKE) fuzz

# Repeats the release tests beside stress-ng. A test that depends on timing fails here.
TIMES ?= 20
test-repeat: build
	tests/stress/repeat.sh $(TIMES) $(BUILD)

test-sanitizers: setup
	for preset in tsan asan; do \
	  cmake --preset $$preset && cmake --build build/$$preset -j $(JOBS) && \
	  ctest --test-dir build/$$preset -j $(JOBS) --output-on-failure --no-tests=error || exit 1; \
	done

# Fuzzes each parser of untrusted input for FUZZ_SECONDS.
FUZZ_SECONDS ?= 30
fuzz: setup
	@scripts/setup.sh --tests
	cmake --preset fuzz && cmake --build build/fuzz -j $(JOBS) --target fuzz_chunked fuzz_encoding fuzz_engine fuzz_head fuzz_image fuzz_inference fuzz_manifest fuzz_multipart fuzz_request fuzz_safetensors fuzz_table fuzz_tokenizer
	python3 scripts/make_golden.py $${INFER_CACHE:-$$HOME/.cache/libinfer} build/fuzz/tests/golden
	tests/fuzz/run.sh build/fuzz $(FUZZ_SECONDS)

# Runs third-party clients against the server, and compares its answers with those of Triton.
conformance: build
	tests/conformance/setup.sh
	python3 tests/conformance/run.py $(INFER)

# Builds the container image with the first of docker, podman and buildah that works.
image:
	k8s/image/build.sh localhost/libinfer:latest

# Manages a local cluster: kind if Docker works, else the tests' own cluster.
kind-up kind-load kind-down:
	k8s/kind/$@.sh $(CLUSTER) $(OVERLAY)

deploy undeploy:
	k8s/kind/$@.sh $(CLUSTER) $(OVERLAY)

# Tests the five systems on a real cluster.
e2e: build
	@scripts/setup.sh --tests
	tests/k8s/run.sh

# Measures every row of docs/k8s-load-report.md and writes that file. Takes half an hour.
e2e-full: build
	@scripts/setup.sh --tests
	python3 tests/k8s/e2e_full.py

# Breaks one line for each promise of docs/design.md and checks that the promise's tests fail.
sabotage: setup
	python3 tests/sabotage/sabotage.py

# Tests only the core, which needs no LibTorch, just a compiler and GoogleTest.
test-core:
	@scripts/setup.sh --core
	cmake --preset core && cmake --build build/core -j $(JOBS) && ctest --test-dir build/core -j $(JOBS) --output-on-failure

bench: setup
	cmake --preset release -DINFER_BENCHMARKS=ON && cmake --build $(BUILD) -j $(JOBS)
	@test -f $(MODEL)/infer.json || $(INFER) model create clip-vit-b-32 --seed 1 --out $(MODEL)
	benchmarks/run.sh $(BUILD) $(MODEL)

# Checks whether HEAD is slower than the commit BASE.
bench-guard: $(MODEL)/infer.json
	@test -n "$(BASE)" || { echo "make bench-guard BASE=COMMIT compares HEAD with that commit" >&2; exit 2; }
	@scripts/setup.sh --guard
	python3 benchmarks/guard.py $(BASE)

# Measures other servers for the table in docs/benchmarks.md. Takes a quarter of an hour.
peers: build $(MODEL)/infer.json
	benchmarks/peers/setup.sh
	python3 benchmarks/peers/peers.py --build $(BUILD) --model $(MODEL)

# Builds a .deb that includes LibTorch, in build/package.
package: setup
	cmake --preset release -B build/package -DINFER_TESTS=OFF -DINFER_BUNDLE_TORCH=ON
	cmake --build build/package -j $(JOBS)
	cd build/package && cpack

# Builds the API reference from the public headers, docs/concepts and tested examples. A symbol without a comment is an error.
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
