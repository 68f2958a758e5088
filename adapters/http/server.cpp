#include "server.h"

#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>

#include "httplib_config.h"
#include "infer/engine/torchscript.h"
#include "json_writer.h"
#include "periodic.h"
#include "service.h"
#include "signals.h"

namespace infer::http {

using adapter::JsonWriter;
using adapter::Signals;

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kProbeConnections = 64;

/// Logs a line of JSON on standard output; the text is the whole line.
LogLine make_log(const std::string& level) {
  auto logger = std::make_shared<spdlog::logger>("infer", std::make_shared<spdlog::sinks::stdout_sink_mt>());
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::info);
  return [logger](std::string_view name, const std::string& json) {
    logger->log(spdlog::level::from_str(std::string(name)), "{}", json);
  };
}

template <class Fill>
std::string event(std::string_view name, Fill fill) {
  JsonWriter json;
  json.begin_object().key("event").value(name);
  fill(json);
  json.end_object();
  return std::move(json).text();
}

void log_started(Service& service, int port, int probe_port) {
  service.log("info", event("listening", [&](JsonWriter& json) {
                json.key("host").value(service.options().listener.host).key("port").value(port);
                json.key("probe_port").value(probe_port).key("torch").value(torch_version());
              }));
}

void log_ready(Service& service) {
  const CpuLimits limits = read_cpu_limits();
  for (const auto& model : service.models().all()) {
    const Engine& engine = *model->engine;
    const EngineStats stats = engine.stats();
    service.log(
        "info", event("ready", [&](JsonWriter& json) {
          json.key("model").value(engine.model().name).key("model_version").value(engine.model().version);
          json.key("weights").value(engine.model().manifest.weights);
          const ThreadPlan& threads = engine.options().threads;
          json.key("usable_cores").value(threads.usable_cores).key("workers").value(threads.workers);
          json.key("intra_op_threads").value(threads.intra_op_threads);
          if (limits.quota_cores) json.key("quota_cores").value(*limits.quota_cores);
          json.key("warmup_runs").value(stats.warmup_runs);
          json.key("ready_ms").value(static_cast<std::int64_t>(service.startup_ready_ms()));
        }));
  }
}

/// The way from the first signal to the end of the last request.
void shut_down(Service& service, Listener& main, bool skip_delay) {
  const ServerOptions& options = service.options();
  Lifecycle& lifecycle = service.lifecycle();
  service.log("info", event("draining", [](JsonWriter&) {}));
  if (!skip_delay) {
    lifecycle.start_lame_duck(options.drain_delay);
    lifecycle.wait_lame_duck();
  }
  const DrainReport report = service.drain(options.drain_timeout);
  main.stop();
  service.log("info", event("stopped", [&](JsonWriter& json) {
                json.key("completed").value(report.completed).key("failed").value(report.failed);
              }));
}

}  // namespace

int run_server(const ServerOptions& options) {
  const Signals signals;
  Service service(options, make_log(options.log_level));
  const auto give_up = [&](const Error& error) {
    service.log("error", event("failed", [&](JsonWriter& json) {
                  json.key("code").value(to_string(error.code)).key("error").value(error.message);
                }));
    return 1;
  };

  ListenerOptions main_options = options.listener;
  main_options.max_parts = options.max_images;
  Listener main(main_options, service.main_handler());
  ListenerOptions probe_options;
  probe_options.host = options.probe_host;
  probe_options.port = options.probe_port;
  probe_options.max_connections = kProbeConnections;
  probe_options.max_body_bytes = 1 << 16;
  Listener probe(probe_options, service.probe_handler());
  auto port = main.bind();
  if (!port) return give_up(port.error());
  auto probe_port = probe.bind();
  if (!probe_port) return give_up(probe_port.error());
  main.start();
  probe.start();
  log_started(service, *port, *probe_port);

  std::atomic<bool> failed{false};
  std::unique_ptr<Periodic> watcher;
  std::thread loader([&] {
    if (auto loaded = service.load(); loaded) {
      watcher = std::make_unique<Periodic>(options.watch_interval, [&service] { service.refresh(); });
      log_ready(service);
    } else {
      give_up(loaded.error());
      failed = true;
      signals.wake();
    }
  });
  const int signal = signals.wait();
  if (failed) {
    loader.join();
    return 1;
  }
  // Loading cannot be taken back half way, and there is nothing to finish: a second signal need not be waited
  // for.
  if (service.lifecycle().phase() == Lifecycle::Phase::kLoading) _exit(0);
  loader.join();
  // Ctrl-C comes from somebody who waits at a terminal, behind no load balancer.
  std::thread shutdown([&] {
    shut_down(service, main, signal == SIGINT);
    signals.wake();
  });
  if (signals.wait() != 0) _exit(1);
  shutdown.join();
  watcher.reset();
  probe.stop();
  return 0;
}

Result<void> request_drain(const std::string& host, int probe_port) {
  httplib::Client client(host, probe_port);
  client.set_read_timeout(3600);
  const auto response = client.Post("/drain");
  const std::string where = host + ":" + std::to_string(probe_port);
  if (!response) {
    return fail(ErrorCode::kUnavailable,
                "no answer from " + where + ": " + httplib::to_string(response.error()));
  }
  if (response->status != 200)
    return fail(ErrorCode::kUnavailable, where + " answered " + std::to_string(response->status));
  return {};
}

}  // namespace infer::http
