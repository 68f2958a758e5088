#include <gtest/gtest.h>
#include <simdjson.h>
#include <zlib.h>

#include <limits>
#include <thread>

#include "http/test_server.h"

namespace infer::http::testing {
namespace {

/// A model that returns its inputs: "ids" INT64 of any length, "pair" FP32 [2], "flags" BOOL [3].
class Inference : public ::testing::Test {
 protected:
  Inference() {
    infer::testing::ScriptedOptions script;
    const std::vector<TensorSpec> specs{{"ids", DType::kInt64, Shape{-1}},
                                        {"pair", DType::kFp32, Shape{2}},
                                        {"flags", DType::kBool, Shape{3}}};
    script.signature = {specs, specs};
    add("echo", script, {});
    infer::testing::ScriptedOptions half;
    half.signature = {{{"x", DType::kFp16, Shape{2}}}, {{"x", DType::kFp16, Shape{2}}}};
    add("half", half, {});
  }

  void add(const std::string& name, const infer::testing::ScriptedOptions& script, EngineOptions options) {
    options.warmup = Warmup::kNone;
    auto model = make_model(name, infer::testing::make_scripted_backend(script).value());
    server_.service()
        .add(std::make_shared<Engine>(Engine::create(std::move(model), options).value()))
        .value();
  }

  httplib::Result post(const std::string& model, const std::string& body,
                       const httplib::Headers& headers = {}) {
    return server_.client().Post("/v2/models/" + model + "/infer", headers, body, "application/json");
  }

  /// Posts a request and parses the answer, which must have `status`.
  simdjson::dom::element ask(const std::string& model, const std::string& body, int status = 200) {
    const auto response = post(model, body);
    EXPECT_EQ(response->status, status) << response->body;
    return parser_.parse(response->body).value();
  }

  std::string error(const std::string& model, const std::string& body, int status = 400) {
    return std::string(ask(model, body, status)["error"].get_string().value());
  }

  static std::string echo_inputs(const std::string& pair_data) {
    return R"({"inputs":[{"name":"pair","shape":[1,2],"datatype":"FP32","data":)" + pair_data +
           R"(},{"name":"ids","shape":[1,3],"datatype":"INT64","data":[1,-2,9007199254740993]},)"
           R"({"name":"flags","shape":[1,3],"datatype":"BOOL","data":[[true,false,true]]}]})";
  }

  TestServer server_;
  simdjson::dom::parser parser_;
};

TEST_F(Inference, TensorsOfSeveralTypesGoThroughInTheModelsOrderWhateverTheRequests) {
  const auto answer = ask("echo", echo_inputs("[0.1,-3.4e38]"));
  EXPECT_EQ(answer["model_name"].get_string().value(), "echo");
  EXPECT_TRUE(answer["id"].error());
  const auto outputs = answer["outputs"];
  EXPECT_EQ(outputs.at(0)["name"].get_string().value(), "ids");
  EXPECT_EQ(outputs.at(0)["data"].at(2).get_int64().value(), 9007199254740993);
  EXPECT_EQ(static_cast<float>(outputs.at(1)["data"].at(0).get_double().value()), 0.1F);
  EXPECT_EQ(static_cast<float>(outputs.at(1)["data"].at(1).get_double().value()), -3.4e38F);
  EXPECT_EQ(outputs.at(2)["data"].at(0).get_bool().value(), true);
  EXPECT_EQ(outputs.at(2)["data"].at(1).get_bool().value(), false);
}

TEST_F(Inference, RowsComeBackInTheirOrder) {
  std::string data = "[";
  for (int i = 0; i < 80; ++i) data += (i == 0 ? "" : ",") + std::to_string(i);
  const auto answer = ask(
      "echo", R"({"inputs":[{"name":"pair","shape":[40,2],"datatype":"FP32","data":)" + data +
                  R"(]},{"name":"ids","shape":[40,0],"datatype":"INT64","data":[]},)"
                  R"({"name":"flags","shape":[40,3],"datatype":"BOOL","data":[)" +
                  [] {
                    std::string flags;
                    for (int i = 0; i < 120; ++i) flags += i == 0 ? "0" : ",1";
                    return flags;
                  }() +
                  "]}],\"outputs\":[{\"name\":\"pair\"}]}");
  EXPECT_EQ(answer["outputs"].get_array().size(), 1U);
  const auto values = answer["outputs"].at(0)["data"].get_array().value();
  ASSERT_EQ(values.size(), 80U);
  for (std::size_t i = 0; i < 80; ++i) EXPECT_EQ(values.at(i).get_int64().value(), static_cast<int>(i));
}

TEST_F(Inference, NoRowsGiveOutputsWithoutRows) {
  const auto answer =
      ask("half", R"({"inputs":[{"name":"x","shape":[0,2],"datatype":"FP16",)"
                  R"("parameters":{"binary_data_size":0}}],"parameters":{"binary_data_output":true}})");
  EXPECT_EQ(answer["outputs"].at(0)["shape"].at(0).get_int64().value(), 0);
}

TEST_F(Inference, AnOutputIsAskedForOnce) {
  const std::string inputs = echo_inputs("[1,2]");
  const std::string request = inputs.substr(0, inputs.size() - 1);
  EXPECT_EQ(error("echo", request + R"(,"outputs":[{"name":"pair"},{"name":"pair"}]})"),
            "outputs[1].name: 'pair' is given twice");
}

TEST_F(Inference, AnIdIsEchoedTheEmptyOneToo) {
  for (const std::string id : {"", "a\\\"b"}) {
    const auto answer = ask("echo", "{\"id\":\"" + id + "\"," + echo_inputs("[1,2]").substr(1));
    EXPECT_EQ(answer["id"].get_string().value(), id.empty() ? "" : "a\"b");
  }
}

TEST_F(Inference, AnIdOfNullIsNone) {
  const auto answer = ask("echo", "{\"id\":null," + echo_inputs("[1,2]").substr(1));
  EXPECT_TRUE(answer["id"].error()) << "not echoed";
  EXPECT_EQ(error("echo", "{\"id\":7," + echo_inputs("[1,2]").substr(1)), "id: must be a string");
}

TEST_F(Inference, BytesMayNestAsTheirShapeAndBeAddresses) {
  const std::string photo =
      encode_base64(infer::testing::read_bytes(infer::testing::golden("coffee").encoded));
  const auto body = [](const std::string& data, const std::string& shape = "[2]") {
    return R"({"inputs":[{"name":"pixel_values","datatype":"BYTES","shape":)" + shape + R"(,"data":)" + data +
           "}]}";
  };
  const std::string one = "\"" + photo + "\"";
  const std::string address = "\"data:image/jpeg;base64," + photo + "\"";
  EXPECT_EQ(ask("scripted", body("[" + one + "," + address + "]"))["outputs"]
                .at(0)["shape"]
                .at(0)
                .get_int64()
                .value(),
            2);
  ask("scripted", body("[[" + one + "],[" + address + "]]", "[2,1]"));
  EXPECT_NE(
      error("scripted", body("[[" + one + "],[7]]", "[2,1]")).find("element 1: must be a base64 string"),
      std::string::npos);
  EXPECT_NE(error("scripted", body("[[" + one + "]]")).find("1 elements, but shape needs 2"),
            std::string::npos);
}

TEST_F(Inference, ARangeIsKeptBeforeAForward) {
  infer::testing::ScriptedOptions script;
  std::vector<TensorSpec> specs{{"ids", DType::kInt64, Shape{-1}}, {"mask", DType::kInt64, Shape{-1}}};
  script.signature.outputs = specs;
  specs[0].range = ValueRange{0, 99};
  specs[0].max_shape = Shape{4};
  specs[1].same_shape_as = "ids";
  script.signature.inputs = specs;
  add("table", script, {});
  const auto body = [](const std::string& ids, int ids_size, const std::string& mask, int mask_size) {
    return R"({"inputs":[{"name":"ids","datatype":"INT64","shape":[1,)" + std::to_string(ids_size) +
           R"(],"data":)" + ids + R"(},{"name":"mask","datatype":"INT64","shape":[1,)" +
           std::to_string(mask_size) + R"(],"data":)" + mask + "}]}";
  };
  ask("table", body("[0,99]", 2, "[1,1]", 2));
  EXPECT_EQ(error("table", body("[0,100]", 2, "[1,1]", 2)),
            "rows[0]: ids[1]: 100 is outside 0 to 99, the range that the model takes");
  EXPECT_EQ(error("table", body("[1,2]", 2, "[1]", 1)),
            "rows[0]: mask: shape [1] is not [2], the shape of ids");
  EXPECT_EQ(error("table", body("[1,2,3,4,5]", 5, "[1,1,1,1,1]", 5)),
            "rows[0]: ids: shape [5] exceeds [4], the most that the model takes");
}

TEST_F(Inference, BinaryTensorsGoInAndOut) {
  const std::string json =
      R"({"inputs":[{"name":"x","shape":[2,2],"datatype":"FP16","parameters":{"binary_data_size":8}}],)"
      R"("outputs":[{"name":"x","parameters":{"binary_data":true}}]})";
  const std::string bytes("\x01\x02\x03\x04\x05\x06\x07\x08", 8);
  const auto response =
      post("half", json + bytes, {{"Inference-Header-Content-Length", std::to_string(json.size())}});
  ASSERT_EQ(response->status, 200) << response->body;
  const std::size_t length = std::stoul(response->get_header_value("inference-header-content-length"));
  EXPECT_EQ(response->body.substr(length), bytes);
  const auto answer = parser_.parse(response->body.substr(0, length)).value();
  EXPECT_EQ(answer["outputs"].at(0)["parameters"]["binary_data_size"].get_int64().value(), 8);
  EXPECT_TRUE(answer["outputs"].at(0)["data"].error());
}

TEST_F(Inference, BinaryAndJsonInputsMix) {
  const std::string json =
      R"({"inputs":[{"name":"pair","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}},)"
      R"({"name":"ids","shape":[1,1],"datatype":"INT64","data":[7]},)"
      R"({"name":"flags","shape":[1,3],"datatype":"BOOL","parameters":{"binary_data_size":3}}]})";
  const float pair[2] = {1.5F, -2.5F};
  std::string body = json;
  body.append(reinterpret_cast<const char*>(pair), 8);
  body.append("\1\0\1", 3);
  const auto response =
      post("echo", body, {{"Inference-Header-Content-Length", std::to_string(json.size())}});
  ASSERT_EQ(response->status, 200) << response->body;
  const auto answer = parser_.parse(response->body).value();
  EXPECT_EQ(answer["outputs"].at(1)["data"].at(1).get_double().value(), -2.5);
  EXPECT_EQ(answer["outputs"].at(2)["data"].at(2).get_bool().value(), true);
}

TEST_F(Inference, SizesThatDoNotAddUpAreRefusedByName) {
  const std::string head =
      R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP16","parameters":{"binary_data_size":)";
  const auto ask_with = [&](const std::string& size, const std::string& bytes) {
    const std::string json = head + size + "}}]}";
    const auto response =
        post("half", json + bytes, {{"Inference-Header-Content-Length", std::to_string(json.size())}});
    EXPECT_EQ(response->status, 400);
    return response->body;
  };
  EXPECT_NE(ask_with("5", "12345").find("needs 4"), std::string::npos);
  EXPECT_NE(ask_with("4", "123").find("the body has only 3 more"), std::string::npos);
  EXPECT_NE(ask_with("4", "12345").find("1 bytes are left"), std::string::npos);
  EXPECT_NE(ask_with("-1", "").find("whole number"), std::string::npos);
  const auto too_long = post("half", "{}", {{"Inference-Header-Content-Length", "3"}});
  EXPECT_EQ(too_long->status, 400);
  const auto no_number = post("half", "{}", {{"Inference-Header-Content-Length", "2x"}});
  EXPECT_NE(no_number->body.find("'2x' is not a number"), std::string::npos);
}

TEST_F(Inference, AHeaderOfZeroMakesTheWholeBodyTheInput) {
  const auto response = post("half", std::string("\1\2\3\4", 4), {{"Inference-Header-Content-Length", "0"}});
  ASSERT_EQ(response->status, 200) << response->body;
  EXPECT_TRUE(response->body.ends_with(std::string("\1\2\3\4", 4)));
  const auto odd = post("half", "12345", {{"Inference-Header-Content-Length", "0"}});
  EXPECT_NE(odd->body.find("not a whole number of rows"), std::string::npos) << odd->body;
}

TEST_F(Inference, MistakesNameWhatIsWrong) {
  EXPECT_EQ(error("nope", "{}", 404), "model 'nope' is not loaded; available: scripted, echo, half");
  EXPECT_NE(error("echo", "{").find("is not JSON"), std::string::npos);
  EXPECT_EQ(error("echo", "[]"), "body: must be a JSON object");
  EXPECT_EQ(error("echo", "{}"), "inputs: must be a list of tensors");
  EXPECT_EQ(error("echo", R"({"inputs":[]})"), "inputs: ids is missing");
  EXPECT_EQ(error("half", R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP16","data":[1,2]}]})"),
            "inputs.x.datatype: FP16 can only be sent as binary data");
  EXPECT_EQ(error("echo", echo_inputs("[1]")), "inputs.pair.data: 1 elements, but shape needs 2");
  EXPECT_EQ(error("echo", echo_inputs("[1,2,3]")),
            "inputs.pair.data: more than 2 elements, but shape needs 2");
  EXPECT_EQ(error("echo", echo_inputs("[1,1e39]")),
            "inputs.pair.data: element 1 is '1e+39', which does not fit the datatype");
  EXPECT_EQ(error("echo", echo_inputs("[1,\"2\"]")),
            "inputs.pair.data: element 1 is '\"2\"', which does not fit the datatype");
  EXPECT_NE(
      error("echo", R"({"inputs":[{"name":"pair","shape":[1000000,1000000],"datatype":"FP32","data":[]}]})")
          .find("more elements than the body has bytes"),
      std::string::npos);
  EXPECT_NE(error("echo", R"({"inputs":[{"name":"pair","shape":[1,-2],"datatype":"FP32","data":[]}]})")
                .find("not negative"),
            std::string::npos);
  const auto many = ask("echo",
                        R"({"inputs":[{"name":"ids","shape":[70000,0],"datatype":"INT64","data":[]},)"
                        R"({"name":"pair","shape":[0,2],"datatype":"FP32","data":[]},)"
                        R"({"name":"flags","shape":[0,3],"datatype":"BOOL","data":[]}]})",
                        413);
  EXPECT_EQ(many["error"].get_string().value(), "inputs.ids.shape: 70000 rows exceed max_rows 65536");
  const std::string wrong =
      R"({"inputs":[{"name":"x","shape":[2],"datatype":"FP16","parameters":{"binary_data_size":4}}]})";
  const auto shape =
      post("half", wrong + "1234", {{"Inference-Header-Content-Length", std::to_string(wrong.size())}});
  EXPECT_NE(shape->body.find("inputs.x.shape: [2], the model takes [-1,2]"), std::string::npos)
      << shape->body;
}

TEST_F(Inference, WhatJsonCannotHoldIsRefusedNotMisprinted) {
  const std::string json =
      R"({"inputs":[{"name":"pair","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}},)"
      R"({"name":"ids","shape":[1,1],"datatype":"INT64","data":[7]},)"
      R"({"name":"flags","shape":[1,3],"datatype":"BOOL","data":[0,1,0]}]})";
  const float pair[2] = {1, std::numeric_limits<float>::quiet_NaN()};
  std::string body = json;
  body.append(reinterpret_cast<const char*>(pair), 8);
  const auto response =
      post("echo", body, {{"Inference-Header-Content-Length", std::to_string(json.size())}});
  EXPECT_EQ(response->status, 400);
  EXPECT_NE(response->body.find("outputs.pair: element 1 is NaN or infinite"), std::string::npos)
      << response->body;
}

TEST_F(Inference, ATimeoutInMicrosecondsIsKept) {
  infer::testing::ScriptedOptions slow;
  slow.signature = {{{"x", DType::kFp32, Shape{1}}}, {{"x", DType::kFp32, Shape{1}}}};
  slow.base = std::chrono::milliseconds(300);
  slow.burn = false;
  EngineOptions options;
  options.batch.max_batch_size = 1;
  options.batch.allowed_batch_sizes = {1};
  options.threads.workers = 1;
  add("slow", slow, options);
  const std::string input = R"("inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[1]}]})";
  std::thread first([&] { EXPECT_EQ(post("slow", "{" + input)->status, 200); });
  while (server_.service().models().find("slow", {})->engine->stats().scheduler.busy_workers == 0)
    std::this_thread::yield();
  const auto late = post("slow", R"({"parameters":{"timeout":20000},)" + input);
  EXPECT_EQ(late->status, 504) << late->body;
  first.join();
}

TEST_F(Inference, EncodedImagesStandInForTheirPixels) {
  const infer::testing::Bytes photo = infer::testing::read_bytes(infer::testing::golden("coffee").encoded);
  const std::string head =
      R"({"inputs":[{"name":"pixel_values","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":)";
  std::string bytes;
  for (int i = 0; i < 2; ++i) {
    const auto size = static_cast<std::uint32_t>(photo.size());
    bytes.append(reinterpret_cast<const char*>(&size), 4);
    bytes.append(photo.begin(), photo.end());
  }
  const std::string json = head + std::to_string(bytes.size()) + "}}]}";
  const auto response =
      post("scripted", json + bytes, {{"Inference-Header-Content-Length", std::to_string(json.size())}});
  ASSERT_EQ(response->status, 200) << response->body;
  const auto shape = parser_.parse(response->body).value()["outputs"].at(0)["shape"];
  EXPECT_EQ(shape.at(0).get_int64().value(), 2);
  EXPECT_EQ(shape.at(1).get_int64().value(), 8);
  const auto whole =
      post("scripted", std::string(photo.begin(), photo.end()), {{"Inference-Header-Content-Length", "0"}});
  EXPECT_EQ(whole->status, 200) << whole->body;
}

TEST_F(Inference, CompressedBodiesComeAndGoAsTheClientAsks) {
  std::string body = echo_inputs("[1,2]");
  body.insert(1, "\"id\":\"" + std::string(4000, 'a') + "\",");
  std::string compressed(body.size() + 100, '\0');
  uLongf size = compressed.size();
  ASSERT_EQ(compress2(reinterpret_cast<Bytef*>(compressed.data()), &size,
                      reinterpret_cast<const Bytef*>(body.data()), body.size(), 9),
            Z_OK);
  compressed.resize(size);
  const auto response = post("echo", compressed,
                             {{"Content-Encoding", "deflate"}, {"Accept-Encoding", "br;q=0.5, gzip;q=0.8"}});
  ASSERT_EQ(response->status, 200) << response->body;
  EXPECT_EQ(response->get_header_value("Content-Encoding"), "gzip");
  EXPECT_EQ(parser_.parse(response->body).value()["id"].get_string().value().size(), 4000U);
  const auto plain = post("echo", body, {{"Accept-Encoding", "gzip;q=0, identity"}});
  EXPECT_EQ(plain->get_header_value("Content-Encoding"), "");
  EXPECT_EQ(post("echo", body, {{"Content-Encoding", "br"}})->status, 415);
}

TEST_F(Inference, ModelsDescribeThemselves) {
  auto client = server_.client();
  const auto get = [&](const std::string& path) {
    const auto response = client.Get(path);
    EXPECT_EQ(response->status, 200) << path << response->body;
    return parser_.parse(response->body).value();
  };
  EXPECT_EQ(get("/v2/models/echo")["inputs"].at(0)["shape"].get_array().size(), 2U);
  EXPECT_EQ(get("/v2/models/echo/versions/1/ready").at_key("ready").error(), simdjson::SUCCESS);
  EXPECT_EQ(get("/v2/models/echo/config")["max_batch_size"].get_int64().value(), 8);
  ask("echo", echo_inputs("[1,2]"));
  ask("echo", "{}", 400);
  const auto stats = get("/v2/models/echo/stats")["model_stats"].at(0);
  EXPECT_EQ(stats["inference_count"].get_int64().value(), 1);
  EXPECT_EQ(stats["inference_stats"]["success"]["count"].get_int64().value(), 1);
  EXPECT_EQ(stats["inference_stats"]["fail"]["count"].get_int64().value(), 1);
  EXPECT_EQ(stats["batch_stats"].at(0)["batch_size"].get_int64().value(), 1);
  EXPECT_EQ(get("/v2/models/stats")["model_stats"].get_array().size(), 3U);
  EXPECT_EQ(client.Get("/v2/models/echo/versions/9")->status, 404);
  EXPECT_EQ(client.Post("/v2/models/echo")->status, 405);
}

TEST_F(Inference, LoadingAndUnloadingIsOffUnlessSwitchedOn) {
  auto client = server_.client();
  EXPECT_EQ(client.Post("/v2/repository/models/echo/unload")->status, 404);
  TestServer::Setup setup;
  setup.server.repository_api = true;
  TestServer open(std::move(setup));
  EXPECT_NE(open.client().Post("/v2/repository/index")->body.find(R"("name":"scripted")"), std::string::npos);
  EXPECT_EQ(open.client().Post("/v2/repository/models/scripted/unload")->status, 200);
  EXPECT_EQ(open.client().Post("/v2/repository/models/scripted/unload")->status, 404);
  EXPECT_EQ(open.client().Get("/v2/models/scripted/ready")->status, 404);
  EXPECT_EQ(open.client().Post("/v2/repository/models/scripted/load")->status, 404);
}

}  // namespace
}  // namespace infer::http::testing
