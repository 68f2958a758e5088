#!/usr/bin/env python3
"""Tests the five systems on a real cluster: each overlay becomes ready and answers a request, a rollout under load, and autoscaling."""

import json
import pathlib
import shutil
import subprocess
import time
import unittest

import kit
from manifests_test import Checked, Manifests

PHOTO = sorted((kit.CACHE / "photos").glob("*.jpg"))[0]


def load_tests(loader, *_):
    """Tests the manifests first, while no other Service uses their NodePorts."""
    return unittest.TestSuite([loader.loadTestsFromTestCase(case) for case in (Checked, Manifests, EndToEnd)])


class EndToEnd(unittest.TestCase):
    """The tests run in the order of their names, and each frees its resources for the next."""

    @classmethod
    def setUpClass(cls):
        subprocess.run([kit.SCRIPTS / "ensure.sh"], check=True)
        subprocess.run([kit.ROOT / "tests" / "k8s" / "images.sh", kit.INFER], check=True, stdout=subprocess.DEVNULL)
        for namespace in ("inference", "k8s-inference-sim", "text", "flts", "embed", "gpu"):
            kit.kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=true")

    def tearDown(self):
        if hasattr(self, "namespace"):
            kit.kubectl("delete", "namespace", self.namespace, "--ignore-not-found", "--wait=true")

    def deploy(self, overlay, name, namespace, create=False):
        self.namespace = namespace
        if create:
            kit.kubectl("create", "namespace", namespace)
        start = time.monotonic()
        kit.apply(f"k8s/overlays/{overlay}", namespace=namespace if create else None)
        kit.rolled_out(name, namespace)
        print(f"{overlay}: ready after {time.monotonic() - start:.1f} s", flush=True)

    def test_0_the_image_holds_no_more_than_it_says(self):
        def buildah(*arguments):
            return subprocess.run(["buildah", *arguments], check=True, capture_output=True, text=True).stdout.strip()
        container = buildah("from", "--pull=never", "localhost/libinfer:latest")
        self.addCleanup(buildah, "rm", container)
        root = buildah("mount", container)
        unpacked = int(subprocess.run(["du", "-s", "--block-size=1", root], check=True, capture_output=True, text=True).stdout.split()[0])
        packed = int(subprocess.run(f"tar -C {root} -c . | gzip | wc -c", shell=True, check=True, capture_output=True, text=True).stdout)
        print(f"image: {unpacked / 1e6:.0f} MB, {packed / 1e6:.0f} MB compressed", flush=True)
        self.assertLessEqual(unpacked, 400e6)
        self.assertLessEqual(packed, 140e6)

    def test_1_a_simulator_is_made_by_its_init_container_and_burns_what_it_is_asked(self):
        self.deploy("simulator-dev", "dev-inference-sim", "k8s-inference-sim")
        status, body = kit.request(kit.serving(kit.address("dev-inference-sim", self.namespace)) + "/infer", {"work_ms": 20})
        self.assertEqual(status, 200, body)
        self.assertGreaterEqual(json.loads(body)["elapsed_ms"], 20)
        self.assertIn(json.loads(body)["pod"], [pod["metadata"]["name"] for pod in kit.pods("app=inference-sim", self.namespace)])

    def test_2_a_text_is_classified_and_another_image_rolls_out(self):
        self.deploy("text", "mlops-inference", "text", create=True)
        url = kit.serving(kit.address("mlops-inference-service", self.namespace))
        status, body = kit.request(url + "/predict", {"text": "This movie was fantastic!"})
        self.assertEqual((status, json.loads(body)["label"]), (200, "positive"), body)
        kit.kubectl("set", "image", "deployment/mlops-inference", "inference-api=mlops-inference:v1.1", namespace=self.namespace)
        kit.rolled_out("mlops-inference", self.namespace)
        images = {pod["spec"]["containers"][0]["image"] for pod in kit.pods("app=mlops-inference", self.namespace)}
        self.assertEqual(images, {"mlops-inference:v1.1"})

    def test_3_forecasters_are_trained_by_jobs_and_the_best_is_taken_up_live(self):
        self.namespace = "flts"
        start = time.monotonic()
        volume = kit.trained_forecasts()
        print(f"forecast: trained, promoted and ready after {time.monotonic() - start:.1f} s", flush=True)
        url = kit.serving(kit.address("inference", "flts"))
        status, body = kit.request(url + "/predict", {"inference_length": 2})
        self.assertEqual(status, 200, body)
        first = json.loads(body)["model_version"]
        self.assertEqual((volume / "flts" / "PROMOTED").read_text().strip(), first)
        status, body = kit.request(url + "/healthz")
        self.assertTrue(json.loads(body)["model_ready"])

        # Promotes another version while both pods serve: both must soon answer with that version, without failed requests.
        other = "1-prophet" if first != "1-prophet" else "1-gru"
        # Only serving pods: a pod that the autoscaler has just added may have no address yet.
        ips = [pod["status"]["podIP"] for pod in kit.pods("app=inference", "flts")
               if any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))]
        self.assertTrue(ips)
        load = kit.Load(url + "/predict", 20, 15, "--body", '{"inference_length":1}')
        self.addCleanup(load.stop)
        kit.kubectl("exec", "deploy/inference", "-c", "inference-api", "--", "/bin/sh", "-c", "ls /models/flts", namespace="flts")
        (volume / "flts" / "PROMOTED.new").write_text(other + "\n")
        (volume / "flts" / "PROMOTED.new").rename(volume / "flts" / "PROMOTED")

        def all_on_it():
            answers = [kit.request(f"http://{ip}:8000/predict", {"inference_length": 1})[1] for ip in ips]
            return all(json.loads(answer)["model_version"] == other for answer in answers)
        kit.until(all_on_it, 30, f"every pod on {other}")
        result = load.result()
        self.assertEqual(result["fail"], 0, result)

        # New pods wait until the broker's port answers. Running pods stay.
        kit.apply("k8s/overlays/forecast", components=["k8s/components/wait-for-kafka"], namespace="flts")

        def waits():
            states = [status for pod in kit.pods("app=inference", "flts") for status in pod["status"].get("initContainerStatuses", [])]
            return any(status["name"] == "wait-for-kafka" and "running" in status["state"] for status in states)
        kit.until(waits, 60, "a pod waits for kafka:9092")
        self.assertEqual(kit.request(url + "/predict", {"inference_length": 1})[0], 200)
        kit.kubectl("apply", "-f", "-", namespace="flts", input=json.dumps(
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kafka"},
             "spec": {"selector": {"app": "inference"}, "ports": [{"port": 9092, "targetPort": "http"}]}}))
        kit.rolled_out("inference", "flts")

    def test_4_a_folder_of_photographs_becomes_one_file_of_vectors_by_an_indexed_job(self):
        self.namespace = "embed"
        kit.kubectl("create", "namespace", "embed")
        vectors = kit.volume("vectors", "embed")
        photos = kit.volume("photos", "embed")
        files = sorted(path for path in (kit.CACHE / "photos").iterdir() if path.suffix in (".jpg", ".png"))
        for file in files:
            shutil.copy(file, photos)
        (photos / "no-photograph.jpg").write_text("text")
        (vectors / "part-0.jsonl").write_text('{"path":"/photos/of-an-earlier-version.jpg","embedding":[1]}\n')  # without FILE.state
        kit.apply("k8s/jobs/embed", namespace="embed")
        kit.kubectl("wait", "--for=condition=complete", "job/embed", "job/merge", "--timeout=120s", namespace="embed", timeout=150)
        rows = [json.loads(line) for line in (vectors / "vectors.jsonl").read_text().splitlines()]
        paths = sorted(pathlib.Path(row["path"]).name for row in rows)
        self.assertEqual(paths, [file.name for file in files])

    def test_5_photographs_scale_under_load_and_roll_out_without_a_failed_request(self):
        self.deploy("photo-duplicates", "inference-deploy", "inference")
        url = kit.serving("http://127.0.0.1:30092")
        status, body = kit.request(url + "/embed", PHOTO, "image/jpeg")
        self.assertEqual(status, 200, body)
        self.assertEqual(len(json.loads(body)["embeddings"][0]), 512)
        photo = ("--body", f"@{PHOTO}", "--content-type", "image/jpeg")

        # Closed loop: as much load as two pods can take on these cores.
        start = time.monotonic()
        closed = subprocess.Popen(kit.inside("hey", "-z", "100s", "-c", "16", "-m", "POST", "-T", "image/jpeg", "-D", PHOTO, url + "/embed"),
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(closed.kill)

        def scaled():
            return kit.get("deploy", "inference-deploy", namespace="inference")["status"].get("readyReplicas", 0) >= 4
        kit.until(scaled, 150, "four pods ready")
        print(f"photo-duplicates: four pods ready {time.monotonic() - start:.0f} s after the load began", flush=True)
        out = closed.communicate()[0]
        rate = float(out.split("Requests/sec:")[1].split()[0])
        self.assertNotIn("Error distribution", out)
        self.assertEqual(kit.restarts("app=inference-service", "inference"), 0)

        kit.kubectl("delete", "hpa", "inference-hpa", namespace="inference")
        kit.kubectl("scale", "deploy/inference-deploy", "--replicas=2", namespace="inference")
        kit.until(lambda: len(kit.get("pods", namespace="inference")["items"]) == 2, 60, "two pods")
        load = kit.Load(url + "/embed", max(2, round(0.3 * rate)), 40, *photo)
        self.addCleanup(load.stop)
        time.sleep(2)
        before = {pod["metadata"]["name"] for pod in kit.pods("app=inference-service", "inference")}
        kit.kubectl("set", "env", "deploy/inference-deploy", "LOG_LEVEL=debug", namespace="inference")
        kit.rolled_out("inference-deploy", "inference")
        result = load.result()
        print(f"photo-duplicates: rolled out under {result['ok_per_second']:.0f} of {rate:.0f} requests a second: {result}", flush=True)
        self.assertFalse(before & {pod["metadata"]["name"] for pod in kit.pods("app=inference-service", "inference")})
        self.assertEqual(result["fail"], 0, result)

    def test_6_a_pod_for_a_gpu_waits_for_a_node_that_has_one(self):
        self.namespace = "gpu"
        (node,) = (item["metadata"]["name"] for item in kit.get("nodes")["items"])

        def gpus(count):
            kit.kubectl("label", "node", node, "accelerator=nvidia-tesla-t4" if count else "accelerator-", "--overwrite")
            kit.kubectl("patch", "node", node, "--subresource=status", "--type=merge", "-p", json.dumps({"status": {"capacity": {"nvidia.com/gpu": count}}}))

        def scheduled():
            conditions = [condition for pod in kit.pods("app=mlops-inference", "gpu") for condition in pod["status"].get("conditions", [])]
            return next((condition for condition in conditions if condition["type"] == "PodScheduled"), None)
        gpus(None)
        kit.kubectl("create", "namespace", "gpu")
        kit.apply("k8s/overlays/gpu", namespace="gpu")
        self.assertEqual(kit.until(scheduled, 30, "the scheduler has looked")["reason"], "Unschedulable")
        gpus("1")
        self.addCleanup(gpus, None)
        kit.until(lambda: scheduled()["status"] == "True", 60, "the pod is on the node")

        # The node claims a GPU but has none, so the pod must name the missing device.
        def said():
            return "device cuda:0" in kit.kubectl("logs", "-l", "app=mlops-inference", "--tail=20", namespace="gpu", check=False)
        kit.until(said, 60, "the log names the device")

    def test_7_the_chart_is_installed_and_its_own_test_passes(self):
        self.namespace = "flts"
        kit.kubectl("create", "namespace", "flts")
        folder = kit.volume("models")
        subprocess.run([kit.INFER, "train", "forecast", "--data", kit.CACHE / "series/co2.csv", "--target", "co2", "--time", "date", "--model", "naive",
                        "--out", folder / "flts", "--promote"], check=True, capture_output=True)
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)

        def helm(*arguments):
            command = [kit.HOME / "bin/helm", f"--kubeconfig={kit.HOME / 'etc/admin.conf'}", "-n", "flts", *arguments]
            done = subprocess.run(command, capture_output=True, text=True, timeout=200)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            return done.stdout
        helm("install", "flts", kit.ROOT / "k8s/chart", "-f", kit.ROOT / "k8s/chart/values-dev.yaml", "--set", "inference.resources.requests.cpu=250m", "--wait",
             "--timeout", "120s")
        self.assertIn("Succeeded", helm("test", "flts"))
        status, body = kit.request(kit.serving("http://127.0.0.1:30080") + "/predict", {"inference_length": 1})
        self.assertEqual(status, 200, body)


if __name__ == "__main__":
    unittest.main(verbosity=2)
