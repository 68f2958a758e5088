"""Debian's Prometheus beside the node: it finds the pods as their annotations say, and evaluates the rules that are shipped."""

import json
import pathlib
import subprocess
import tempfile

import kit

CONFIGURATION = """
global: {{scrape_interval: 5s, evaluation_interval: 5s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: pods
    kubernetes_sd_configs: [{{role: pod, kubeconfig_file: {kubeconfig}}}]
    relabel_configs:
      - {{source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape], regex: "true", action: keep}}
      - {{source_labels: [__meta_kubernetes_pod_container_init], regex: "true", action: drop}}
      - {{source_labels: [__meta_kubernetes_pod_ip, __meta_kubernetes_pod_annotation_prometheus_io_port], separator: ":", target_label: __address__}}
      - {{source_labels: [__meta_kubernetes_namespace], target_label: namespace}}
      - {{source_labels: [__meta_kubernetes_pod_name], target_label: pod}}
"""


class Prometheus:
    URL = "http://127.0.0.1:9090/api/v1"

    def __enter__(self):
        self.work = tempfile.TemporaryDirectory()
        file = pathlib.Path(self.work.name) / "prometheus.yml"
        file.write_text(CONFIGURATION.format(rules=kit.ROOT / "k8s/monitoring/rules.yaml", kubeconfig=kit.HOME / "etc/admin.conf"))
        self.log = open(pathlib.Path(self.work.name) / "log", "w")
        self.process = subprocess.Popen(kit.inside("prometheus", f"--config.file={file}", f"--storage.tsdb.path={self.work.name}/data",
                                                   "--web.listen-address=127.0.0.1:9090"), stdout=self.log, stderr=subprocess.STDOUT)
        kit.until(lambda: kit.request(self.URL.removesuffix("/api/v1") + "/-/ready")[0] == 200, 60, "Prometheus is ready")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        self.work.cleanup()

    def firing(self):
        """(alert, namespace) of each that fires now."""
        alerts = json.loads(kit.request(self.URL + "/alerts")[1])["data"]["alerts"]
        return {(alert["labels"]["alertname"], alert["labels"]["namespace"]) for alert in alerts if alert["state"] == "firing"}

    def scraped(self, namespace):
        """How many pods of the namespace were reached at the last scrape."""
        targets = json.loads(kit.request(self.URL + "/targets?state=active")[1])["data"]["activeTargets"]
        return sum(target["health"] == "up" and target["labels"].get("namespace") == namespace for target in targets)
