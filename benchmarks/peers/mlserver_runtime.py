"""Serves the tower as a runtime of MLServer, which batches up to eight photographs."""

import base64

import tower
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceResponse


class Tower(MLModel):
    async def load(self):
        self.model = tower.load()
        return True

    async def predict(self, payload):
        texts = StringCodec.decode_input(payload.inputs[0])
        vectors = tower.embed(self.model, [tower.preprocess(base64.b64decode(text)) for text in texts])
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("embedding", vectors.numpy())])
