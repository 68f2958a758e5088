import json
import urllib.error
import urllib.request

import pytest


def pytest_addoption(parser):
    parser.addoption("--url", default="http://127.0.0.1:8002", help="base address of the server")
    parser.addoption("--model", help="any model that it serves")
    parser.addoption("--echo", help="prefix of models that give back what they get")
    parser.addoption("--embedding-model", help="a model of texts for /v1/embeddings")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


@pytest.fixture
def url(request):
    return request.config.getoption("--url").rstrip("/")


@pytest.fixture
def send(url):
    """send(path, body=None, headers={}, method=None) returns the answer, whatever its status."""
    def send(path, body=None, headers=None, method=None):
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        request = urllib.request.Request(url + path, data=body, headers=headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())
    return send


def named(option):
    @pytest.fixture
    def fixture(request):
        name = request.config.getoption(option)
        if not name:
            pytest.skip(f"{option} is not given")
        return name
    return fixture


model, echo, embedding_model = named("--model"), named("--echo"), named("--embedding-model")
