"""Checks the manifests with an API server, which fills in defaults and refuses errors."""

import json
import pathlib
import subprocess
import tempfile
import unittest

import kit
import schemas

OVERLAYS = ("photo-duplicates", "simulator-dev", "text", "gpu", "forecast")


def read(text):
    """Returns the objects that an API server would create."""
    namespaces = [item for item in parsed(text) if item["kind"] == "Namespace"]
    rest = [item for item in parsed(text) if item["kind"] != "Namespace"]
    node_ports = {}
    for item in rest:
        item["metadata"].pop("namespace", None)  # a dry run would require the namespace to exist
        if item["kind"] == "Service":  # a port of a running Service would be refused
            node_ports[item["metadata"]["name"]] = [port.pop("nodePort", None) for port in item["spec"]["ports"]]
    out = kit.kubectl("apply", "--dry-run=server", "--validate=strict", "-o", "json", "-f", "-", namespace="default",
                      input=json.dumps({"apiVersion": "v1", "kind": "List", "items": rest}))
    objects = {(item["kind"], item["metadata"]["name"]): item for item in json.loads(out)["items"]}
    for name, numbers in node_ports.items():
        for port, number in zip(objects["Service", name]["spec"]["ports"], numbers):
            port["nodePort"] = number
    return objects, namespaces


def parsed(text):
    """Parses YAML into objects without an API server."""
    out = kit.kubectl("create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-", input=text)
    decoder, items, at = json.JSONDecoder(), [], 0
    while at < len(out.rstrip()):
        item, end = decoder.raw_decode(out, at)
        items += item["items"] if item["kind"] == "List" else [item]
        at = end + len(out[end:]) - len(out[end:].lstrip())
    return items


def overlay(name):
    return read(kit.kubectl("kustomize", kit.ROOT / "k8s/overlays" / name))[0]


def rendered_chart(values):
    command = [kit.HOME / "bin/helm", "template", "flts", kit.ROOT / "k8s/chart", "-f", kit.ROOT / values]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def chart(values):
    return read(rendered_chart(values))[0]


def of(objects, kind):
    return [item for (k, _), item in objects.items() if k == kind]


def quantity(text):
    units = {"m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
    for unit, factor in units.items():
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    return float(text)


class Manifests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sets = {name: overlay(name) for name in OVERLAYS}
        cls.sets |= {f"chart {name}": chart(f"k8s/chart/values-{name}.yaml") for name in ("dev", "complete")}

    def each(self):
        for name, objects in self.sets.items():
            with self.subTest(name):
                yield name, objects

    def test_the_chart_with_an_overlays_numbers_means_what_the_overlay_means(self):
        ours, theirs = self.sets["forecast"], chart("tests/k8s/values-forecast.yaml")
        theirs = {key: item for key, item in theirs.items() if key[0] != "Pod"}  # without the chart's own test
        self.assertEqual(set(ours), set(theirs))
        for key, item in ours.items():
            for field in ("spec", "data", "automountServiceAccountToken"):
                self.assertEqual(stripped(item.get(field)), stripped(theirs[key].get(field)), key)
            self.assertEqual(item["metadata"]["labels"], theirs[key]["metadata"]["labels"], key)

    def test_services_budgets_and_policies_select_the_pods_and_ports_there_are(self):
        for name, objects in self.each():
            templates = [item["spec"]["template"] for item in of(objects, "Deployment")]
            for kind in ("Service", "PodDisruptionBudget", "NetworkPolicy"):
                for item in of(objects, kind):
                    spec = item["spec"]
                    wanted = spec["selector"] if kind == "Service" else (spec.get("selector") or spec["podSelector"])["matchLabels"]
                    matching = [t for t in templates if wanted.items() <= t["metadata"]["labels"].items()]
                    self.assertTrue(matching, f"{name}: {kind} {item['metadata']['name']} selects {wanted}")
                    if kind != "NetworkPolicy":  # a NetworkPolicy may cover several
                        self.assertEqual(len(matching), 1, f"{name}: {kind} {item['metadata']['name']} selects {wanted}")
                    if kind == "Service":
                        ports = {port["name"] for container in matching[0]["spec"]["containers"] for port in container.get("ports", [])}
                        self.assertLessEqual({port["targetPort"] for port in spec["ports"]}, ports)

    def test_the_server_listens_on_the_port_that_its_container_names(self):
        for name, objects in self.each():
            options = next(item["data"] for item in of(objects, "ConfigMap") if "INFER_HOST" in item.get("data", {}))
            for item in of(objects, "Deployment"):
                for container in item["spec"]["template"]["spec"]["containers"]:
                    ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
                    if "http" in ports:
                        self.assertEqual(ports["http"], int(options.get("INFER_PORT", 8002)), name)
                        self.assertEqual(ports["probe"], 9002, name)

    def test_autoscalers_scale_a_deployment_there_is_and_whose_containers_request_what_they_measure(self):
        for name, objects in self.each():
            for item in of(objects, "HorizontalPodAutoscaler"):
                target = objects[("Deployment", item["spec"]["scaleTargetRef"]["name"])]
                for metric in item["spec"]["metrics"]:
                    for container in target["spec"]["template"]["spec"]["containers"]:
                        self.assertIn(metric["resource"]["name"], container["resources"]["requests"], name)

    def test_a_quota_holds_the_autoscalers_maximum_and_what_a_rollout_adds(self):
        found = 0
        for name, objects in self.each():
            for quota in of(objects, "ResourceQuota"):
                found += 1
                (scaler,), (deployment,) = of(objects, "HorizontalPodAutoscaler"), of(objects, "Deployment")
                most = scaler["spec"]["maxReplicas"] + deployment["spec"]["strategy"]["rollingUpdate"]["maxSurge"]
                resources = deployment["spec"]["template"]["spec"]["containers"][0]["resources"]
                for key, limit in quota["spec"]["hard"].items():
                    kind, _, resource = key.partition(".")
                    need = most * quantity(resources[kind][resource]) if resource else most
                    self.assertGreaterEqual(quantity(limit), need, f"{name}: {key}")
        self.assertGreater(found, 0)

    def test_every_server_has_its_probes_its_drain_and_no_rights(self):
        for name, objects in self.each():
            for item in of(objects, "Deployment"):
                pod = item["spec"]["template"]["spec"]
                self.assertFalse(pod["automountServiceAccountToken"], name)
                self.assertTrue(pod["securityContext"]["runAsNonRoot"], name)
                for container in pod["containers"] + pod.get("initContainers", []):
                    security = container["securityContext"]
                    self.assertTrue(security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"], name)
                    self.assertEqual(security["capabilities"]["drop"], ["ALL"], name)
                    self.assertLessEqual({"cpu", "memory"}, set(container["resources"]["requests"]), name)
                    if container["name"] != "inference-api":
                        continue
                    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                        self.assertEqual((container[probe]["httpGet"]["port"], container[probe]["timeoutSeconds"]), ("probe", 3), name)
                    self.assertEqual(container["lifecycle"]["preStop"]["exec"]["command"], ["infer", "drain"])
                    self.assertGreaterEqual(pod["terminationGracePeriodSeconds"], 5 + 20 + 5, name)

    def test_policies_name_who_may_come_to_the_probe_port_and_where_pods_may_go(self):
        for name, objects in self.each():
            policies = of(objects, "NetworkPolicy")
            self.assertTrue(policies, name)
            for item in policies:
                self.assertEqual(set(item["spec"]["policyTypes"]), {"Ingress", "Egress"}, name)
                outside = [s["metadata"]["name"] for s in of(objects, "Service") if s["spec"].get("type") == "NodePort"
                           and s["spec"]["selector"].items() >= item["spec"]["podSelector"]["matchLabels"].items()]
                for rule in item["spec"].get("ingress", []):
                    ports = [port["port"] for port in rule["ports"]]
                    self.assertEqual(len(ports), 1, f"{name}: each port has its own rule: {ports}")
                    if "from" not in rule:
                        self.assertTrue(outside and ports[0] in ("http", "web"), f"{name}: everybody reaches {ports}")
                    if ports == ["probe"]:
                        self.assertTrue(all("podSelector" in peer and "namespaceSelector" in peer for peer in rule["from"]), name)
                own = {"app": item["spec"]["podSelector"]["matchLabels"].get("app")}
                for rule in item["spec"].get("ingress", []) + item["spec"].get("egress", []):
                    for peer in rule.get("from", []) + rule.get("to", []):
                        labels = peer.get("podSelector", {}).get("matchLabels", {})
                        self.assertTrue("namespaceSelector" not in peer or not own.items() <= labels.items(),
                                        f"{name}: pods of another namespace do not carry this one's label")
                for rule in item["spec"].get("egress", []):
                    self.assertTrue(rule.get("to"), f"{name}: {rule['ports']} leads everywhere")

    def test_operations_are_on_a_socket_that_the_pod_alone_can_reach(self):
        for name, objects in self.each():
            options = next(item["data"] for item in of(objects, "ConfigMap") if "INFER_HOST" in item.get("data", {}))
            socket = pathlib.PurePosixPath(options["INFER_ADMIN_SOCKET"])
            for item in of(objects, "Deployment"):
                pod = item["spec"]["template"]["spec"]
                for container in pod["containers"]:
                    if container["name"] == "inference-api":
                        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
                        volume = next(v for v in pod["volumes"] if v["name"] == mounts[str(socket.parent)])
                        self.assertIn("emptyDir", volume, name)

    def test_what_is_reached_from_outside_needs_a_key_or_security_md_says_why_not(self):
        security, found = (kit.ROOT / "SECURITY.md").read_text(), 0
        for name, objects in self.each():
            keys = any("INFER_API_KEYS" in item.get("data", {}) for item in of(objects, "ConfigMap"))
            for item in of(objects, "Service"):
                if item["spec"].get("type") in ("NodePort", "LoadBalancer") and not keys:
                    found += 1
                    for port in item["spec"]["ports"]:
                        if port.get("nodePort"):
                            self.assertIn(str(port["nodePort"]), security, f"{name}: {item['metadata']['name']}")
        self.assertGreater(found, 2)

    def test_what_is_switched_off_in_the_charts_values_is_not_there(self):
        self.assertFalse([key for key in self.sets["chart dev"] if key[1].startswith("locust")])
        self.assertFalse(of(self.sets["chart complete"], "HorizontalPodAutoscaler"))
        self.assertEqual(self.sets["chart complete"][("Deployment", "locust-worker")]["spec"]["replicas"], 4)
        self.assertIn("class Forecasts", self.sets["chart complete"][("ConfigMap", "locust-scripts")]["data"]["locustfile.py"])
        self.assertFalse([key for objects in self.sets.values() for key in objects if "haproxy" in key[1] or "inference-lb" in key[1]])


class Checked(unittest.TestCase):
    """Runs third-party checkers on all shipped manifests."""

    # Findings of kube-score that are intended, with the reason.
    LEFT = {
        "container-image-tag": "whoever deploys names an image of their own; the test images are loaded, not pulled",
        "container-image-pull-policy": "as above: the node has it",
        "container-ephemeral-storage-request-and-limit": "the root is read-only, every emptyDir is bounded, and the kubelet rotates logs",
        "deployment-has-host-podantiaffinity": "topology spread does it, and still places pods where there is one node",
        "service-type": "the systems that are reached by NodePort keep their port",
    }
    LEFT_OF = {
        ("locust-master", "deployment-replicas"): "Locust has one master",
        ("locust-master", "pod-probes"): "load, not a service: whoever runs it sees when it stands still",
        ("locust-worker", "deployment-has-poddisruptionbudget"): "load, not a service",
        ("mlops-inference-hpa", "horizontalpodautoscaler-replicas"): "one GPU is enough to begin with",
        ("dev-inference-sim", "horizontalpodautoscaler-replicas"): "the simulator begins with one pod",
        ("flts-test-connection", "pod-networkpolicy"): "a test's pod, gone when it ends",
    }

    @classmethod
    def setUpClass(cls):
        folders = [kit.ROOT / "k8s/overlays" / name for name in OVERLAYS] + sorted((kit.ROOT / "k8s/jobs").iterdir())
        cls.texts = {f"{folder.parent.name}/{folder.name}": kit.kubectl("kustomize", folder) for folder in folders}
        for component in ("queue-depth-hpa", "small-node", "wait-for-kafka"):
            cls.texts[component] = kit.rendered("k8s/overlays/forecast", components=[f"k8s/components/{component}"])
        cls.texts |= {f"chart {name}": rendered_chart(f"k8s/chart/values-{name}.yaml") for name in ("dev", "complete")}

    def test_kubeconform_finds_nothing_in_any_of_them(self):
        texts = self.texts | {name: (kit.ROOT / "k8s/monitoring" / name).read_text() for name in ("podmonitor.yaml", "keda-scaledobject.yaml")}
        kinds = {item["kind"] for text in self.texts.values() for item in parsed(text)}
        with tempfile.TemporaryDirectory() as work:
            schemas.write(pathlib.Path(work), kinds, parsed)

            def kubeconform(text):
                done = subprocess.run([kit.HOME / "bin/kubeconform", "-strict", "-schema-location", work + "/{{.ResourceKind}}-{{.Group}}-{{.ResourceAPIVersion}}.json"],
                                      input=text, capture_output=True, text=True)
                return done.returncode, done.stdout + done.stderr
            for name, text in texts.items():
                with self.subTest(name):
                    self.assertEqual(kubeconform(text), (0, ""))
            for right, wrong in (("periodSeconds", "periodSecond"), ("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: 1"), ("kind: Service\n", "kind: Servant\n")):
                self.assertEqual(kubeconform(self.texts["overlays/forecast"].replace(right, wrong))[0], 1, f"{wrong} is noticed")

    def test_kube_score_finds_nothing_that_has_no_reason(self):
        found = set()
        for name, text in self.texts.items():
            ignored = [part for test in self.LEFT for part in ("--ignore-test", test)]
            out = subprocess.run([kit.HOME / "bin/kube-score", "score", "--kubernetes-version", "v1.34", "-o", "json", *ignored, "-"], input=text, capture_output=True,
                                 text=True).stdout
            for item in json.loads(out):
                for check in item["checks"]:
                    if not check["skipped"] and check["grade"] < 10:
                        key = (item["object_meta"]["name"], check["check"]["id"])
                        found.add(key)
                        with self.subTest(name):
                            self.assertIn(key, self.LEFT_OF, check["comments"])
        self.assertEqual(found, set(self.LEFT_OF))

    def test_a_pod_can_only_write_where_there_is_a_bound(self):
        for name, text in self.texts.items():
            for item in parsed(text):
                for volume in item.get("spec", {}).get("template", {}).get("spec", {}).get("volumes", []):
                    self.assertTrue("emptyDir" not in volume or "sizeLimit" in volume["emptyDir"], f"{name}: {volume}")


def stripped(value):
    """Removes the fields that an API server generates for each object."""
    if isinstance(value, dict):
        return {key: stripped(item) for key, item in value.items() if key not in ("clusterIP", "clusterIPs")}
    if isinstance(value, list):
        return [stripped(item) for item in value]
    return value


if __name__ == "__main__":
    unittest.main(verbosity=2)
