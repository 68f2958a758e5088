#include <atomic>
#include <cmath>
#include <condition_variable>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include "client.h"
#include "commands.h"
#include "interrupt.h"
#include "json_writer.h"
#include "latency_histogram.h"
#include "process.h"
#include "progress.h"

namespace infer::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
  std::string host;
  double qps = 10;
  double seconds = 10;
  std::string method;
  std::string body;
  std::string content_type;
  std::size_t connections = 64;
  double timeout = 30;
  bool json = false;
};

/// What came back so far. Thread-safe.
class Tally {
 public:
  void add(const std::string& outcome, bool ok, double seconds) {
    const std::lock_guard lock(mutex_);
    ++outcomes_[outcome];
    ok ? ++ok_ : ++failed_;
    if (ok) times_.add(seconds);
  }

  struct Snapshot {
    std::size_t ok = 0;
    std::size_t failed = 0;
    std::map<std::string, std::size_t> outcomes;
    LatencyHistogram times;
  };
  Snapshot snapshot() const {
    const std::lock_guard lock(mutex_);
    return {ok_, failed_, outcomes_, times_};
  }

 private:
  mutable std::mutex mutex_;
  std::size_t ok_ = 0;
  std::size_t failed_ = 0;
  std::map<std::string, std::size_t> outcomes_;
  LatencyHistogram times_;
};

constexpr std::pair<const char*, double> kPercentiles[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99.9", 0.999}};

std::string milliseconds_text(double seconds) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(seconds < 0.1 ? 2 : 0) << seconds * 1e3 << "ms";
  return out.str();
}

std::string line(const Tally::Snapshot& seen, double seconds) {
  std::ostringstream out;
  out << "OK=" << seen.ok << " FAIL=" << seen.failed << " RPS=" << std::fixed << std::setprecision(1)
      << (seconds > 0 ? static_cast<double>(seen.ok) / seconds : 0);
  for (const auto& [name, fraction] : kPercentiles) {
    out << ' ' << name << '=' << milliseconds_text(seen.times.percentile(fraction));
  }
  out << " max=" << milliseconds_text(seen.times.max());
  return out.str();
}

std::string json_text(const Tally::Snapshot& seen, const Arguments& arguments, double seconds) {
  adapter::JsonWriter json;
  json.begin_object().key("ok").value(seen.ok).key("fail").value(seen.failed).key("seconds").value(seconds);
  json.key("offered_per_second").value(arguments.qps);
  json.key("ok_per_second").value(seconds > 0 ? static_cast<double>(seen.ok) / seconds : 0);
  json.key("latency_ms").begin_object();
  for (const auto& [name, fraction] : kPercentiles)
    json.key(name).value(seen.times.percentile(fraction) * 1e3);
  json.key("max").value(seen.times.max() * 1e3).end_object().key("outcomes").begin_object();
  for (const auto& [outcome, count] : seen.outcomes) json.key(outcome).value(count);
  json.end_object().end_object();
  return std::move(json).text();
}

Result<http::ClientRequest> make_request(const Arguments& arguments, const http::Url& url) {
  http::ClientRequest request;
  request.target = url.target;
  request.content_type = arguments.content_type;
  if (!arguments.body.empty()) {
    if (arguments.body.starts_with('@')) {
      std::ifstream file(arguments.body.substr(1), std::ios::binary);
      if (!file)
        return fail(ErrorCode::kNotFound, "--body: " + arguments.body.substr(1) + ": cannot be read");
      request.body.assign(std::istreambuf_iterator<char>(file), {});
    } else {
      request.body = arguments.body;
    }
    if (request.content_type.empty()) request.content_type = "application/json";
  }
  request.method = !arguments.method.empty() ? arguments.method : request.body.empty() ? "GET" : "POST";
  return request;
}

int run(const Arguments& arguments) {
  const auto give_up = [](const Error& error) {
    std::cerr << "infer load: " << error.message << '\n';
    return 1;
  };
  auto url = http::Url::parse(arguments.host);
  if (!url) return give_up(url.error());
  auto request = make_request(arguments, *url);
  if (!request) return give_up(request.error());
  const auto total = static_cast<std::size_t>(std::llround(arguments.qps * arguments.seconds));
  if (total == 0)
    return give_up({ErrorCode::kInvalidArgument, "--qps x --seconds is less than one request", {}});

  const Interrupt interrupt;
  Tally tally;
  std::atomic<std::size_t> next{0};
  const auto start = Clock::now();
  const auto due = [&](std::size_t index) {
    return start + std::chrono::duration_cast<Clock::duration>(
                       std::chrono::duration<double>(static_cast<double>(index) / arguments.qps));
  };
  const auto end = due(total);
  std::mutex sleeping;
  std::condition_variable_any awake;
  std::atomic<std::size_t> running{0};
  std::vector<std::jthread> threads;
  const std::size_t connections = std::min(arguments.connections, total);
  running = connections;
  for (std::size_t i = 0; i < connections; ++i) {
    threads.emplace_back([&] {
      http::Client client(*url, std::chrono::milliseconds(std::llround(arguments.timeout * 1000)));
      while (!interrupt.requested()) {
        const std::size_t index = next++;
        if (index >= total) break;
        const auto at = due(index);
        {
          std::unique_lock lock(sleeping);
          awake.wait_until(lock, interrupt.token(), at, [] { return false; });
        }
        if (interrupt.requested()) break;
        if (Clock::now() > end) {
          tally.add("not sent: every connection was busy", false, 0);
          continue;
        }
        // From the time the request was due, not from when a connection was free: a server that stalls must
        // not slow down what measures it.
        const auto response = client.send(*request);
        const double seconds = std::chrono::duration<double>(Clock::now() - at).count();
        const bool ok = response && response->status >= 200 && response->status < 300;
        tally.add(response ? std::to_string(response->status) : response.error().message, ok, seconds);
      }
      --running;
    });
  }
  const auto seconds_so_far = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  const bool terminal = isatty(STDERR_FILENO) == 1;
  for (auto tick = start + std::chrono::seconds(1); running > 0; tick += std::chrono::seconds(1)) {
    while (running > 0 && Clock::now() < tick) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (running == 0) break;
    std::cerr << (terminal ? "\r" : "") << clock_text(seconds_so_far()) << "  "
              << line(tally.snapshot(), seconds_so_far()) << (terminal ? "\x1b[K" : "\n") << std::flush;
  }
  threads.clear();
  const double seconds = seconds_so_far();
  if (terminal) std::cerr << "\r\x1b[K";
  const auto seen = tally.snapshot();
  std::cout << (arguments.json ? json_text(seen, arguments, seconds) : line(seen, seconds)) << '\n';
  if (seen.failed > 0 && !arguments.json) {
    for (const auto& [outcome, count] : seen.outcomes) std::cout << "  " << count << " x " << outcome << '\n';
  }
  if (interrupt.requested()) return Interrupt::kExitCode;
  if (seen.ok == 0) {
    std::cerr << "infer load: nothing succeeded; is the server at " << url->host << ':' << url->port
              << " up? infer get " << arguments.host << " shows one answer\n";
    return 1;
  }
  return seen.failed > 0 ? kSomeSkipped : 0;
}

}  // namespace

void add_load_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* load =
      app.add_subcommand("load", "Send requests to a server at a constant rate and time the answers");
  load->add_option("--host", arguments->host, "Where to, with the path: http://localhost:8080/infer")
      ->required()
      ->type_name("URL");
  load->add_option("--qps", arguments->qps, "Requests a second")
      ->check(CLI::Range(0.01, 1e5))
      ->capture_default_str();
  load->add_option("--seconds", arguments->seconds, "For how long")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  load->add_option("--body", arguments->body, "Body to post: text, or @FILE")->type_name("TEXT");
  load->add_option("--content-type", arguments->content_type, "Of the body; application/json if not given")
      ->type_name("TYPE");
  load->add_option("--method", arguments->method, "GET without a body, POST with one, if not given")
      ->type_name("VERB");
  load->add_option("--connections", arguments->connections, "Connections, each with one request at a time")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  load->add_option("--timeout", arguments->timeout, "Seconds to wait for an answer")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
  load->add_flag("--json", arguments->json, "Print the result as JSON");
  load->footer(
      "Requests go out when they are due, whether or not earlier ones were answered, and are timed from when "
      "they\n"
      "were due. Exit code: 0 all answered with 2xx, 3 some not, 1 none, 2 wrong usage.\n\n"
      "Examples:\n"
      "  infer load --host http://localhost:8080/infer --qps 30 --seconds 180\n"
      "  infer load --host http://127.0.0.1:8002/embed --body @photo.jpg --content-type image/jpeg --qps 20");
  load->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace infer::cli
