#!/usr/bin/env python3
"""Imports MiniLM, trains a sentiment classifier and forecasters, and queries a server of all three: demo_workloads.py INFER DIR"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import demo

ROOT = pathlib.Path(__file__).resolve().parent.parent


def ask(path, body):
    status, answer = demo.request("POST", path, json.dumps(body), headers={"Content-Type": "application/json"})
    if status != 200:
        raise SystemExit(f"demo: {path}: {status} {answer.decode()}")
    return json.loads(answer)


def main():
    infer, models = sys.argv[1], pathlib.Path(sys.argv[2])
    cache = pathlib.Path(os.environ.get("INFER_CACHE") or pathlib.Path.home() / ".cache" / "libinfer")
    shutil.rmtree(models, ignore_errors=True)

    def run(*command):
        print("\n$ infer " + " ".join(map(str, command)), flush=True)
        subprocess.run([infer, *map(str, command)], check=True, stderr=subprocess.DEVNULL)

    run("model", "import", cache / "minilm", "--arch", "bert", "--out", models / "minilm")
    run("train", "text", "--base", models / "minilm", "--data", ROOT / "data" / "sentiment.csv", "--out", models / "sentiment")
    run("train", "forecast", "--data", cache / "series" / "co2.csv", "--target", "co2", "--time", "date", "--history", 52,
        "--horizon", 4, "--out", models / "co2", "--promote")
    with demo.serving(infer, "--models", models):
        print("\nserving", ", ".join(sorted(path.name for path in models.iterdir())))
        for text in ("A wonderful evening, we laughed all the way home.", "The chair broke on the first day."):
            answer = ask("/predict", {"text": text})
            print(f"  {text} -> {answer['label']} ({answer['confidence']:.2f})")
        scores = ask("/similarity", {"inputs": {"source_sentence": "The film was great.",
                                                "sentences": ["I loved this movie.", "The train is late."]}})
        print("  'The film was great.': similarity to 'I loved this movie.' %.2f, to 'The train is late.' %.2f" % tuple(scores))
        answer = ask("/predict", {"inference_length": 8})
        print(f"  CO2, the next 8 weeks ({answer['model_version']}): " + " ".join(f"{row[0]:.1f}" for row in answer["predictions"]) + " ppm")


if __name__ == "__main__":
    main()
