// load, wait and get against the real server.

#include <gtest/gtest.h>

#include <fstream>

#include "cli/process.h"
#include "cli/scripted_model.h"
#include "client.h"
#include "image/golden.h"

namespace infer {
namespace {

using testing::run_infer;

class Remote : public ::testing::Test {
 protected:
  Remote()
      : server_({testing::infer_binary(), "serve", "--port", "0", "--probe-port", "0", "--model",
                 testing::scripted_model(folder_.path(), 2), "--drain-delay-ms", "1"}) {
    const std::string listening = server_.line();
    port_ = number(listening, "\"port\":");
    probe_port_ = number(listening, "\"probe_port\":");
  }
  static std::string number(const std::string& json, const std::string& key) {
    const std::size_t at = json.find(key) + key.size();
    return json.substr(at, json.find_first_of(",}", at) - at);
  }
  std::string url(const std::string& path) const { return "http://127.0.0.1:" + port_ + path; }

  testing::Folder folder_;
  testing::Process server_;
  std::string port_;
  std::string probe_port_;
};

TEST_F(Remote, WaitReturnsWhenTheServerIsReadyAndGetPrintsItsAnswer) {
  EXPECT_EQ(run_infer({"wait", "http://127.0.0.1:" + probe_port_ + "/readyz", "--timeout", "30"}).code, 0);
  EXPECT_EQ(run_infer({"wait", "tcp://127.0.0.1:" + port_}).code, 0);
  const auto health = run_infer({"get", url("/health")});
  EXPECT_EQ(health.code, 0);
  EXPECT_NE(health.output.find("\"status\""), std::string::npos) << health.output;
  const auto absent = run_infer({"get", url("/nowhere")});
  EXPECT_EQ(absent.code, 1);
  EXPECT_NE(absent.output.find("answered 404"), std::string::npos) << absent.output;
}

TEST_F(Remote, LoadSendsAtAConstantRateAndCountsTheAnswers) {
  ASSERT_EQ(run_infer({"wait", "http://127.0.0.1:" + probe_port_ + "/readyz"}).code, 0);
  const auto run =
      run_infer({"load", "--host", url("/embed"), "--body", "@" + testing::golden("jpeg").encoded,
                 "--content-type", "image/jpeg", "--qps", "40", "--seconds", "1"});
  EXPECT_EQ(run.code, 0) << run.output;
  EXPECT_NE(run.output.find("OK=40 FAIL=0 RPS="), std::string::npos) << run.output;
  const auto json =
      run_infer({"load", "--host", url("/nowhere"), "--qps", "20", "--seconds", "0.5", "--json"});
  EXPECT_EQ(json.code, 1);
  EXPECT_NE(json.output.find("\"ok\":0,\"fail\":10"), std::string::npos) << json.output;
  EXPECT_NE(json.output.find("\"outcomes\":{\"404\":10}"), std::string::npos) << json.output;
}

TEST_F(Remote, LoadTimesFromWhenARequestWasDue) {
  // One connection and answers of 20 ms at 100 a second: the later ones wait for the connection, and that
  // counts.
  testing::scripted_model(folder_.path(), 20);
  testing::Process slow({testing::infer_binary(), "serve", "--port", "0", "--probe-port", "0", "--model",
                         folder_ / "scripted", "--drain-delay-ms", "1"});
  const std::string listening = slow.line();
  ASSERT_NE(slow.line().find("ready"), std::string::npos);
  const auto run =
      run_infer({"load", "--host", "http://127.0.0.1:" + number(listening, "\"port\":") + "/embed", "--body",
                 "@" + testing::golden("jpeg").encoded, "--content-type", "image/jpeg", "--qps", "100",
                 "--seconds", "0.5", "--connections", "1", "--json"});
  const double longest = std::stod(number(run.output, "\"max\":"));
  EXPECT_GT(longest, 100) << run.output;
  EXPECT_NE(run.output.find("not sent: every connection was busy"), std::string::npos) << run.output;
}

TEST_F(Remote, LoadWritesWhatItSentInAFormThatItReplays) {
  ASSERT_EQ(run_infer({"wait", "http://127.0.0.1:" + probe_port_ + "/readyz"}).code, 0);
  const std::string csv = folder_ / "load.csv";
  const std::string picture = folder_ / "load.svg";
  const auto run = run_infer({"load", "--host", url("/health"), "--qps", "10", "--ramp-to", "50", "--seconds",
                              "1", "--poisson", "--csv", csv, "--plot", picture});
  EXPECT_EQ(run.code, 0) << run.output;
  const auto lines = [](const std::string& file) {
    std::ifstream in(file);
    std::size_t count = 0;
    for (std::string line; std::getline(in, line);) ++count;
    return count;
  };
  EXPECT_GT(lines(csv), 10);
  EXPECT_GT(lines(picture), 3);
  const auto replayed = run_infer({"load", "--host", url("/health"), "--trace", csv});
  EXPECT_NE(replayed.output.find("OK=" + std::to_string(lines(csv) - 1) + " FAIL=0"), std::string::npos)
      << replayed.output;
  EXPECT_EQ(run_infer({"load", "--host", url("/health"), "--trace", csv, "--qps", "5"}).code, 2);
  EXPECT_EQ(run_infer({"load", "--host", url("/health"), "--csv", folder_ / "no/such/folder.csv"}).code, 1);
}

TEST(RemoteCommands, SayWhatIsWrong) {
  const auto nobody = run_infer({"wait", "tcp://127.0.0.1:1", "--timeout", "0.3"});
  EXPECT_EQ(nobody.code, 1);
  EXPECT_NE(nobody.output.find("Connection refused"), std::string::npos) << nobody.output;
  EXPECT_EQ(run_infer({"wait", "tcp://nowhere", "--timeout", "0"}).code, 1);
  EXPECT_EQ(run_infer({"wait", "ftp://x"}).code, 2);
  EXPECT_EQ(run_infer({"get", "https://127.0.0.1/"}).code, 2);
  const auto load = run_infer({"load", "--host", "http://127.0.0.1:1/", "--qps", "10", "--seconds", "0.2"});
  EXPECT_EQ(load.code, 1);
  EXPECT_NE(load.output.find("OK=0 FAIL=2"), std::string::npos) << load.output;
  EXPECT_NE(load.output.find("2 x Connection refused"), std::string::npos) << load.output;
}

TEST(Url, IsTakenApart) {
  const auto url = http::Url::parse("http://[::1]:8080/a?b=c#d").value();
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.port, 8080);
  EXPECT_EQ(url.target, "/a?b=c");
  EXPECT_EQ(http::Url::parse("http://host").value().target, "/");
  EXPECT_EQ(http::Url::parse("http://host?x").value().target, "/?x");
  for (const char* bad :
       {"", "host:80", "http://", "http://:80", "http://h:0", "http://h:65536", "http://h:8x"}) {
    EXPECT_FALSE(http::Url::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace infer
