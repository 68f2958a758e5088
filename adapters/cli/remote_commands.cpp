// The commands wait and get serve container images that have no shell, nc or curl.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>

#include "client.h"
#include "commands.h"
#include "interrupt.h"
#include "printable.h"

namespace infer::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kAttempt{2000};
constexpr milliseconds kPause{250};

/// Tries once: opens a TCP connection, or sends a GET that must be answered with 2xx.
Result<void> try_target(const std::string& target, milliseconds limit) {
  if (target.starts_with("tcp://")) {
    auto url = http::Url::parse("http" + target.substr(3));
    if (!url) return fail(ErrorCode::kInvalidArgument, "'" + target + "' is not tcp://host:port");
    return http::try_connect(url->host, url->port, limit);
  }
  auto url = http::Url::parse(target);
  if (!url) return Unexpected(url.error());
  auto response = http::Client(*url, limit).send({"GET", url->target, "", ""});
  if (!response) return Unexpected(response.error());
  if (response->status < 200 || response->status > 299)
    return fail(ErrorCode::kUnavailable, "the answer has status " + std::to_string(response->status));
  return {};
}

int wait_for(const std::string& target, double timeout) {
  const Interrupt interrupt;
  const auto end = steady_clock::now() + milliseconds(static_cast<long long>(timeout * 1000));
  std::mutex mutex;
  std::condition_variable_any awake;
  while (true) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - steady_clock::now());
    const auto tried = try_target(target, std::clamp(left, milliseconds(1), kAttempt));
    if (tried) return 0;
    if (tried.error().code == ErrorCode::kInvalidArgument) {
      std::cerr << "infer wait: " << printable(tried.error().message) << '\n';
      return 2;
    }
    if (steady_clock::now() + kPause >= end) {
      std::cerr << "infer wait: " << printable(target) << ": not ready after " << timeout
                << " s: " << printable(tried.error().message) << '\n';
      return 1;
    }
    std::unique_lock lock(mutex);
    awake.wait_for(lock, interrupt.token(), kPause, [] { return false; });
    if (interrupt.requested()) return Interrupt::kExitCode;
  }
}

int get(const std::string& target, double timeout) {
  auto url = http::Url::parse(target);
  if (!url) {
    std::cerr << "infer get: " << printable(url.error().message) << '\n';
    return 2;
  }
  auto response = http::Client(*url, milliseconds(static_cast<long long>(timeout * 1000)))
                      .send({"GET", url->target, "", ""});
  if (!response) {
    std::cerr << "infer get: " << printable(target) << ": " << printable(response.error().message) << '\n';
    return 1;
  }
  // A file or pipe gets the bytes unchanged. A terminal must not obey control characters.
  std::cout << (isatty(STDOUT_FILENO) == 1 ? printable_lines(response->body) : response->body);
  if (!response->body.empty() && response->body.back() != '\n') std::cout << '\n';
  if (response->status < 200 || response->status > 299) {
    std::cerr << "infer get: " << printable(target) << " answered " << response->status << '\n';
    return 1;
  }
  return 0;
}

}  // namespace

void add_wait_command(CLI::App& app, Action& action) {
  auto target = std::make_shared<std::string>();
  auto timeout = std::make_shared<double>(60);
  CLI::App* wait = app.add_subcommand("wait", "Wait until a port accepts connections or a URL answers.");
  wait->add_option("target", *target, "tcp://HOST:PORT, or a URL that must answer with 2xx.")->required();
  wait->add_option("--timeout", *timeout, "Maximum time to wait, in seconds.")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
  wait->footer(
      "Exit code 1: the target did not answer in time.\n\n"
      "Examples:\n"
      "  infer wait tcp://kafka:9092\n"
      "  infer wait http://127.0.0.1:9002/readyz --timeout 120");
  wait->callback([=, &action] { action = [=] { return wait_for(*target, *timeout); }; });
}

void add_get_command(CLI::App& app, Action& action) {
  auto target = std::make_shared<std::string>();
  auto timeout = std::make_shared<double>(10);
  CLI::App* command = app.add_subcommand("get", "Print the answer of a URL.");
  command->add_option("url", *target, "http://HOST:PORT/PATH")->required();
  command->add_option("--timeout", *timeout, "Maximum time to wait for the answer, in seconds.")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
  command->footer(
      "infer get prints the bytes of the answer unchanged; on a terminal, control characters become \\xNN.\n"
      "Exit code 1: there was no answer, or its status was not 2xx.\n\n"
      "Example: infer get http://127.0.0.1:9002/metrics");
  command->callback([=, &action] { action = [=] { return get(*target, *timeout); }; });
}

}  // namespace infer::cli
