"""The tests' cluster and operations on it. All programs that send requests run in the node's network at nice 5."""

import json
import os
import pathlib
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CACHE = pathlib.Path(os.environ.get("INFER_CACHE") or pathlib.Path.home() / ".cache" / "libinfer")
HOME = pathlib.Path(os.environ.get("CLUSTER_HOME") or CACHE / "cluster")
INFER = ROOT / "build" / "release" / "bin" / "infer"
SCRIPTS = ROOT / "tests" / "k8s" / "cluster"


def kubectl(*arguments, namespace=None, input=None, check=True, timeout=180):
    command = [str(HOME / "bin" / "kubectl"), f"--kubeconfig={HOME / 'etc' / 'admin.conf'}"]
    if namespace:
        command += ["-n", namespace]
    done = subprocess.run([*command, *map(str, arguments)], input=input, capture_output=True, text=True, timeout=timeout)
    if check and done.returncode != 0:
        raise AssertionError(f"kubectl {' '.join(map(str, arguments))}: {done.stderr}{done.stdout}")
    return done.stdout


def get(*arguments, namespace=None):
    return json.loads(kubectl("get", *arguments, "-o", "json", namespace=namespace))


def rendered(*folders, components=(), namespace=None):
    """Returns the manifests of the folders, with the components applied, in the namespace."""
    with tempfile.TemporaryDirectory(dir=ROOT / "tests" / "k8s") as work:
        def relative(paths):
            return [os.path.relpath(ROOT / path, work) for path in paths]
        (pathlib.Path(work) / "kustomization.yaml").write_text(json.dumps({"resources": relative(folders), "components": relative(components),
                                                                        **({"namespace": namespace} if namespace else {})}))
        return kubectl("kustomize", work)


def apply(*folders, components=(), namespace=None):
    """Applies the manifests with the CPU requests of a small node."""
    kubectl("apply", "-f", "-", input=rendered(*folders, components=(*components, "k8s/components/small-node"), namespace=namespace))


def rolled_out(name, namespace=None, timeout=120):
    kubectl("rollout", "status", f"deploy/{name}", f"--timeout={timeout}s", namespace=namespace, timeout=timeout + 30)


def pods(selector, namespace=None):
    """Returns the pods that are not terminating."""
    return [pod for pod in get("pods", "-l", selector, namespace=namespace)["items"] if "deletionTimestamp" not in pod["metadata"]]


def restarts(selector, namespace=None):
    return sum(status["restartCount"] for pod in pods(selector, namespace) for status in pod["status"].get("containerStatuses", []))


def inside(*command):
    pid = (HOME / "run" / "node.pid").read_text().strip()
    return ["nsenter", "-t", pid, "-n", "nice", "-n", "5", *map(str, command)]


def address(service, namespace=None):
    spec = get("service", service, namespace=namespace)["spec"]
    return f"http://{spec['clusterIP']}:{spec['ports'][0]['port']}"


def request(url, body=None, content_type="application/json"):
    """Returns (status, body). Posts a file or a document if given."""
    command = ["curl", "-s", "--max-time", "20", "-w", "\n%{http_code}", url]
    if isinstance(body, pathlib.Path):
        command += ["-H", f"Content-Type: {content_type}", "--data-binary", f"@{body}"]
    elif body is not None:
        command += ["-H", f"Content-Type: {content_type}", "-d", json.dumps(body)]
    text, _, status = subprocess.run(inside(*command), capture_output=True, text=True).stdout.rpartition("\n")
    return int(status), text


def serving(url):
    """Waits until a Service has endpoints, which takes a moment after its pod is ready, and returns the URL."""
    until(lambda: request(url + "/health")[0] == 200, 20, f"{url} answers")
    return url


def volume(name, claimed_in=None):
    """Makes an empty folder of the node a persistent volume, as a provisioner would. Adds a claim if a namespace is given."""
    kubectl("delete", "pv", name, "--ignore-not-found")
    folder = HOME / "hostvar" / "volumes" / name
    subprocess.run(["rm", "-rf", folder], check=True)
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"], "storageClassName": "",
            "claimRef": {"name": name, "namespace": claimed_in} if claimed_in else None, "hostPath": {"path": f"/var/volumes/{name}"}}
    kubectl("apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}))
    if claimed_in:
        claim = {"accessModes": ["ReadWriteMany"], "storageClassName": "", "volumeName": name, "resources": {"requests": {"storage": "1Gi"}}}
        kubectl("apply", "-f", "-", namespace=claimed_in,
                input=json.dumps({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": claim}))
    return folder


def trained_forecasts():
    """Deploys the forecast overlay in the namespace flts, runs the jobs that train and promote, and returns the models' volume."""
    kubectl("create", "namespace", "flts")
    models = volume("models")
    kubectl("create", "configmap", "series", f"--from-file=series.csv={CACHE / 'series' / 'co2.csv'}", namespace="flts")
    apply("k8s/overlays/forecast", "k8s/jobs/forecast", namespace="flts")
    kubectl("wait", "--for=condition=complete", "job/eval", "--timeout=180s", namespace="flts", timeout=200)
    rolled_out("inference", "flts")
    return models


class Load:
    """`infer load` in the background; `result()` waits for it."""

    def __init__(self, url, qps, seconds, *arguments):
        command = inside(INFER, "load", "--host", url, "--qps", qps, "--seconds", seconds, "--json", *arguments)
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def result(self):
        out, errors = self.process.communicate(timeout=600)
        assert out, errors
        return json.loads(out)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.communicate()


def until(condition, seconds, what):
    """Calls `condition` twice a second and returns its first true result."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.5)
    return answer
