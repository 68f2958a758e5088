#!/usr/bin/env python3
"""Measures the five systems under load on a real cluster and writes docs/k8s-load-report.md, in half an hour: e2e_full.py [PART]..."""

import datetime
import json
import re
import statistics
import subprocess
import sys
import threading
import time

import e2e
import kit
import report as document
from prometheus import Prometheus

PHOTO = e2e.PHOTO
NAMESPACE = "inference"
SELECTOR = "app=inference-service"
URL = "http://127.0.0.1:30092/embed"
POST_PHOTO = ("--body", f"@{PHOTO}", "--content-type", "image/jpeg")
REPORT = kit.ROOT / "bench-results" / "k8s-load-report.json"
LOCUST = kit.CACHE / "locust"


def hey(*arguments, url=URL):
    """Runs hey once and returns requests a second, p50 and p95 in seconds, statuses, errors."""
    out = subprocess.run(kit.inside("hey", *arguments, "-m", "POST", "-T", "image/jpeg", "-D", PHOTO, url), check=True, capture_output=True,
                         text=True).stdout
    errors = out.split("Error distribution:")[1].strip() if "Error distribution:" in out else ""
    percentile = {int(p): float(s) for p, s in re.findall(r"(\d+)% in ([\d.]+) secs", out)}
    return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), "p50": percentile.get(50), "p95": percentile.get(95),
            "statuses": {int(code): int(count) for code, count in re.findall(r"\[(\d+)\]\s+(\d+) responses", out)}, "errors": errors}


def counts(selector, namespace, metric, port=9002):
    """Returns a counter of each pod, summed over its labels."""
    totals = {}
    for pod in kit.pods(selector, namespace):
        text = kit.request(f"http://{pod['status']['podIP']}:{port}/metrics")[1]
        totals[pod["metadata"]["name"]] = sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(metric))
    return totals


def failed_probes(namespace, since):
    """Returns the failed liveness and readiness probes since a time. Start-up probes fail until the model is loaded and do not count."""
    found = []
    for event in kit.get("events", namespace=namespace)["items"]:
        stamp = event.get("lastTimestamp") or event.get("eventTime") or ""
        if event["reason"] == "Unhealthy" and "Startup" not in event["message"] and stamp >= since:
            found.append(event["message"])
    return found


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def photo_pods(count=2, hpa=True):
    kit.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=true")
    kit.apply("k8s/overlays/photo-duplicates")
    kit.rolled_out("inference-deploy", NAMESPACE)
    if hpa:
        kit.until(lambda: len(kit.pods(SELECTOR, NAMESPACE)) == 2, 60, "the autoscaler's minimum")
    else:
        kit.kubectl("delete", "hpa", "inference-hpa", namespace=NAMESPACE)
        kit.kubectl("scale", "deploy/inference-deploy", f"--replicas={count}", namespace=NAMESPACE)
    kit.rolled_out("inference-deploy", NAMESPACE)
    kit.serving("http://127.0.0.1:30092")


def top(namespace):
    """Returns {pod: (millicores, MiB)} from the metrics server."""
    lines = kit.kubectl("top", "pods", "--no-headers", namespace=namespace, check=False).splitlines()
    return {name: (int(cpu.removesuffix("m")), int(memory.removesuffix("Mi"))) for name, cpu, memory in (line.split()[:3] for line in lines)}


class Watch:
    """Samples a value every few seconds while the body runs."""

    def __init__(self, seconds, look):
        self.done = threading.Event()

        def run():
            while not self.done.wait(seconds):
                look()
        self.thread = threading.Thread(target=run)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def scale(report):
    """Repeats hey -n 600 -c 30 until the autoscaler has scaled from two pods to six."""
    photo_pods()
    kit.until(lambda: len(top(NAMESPACE)) >= 2, 90, "metrics of both pods")
    idle = top(NAMESPACE)
    began, since, runs, steps, usage = time.monotonic(), now(), [], [(0, 2)], {}

    def look():
        ready = kit.get("deploy", "inference-deploy", namespace=NAMESPACE)["status"].get("readyReplicas", 0)
        if ready > steps[-1][1]:
            steps.append((round(time.monotonic() - began), ready))
        if len(pods := top(NAMESPACE)) == ready:
            usage.setdefault(ready, []).extend(pods.values())
    with Watch(5, look):
        while time.monotonic() - began < 300 and steps[-1][1] < 6:
            runs.append(hey("-n", 600, "-c", 30))
        before = counts(SELECTOR, NAMESPACE, "infer_requests_total{")
        runs.append(hey("-z", "30s", "-c", 30))
        after = counts(SELECTOR, NAMESPACE, "infer_requests_total{")
    served = {name: after[name] - before.get(name, 0) for name in after}
    shares = [count / sum(served.values()) for count in served.values()]
    report["scale"] = {
        "steps": steps, "events": [event["message"] for event in kit.get("events", namespace=NAMESPACE)["items"] if event["reason"] == "SuccessfulRescale"],
        "rate": statistics.median(run["rate"] for run in runs), "p50": statistics.median(run["p50"] for run in runs),
        "p95": statistics.median(run["p95"] for run in runs), "requests": sum(sum(run["statuses"].values()) for run in runs),
        "not_200": sum(count for run in runs for code, count in run["statuses"].items() if code != 200),
        "errors": [run["errors"] for run in runs if run["errors"]], "restarts": kit.restarts(SELECTOR, NAMESPACE),
        "failed_probes": failed_probes(NAMESPACE, since), "least_share": min(shares), "pods": len(shares), "idle_mib": sorted(memory for _, memory in idle.values()),
        "usage": {ready: [statistics.median(column) for column in zip(*pods)] for ready, pods in usage.items()}}


def disrupt(report):
    """At 30 % of the capacity of two pods: a rollout, its rollback, an eviction of each pod, and a killed pod."""
    photo_pods(hpa=False)
    capacity = hey("-z", "15s", "-c", 16)["rate"]
    qps = max(2, round(0.3 * capacity))
    report["capacity"] = capacity

    def under_load(name, seconds, act):
        load = kit.Load(URL, qps, seconds, *POST_PHOTO)
        time.sleep(2)
        start = time.monotonic()
        act()
        took = time.monotonic() - start
        report[name] = {**load.result(), "took": took}

    def roll(*verb):
        kit.kubectl(*verb, namespace=NAMESPACE)
        kit.rolled_out("inference-deploy", NAMESPACE)

    def evict():
        for pod in [pod["metadata"]["name"] for pod in kit.pods(SELECTOR, NAMESPACE)]:
            body = json.dumps({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": NAMESPACE}})
            path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"

            def evicted():
                return "Success" in kit.kubectl("create", "--raw", path, "-f", "-", input=body, check=False)
            kit.until(evicted, 60, f"{pod} may go")
            kit.rolled_out("inference-deploy", NAMESPACE)

    def kill():
        pod = kit.pods(SELECTOR, NAMESPACE)[0]
        container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
        node = (kit.HOME / "run" / "node.pid").read_text().strip()
        subprocess.run(["nsenter", "-t", node, "-m", "-n", "-p", "ctr", "-a", str(kit.HOME / "run/containerd/containerd.sock"), "-n", "k8s.io", "tasks",
                        "kill", "--signal", "SIGKILL", container], check=True)
        kit.until(lambda: kit.restarts(SELECTOR, NAMESPACE) == 1, 30, "the pod's restart")
        kit.rolled_out("inference-deploy", NAMESPACE)

    under_load("rollout", 45, lambda: roll("set", "env", "deploy/inference-deploy", "LOG_LEVEL=debug"))
    under_load("rollback", 45, lambda: roll("rollout", "undo", "deploy/inference-deploy"))
    under_load("eviction", 60, evict)
    under_load("kill", 20, kill)


def overload(report):
    """Offers four times the capacity of two pods for five minutes."""
    photo_pods(hpa=False)
    capacity = hey("-z", "15s", "-c", 16)["rate"]
    since = now()
    times = REPORT.with_name("overload.csv")
    load = kit.Load(URL, round(4 * capacity), 300, "--connections", 800, "--csv", times, *POST_PHOTO).result()
    lost = [line.split(",")[1] for line in times.read_text().splitlines()[1:] if not line.endswith(('"200"', '"429"'))]
    report["overload"] = {**load, "lost_at": lost, "capacity": capacity, "restarts": kit.restarts(SELECTOR, NAMESPACE), "failed_probes": failed_probes(NAMESPACE, since)}


def idle_mib():
    """Returns the working set of the only pod after the metrics server has measured it idle."""
    kit.until(lambda: len(kit.get("pods", namespace=NAMESPACE)["items"]) == 1, 60, "one pod")
    time.sleep(45)
    (memory,) = (memory for _, memory in top(NAMESPACE).values())
    return memory


def start(report):
    """Returns the time from the start of a container to Ready, for one pod on an otherwise idle node."""
    photo_pods(count=1, hpa=False)
    times = []
    for _ in range(3):
        pod = kit.pods(SELECTOR, NAMESPACE)[0]["metadata"]["name"]
        kit.kubectl("delete", "pod", pod, "--wait=true", namespace=NAMESPACE)
        kit.rolled_out("inference-deploy", NAMESPACE)
        pod = kit.pods(SELECTOR, NAMESPACE)[0]
        moment = {c["type"]: datetime.datetime.fromisoformat(c["lastTransitionTime"].replace("Z", "+00:00")) for c in pod["status"]["conditions"]}
        times.append((moment["Ready"] - datetime.datetime.fromisoformat(pod["metadata"]["creationTimestamp"].replace("Z", "+00:00"))).total_seconds())
    report["start_seconds"] = times
    report["idle_mib"] = {"fp32": idle_mib(), "int8": None}
    model = kit.HOME / "models/int8/clip-vit-b-32"
    if not model.exists():
        subprocess.run([kit.INFER, "model", "quantize", kit.HOME / "models/photo/clip-vit-b-32", "--samples", kit.CACHE / "photos", "--out", model], check=True)
    tag = "photo-duplicate-inference:k8s-cpu-int8"
    subprocess.run([kit.ROOT / "k8s/image/build.sh", f"localhost/{tag}", "k8s/image/Dockerfile.model", model.parent], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([kit.ROOT / "tests/k8s/import.sh", f"localhost/{tag}", tag], check=True)
    kit.kubectl("set", "image", "deploy/inference-deploy", f"inference-api={tag}", namespace=NAMESPACE)
    kit.rolled_out("inference-deploy", NAMESPACE)
    report["idle_mib"]["int8"] = idle_mib()


def simulator(report):
    """Runs infer load at 30 requests a second of 20 ms for three minutes and records the autoscaler's decisions."""
    kit.kubectl("delete", "namespace", "k8s-inference-sim", "--ignore-not-found", "--wait=true")
    kit.apply("k8s/overlays/simulator-dev")
    kit.rolled_out("dev-inference-sim", "k8s-inference-sim")
    url = kit.serving(kit.address("dev-inference-sim", "k8s-inference-sim")) + "/infer"
    began, replicas, usage = time.monotonic(), [], {}

    def look():
        count = kit.get("deploy", "dev-inference-sim", namespace="k8s-inference-sim")["status"].get("replicas", 0)
        if not replicas or replicas[-1][1] != count:
            replicas.append((round(time.monotonic() - began), count))
        if len(pods := top("k8s-inference-sim")) == count:
            usage.setdefault(count, []).extend(pods.values())
    with Watch(2, look):
        result = kit.Load(url, 30, 180).result()
        ended = round(time.monotonic() - began)
        kit.until(lambda: replicas[-1][1] == 1, 420, "back to one pod")
    report["simulator"] = {**result, "replicas": replicas, "load_ended": ended,
                           "usage": {count: [statistics.median(column) for column in zip(*pods)] for count, pods in usage.items()}}
    kit.kubectl("delete", "namespace", "k8s-inference-sim", "--wait=true")


def forecasts(report):
    """Runs 100, 200, 400 and 800 users of Locust against the forecaster."""
    if not (LOCUST / "bin" / "locust").exists():
        subprocess.run([sys.executable, "-m", "venv", str(LOCUST)], check=True)
        subprocess.run([str(LOCUST / "bin" / "pip"), "install", "-q", "--no-deps", "--only-binary=:all:", "--require-hashes",
                        "-r", str(kit.ROOT / "k8s/chart/files/locust-lock.txt")], check=True)
    kit.kubectl("delete", "namespace", "flts", "--ignore-not-found", "--wait=true")
    kit.trained_forecasts()
    url = kit.serving(kit.address("inference", "flts"))
    report["forecasts"] = {}
    for users in (100, 200, 400, 800):
        out = subprocess.run(kit.inside(LOCUST / "bin" / "locust", "-f", kit.ROOT / "k8s/chart/files/locustfile.py", "--headless", "--json", "-u", users,
                                        "-r", max(10, users // 10), "-t", "90s", "--host", url), capture_output=True, text=True, check=False)
        entries = json.loads(out.stdout)
        merged, total, failed = {}, 0, 0
        for entry in entries:
            total += entry["num_requests"]
            failed += entry["num_failures"]
            for milliseconds, count in entry["response_times"].items():
                merged[float(milliseconds)] = merged.get(float(milliseconds), 0) + count

        def percentile(share):
            seen = 0
            for milliseconds in sorted(merged):
                seen += merged[milliseconds]
                if seen >= share * total:
                    return milliseconds
        report["forecasts"][users] = {"requests": total, "failures": failed, "rate": total / 90, "p50": percentile(0.5), "p95": percentile(0.95),
                                      "p99": percentile(0.99), "replicas": len(kit.pods("app=inference", "flts"))}
        print(users, report["forecasts"][users], flush=True)
    kit.kubectl("delete", "namespace", "flts", "--wait=true")


def alerts(report):
    """Tests the shipped rules in Debian's Prometheus with three services: healthy, with failing requests, and slow."""
    names = ("calm", "failing", "slow")
    for name in names:
        kit.kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=true")
        kit.apply("k8s/overlays/simulator-dev", namespace=name)
        kit.kubectl("delete", "hpa", "dev-inference-sim", namespace=name)
    for name in names:
        kit.rolled_out("dev-inference-sim", name)

    def load(name, seconds, milliseconds, users, *more):
        url = kit.address("dev-inference-sim", name) + "/infer"
        return subprocess.Popen(kit.inside("hey", "-z", f"{seconds}s", "-c", users, "-q", 4, "-m", "POST", "-T", "application/json", "-d",
                                           json.dumps({"work_ms": milliseconds}), *more, url), stdout=subprocess.DEVNULL)
    with Prometheus(names) as prometheus:
        kit.until(prometheus.scrapes_all, 60, "every pod is scraped")
        began = time.monotonic()
        for process in [load(name, 90, 10, 2) for name in names]:
            process.wait()
        before = prometheus.firing()
        faults = time.monotonic()
        running = [load("calm", 240, 10, 2), load("failing", 240, 50, 4, "-H", "X-Timeout-Ms: 1"), load("slow", 240, 800, 1)]
        expected, seen = {("HighErrorRate", "failing"), ("HighLatency", "slow")}, {}
        while any(process.poll() is None for process in running):
            for alert in prometheus.firing():
                seen.setdefault(alert, round(time.monotonic() - faults))
            time.sleep(1)
        for name in ("failing", "slow"):  # healthy again: the alerts' time windows must pass
            running.append(load(name, 400, 10, 2))
        kit.until(lambda: not prometheus.firing(), 400, "no alert fires once the faults are gone")
        healed = round(time.monotonic() - faults) - 240
        for process in running:
            process.terminate()
            process.wait()
    report["alerts"] = {"calm_seconds": round(faults - began), "before": sorted(before), "seen": sorted([*alert, after] for alert, after in seen.items()),
                        "as_expected": not before and set(seen) == expected, "healed": healed}
    for name in names:
        kit.kubectl("delete", "namespace", name, "--wait=false")


PARTS = {part.__name__: part for part in (scale, disrupt, overload, start, simulator, forecasts, alerts)}


def main():
    subprocess.run([kit.SCRIPTS / "ensure.sh"], check=True)
    subprocess.run([kit.ROOT / "tests" / "k8s" / "images.sh", kit.INFER], check=True, stdout=subprocess.DEVNULL)
    REPORT.parent.mkdir(exist_ok=True)
    report = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    for name in sys.argv[1:] or PARTS:
        print(f"== {name}: {PARTS[name].__doc__}", flush=True)
        PARTS[name](report)
        REPORT.write_text(json.dumps(report, indent=1))
    (kit.ROOT / "docs" / "k8s-load-report.md").write_text(document.render(report))
    kit.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=true")


if __name__ == "__main__":
    main()
