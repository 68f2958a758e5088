#!/usr/bin/env python3
"""Proves that the promises' tests can fail: breaks one line for each promise and expects its tests to fail.

sabotage.py [PROMISE ...]. Works on a copy of the tree; takes about twenty minutes for all on two cores.
sabotage.py --check. Only checks that each line to break is in the tree exactly once.
"""

import pathlib
import shutil
import string
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# The names belong to the server: a filter of tests in http_tests, or a case of robustness_test.py.
HTTP = {"parity": "Successor.*", "decoding": "DecodeMemory.*", "half-close": "Wire.ARequestFollowedByTheEndOfSendingHasItsAnswer"}
ROBUSTNESS = {"uploads": "uploads_that_pause", "tls-uploads": "uploads_over_tls"}

SKIPPED = 77  # the exit code of a robustness_test.py case whose fault cannot be produced here

# promise, file, the line (a part that occurs once), its replacement
LIST = [
    (1, "include/infer/engine/pending.h", "return !claimed_.exchange(true, std::memory_order_acq_rel);", "return true;"),
    (2, "src/engine/engine.cpp", "sample = std::move(task.sample);", ""),
    (3, "include/infer/core/batch_scheduler.h", "if (state.earliest_deadline <= state.clock->now()) {", "if (false) {"),
    (4, "include/infer/core/scheduler_state.h", "if (queue.task(i).cancelled()) {", "if (false) {"),
    (5, "include/infer/core/batch_policy.h", "if (options_.max_queue_delay.count() > 0 && !view.draining && !holds_full_batch(view.items)) {",
     "if (!view.draining && view.items.size() < 2) return WaitForever{};\n    if (false) {"),
    (6, "src/engine/batch_runner.cpp", "if (!outputs && batch.size() > 1 && may_rerun()) {", "if (false) {"),
    (7, "src/engine/batch_runner.cpp", "response.outputs.push_back(output.row(i));",
     "response.outputs.push_back(output.row(0));"),
    (7, "src/engine/task.h", "return a.dtype() == b.dtype() && a.shape() == b.shape();", "return a.dtype() == b.dtype();"),
    (7, "src/engine/stack.h", "if (row(i).dtype() != first.dtype() || row(i).shape() != first.shape()) return false;", ""),
    (8, "include/infer/core/scheduler_state.h", "if (wait_ms <= options.max_wait.count()) return {};",
     "return {};"),
    (8, "include/infer/engine/admission.h", "if (counter->count.fetch_add(1, std::memory_order_acq_rel) >= limit) {",
     "if (counter->count.fetch_add(1, std::memory_order_acq_rel) > limit) {"),
    (9, "include/infer/core/batch_scheduler.h", "report.failed = state.fail_queued(lock);", "report.failed = 0;"),
    (9, "include/infer/core/scheduler_work.h", "state.idle_changed.wait(lock, [&] { return state.pins == 0; });", ""),
    (10, "src/engine/engine.cpp", "impl->scheduler = *std::move(scheduler);",
     'impl->scheduler = *std::move(scheduler);\n    fputs("hello\\n", stdout);'),
    (11, "include/infer/core/fair_queue.h", "lane->next_tag = entry.tag + 1;", "lane->next_tag = entry.tag;"),
    (11, "include/infer/core/fair_queue.h", "return std::max(served_tag_ + 1, lane == nullptr ? 0 : lane->next_tag);",
     "return std::max(served_tag_, lane == nullptr ? 0 : lane->next_tag);"),
    ("decoding", "src/image/decode_budget.cpp", "first->bytes <= limit - used", "first->bytes <= limit"),
    ("half-close", "adapters/http/transport/hangup_watcher.cpp", "event.events = EPOLLONESHOT;", "event.events = EPOLLONESHOT | EPOLLRDHUP;"),
    ("uploads", "adapters/http/transport/connection.cpp", "transport_->wake_after(1);", ""),
    ("tls-uploads", "adapters/http/transport/transport.cpp", "bool has_pending() const noexcept override { return SSL_pending(tls_.get()) > 0; }",
     "bool has_pending() const noexcept override { return SSL_pending(tls_.get()) > 0; }\n  void wake_after(std::size_t bytes) override {\n"
     "    const int mark = bytes < (256 << 10) ? 1 : 256 << 10;\n    setsockopt(socket_, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark);\n  }"),
    ("parity", "src/serving/successor.cpp", "  if (!now_answers) {", "  if (!now_answers) return {};\n  if (false) {"),
]


def run(command, where, timeout):
    try:
        return subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return None  # a test that never ends has noticed too


def tests_of(promise, bin_folder, tree):
    """Returns the program to build for a promise, and the command that runs its tests."""
    if promise in ROBUSTNESS:
        return "infer_cli", [sys.executable, tree / "tests" / "http" / "robustness_test.py", bin_folder / "infer", ROBUSTNESS[promise]]
    program = "http_tests" if promise in HTTP else "engine_tests"
    names = HTTP.get(promise) or ":".join(f"Promise{promise}{letter}*" for letter in string.ascii_uppercase)  # for 1, excludes Promise10
    return program, [bin_folder / program, f"--gtest_filter={names}"]


def check():
    lost = [f"promise {promise}: the line is in {name} {count} times: {line}" for promise, name, line, _ in LIST
            if (count := (ROOT / name).read_text().count(line) if (ROOT / name).is_file() else 0) != 1]
    print("\n".join(lost) or f"{len(LIST)} lines, each in its place")
    sys.exit(1 if lost else 0)


def main():
    if sys.argv[1:] == ["--check"]:
        check()
    wanted = {int(name) if name.isdigit() else name for name in sys.argv[1:]} or {entry[0] for entry in LIST}
    failed = False
    with tempfile.TemporaryDirectory() as work:
        tree = pathlib.Path(work) / "tree"
        files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in filter(None, files.split("\0")):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)
        subprocess.run(["cmake", "-S", tree, "-B", tree / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
                        "-DCMAKE_CXX_FLAGS_DEBUG=-O0", "-DINFER_TORCH=OFF",
                        "-DINFER_SERVER=" + ("ON" if wanted & (HTTP.keys() | ROBUSTNESS.keys()) else "OFF")], check=True,
                       capture_output=True)
        compile_tests = ["cmake", "--build", tree / "build", "-j2", "--target"]
        for promise, name, line, broken in LIST:
            if promise not in wanted:
                continue
            path = tree / name
            text = path.read_text()
            if text.count(line) != 1:
                sys.exit(f"promise {promise}: the line is in {name} {text.count(line)} times: {line}")
            program, tests = tests_of(promise, tree / "build" / "bin", tree)
            path.write_text(text.replace(line, broken))
            built = run([*compile_tests, program], tree, 1200)
            if built is None or built.returncode != 0:
                sys.exit(f"promise {promise}: the sabotaged tree does not build\n{built.stdout if built else ''}")
            result = run(tests, tree, 300 if promise in ROBUSTNESS else 60)
            # A test of the core that never ends has noticed. A case of robustness_test.py always ends.
            noticed = promise not in ROBUSTNESS if result is None else result.returncode not in (0, SKIPPED)
            path.write_text(text)
            failed |= not noticed
            print(f"promise {promise}: {'noticed' if noticed else 'NOT NOTICED'} ({name}: {line})", flush=True)
        for promise in sorted(wanted, key=str):
            program, tests = tests_of(promise, tree / "build" / "bin", tree)
            subprocess.run([*compile_tests, program], check=True, capture_output=True)
            whole = run(tests, tree, 300)
            if whole is None or whole.returncode not in (0, SKIPPED):
                sys.exit(f"promise {promise}: the tests fail without sabotage too")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
