"""Tests the server with third-party clients."""

import asyncio
import math

import numpy
import pytest

NUMPY = {"BOOL": bool, "UINT8": numpy.uint8, "UINT16": numpy.uint16, "UINT32": numpy.uint32, "UINT64": numpy.uint64,
         "INT8": numpy.int8, "INT16": numpy.int16, "INT32": numpy.int32, "INT64": numpy.int64, "FP16": numpy.float16,
         "FP32": numpy.float32, "FP64": numpy.float64}


def sample(dtype):
    return (numpy.arange(8).reshape(2, 4) % (2 if dtype == "BOOL" else 7)).astype(NUMPY[dtype])


@pytest.fixture
def triton(url):
    http = pytest.importorskip("tritonclient.http")
    client = http.InferenceServerClient(url.split("://")[1])
    yield http, client
    client.close()


@pytest.mark.parametrize("dtype", NUMPY)
@pytest.mark.parametrize("as_binary", [True, False])
def test_tritonclient_infers(triton, echo, dtype, as_binary):
    http, client = triton
    if dtype == "FP16" and not as_binary:
        pytest.skip("FP16 can only be sent as binary data")
    values = sample(dtype)
    tensor = http.InferInput("INPUT0", values.shape, dtype)
    tensor.set_data_from_numpy(values, binary_data=as_binary)
    output = http.InferRequestedOutput("OUTPUT0", binary_data=as_binary)
    result = client.infer(f"{echo}_{dtype.lower()}", [tensor], outputs=[output], request_id="a b")
    assert numpy.array_equal(result.as_numpy("OUTPUT0"), values)
    assert result.get_response()["id"] == "a b"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_tritonclient_compresses(triton, echo, encoding):
    http, client = triton
    values = numpy.arange(32, dtype=numpy.float32).reshape(8, 4)
    tensor = http.InferInput("INPUT0", values.shape, "FP32")
    tensor.set_data_from_numpy(values)
    result = client.infer(f"{echo}_fp32", [tensor], request_compression_algorithm=encoding,
                          response_compression_algorithm=encoding)
    assert numpy.array_equal(result.as_numpy("OUTPUT0"), values)


def test_tritonclient_reads_health_metadata_configuration_and_statistics(triton, echo):
    _, client = triton
    name = f"{echo}_fp32"
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(name)
    assert not client.is_model_ready("none")
    assert "statistics" in client.get_server_metadata()["extensions"]
    assert client.get_model_metadata(name)["inputs"][0]["shape"] == [-1, 4]
    assert client.get_model_config(name)["max_batch_size"] == 8
    assert client.get_inference_statistics(name)["model_stats"][0]["name"] == name
    assert len(client.get_inference_statistics()["model_stats"]) > 1


def test_tritonclient_hears_why(triton, echo):
    http, client = triton
    from tritonclient.utils import InferenceServerException
    values = numpy.zeros((1, 5), numpy.float32)
    tensor = http.InferInput("INPUT0", values.shape, "FP32")
    tensor.set_data_from_numpy(values)
    with pytest.raises(InferenceServerException, match="INPUT0"):
        client.infer(f"{echo}_fp32", [tensor])


def test_tritonclient_steers_the_repository(triton, echo):
    _, client = triton
    from tritonclient.utils import InferenceServerException
    name = f"{echo}_uint8"
    try:
        index = client.get_model_repository_index()
        client.unload_model(name)
    except InferenceServerException as error:
        pytest.skip(f"the repository cannot be steered: {error}")
    try:
        assert {"name": name, "version": "1", "state": "READY"}.items() <= next(m for m in index if m["name"] == name).items()
        assert not client.is_model_ready(name)
        assert next(m for m in client.get_model_repository_index() if m["name"] == name)["state"] == "UNAVAILABLE"
    finally:
        client.load_model(name)
    assert client.is_model_ready(name)
    with pytest.raises(InferenceServerException):
        client.load_model("none")


def test_tritonclient_infers_asynchronously(triton, echo):
    http, client = triton
    values = sample("INT32")
    tensor = http.InferInput("INPUT0", values.shape, "INT32")
    tensor.set_data_from_numpy(values)
    pending = [client.async_infer(f"{echo}_int32", [tensor]) for _ in range(20)]
    assert all(numpy.array_equal(request.get_result().as_numpy("OUTPUT0"), values) for request in pending)


@pytest.mark.parametrize("as_binary", [True, False])
def test_kserve_infers(url, echo, as_binary):
    kserve = pytest.importorskip("kserve")

    async def ask():
        client = kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v2"))
        assert await client.is_server_live(url) and await client.is_server_ready(url)
        assert await client.is_model_ready(url, f"{echo}_fp32")
        tensor = kserve.InferInput("INPUT0", [2, 4], "FP32")
        tensor.set_data_from_numpy(sample("FP32"), binary_data=as_binary)
        answer = await client.infer(url, kserve.InferRequest(model_name=f"{echo}_fp32", infer_inputs=[tensor]),
                                    model_name=f"{echo}_fp32")
        await client.close()
        return answer
    answer = asyncio.run(ask())
    assert numpy.array_equal(answer.outputs[0].as_numpy(), sample("FP32"))


@pytest.fixture
def openai(url):
    package = pytest.importorskip("openai")
    return package, package.OpenAI(base_url=url + "/v1", api_key="none", max_retries=0)


def test_openai_embeds_in_both_encodings(openai, embedding_model):
    _, client = openai
    texts = ["a quiet street", "a street without noise", "the stock market"]
    # Without an encoding, the client itself requests base64.
    packed = client.embeddings.create(model=embedding_model, input=texts)
    plain = client.embeddings.create(model=embedding_model, input=texts, encoding_format="float")
    assert packed.usage.prompt_tokens > 9 and packed.model == embedding_model
    for a, b in zip(packed.data, plain.data):
        assert numpy.allclose(a.embedding, b.embedding, atol=1e-7) and a.index == b.index
        assert math.isclose(numpy.linalg.norm(a.embedding), 1, abs_tol=1e-4)
    near, far = (numpy.dot(plain.data[0].embedding, plain.data[i].embedding) for i in (1, 2))
    assert near > far + 0.2
    short = client.embeddings.create(model=embedding_model, input=texts[0], dimensions=64).data[0].embedding
    assert len(short) == 64 and math.isclose(numpy.linalg.norm(short), 1, abs_tol=1e-4)


def test_openai_hears_why(openai, embedding_model):
    package, client = openai
    with pytest.raises(package.NotFoundError, match="is not loaded"):
        client.embeddings.create(model="none", input="a")
    with pytest.raises(package.BadRequestError, match="input"):
        client.embeddings.create(model=embedding_model, input=[])


def test_openai_lists_models(openai, embedding_model):
    _, client = openai
    assert embedding_model in [model.id for model in client.models.list()]
    assert client.models.retrieve(embedding_model).id == embedding_model
