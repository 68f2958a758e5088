"""Simulates users of the forecaster: 80 % forecasts, 10 % health, 10 % metrics. Each user sends a request every 0.5 to 2 s."""

from locust import FastHttpUser, between, task


class Forecasts(FastHttpUser):
    wait_time = between(0.5, 2)

    @task(8)
    def predict(self):
        self.client.post("/predict", json={"inference_length": 1})

    @task(1)
    def health(self):
        self.client.get("/healthz")

    @task(1)
    def metrics(self):
        self.client.get("/metrics")
