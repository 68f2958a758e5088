#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <thread>

#include "http/test_server.h"
#include "infer/engine/backend.h"
#include "infer/models/train_forecast.h"
#include "serving/successor.h"
#include "support/checkpoint_files.h"

namespace infer::http::testing {
namespace {

namespace fs = std::filesystem;

/// A forecaster with two versions, the first promoted.
class Swap : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("infer-swap-" + std::to_string(getpid()) + "-" +
                                           ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    std::string csv = "sales,price\n";
    for (int i = 0; i < 80; ++i) csv += std::to_string(10 + i % 4) + "," + std::to_string(i % 3) + "\n";
    infer::testing::write_text(folder_ / "series.csv", csv);
    options_.data = folder_ / "series.csv";
    options_.columns = {{"sales"}, {"price"}, ""};
    options_.season = 4;
    options_.models = {"naive", "seasonal-naive"};
    (void)train_forecast(options_, model()).value();
    promote(model(), "1-naive").value();
    TestServer::Setup setup;
    setup.server.repository.models = {model().string()};
    server_ = std::make_unique<TestServer>(std::move(setup));
  }
  void TearDown() override {
    server_.reset();
    fs::remove_all(folder_);
  }

  fs::path model() const { return folder_ / "sales"; }
  std::string served() {
    const auto response = server_->client().Post("/predict", R"({"inference_length":1})", "application/json");
    const std::string key = R"("model_version":")";
    const std::size_t at = response->body.find(key);
    return at == std::string::npos
               ? response->body
               : response->body.substr(at + key.size(),
                                       response->body.find('"', at + key.size()) - at - key.size());
  }
  bool logged(const std::string& text) {
    for (const auto& line : server_->log_lines()) {
      if (line.find(text) != std::string::npos) return true;
    }
    return false;
  }

  fs::path folder_;
  TrainForecastOptions options_;
  std::unique_ptr<TestServer> server_;
};

TEST_F(Swap, APromotedVersionTakesOver) {
  EXPECT_EQ(served(), "1-naive");
  server_->service().refresh();
  EXPECT_EQ(served(), "1-naive");
  promote(model(), "1-seasonal-naive").value();
  server_->service().refresh();
  EXPECT_EQ(served(), "1-seasonal-naive");
  EXPECT_TRUE(logged(R"("event":"swapped")"));
}

TEST_F(Swap, AnUnloadedModelIsFreedOnceItsLastRequestHasEndedAlsoWhereFoldersAreNotWatched) {
  ModelRepository& host = server_->service().host();
  auto request = host.models().find("sales", {});
  const std::weak_ptr<ServedModel> model = request;
  ASSERT_TRUE(host.unload_model("sales"));
  host.free_unused();
  EXPECT_FALSE(model.expired());
  request.reset();
  host.free_unused();
  EXPECT_TRUE(model.expired());
}

TEST_F(Swap, AVersionThatClaimsTheSameWeightsMustGiveTheSameAnswers) {
  const auto claim = [&](const char* version) {
    auto manifest = read_manifest(model(), version).value();
    manifest.same_weights_as = "1-naive";
    write_manifest(manifest, model() / version).value();
    promote(model(), version).value();
    server_->service().refresh();
  };
  claim("1-seasonal-naive");
  EXPECT_EQ(served(), "1-naive");
  EXPECT_TRUE(logged("same_weights_as: answers differ from those of the served version by"));
  fs::copy(model() / "1-naive", model() / "2", fs::copy_options::recursive);
  claim("2");
  EXPECT_EQ(served(), "2");
}

TEST_F(Swap, TrainingDoesNotChangeWhatIsServed) {
  const fs::path fresh = folder_ / "fresh";
  options_.models = {"naive"};
  (void)train_forecast(options_, fresh).value();
  EXPECT_EQ(choose_version(fresh).value(), "1-naive");
  fs::remove(fresh / "PROMOTED");  // like folders of earlier versions
  for (int run = 2; run <= 12; ++run) {
    (void)train_forecast(options_, fresh).value();
    EXPECT_EQ(served_versions(fresh).value(), std::vector<std::string>{"1-naive"}) << run;
  }
  EXPECT_TRUE(fs::exists(fresh / "12-naive"));
  fs::remove(fresh / "PROMOTED");
  EXPECT_EQ(choose_version(fresh).value(), "12-naive") << "the latest by number";
}

/// A version of two answers that admits one request.
std::shared_ptr<ServedModel> version_with(float bias, const std::string& folder, const std::string& same_as,
                                          std::shared_ptr<MetricsRegistry> metrics, Shape shape = {2}) {
  ModelSignature signature{{{"x", DType::kFp32, shape}}, {{"y", DType::kFp32, shape}}};
  Manifest manifest;
  manifest.same_weights_as = same_as;
  class Biased final : public Backend {
   public:
    Biased(ModelSignature signature, float bias) : signature_(std::move(signature)), bias_(bias) {}
    const ModelSignature& signature() const noexcept override { return signature_; }
    Result<std::vector<Tensor>> forward(std::span<const Tensor> inputs) const override {
      auto output = Tensor::allocate(DType::kFp32, inputs[0].shape());
      for (std::size_t i = 0; i < output->elements(); ++i)
        output->as<float>()[i] = inputs[0].as<float>()[i] + bias_;
      std::vector<Tensor> outputs;
      outputs.push_back(*std::move(output));
      return outputs;
    }

   private:
    const ModelSignature signature_;
    const float bias_;
  };
  Model model = make_model("m", std::make_shared<Biased>(std::move(signature), bias), manifest);
  model.directory = fs::path("models/m") / folder;
  EngineOptions options;
  options.max_inflight = 1;
  options.warmup = Warmup::kNone;
  options.metrics = std::move(metrics);
  return ServedModel::create(std::make_shared<Engine>(Engine::create(std::move(model), options).value()), {})
      .value();
}

TEST(Successor, IsComparedAlsoWhereTheVersionServedIsFull) {
  const auto metrics = std::make_shared<MetricsRegistry>();
  const auto now = version_with(0, "1", "", metrics);
  const auto same = version_with(0, "2", "1", {});
  const auto other = version_with(0.5F, "3", "1", {});
  EXPECT_TRUE(check_successor(*now, *same));
  auto permit = now->engine->try_admit();  // the only permit
  auto checked = std::async(std::launch::async, [&] { return check_successor(*now, *other); });
  const std::string refusals = R"(infer_requests_total{model="m",code="Overloaded"} )";
  while (metrics->render().find(refusals + "0") != std::string::npos &&
         checked.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
    std::this_thread::yield();
  permit->release();
  const auto outcome = checked.get();
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().message.find("same_weights_as: answers differ from those of the served version"),
            std::string::npos)
      << outcome.error().message;
}

TEST(Successor, ThatClaimsTheSameWeightsIsRefusedWhereNothingCanBeCompared) {
  const auto now = version_with(0, "1", "", {}, {-1});
  const auto outcome = check_successor(*now, *version_with(0.5F, "2", "1", {}, {-1}));
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().message.find("same_weights_as: the versions cannot be compared"),
            std::string::npos);
  EXPECT_TRUE(check_successor(*now, *version_with(0.5F, "2", "", {}, {-1}))) << "it claims nothing";
}

TEST(Successor, IsRefusedWhereTheVersionServedDoesNotAnswer) {
  const auto now = version_with(0, "1", "", {});
  const auto same = version_with(0, "2", "1", {});
  (void)now->engine->drain(std::chrono::milliseconds(0));
  const auto outcome = check_successor(*now, *same);
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().message.find("did not answer the comparison: draining"), std::string::npos);
}

TEST_F(Swap, SeveralVersionsAreServedSideBySideWhereThatIsSaid) {
  const auto ask = [](TestServer& server, const std::string& body) {
    return server.client().Post("/predict", body, "application/json");
  };
  for (const auto& [policy, count, first] : std::vector<std::tuple<std::string, int, std::string>>{
           {"all", 2, "1-naive"}, {"latest", 1, "1-seasonal-naive"}, {"specific", 1, "1-seasonal-naive"}}) {
    Manifest manifest = read_manifest(model()).value();
    manifest.version_policy = policy;
    manifest.versions = {"1-seasonal-naive"};
    write_manifest(manifest, model()).value();
    TestServer::Setup setup;
    setup.server.repository.models = {model().string()};
    TestServer server(std::move(setup));
    EXPECT_NE(ask(server, R"({"inference_length":1})")->body.find(first), std::string::npos) << policy;
    EXPECT_EQ(ask(server, R"({"inference_length":1,"version":"1-seasonal-naive"})")->status, 200) << policy;
    EXPECT_EQ(ask(server, R"({"inference_length":1,"version":"1-naive"})")->status, count == 2 ? 200 : 404)
        << policy;
    EXPECT_EQ(ask(server, R"({"inference_length":1,"version":"7"})")->status, 404) << policy;
  }
  Manifest manifest = read_manifest(model()).value();
  manifest.versions = {"3"};
  write_manifest(manifest, model()).value();
  EXPECT_EQ(served_versions(model()).error().code, ErrorCode::kNotFound);
}

TEST_F(Swap, NoRequestIsLostWhileVersionsChange) {
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      auto client = server_->client();
      while (!stop) {
        const auto response = client.Post("/predict", R"({"inference_length":3})", "application/json");
        (response && response->status == 200 ? answered : failed).fetch_add(1);
      }
    });
  }
  for (int i = 0; i < 6; ++i) {
    const int before = answered + failed;
    promote(model(), i % 2 == 0 ? "1-seasonal-naive" : "1-naive").value();
    server_->service().refresh();
    while (answered + failed < before + 40) std::this_thread::yield();
  }
  stop = true;
  for (auto& client : clients) client.join();
  EXPECT_EQ(failed, 0);
  EXPECT_GT(answered, 200);
}

TEST_F(Swap, AVersionThatDoesNotFitIsRefusedAndTheOldOneStays) {
  const fs::path other = model() / "2-other";
  fs::copy(model() / "1-seasonal-naive", other);
  Manifest manifest = read_manifest(model(), "2-other").value();
  manifest.series->columns = {"other", "price"};
  write_manifest(manifest, other).value();
  promote(model(), "2-other").value();
  server_->service().refresh();
  EXPECT_EQ(served(), "1-naive");
  EXPECT_TRUE(logged("series.columns and targets differ"));
}

TEST_F(Swap, APromotedVersionThatIsNotThereIsSaidOnceAndTheOldOneStays) {
  infer::testing::write_text(model() / "PROMOTED", "9-none\n");
  server_->service().refresh();
  server_->service().refresh();
  EXPECT_EQ(served(), "1-naive");
  int said = 0;
  for (const auto& line : server_->log_lines())
    said += line.find("PROMOTED names version 9-none") == std::string::npos ? 0 : 1;
  EXPECT_EQ(said, 1);
  promote(model(), "1-seasonal-naive").value();
  server_->service().refresh();
  EXPECT_EQ(served(), "1-seasonal-naive");
}

TEST_F(Swap, ADamagedVersionIsRefusedAndTheOldOneStays) {
  const fs::path other = model() / "2-other";
  fs::copy(model() / "1-seasonal-naive", other);
  Manifest manifest = read_manifest(model(), "2-other").value();
  manifest.sha256["model.json"] = std::string(64, '0');
  write_manifest(manifest, other).value();
  promote(model(), "2-other").value();
  server_->service().refresh();
  EXPECT_EQ(served(), "1-naive");
  EXPECT_TRUE(logged("sha256 is"));
  infer::testing::write_text(other / "model.json", "{");
  manifest.sha256.clear();
  write_manifest(manifest, other).value();
  // A version that was refused once is not tried again, except on request.
  const auto reload = server_->probe_client().Post("/reload");
  ASSERT_TRUE(reload);
  EXPECT_EQ(reload->status, 200);
  EXPECT_NE(reload->body.find(R"("sales":"1-naive")"), std::string::npos) << reload->body;
}

TEST(Successor, ScoresOfAnotherKindAreRefused) {
  const ModelSignature signature{{{"x", DType::kFp32, Shape{2}}}, {{"x", DType::kFp32, Shape{2}}}};
  const auto version = [&](const std::string& scores) {
    infer::testing::ScriptedOptions script;
    script.signature = signature;
    Manifest manifest;
    manifest.labels = {"no", "yes"};
    manifest.scores = scores;
    EngineOptions options;
    options.warmup = Warmup::kNone;
    ServedModel model;
    model.engine = std::make_shared<Engine>(
        Engine::create(make_model("texts", infer::testing::make_scripted_backend(script).value(), manifest),
                       options)
            .value());
    model.task = make_task(model.engine).value();
    return model;
  };
  const ServedModel softmax = version("");
  EXPECT_TRUE(check_successor(softmax, version("softmax"))) << "which is what it is where nothing is said";
  for (const std::string scores : {"sigmoid", "none"}) {
    const auto fit = check_successor(softmax, version(scores));
    ASSERT_FALSE(fit);
    EXPECT_EQ(fit.error().message, "scores are " + scores + ", in the served version softmax");
    EXPECT_TRUE(check_successor(version(scores), version(scores)));
  }
}

TEST_F(Swap, AVersionWhoseAnswersAreNotFiniteIsRefused) {
  const fs::path other = model() / "2-other";
  fs::copy(model() / "1-seasonal-naive", other);
  Manifest manifest = read_manifest(model(), "2-other").value();
  manifest.series->mean[0] = 1e308;
  manifest.series->scale[0] = 1e308;
  write_manifest(manifest, other).value();
  infer::testing::write_text(other / "window.txt", [] {
    std::string text = "79\n";
    for (int i = 0; i < 20; ++i) text += "-1.7e308\n";
    return text;
  }());
  promote(model(), "2-other").value();
  server_->service().refresh();
  EXPECT_EQ(served(), "1-naive");
}

}  // namespace
}  // namespace infer::http::testing
