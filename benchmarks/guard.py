#!/usr/bin/env python3
"""Checks whether a change made anything slower: guard.py BASE [CHANGE], two commits; CHANGE is HEAD if not given.

Builds both. Compares parts without LibTorch by their instructions, which callgrind counts and which do not depend on the machine's load.
Compares the rest by throughput, medians of three alternating rounds. Exits with 1 if a part takes over 2 % more instructions or if a
throughput falls below 0.9 of the base; smaller differences are within the drift of a virtual machine.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("INFER_CACHE") or pathlib.Path.home() / ".cache" / "libinfer")
PHOTO, ROUNDS, SECONDS = CACHE / "photos" / "china.jpg", 3, 5
MORE_INSTRUCTIONS, LEAST_RATIO = 1.02, 0.9
# Repeated often enough that a part's own work dominates, within a minute under callgrind.
TIMES = {"policy_decision": 10000, "read_photograph": 3, "photograph_to_input": 3, "read_images_of_json": 50}


def sh(*command, **more):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True, **more).stdout


class Build:
    def __init__(self, commit):
        self.commit = sh("git", "rev-parse", "--short", f"{commit}^{{commit}}", cwd=ROOT).strip()
        self.tree = ROOT / "build" / "guard" / self.commit
        if not self.tree.exists():
            sh("git", "worktree", "prune", cwd=ROOT)
            sh("git", "worktree", "add", "--detach", self.tree, self.commit, cwd=ROOT)
        if not (self.tree / "benchmarks" / "instructions.cpp").exists():
            raise SystemExit(f"guard: {self.commit} is older than benchmarks/instructions.cpp")
        print(f"guard: building {self.commit}", flush=True)
        self.infer = self.build("release", "infer_cli") / "infer"
        # Without LibTorch, because its start takes more instructions than the parts, and a varying number of them.
        self.counted = self.build("counted", "instructions", "-DINFER_TORCH=OFF", "-DINFER_BENCHMARKS=ON") / "instructions"

    def build(self, name, target, *options):
        folder = self.tree / "build" / name
        sh("cmake", "--preset", "release", "-B", folder, "-DINFER_TESTS=OFF", *options, cwd=self.tree)
        sh("cmake", "--build", folder, "--target", target, "-j", os.cpu_count(), cwd=self.tree)
        return folder / "bin"

    def end(self):
        sh("git", "worktree", "remove", "--force", self.tree, cwd=ROOT)

    def parts(self):
        return sh(self.counted).split()

    def instructions(self, part):
        """Returns the instructions of one repetition, without those of the program's start."""
        def counted(times):
            done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", self.counted, part, str(times), PHOTO],
                                  check=True, capture_output=True, text=True)
            return int(re.search(r"Collected\s*:\s*(\d+)", done.stderr).group(1))
        times = TIMES.get(part, 500)
        return (counted(times + 1) - counted(1)) / times

    def forward(self, model):
        """Returns the photographs per second at the best batch size."""
        out = json.loads(sh(self.infer, "bench", "--model", model, "--seconds", "2", "--json"))
        return max(row["samples_per_second"] for row in out["batches"])

    def small_requests(self, load, model):
        """Returns the requests per second of eight connections to a simulator without work."""
        server = subprocess.Popen([self.infer, "serve", "--model", model, "--port", "0", "--probe-port", "0", "--log-requests-per-second", "0"],
                                  stdout=subprocess.PIPE, text=True)
        try:
            lines = (json.loads(line) for line in server.stdout)
            port = next(line["port"] for line in lines if line["event"] == "listening")
            next(line for line in lines if line["event"] == "ready")
            # Offers more than the server can answer. Requests that find no free connection count as failed and are ignored here.
            out = subprocess.run([load, "load", "--host", f"http://127.0.0.1:{port}/infer", "--qps", "200000", "--seconds", str(SECONDS), "--connections", "8",
                                  "--json"], capture_output=True, text=True).stdout
            return json.loads(out)["ok"] / SECONDS
        finally:
            server.terminate()
            server.communicate(timeout=60)


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
        raise SystemExit(__doc__)
    base, change = Build(sys.argv[1]), Build(sys.argv[2] if len(sys.argv) == 3 else "HEAD")
    model, simulator = ROOT / "models" / "clip-vit-b-32", ROOT / "bench-results" / "models" / "simulator"
    if not simulator.exists():
        sh(change.infer, "model", "create", "simulator", "--base-ms", "0", "--out", simulator)
    slower = []
    print(f"| instructions | {base.commit} | {change.commit} | ratio |\n|---|---|---|---|")
    for part in change.parts():
        if part not in base.parts():
            continue
        before, after = base.instructions(part), change.instructions(part)
        print(f"| {part} | {before:,.0f} | {after:,.0f} | {after / before:.3f} |", flush=True)
        if after > MORE_INSTRUCTIONS * before:
            slower.append(part)
    print(f"\n| reached per second | {base.commit} | {change.commit} | ratio |\n|---|---|---|---|")
    for name, measure in (("photographs through ViT-B/32", lambda build: build.forward(model)),
                          ("requests without work", lambda build: build.small_requests(change.infer, simulator))):
        rounds = [(measure(base), measure(change)) for _ in range(ROUNDS)]
        before, after = (statistics.median(column) for column in zip(*rounds))
        print(f"| {name} | {before:,.1f} | {after:,.1f} | {after / before:.3f} |", flush=True)
        if after < LEAST_RATIO * before:
            slower.append(name)
    base.end()
    change.end()
    if slower:
        raise SystemExit(f"guard: slower than {base.commit}: {', '.join(slower)}")
    print(f"\nguard: nothing is slower than {base.commit}")


if __name__ == "__main__":
    main()
