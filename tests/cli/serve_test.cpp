// Tests the real binary on free ports of this machine.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/process.h"
#include "httplib_config.h"
#include "image/golden.h"

namespace infer {
namespace {

namespace fs = std::filesystem;
using testing::infer_binary;
using testing::Process;
using testing::run_infer;

std::string field(const std::string& json, const std::string& name) {
  const std::string key = "\"" + name + "\":";
  const std::size_t at = json.find(key);
  if (at == std::string::npos) return "";
  return json.substr(at + key.size(), json.find_first_of(",}", at) - at - key.size());
}

class Serve : public ::testing::Test {
 protected:
  Serve() : folder_(fs::temp_directory_path() / ("infer-serve-" + std::to_string(getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "scripted/1");
    std::ofstream(folder_ / "scripted/infer.json")
        << R"({"task": "image-embedding", "backend": "scripted", "file": "script.json", "preprocess": {"size": 32},
               "inputs": [{"name": "pixel_values", "dtype": "FP32", "shape": [3, 32, 32]}],
               "outputs": [{"name": "embedding", "dtype": "FP32", "shape": [8]}], "warmup": "none"})";
    std::ofstream(folder_ / "scripted/1/script.json") << R"({"per_sample_ms": 200, "burn": false})";
  }
  ~Serve() override { fs::remove_all(folder_); }

  std::string model() const { return (folder_ / "scripted").string(); }

  /// A running server that is ready.
  struct Server {
    explicit Server(std::vector<std::string> flags,
                    std::vector<std::pair<std::string, std::string>> variables = {})
        : process(
              [&] {
                flags.insert(flags.begin(), {infer_binary(), "serve", "--port", "0", "--probe-port", "0"});
                return flags;
              }(),
              std::move(variables)) {
      const std::string listening = process.line();
      port = std::stoi(field(listening, "port"));
      probe_port = std::stoi(field(listening, "probe_port"));
      ready = process.line();
    }
    httplib::Client client() const { return httplib::Client("127.0.0.1", port); }
    httplib::Client probe() const {
      httplib::Client client("127.0.0.1", probe_port);
      client.set_default_headers({{"X-Infer-Admin", "1"}});
      return client;
    }
    Process process;
    int port = 0;
    int probe_port = 0;
    std::string ready;
  };

  static httplib::Result embed(const Server& server) {
    const auto bytes = testing::read_bytes(testing::golden("jpeg").encoded);
    return server.client().Post("/embed", std::string(bytes.begin(), bytes.end()), "image/jpeg");
  }

  fs::path folder_;
};

TEST_F(Serve, StartsSaysWhatItPlansServesAndEndsWithZeroOnSigterm) {
  Server server({"--model", model(), "--drain-delay-ms", "10"});
  EXPECT_EQ(field(server.ready, "event"), "\"ready\"") << server.ready;
  EXPECT_NE(field(server.ready, "workers"), "");
  EXPECT_NE(field(server.ready, "usable_cores"), "");
  const auto answer = embed(server);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200) << answer->body;
  server.process.signal(SIGTERM);
  EXPECT_EQ(server.process.wait(), 0);
}

TEST_F(Serve, SigtermFinishesWhatIsUnderWay) {
  Server server({"--model", model(), "--drain-delay-ms", "10", "--workers", "1"});
  int status = 0;
  std::thread client([&] {
    const auto answer = embed(server);
    status = answer ? answer->status : -1;
  });
  while (server.probe().Get("/metrics")->body.find("infer_busy_workers{model=\"scripted\"} 1") ==
         std::string::npos) {
  }
  server.process.signal(SIGTERM);
  client.join();
  EXPECT_EQ(status, 200);
  EXPECT_EQ(server.process.wait(), 0);
}

TEST_F(Serve, DrainWaitsForTheLameDuckDelayAndTheSigtermAfterItSkipsIt) {
  Server server({"--model", model(), "--drain-delay-ms", "400"});
  const auto begin = std::chrono::steady_clock::now();
  const auto drained = run_infer({"drain", "--probe-port", std::to_string(server.probe_port)});
  EXPECT_EQ(drained.code, 0) << drained.output;
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(400));
  EXPECT_EQ(server.probe().Get("/readyz")->status, 503);
  EXPECT_EQ(embed(server)->status, 200) << "a lame duck still serves";
  server.process.signal(SIGTERM);
  EXPECT_EQ(server.process.wait(), 0);
}

TEST_F(Serve, ASecondSigtermEndsAtOnce) {
  Server server({"--model", model(), "--drain-delay-ms", "60000"});
  server.process.signal(SIGTERM);
  while (server.probe().Get("/readyz")->status != 503) {
  }
  server.process.signal(SIGTERM);
  EXPECT_EQ(server.process.wait(), 1);
}

TEST_F(Serve, ReloadTakesUpANewCertificateAndKeepsTheOldOneForABrokenFile) {
  const std::string pem = (folder_ / "server.pem").string();
  const auto make = [&](const std::string& name) {
    const std::string part = (folder_ / name).string();
    return std::system(("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -days 2 -addext "
                        "subjectAltName=IP:127.0.0.1 -keyout " +
                        part + ".key -out " + part + ".crt 2>/dev/null && cat " + part + ".key " + part +
                        ".crt > " + pem)
                           .c_str());
  };
  ASSERT_EQ(make("old"), 0);
  Server server({"--model", model(), "--tls", pem, "--watch-interval-ms", "0"});
  const auto trusted = [&](const std::string& name) {
    return std::system(("curl -sS --max-time 20 --cacert " + (folder_ / name).string() +
                        ".crt https://127.0.0.1:" + std::to_string(server.port) +
                        "/v2/health/live 2>/dev/null | grep -q live")
                           .c_str()) == 0;
  };
  EXPECT_TRUE(trusted("old"));
  ASSERT_EQ(make("new"), 0);
  EXPECT_FALSE(trusted("new"));
  EXPECT_EQ(server.probe().Post("/reload")->status, 200);
  EXPECT_TRUE(trusted("new"));
  EXPECT_FALSE(trusted("old"));

  std::ofstream(pem) << "no certificate";
  EXPECT_EQ(server.probe().Post("/reload")->status, 200);
  EXPECT_TRUE(trusted("new"));
  std::string line;
  do {
    line = server.process.line();
  } while (!line.empty() && line.find("refresh_failed") == std::string::npos);
  EXPECT_NE(line.find("server.pem"), std::string::npos) << line;
}

TEST_F(Serve, DrainFindsTheProbeListenerAtEveryAddressOfThisMachine) {
  for (const std::string host : {"::", "0.0.0.0", "::1", "127.0.0.2", "::ffff:127.0.0.1", "localhost"}) {
    Server server({"--model", model(), "--probe-host", host, "--drain-delay-ms", "1"});
    const std::string port = std::to_string(server.probe_port);
    const auto told = run_infer({"drain", "--probe-port", port, "--probe-host", host});
    EXPECT_EQ(told.code, 0) << host << ": " << told.output;
    if (host == "::" || host == "0.0.0.0" || host == "::1") {
      const auto untold = run_infer({"drain", "--probe-port", port});
      EXPECT_EQ(untold.code, 0) << host << ": " << untold.output;
    }
  }
}

TEST_F(Serve, OperationsMoveToAUnixSocketOfItsOwner) {
  const std::string path = (folder_ / "admin.sock").string();
  for (int round = 0; round < 2; ++round) {  // the second round finds the socket file of a killed server
    Server server({"--model", model(), "--admin-socket", path, "--drain-delay-ms", "1"});
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(server.probe().Post("/reload")->status, 403);
    EXPECT_EQ(server.probe().Get("/readyz")->status, 200);
    const auto by_port = run_infer({"drain", "--probe-port", std::to_string(server.probe_port)});
    EXPECT_EQ(by_port.code, 1);
    EXPECT_NE(by_port.output.find("only through the Unix socket"), std::string::npos) << by_port.output;
    httplib::Client admin(path);
    admin.set_address_family(AF_UNIX);
    admin.set_default_headers({{"Host", "localhost"}});
    EXPECT_EQ(admin.Post("/log-level", R"({"level":"error"})", "application/json")->status, 200);
    EXPECT_EQ(admin.Post("/embed", "", "image/png")->status, 404);
    Process second({infer_binary(), "serve", "--port", "0", "--probe-port", "0", "--model", model(),
                    "--admin-socket", path});
    EXPECT_NE(second.rest().find("another server"), std::string::npos);
    EXPECT_EQ(second.wait(), 1);
    EXPECT_EQ(run_infer({"drain", "--admin-socket", path}).code, 0);
    EXPECT_EQ(server.probe().Get("/readyz")->status, 503);
    if (round == 0) {
      server.process.signal(SIGKILL);
    } else {
      server.process.signal(SIGTERM);
    }
    server.process.wait();
    EXPECT_EQ(fs::exists(path), round == 0);
  }
}

TEST_F(Serve, ASocketThatCannotBeIsAnErrorWithItsReason) {
  std::ofstream(folder_ / "a-file") << "precious";
  for (const auto& [path, reason] :
       std::vector<std::pair<std::string, std::string>>{{(folder_ / "a-file").string(), "is not a socket"},
                                                        {(folder_ / "absent/s").string(), "No such file"},
                                                        {"/" + std::string(200, 'x'), "the limit is 107"}}) {
    Process process({infer_binary(), "serve", "--port", "0", "--probe-port", "0", "--model", model(),
                     "--admin-socket", path});
    const std::string output = process.rest();
    EXPECT_EQ(process.wait(), 1);
    EXPECT_NE(output.find(reason), std::string::npos) << output;
  }
  EXPECT_EQ(fs::file_size(folder_ / "a-file"), 8U);
}

TEST_F(Serve, CtrlCSkipsTheDelay) {
  Server server({"--model", model(), "--drain-delay-ms", "60000"});
  server.process.signal(SIGINT);
  EXPECT_EQ(server.process.wait(), 0);
}

TEST_F(Serve, AFlagComesBeforeAVariableAndAVariableBeforeTheFile) {
  std::ofstream(folder_ / "serve.toml") << "max-images = 7\nmax-pixels = 1000\nlog-level = \"error\"\n";
  Server server({"--model", model(), "--config", (folder_ / "serve.toml").string(), "--log-level", "info",
                 "--drain-delay-ms", "1"},
                {{"INFER_MAX_IMAGES", "2"}});
  const std::string three = R"({"images":["","",""]})";
  const auto answer = server.client().Post("/embed/base64", three, "application/json");
  EXPECT_NE(answer->body.find("images: 3 exceed max_images 2"), std::string::npos) << answer->body;
  EXPECT_NE(embed(server)->body.find("max_pixels 0.001 Mpx"), std::string::npos);
}

TEST_F(Serve, AConfigThatCannotBeReadIsAnErrorAndNoEmptyOne) {
  for (const std::string& config : {folder_.string(), (folder_ / "none.toml").string()}) {
    testing::Process process({testing::infer_binary(), "serve", "--model", model(), "--config", config});
    const std::string said = process.rest();
    EXPECT_NE(said.find(config + ": "), std::string::npos) << said;
    EXPECT_NE(process.wait(), 0) << config;
  }
}

TEST_F(Serve, TheLogLevelChangesWhileItRuns) {
  Server server({"--model", model()});
  const auto set = [&](const std::string& level) {
    return server.probe().Post("/log-level", R"({"level":")" + level + R"("})", "application/json")->status;
  };
  const auto ask = [&](const std::string& id) {
    return server.client().Post("/embed", {{"X-Request-Id", id}}, "no image", "image/jpeg")->status;
  };
  EXPECT_EQ(set("error"), 200);
  EXPECT_EQ(ask("first"), 400);
  EXPECT_EQ(set("info"), 200);
  EXPECT_EQ(ask("second"), 400);
  EXPECT_NE(server.process.line().find(R"("request_id":"second")"), std::string::npos);
  EXPECT_EQ(set("loud"), 400);
}

TEST_F(Serve, AModelThatCannotBeLoadedEndsTheServerWithItsReason) {
  Process process({infer_binary(), "serve", "--port", "0", "--probe-port", "0", "--model",
                   (folder_ / "absent").string()});
  const std::string output = process.rest();
  EXPECT_EQ(process.wait(), 1);
  EXPECT_NE(output.find("\"code\":\"NotFound\""), std::string::npos) << output;
}

TEST_F(Serve, TooFewDescriptorsAreAnErrorAndNoAbort) {
#if defined(INFER_SANITIZED)
  constexpr int kFirst = 14;  // the sanitizers' own checks open pipes
#else
  constexpr int kFirst = 4;
#endif
  for (int limit = kFirst; limit <= 40; limit += limit < 24 ? 2 : 8) {
    Process process({"/bin/sh", "-c",
                     "ulimit -n " + std::to_string(limit) + "; exec " + infer_binary() +
                         " serve --port 0 --probe-port 0 --model " + (folder_ / "absent").string()});
    const std::string output = process.rest();
    const int code = process.wait();
    // If the libraries cannot be loaded, the loader reports the error.
    if (output.find("error while loading shared libraries") != std::string::npos) continue;
    EXPECT_EQ(code, 1) << limit << ": " << output;
    EXPECT_TRUE(output.find("Too many open files") != std::string::npos || limit > 12)
        << limit << ": " << output;
  }
}

TEST_F(Serve, ADeletedWorkingDirectoryIsAnErrorThatSaysSo) {
  const std::string gone = (folder_ / "gone").string();
  for (const std::string command :
       {"serve --model m", "serve --models .", "serve --config serve.toml", "doctor",
        "embed photos --model m", "duplicates .", "promote .", "--version"}) {
    Process process({"/bin/sh", "-c",
                     "mkdir " + gone + " && cd " + gone + " && rmdir " + gone + " && exec " + infer_binary() +
                         " " + command});
    EXPECT_EQ(
        process.rest(),
        "infer: the working directory does not exist any more, or cannot be read; cd to another one and try "
        "again\n");
    EXPECT_EQ(process.wait(), 1) << command;
  }
}

TEST_F(Serve, APortThatKubernetesSetForAServiceIsExplained) {
  for (const auto& [variable, service] : std::vector<std::pair<std::string, std::string>>{
           {"INFER_PORT", "'infer'"}, {"INFER_PROBE_PORT", "'infer-probe'"}}) {
    Process process({infer_binary(), "serve", "--model", model()}, {{variable, "tcp://10.0.0.1:8002"}});
    const std::string output = process.rest();
    EXPECT_EQ(process.wait(), 2);
    for (const std::string& part : {variable, service, std::string("enableServiceLinks: false")})
      EXPECT_NE(output.find(part), std::string::npos) << output;
  }
  Process drain({infer_binary(), "drain"}, {{"INFER_PROBE_PORT", "tcp://10.0.0.1:9002"}});
  const std::string output = drain.rest();
  EXPECT_EQ(drain.wait(), 2);
  EXPECT_NE(output.find("enableServiceLinks: false"), std::string::npos) << output;
  Process other({infer_binary(), "serve", "--model", model()}, {{"INFER_MAX_IMAGES", "many"}});
  const std::string wrong = other.rest();
  EXPECT_EQ(other.wait(), 2);
  EXPECT_NE(wrong.find("INFER_MAX_IMAGES: 'many' is not a whole number"), std::string::npos) << wrong;
}

TEST_F(Serve, APortInUseIsNamed) {
  Server server({"--model", model()});
  Process second({infer_binary(), "serve", "--port", std::to_string(server.port), "--probe-port", "0",
                  "--model", model()});
  const std::string output = second.rest();
  EXPECT_EQ(second.wait(), 1);
  EXPECT_NE(output.find("cannot listen on 127.0.0.1:" + std::to_string(server.port)), std::string::npos)
      << output;
}

TEST(CommandLine, MistakesAreExplained) {
  const auto no_model = run_infer({"serve"});
  EXPECT_EQ(no_model.code, 2);
  EXPECT_NE(no_model.output.find("name a model folder"), std::string::npos) << no_model.output;
  const auto bad_number = run_infer({"serve", "--max-images", "many"});
  EXPECT_NE(bad_number.code, 0);
  EXPECT_NE(bad_number.output.find("max-images: 'many' is not a whole number from 1 to 100000"),
            std::string::npos)
      << bad_number.output;
  EXPECT_NE(run_infer({"serve", "--no-such-flag"}).code, 0);
  EXPECT_NE(run_infer({}).code, 0);
  const auto nobody = run_infer({"drain", "--probe-port", "1"});
  EXPECT_EQ(nobody.code, 1);
  EXPECT_NE(nobody.output.find("no answer from 127.0.0.1:1"), std::string::npos) << nobody.output;
}

TEST(CommandLine, HelpShowsExamples) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"serve", "--help"}, {"drain", "--help"}, {"model", "create", "--help"}}) {
    const auto help = run_infer(words);
    EXPECT_EQ(help.code, 0);
    EXPECT_NE(help.output.find("Example"), std::string::npos) << help.output;
  }
  EXPECT_NE(run_infer({"--version"}).output.find("infer 0.1.0, LibTorch "), std::string::npos);
}

}  // namespace
}  // namespace infer
