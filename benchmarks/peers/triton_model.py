"""The tower for Triton's Python backend: model.py of a model with dynamic batching of up to eight photographs."""

import base64
import os
import sys

import numpy as np
import triton_python_backend_utils as utils

sys.path += os.environ["PYTHONPATH"].split(":")  # the backend's interpreter ignores PYTHONPATH
import tower  # noqa: E402


class TritonPythonModel:
    def initialize(self, _):
        self.model = tower.load()

    def execute(self, requests):
        texts = [utils.get_input_tensor_by_name(request, "image").as_numpy().reshape(-1) for request in requests]
        vectors = tower.embed(self.model, [tower.preprocess(base64.b64decode(text)) for row in texts for text in row]).numpy()
        ends = np.cumsum([len(row) for row in texts])[:-1]
        return [utils.InferenceResponse([utils.Tensor("embedding", part)]) for part in np.split(vectors, ends)]
