"""Serves the tower with LitServe, which batches up to eight photographs. PEER_WORKERS: number of processes. PEER_PORT: port."""

import base64
import os

import litserve
import tower


class Tower(litserve.LitAPI):
    def setup(self, device):
        self.model = tower.load()

    def decode_request(self, request):
        return tower.preprocess(base64.b64decode(request["images"][0]))

    def predict(self, photographs):
        return list(tower.embed(self.model, photographs))

    def batch(self, inputs):
        return list(inputs)

    def unbatch(self, output):
        return output

    def encode_response(self, output):
        return {"embeddings": [output.tolist()]}


if __name__ == "__main__":
    server = litserve.LitServer(Tower(max_batch_size=8, batch_timeout=0.005, api_path="/embed/base64"), accelerator="cpu",
                                workers_per_device=int(os.environ["PEER_WORKERS"]))
    server.run(port=int(os.environ["PEER_PORT"]), log_level="error", generate_client_file=False)
