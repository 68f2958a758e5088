"""Makes JSON schemas of Kubernetes objects for kubeconform from the projects' Go modules."""

import json

import kit

MODULES = kit.HOME / "gomod"
CUSTOM = ("github.com/prometheus-operator/prometheus-operator@*/example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
          "github.com/kedacore/keda/v2@*/config/crd/bases/keda.sh_scaledobjects.yaml")
EITHER = {"anyOf": [{"type": "string"}, {"type": "number"}]}  # "1" and 1 are the same quantity and the same port
REFERENCE = "#/definitions/"


def strict(schema):
    """Makes unknown fields an error, and allows numbers for quantities and ports."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "int-or-string" or schema.get("x-kubernetes-int-or-string"):
        return EITHER
    out = {key: strict(value) for key, value in schema.items() if key != "description" or not isinstance(value, str)}
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        out["additionalProperties"] = False
    return out


def needed(name, definitions, found):
    """Returns the definitions that a definition refers to, including itself."""
    if name in found:
        return
    found[name] = definitions[name]
    for part in json.dumps(definitions[name]).split(f'"$ref": "{REFERENCE}')[1:]:
        needed(part.split('"', 1)[0], definitions, found)


def write(folder, kinds, parsed):
    """Writes the schemas of `kinds` and of the custom resources; `parsed` reads YAML."""
    (swagger,) = MODULES.glob("k8s.io/kubernetes@*/api/openapi-spec/swagger.json")
    definitions = strict(json.loads(swagger.read_text())["definitions"])
    definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] = EITHER
    for name, schema in definitions.items():
        for kind in schema.get("x-kubernetes-group-version-kind", []):
            if kind["kind"] in kinds:
                found = {}
                needed(name, definitions, found)
                file = folder / f"{kind['kind'].lower()}-{kind['group'] or kind['version']}-{kind['version']}.json"
                file.write_text(json.dumps({"$ref": REFERENCE + name, "definitions": found}))
    for pattern in CUSTOM:
        (file,) = MODULES.glob(pattern)
        (resource,) = parsed(file.read_text())
        spec = resource["spec"]
        for version in spec["versions"]:
            schema = strict(version["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"type": "object"}
            (folder / f"{spec['names']['kind'].lower()}-{spec['group']}-{version['name']}.json").write_text(json.dumps(schema))
