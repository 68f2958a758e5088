"""Runs Debian's Prometheus with the shipped rules beside the node. It is built without Kubernetes discovery, so this module passes on
the pods, found by their annotations."""

import json
import pathlib
import subprocess
import tempfile

import kit

CONFIGURATION = """
global: {{scrape_interval: 5s, evaluation_interval: 5s}}
rule_files: [{rules}]
scrape_configs:
  - {{job_name: pods, file_sd_configs: [{{files: [{targets}]}}]}}
"""
ANNOTATION = "prometheus.io/"


def targets(namespaces):
    """Returns the pods' metrics addresses from their annotations, with the labels that discovery would add."""
    found = []
    for namespace in namespaces:
        for pod in kit.get("pods", namespace=namespace)["items"]:
            said = pod["metadata"].get("annotations", {})
            if said.get(ANNOTATION + "scrape") == "true":
                found.append({"targets": [f"{pod['status']['podIP']}:{said[ANNOTATION + 'port']}"],
                              "labels": {"namespace": namespace, "pod": pod["metadata"]["name"], "__metrics_path__": said[ANNOTATION + "path"]}})
    return found


class Prometheus:
    URL = "http://127.0.0.1:9090"

    def __init__(self, namespaces):
        self.targets = targets(namespaces)

    def __enter__(self):
        self.work = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self.work.name)
        (folder / "targets.json").write_text(json.dumps(self.targets))
        file = folder / "prometheus.yml"
        file.write_text(CONFIGURATION.format(rules=kit.ROOT / "k8s/monitoring/rules.yaml", targets=folder / "targets.json"))
        self.log = open(folder / "log", "w")
        self.process = subprocess.Popen(kit.inside("prometheus", f"--config.file={file}", f"--storage.tsdb.path={folder / 'data'}",
                                                   "--web.listen-address=127.0.0.1:9090"), stdout=self.log, stderr=subprocess.STDOUT)
        kit.until(lambda: kit.request(self.URL + "/-/ready")[0] == 200, 60, "Prometheus is ready")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        self.work.cleanup()

    def firing(self):
        """Returns (alert, namespace) of each firing alert."""
        alerts = json.loads(kit.request(self.URL + "/api/v1/alerts")[1])["data"]["alerts"]
        return {(alert["labels"]["alertname"], alert["labels"]["namespace"]) for alert in alerts if alert["state"] == "firing"}

    def scrapes_all(self):
        """Returns whether the last scrape reached every pod."""
        active = json.loads(kit.request(self.URL + "/api/v1/targets?state=active")[1])["data"]["activeTargets"]
        return len(active) == len(self.targets) and all(target["health"] == "up" for target in active)
