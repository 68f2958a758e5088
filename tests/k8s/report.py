"""Writes docs/k8s-load-report.md from the measurements of e2e_full.py."""

import platform
import re


def cpu():
    text = open("/proc/cpuinfo").read()
    return f"{text.count('processor')} cores of {re.search(r'model name.*: (.*)', text).group(1)}"


def percentiles(load):
    ms = load["latency_ms"]
    return f"p50 {ms['p50']:.0f} ms, p95 {ms['p95']:.0f} ms, p99 {ms['p99']:.0f} ms"


def not_ok(load):
    return ", ".join(f"{count} {what}" for what, count in load["outcomes"].items() if what != "200") or "none"


def usage(part):
    return "; ".join(f"{pods} pods: {cpu:.0f} m, {memory:.0f} MiB" for pods, (cpu, memory) in part.get("usage", {}).items())


def render(report):
    rows = []

    def row(what, measured, goal):
        rows.append(f"| {what} | {measured} | {goal} |")

    if scale := report.get("scale"):
        steps = ", ".join(f"{pods} pods ready after {seconds} s" for seconds, pods in scale["steps"] if seconds)
        row("photographs: `hey -n 600 -c 30` again and again, from 2 pods", f"{steps}; {scale['requests']} requests, {scale['not_200']} not 200, "
            f"{scale['restarts']} restarts, {len(scale['failed_probes'])} failed probes", "2, 4, 6; none of these")
        row("… each pod's share of the requests afterwards", f"{scale['least_share'] * 100:.0f} % at least, of {scale['pods']} pods", "10 %")
        row("… requests a second, p50, p95 (all on two cores)", f"{scale['rate']:.1f}, {scale['p50']:.2f} s, {scale['p95']:.2f} s",
            "the system before: 3.5, 1.02 s, 4.15 s at 5 clients")
        row("… CPU and working set of a pod, median while so many were ready", usage(scale), "")
        row("… idle working set of the two pods at the beginning, ViT-B/32 in fp32", " and ".join(f"{mib} MiB" for mib in scale["idle_mib"]), "560 MiB (923 to 1115 before)")
    if "start_seconds" in report:
        row("start of a pod to Ready, ViT-B/32, idle node", ", ".join(f"{seconds:.0f} s" for seconds in report["start_seconds"]), "5 s (45 before)")
    for precision, goal in (("fp32", "560 MiB (923 to 1115 before)"), ("int8", "300 MiB")):
        if idle := report.get("idle_mib", {}).get(precision):
            row(f"idle working set of the one pod, ViT-B/32 in {precision}", f"{idle} MiB", goal)
    for name, what in (("rollout", "rollout"), ("rollback", "rollback"), ("eviction", "each pod evicted in turn")):
        if name in report:
            load = report[name]
            row(f"{what}, at 30 % of the {report['capacity']:.0f} requests a second that two pods do",
                f"{load['fail']} of {load['ok'] + load['fail']} failed; {load['took']:.0f} s; {percentiles(load)}", "0")
    if load := report.get("kill"):
        row("a pod killed by SIGKILL, at the same load", f"{load['fail']} of {load['ok'] + load['fail']} failed: {not_ok(load)}; ready again after {load['took']:.1f} s",
            "those in flight in it")
    if load := report.get("overload"):
        row(f"4 times the {load['capacity']:.0f} requests a second of two pods, 5 minutes",
            f"{load['ok']} answered, {not_ok(load)}{' at ' + ', '.join(load['lost_at']) + ' s' if load.get('lost_at') else ''}; {load['restarts']} restarts, {len(load['failed_probes'])} failed probes; {percentiles(load)}", "429s only; none; none")
    if load := report.get("simulator"):
        steps = ", ".join(f"{count} at {seconds} s" for seconds, count in load["replicas"])
        row("simulator: `infer load --qps 30 --seconds 180`, 20 ms of CPU each", f"{load['fail']} of {load['ok'] + load['fail']} failed; pods: {steps}; "
            f"the load ended at {load['load_ended']} s", "up, then down after the window")
        row("… CPU and working set of a pod, median while there were so many", usage(load), "")
    for users, load in report.get("forecasts", {}).items():
        row(f"forecasts: Locust, {users} users, 80 / 10 / 10, 90 s", f"{load['failures']} of {load['requests']} failed; {load['rate']:.0f} a second, p50 {load['p50']:.0f} ms, "
            f"p95 {load['p95']:.0f} ms, p99 {load['p99']:.0f} ms; {load['replicas']} pods", "0; at 100 users p50 under 17 ms" if users in (100, "100") else "0")
    if alerts := report.get("alerts"):
        fired = ", ".join(f"{name} of {namespace} after {seconds} s" for name, namespace, seconds in alerts["seen"])
        row("alert rules in Debian's Prometheus: three services, then faults in two of them (calm, failing, slow)",
            f"{len(alerts['before'])} fired in {alerts['calm_seconds']} s without faults; {fired or 'none'}; all silent {alerts['healed']} s after the faults ended",
            "HighErrorRate of failing and HighLatency of slow, and only these")
    return f"""# Load on a real cluster

Written by `make e2e-full`. Kubernetes 1.34.4 with one node, {cpu()}, Linux {platform.release().split('-')[0]}; control plane, pods and clients share these cores:
requests per second say what two cores do, not what a pod does. CPU requests are those of `k8s/components/small-node`. Clients run in the node's network at nice 5.

| what | measured | goal |
|---|---|---|
""" + "\n".join(rows) + "\n"
