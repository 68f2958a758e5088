#include <gtest/gtest.h>

#include <simdjson.h>

#include <cmath>
#include <filesystem>

#include "http/test_server.h"
#include "infer/models/simulator.h"
#include "infer/models/train_forecast.h"
#include "support/checkpoint_files.h"

namespace infer::http::testing {
namespace {

namespace fs = std::filesystem;

/// A server with a forecaster and a simulator from folders, and the scripted image model.
class Predict : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = fs::temp_directory_path() / ("infer-predict-" + std::to_string(getpid()));
    fs::remove_all(folder_);
    std::string csv = "sales,price\n";
    for (int i = 0; i < 80; ++i) csv += std::to_string(10 + i % 4) + "," + std::to_string(i % 3) + "\n";
    infer::testing::write_text(folder_ / "series.csv", csv);
    TrainForecastOptions options;
    options.data = folder_ / "series.csv";
    options.columns = {{"sales"}, {"price"}, ""};
    options.season = 4;
    options.models = {"seasonal-naive"};
    (void)train_forecast(options, folder_ / "models" / "sales").value();
    create_simulator({.base_ms = 0}, folder_ / "models" / "simulator").value();
    TestServer::Setup setup;
    setup.server.repository.folder = (folder_ / "models").string();
    server_ = std::make_unique<TestServer>(std::move(setup));
  }
  static void TearDownTestSuite() {
    server_.reset();
    fs::remove_all(folder_);
  }

  static httplib::Result post(const std::string& path, const std::string& body) {
    return server_->client().Post(path, body, "application/json");
  }
  static void expect_refused(const std::string& path, const std::string& body, int status,
                             const std::string& message) {
    const auto response = post(path, body);
    ASSERT_TRUE(response) << body;
    EXPECT_EQ(response->status, status) << body << " " << response->body;
    EXPECT_NE(response->body.find(message), std::string::npos) << body << " " << response->body;
  }

  static fs::path folder_;
  static std::unique_ptr<TestServer> server_;
};
fs::path Predict::folder_;
std::unique_ptr<TestServer> Predict::server_;

TEST_F(Predict, AForecastGoesOnFromTheTrainingSeries) {
  const auto response = post("/predict", R"({"inference_length": 5})");
  ASSERT_EQ(response->status, 200) << response->body;
  simdjson::dom::parser parser;
  const simdjson::padded_string body(response->body);
  std::vector<int> rounded;
  for (const simdjson::dom::element row : parser.parse(body)["predictions"].get_array())
    rounded.push_back(static_cast<int>(std::lround(row.at(0).get_double().value())));
  EXPECT_EQ(rounded, (std::vector<int>{10, 11, 12, 13, 10}));
  EXPECT_NE(
      response->body.find(
          R"("columns":["sales"],"inference_length":5,"model":"sales","model_version":"1-seasonal-naive")"),
      std::string::npos);
  EXPECT_NE(response->body.find(R"("lower":[[)"), std::string::npos);
}

TEST_F(Predict, RowsAndColumnsAreTwoWaysToSayTheSame) {
  const std::string rows = R"([[0,0],[0,0],[0,0],[0,0],[0,0],[0,0],[1,0],[2,0],[3,0],[4,0]])";
  const auto by_row = post("/predict", R"({"rows":)" + rows + "}");
  const auto by_column =
      post("/predict", R"({"data":{"sales":[0,0,0,0,0,0,1,2,3,4],"price":[0,0,0,0,0,0,0,0,0,0]}})");
  ASSERT_EQ(by_row->status, 200) << by_row->body;
  EXPECT_EQ(by_row->body, by_column->body);
}

TEST_F(Predict, GapsLongerHistoriesAndFuturesAreDefined) {
  EXPECT_EQ(
      post("/predict", R"({"rows":[[null,0],[0,0],[0,0],[0,0],[0,0],[0,0],[1,0],[2,null],[3,0],[null,0]]})")
          ->status,
      200);
  std::string many = "[[5,1]";
  for (int i = 0; i < 500; ++i) many += ",[5,1]";
  EXPECT_EQ(post("/predict", R"({"rows":)" + many + R"(],"inference_length":3,"future":{"price":[1,2,3]}})")
                ->status,
            200);
}

TEST_F(Predict, WhatIsWrongIsNamed) {
  const auto bad = [](const std::string& body, const std::string& message) {
    expect_refused("/predict", body, 400, message);
  };
  bad("{}", "one of them is needed");
  bad(R"({"text":"a","rows":[]})", "not both");
  bad(R"({"inference_length":0})", "inference_length: must be a whole number from 1 to 1000");
  bad(R"({"inference_length":1001})", "1 to 1000");
  bad(R"({"inference_length":1.5})", "1 to 1000");
  bad(R"({"inference_length":"3"})", "1 to 1000");
  bad(R"({"rows":[]})", "rows: 0 rows given");
  bad(R"({"rows":[[1,1]]})", "rows: 1 rows given, the model needs 10");
  bad(R"({"rows":[[1]]})", "rows[0]: must be a list of 2 numbers");
  bad(R"({"rows":[[1,"x"]]})", "rows[0]: must be a number or null");
  bad(R"({"rows":{"a":1}})", "rows: must be a list of rows");
  bad(R"({"data":{"sales":[1,2]}})", "data.price: must be a list");
  bad(R"({"data":{"sales":[1,2],"price":[1]}})", "data.price: has 1 values");
  bad(R"({"data":{"sales":[1],"price":[1],"profit":[1]}})", "'profit' is not a column");
  bad(R"({"data":{},"rows":[]})", "rows and data");
  bad(R"({"inference_length":2,"future":{"sales":[1,2]}})", "'sales' is not a feature");
  bad(R"({"inference_length":2,"future":{"price":[1]}})", "future.price: 1 values given for 2 rows");
  bad(R"({"rows":[[1,1]],"time":"soon"})", "time: 'soon' is not a time");
  bad("[1]", "must be a JSON object");
  bad("{", "is not JSON");
  bad(std::string(5000, '['), "is not JSON");
  expect_refused("/predict", R"({"inference_length":1,"model":"other"})", 404,
                 "model: 'other' is not loaded; loaded forecast models: sales");
  expect_refused("/predict", R"({"text":"hello"})", 404, "no text-classification model is loaded");
  expect_refused("/embed", R"({"inputs":"hello"})", 404, "no text-embedding model is loaded");
  expect_refused("/similarity", R"({"inputs":{}})", 404, "no text-embedding model is loaded");
  EXPECT_EQ(post("/predict", R"({"inference_length":1})")->status, 200);
}

TEST_F(Predict, TheSimulatorDoesTheWorkItIsGiven) {
  const auto response = post("/infer", R"({"work_units": 25})");
  ASSERT_EQ(response->status, 200) << response->body;
  EXPECT_NE(response->body.find(R"({"status":"ok","work_units":25,"elapsed_ms":)"), std::string::npos);
  EXPECT_NE(response->body.find(R"("pod":")"), std::string::npos);
  EXPECT_EQ(post("/infer", "")->status, 200);
  EXPECT_EQ(server_->client().Get("/infer")->status, 200) << "the work has the model's default size";
  EXPECT_EQ(post("/infer", R"({"work_ms": 1.5})")->status, 200);
  expect_refused("/infer", R"({"work_ms": -1})", 400, "work_ms: -1 is outside 0 to 60000");
  expect_refused("/infer", R"({"work_ms": "long"})", 400, "work_ms: must be a number");
  expect_refused("/infer", R"({"work_units": 100000000})", 400,
                 "work_units: must be a whole number from 0 to 10000000");
}

TEST_F(Predict, TheSimulatorsBoundsHoldForTensorsToo) {
  const auto tensor = [](const std::string& pair) {
    return R"({"inputs":[{"name":"work","shape":[1,2],"datatype":"FP64","data":)" + pair + "}]}";
  };
  const std::string path = "/v2/models/simulator/infer";
  EXPECT_EQ(post(path, tensor("[0,25]"))->status, 200);
  expect_refused(path, tensor("[1e9,0]"), 400, "work_ms: 1e+09 is outside 0 to 60000");
  expect_refused(path, tensor("[0,1e300]"), 400, "is outside 0 to 10000000");
  expect_refused(path, tensor("[-1,0]"), 400, "work_ms: -1 is outside 0 to 60000");
  expect_refused("/infer", R"({"model":"sales"})", 400, "loaded simulate models: simulator");
  expect_refused("/infer", R"({"model":"nope"})", 404, "model: 'nope' is not loaded");
}

TEST_F(Predict, RowsThatOverflowAreTheClientsFault) {
  const auto rows = [](const std::string& value) {
    std::string text = R"({"rows":[)";
    for (int i = 0; i < 9; ++i) text += "[1,1],";
    return text + "[" + value + ",1]]}";
  };
  expect_refused("/predict", rows("1e300"), 400, "rows[9]: ");
  expect_refused("/predict", rows("-1e300"), 400, "rows[9]: 'sales' is -1e+300");
  expect_refused("/predict", R"({"inference_length":1,"future":{"price":[1e300]}})", 400,
                 "future.price[0]: ");
  EXPECT_EQ(post("/predict", rows("1e6"))->status, 200);
}

TEST_F(Predict, ImagesAreServedBesideThem) {
  const auto response = server_->client().Post("/embed", "not an image", "image/png");
  EXPECT_EQ(response->status, 400) << response->body;  // not 404
}

}  // namespace
}  // namespace infer::http::testing
