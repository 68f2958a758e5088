#include <cerrno>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include <unistd.h>

#include "arrival_flags.h"
#include "client.h"
#include "commands.h"
#include "engine/json_writer.h"
#include "infer/tools/arrivals.h"
#include "infer/tools/latency_histogram.h"
#include "infer/tools/send_on_time.h"
#include "infer/tools/tally.h"
#include "interrupt.h"
#include "plot.h"
#include "printable.h"
#include "process.h"
#include "progress.h"

namespace infer::cli {
namespace {

struct Arguments {
  std::string host;
  tools::ArrivalOptions arrivals;
  std::string method;
  std::string body;
  std::string content_type;
  std::size_t connections = 64;
  double timeout = 30;
  std::string csv;
  std::string plot;
  bool json = false;
};

constexpr std::pair<const char*, double> kPercentiles[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99.9", 0.999}};

std::string milliseconds_text(double seconds) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(seconds < 0.1 ? 2 : 0) << seconds * 1e3 << "ms";
  return out.str();
}

std::string line(const tools::Tally::Counts& seen, double seconds) {
  std::ostringstream out;
  out << "OK=" << seen.ok << " FAIL=" << seen.failed << " RPS=" << std::fixed << std::setprecision(1)
      << (seconds > 0 ? static_cast<double>(seen.ok) / seconds : 0);
  for (const auto& [name, fraction] : kPercentiles) {
    out << ' ' << name << '=' << milliseconds_text(seen.from_due.percentile(fraction));
  }
  out << " max=" << milliseconds_text(seen.from_due.max());
  return out.str();
}

void write_percentiles(JsonWriter& json, const tools::LatencyHistogram& times) {
  json.begin_object();
  for (const auto& [name, fraction] : kPercentiles) json.key(name).value(times.percentile(fraction) * 1e3);
  json.key("max").value(times.max() * 1e3).end_object();
}

std::string json_text(const tools::Tally::Counts& seen, double offered, double seconds) {
  JsonWriter json;
  json.begin_object().key("ok").value(seen.ok).key("fail").value(seen.failed).key("seconds").value(seconds);
  json.key("offered_per_second").value(offered);
  json.key("ok_per_second").value(seconds > 0 ? static_cast<double>(seen.ok) / seconds : 0);
  json.key("latency_ms");
  write_percentiles(json, seen.from_due);
  json.key("latency_from_sent_ms");
  write_percentiles(json, seen.from_sent);
  json.key("outcomes").begin_object();
  for (const auto& [outcome, count] : seen.outcomes) json.key(outcome).value(count);
  json.end_object().end_object();
  return std::move(json).text();
}

/// Plots percentiles and failures over the time of the run.
Plot over_time(const tools::Tally& tally, const std::string& title) {
  Plot plot{.title = title, .x_label = "seconds", .y_label = "milliseconds", .log_y = true};
  for (const auto& [name, fraction] : {kPercentiles[0], kPercentiles[2], kPercentiles[3]})
    plot.series.push_back({name, {}});
  for (std::size_t i = 0; i < tally.slices().size(); ++i) {
    const tools::LatencyHistogram& times = tally.slices()[i].times;
    const double at = (static_cast<double>(i) + 0.5) * tally.slice_seconds();
    if (times.count() == 0) continue;
    plot.series[0].points.emplace_back(at, times.percentile(0.5) * 1e3);
    plot.series[1].points.emplace_back(at, times.percentile(0.95) * 1e3);
    plot.series[2].points.emplace_back(at, times.percentile(0.99) * 1e3);
  }
  return plot;
}

Result<http::ClientRequest> make_request(const Arguments& arguments, const http::Url& url) {
  http::ClientRequest request;
  request.target = url.target;
  request.content_type = arguments.content_type;
  if (!arguments.body.empty()) {
    if (arguments.body.starts_with('@')) {
      std::ifstream file(arguments.body.substr(1), std::ios::binary);
      if (!file)
        return fail(ErrorCode::kNotFound, "--body: " + arguments.body.substr(1) +
                                              ": cannot be read: " + std::generic_category().message(errno));
      request.body.assign(std::istreambuf_iterator<char>(file), {});
    } else {
      request.body = arguments.body;
    }
    if (request.content_type.empty()) request.content_type = "application/json";
  }
  request.method = !arguments.method.empty() ? arguments.method : request.body.empty() ? "GET" : "POST";
  return request;
}

/// Sends all requests, shows progress, and returns how long sending and answering took, in seconds.
double send_all(const Arguments& arguments, const http::Url& url, const http::ClientRequest& request,
                tools::Arrivals& arrivals, tools::Tally& tally, const Interrupt& interrupt) {
  const bool terminal = isatty(STDERR_FILENO) == 1;
  tools::SendOptions options{.connections = arguments.connections};
  options.connect = [&]() -> tools::SendRequest {
    const auto client = std::make_shared<http::Client>(
        url, std::chrono::milliseconds(std::llround(arguments.timeout * 1000)));
    return [&request, client]() -> tools::Answer {
      const auto response = client->send(request);
      return {response ? std::to_string(response->status) : response.error().message,
              response && response->status >= 200 && response->status < 300};
    };
  };
  options.every_second = [&](double seconds) {
    std::cerr << (terminal ? "\r" : "") << clock_text(seconds) << "  " << line(tally.counts(), seconds)
              << (terminal ? "\x1b[K" : "\n") << std::flush;
  };
  const double seconds = tools::send_on_time(arrivals, options, tally, interrupt.token());
  if (terminal) std::cerr << "\r\x1b[K";
  return seconds;
}

int run(const Arguments& arguments) {
  const auto give_up = [](const Error& error) {
    std::cerr << "infer load: " << printable(error.message) << '\n';
    return 1;
  };
  auto url = http::Url::parse(arguments.host);
  if (!url) return give_up(url.error());
  auto request = make_request(arguments, *url);
  if (!request) return give_up(request.error());
  auto arrivals = tools::Arrivals::create(arguments.arrivals);
  if (!arrivals) return give_up(arrivals.error());
  tools::Tally tally(arrivals->seconds());
  if (!arguments.csv.empty()) {
    if (auto opened = tally.write_to(arguments.csv); !opened) return give_up(opened.error());
  }

  const Interrupt interrupt;
  const double seconds = send_all(arguments, *url, *request, *arrivals, tally, interrupt);
  const auto seen = tally.counts();
  std::cout << (arguments.json ? json_text(seen, arrivals->mean_rate(), seconds) : line(seen, seconds))
            << '\n';
  if (seen.failed > 0 && !arguments.json) {
    for (const auto& [outcome, count] : seen.outcomes)
      std::cout << "  " << count << " x " << printable(outcome) << '\n';
  }
  if (!tally.close_csv())
    return give_up({ErrorCode::kInternal, "--csv: " + arguments.csv + ": cannot be written", {}});
  if (!arguments.plot.empty() && !write_svg(arguments.plot, over_time(tally, arguments.host)))
    return give_up({ErrorCode::kInternal, "--plot: " + arguments.plot + ": cannot be written", {}});
  if (interrupt.requested()) return Interrupt::kExitCode;
  if (seen.ok == 0) {
    std::cerr << "infer load: no request succeeded; check that the server at " << printable(url->host) << ':'
              << url->port << " is running. infer get " << shell_path(arguments.host)
              << " shows one answer\n";
    return 1;
  }
  return seen.failed > 0 ? kSomeSkipped : 0;
}

}  // namespace

void add_load_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* load =
      app.add_subcommand("load", "Send requests to a server at a given rate, and time the answers.");
  load->add_option("url", arguments->host, "Address with the path, such as http://localhost:8080/infer.")
      ->type_name("URL");
  load->add_option("--host", arguments->host)->group("");  // the flag of Locust

  add_arrival_flags(*load, arguments->arrivals);
  load->add_option("--body", arguments->body,
                   "Body of the requests: text, or @FILE for the content of a file.")
      ->type_name("TEXT");
  load->add_option("--content-type", arguments->content_type,
                   "Content-Type of the body; application/json if not given.")
      ->type_name("TYPE");
  load->add_option("--method", arguments->method, "HTTP method. If not given: POST with a body, GET without.")
      ->type_name("VERB");
  load->add_option("--connections", arguments->connections,
                   "Maximum number of connections. Each has one request at a time.")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  load->add_option("--timeout", arguments->timeout, "Maximum time to wait for an answer, in seconds.")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
  load->add_option("--csv", arguments->csv,
                   "Write a line for each request to FILE: when the request was due, sent and answered.")
      ->type_name("FILE");
  load->add_option("--plot", arguments->plot, "Write a picture of the latency over time to FILE, as SVG.")
      ->type_name("FILE");
  load->add_flag("--json", arguments->json, "Print the result as JSON.");
  load->footer(
      "infer load sends each request when it is due, whether or not earlier requests were answered, and "
      "counts "
      "the time\n"
      "from then. A server that stalls therefore cannot slow down its measurement (no coordinated omission). "
      "--json also\n"
      "shows the time from sending.\n"
      "Exit code 3: some requests got no answer or another status than 2xx; exit code 1: all of them.\n\n"
      "Examples:\n"
      "  infer load http://localhost:8080/infer --qps 30 --seconds 180\n"
      "  infer load http://127.0.0.1:8002/embed --body @photo.jpg --content-type image/jpeg --qps 20\n"
      "  infer load http://127.0.0.1:8002/embed --body @photo.jpg --content-type image/jpeg --qps 5 "
      "--ramp-to 60\n"
      "             --seconds 120 --poisson --csv load.csv --plot load.svg");
  load->callback([arguments, &action] {
    if (arguments->host.empty()) throw CLI::RequiredError("url");
    action = [arguments] { return run(*arguments); };
  });
}

}  // namespace infer::cli
