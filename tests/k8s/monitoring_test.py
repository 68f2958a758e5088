"""Checks rules, dashboard and autoscaler queries: promtool must accept each, and each metric must exist in the server."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MONITORING = ROOT / "k8s" / "monitoring"
INFER = sys.argv.pop() if len(sys.argv) > 1 and os.access(sys.argv[-1], os.X_OK) else str(ROOT / "build/release/bin/infer")
FOREIGN = {"kube_pod_container_status_restarts_total"}  # a metric of kube-state-metrics
FUNCTIONS = {"sum", "rate", "increase", "histogram_quantile", "avg", "count", "by", "label_values"}


def metric_names():
    """Returns the metrics of a server that has just loaded a model."""
    with tempfile.TemporaryDirectory() as work:
        subprocess.run([INFER, "model", "create", "simulator", "--base-ms", "0", "--out", f"{work}/m"], check=True, stdout=subprocess.DEVNULL)
        server = subprocess.Popen([INFER, "serve", "--model", f"{work}/m", "--port", "0", "--probe-port", "0"], stdout=subprocess.PIPE, text=True)
        try:
            lines = (json.loads(line) for line in server.stdout)
            port = next(line["probe_port"] for line in lines if line["event"] == "listening")
            next(line for line in lines if line["event"] == "ready")
            for _ in range(2):  # the second answer counts the first request
                text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
        finally:
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=30)
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        names |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"} if kind == "histogram" else {name}
    return names


def asked_for(expression):
    """Returns the metrics that an expression uses."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(by|without)\s*\([^)]*\)', " ", expression)
    return set(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", bare)) - FUNCTIONS


class Monitoring(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.metrics = metric_names() | FOREIGN
        dashboard = json.loads((MONITORING / "dashboard.json").read_text())
        cls.queries = {f"{panel['title']} {target['refId']}": target["expr"].replace("$__rate_interval", "1m").replace("$namespace", "a")
                       for panel in dashboard["panels"] for target in panel["targets"]}
        adapter = (MONITORING / "prometheus-adapter.yaml").read_text()
        for query in re.findall(r"metricsQuery: (.*)", adapter):
            cls.queries[query] = query.replace("<<.GroupBy>>", "namespace, pod").replace("<<.LabelMatchers>>", 'namespace="a"')
        (scaled,) = re.findall(r"\n +query: (.*)", (MONITORING / "keda-scaledobject.yaml").read_text())
        cls.queries["keda"] = scaled
        for kind, expression in re.findall(r"- (?:alert|record): (\S+)\n +expr: (.*)", (MONITORING / "rules.yaml").read_text()):
            cls.queries[kind] = expression

    def promtool(self, *arguments, where=MONITORING):
        done = subprocess.run(["promtool", *arguments], cwd=where, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_rules_are_well_formed(self):
        self.promtool("check", "rules", "rules.yaml")

    def test_each_alert_fires_on_its_fault_and_only_then(self):
        self.promtool("test", "rules", "rules_test.yaml")
        tested = set(re.findall(r"alertname: (\w+)", (MONITORING / "rules_test.yaml").read_text()))
        self.assertEqual(tested, set(re.findall(r"- alert: (\w+)", (MONITORING / "rules.yaml").read_text())))

    def test_every_query_can_be_parsed(self):
        self.assertGreater(len(self.queries), 20)
        rules = [{"record": f"query_{i}", "expr": query} for i, query in enumerate(self.queries.values())]
        with tempfile.TemporaryDirectory() as work:
            (pathlib.Path(work) / "all.yaml").write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}))
            self.promtool("check", "rules", "all.yaml", where=work)

    def test_every_query_asks_for_a_metric_that_there_is(self):
        for name, query in self.queries.items():
            with self.subTest(name):
                self.assertTrue(asked_for(query))
                self.assertLessEqual(asked_for(query), self.metrics)


if __name__ == "__main__":
    unittest.main(verbosity=2)
