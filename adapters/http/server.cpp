#include "server.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "client.h"
#include "idle_memory.h"
#include "infer/engine/torchscript.h"
#include "infer/machine/control_group.h"
#include "infer/machine/cpu.h"
#include "infer/machine/descriptors.h"
#include "infer/serving/file_watch.h"
#include "listener.h"
#include "operations/log_line.h"
#include "operations/log_writer.h"
#include "periodic.h"
#include "service.h"
#include "signals.h"

namespace infer::http {

using adapter::Signals;

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kProbeConnections = 64;
constexpr milliseconds kProbePatience{1'000};

/// How often unused memory is freed.
constexpr milliseconds kTidyInterval{1'000};

/// Descriptors reserved for models, logs, the probe listener and other use.
constexpr std::size_t kOtherDescriptors = 200;

/// Returns how many connections the descriptor limit allows, after raising the limit as far as the host
/// permits.
std::size_t affordable_connections() {
  const std::size_t limit = raise_descriptor_limit();
  // With a tight limit, half of the descriptors are for connections.
  return std::max<std::size_t>(1, limit - std::min(kOtherDescriptors, limit / 2));
}

/// A listener's certificate, which is reloaded when its file changes.
class TlsFile {
 public:
  TlsFile(std::string file, Listener& listener) : watch_(std::move(file)), listener_(listener) {}

  Result<void> reload_if_changed() {
    std::unique_lock lock(mutex_);
    if (watch_.file().empty()) return {};
    return watch_.follow([this]() -> Result<void> {
      auto context = TlsContext::load(watch_.file().string());
      if (!context) return Unexpected(context.error());
      listener_.use_tls(*std::move(context));
      return {};
    });
  }

 private:
  std::mutex mutex_;
  FileWatch watch_;
  Listener& listener_;
};

void log_failed_refresh(const Service& service, std::string_view what) {
  service.log(LogLevel::kError,
              event_line("refresh_failed", [&](JsonWriter& json) { json.key("error").value(what); }));
}

void log_started(Service& service, int port, int probe_port) {
  service.log(LogLevel::kInfo, event_line("listening", [&](JsonWriter& json) {
                json.key("host").value(service.options().listener.host).key("port").value(port);
                json.key("probe_port").value(probe_port).key("torch").value(torch_version());
              }));
}

void log_ready(Service& service) {
  const CpuLimits limits = read_control_group().cpu;
  for (const auto& model : service.models().all()) {
    const Engine& engine = *model->engine;
    const EngineStats stats = engine.stats();
    service.log(
        LogLevel::kInfo, event_line("ready", [&](JsonWriter& json) {
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

/// Shuts down from the first signal to the end of the last request.
void shut_down(Service& service, Listener& main, bool skip_delay) {
  const ServerOptions& options = service.options();
  Lifecycle& lifecycle = service.lifecycle();
  service.log(LogLevel::kInfo, event_line("draining", [](JsonWriter&) {}));
  if (!skip_delay) {
    lifecycle.start_lame_duck(options.drain_delay);
    lifecycle.wait_lame_duck();
  }
  const DrainReport report = service.drain(options.drain_timeout);
  main.stop();
  service.log(LogLevel::kInfo, event_line("stopped", [&](JsonWriter& json) {
                json.key("completed").value(report.completed).key("failed").value(report.failed);
              }));
}

}  // namespace

int run_server(const ServerOptions& options) {
  const Signals signals;
  // Shared, since a stuck forward may outlive the other objects.
  const auto writer = std::make_shared<LogWriter>(
      STDOUT_FILENO, parse_log_level(options.log_level).value_or(LogLevel::kInfo));
  Service service(options, [writer](LogLevel level, const std::string& json) { writer->write(level, json); });
  service.on_log_level([writer](LogLevel level) { writer->set_level(level); });
  Gauge& lost = service.metrics().gauge(
      "infer_log_lost_lines",
      "Number of log lines that were lost because standard output could not be written.");
  service.metrics().on_collect([&lost, writer] { lost.set(static_cast<double>(writer->dropped())); });
  const auto give_up = [&](const Error& error) {
    service.log(LogLevel::kError, event_line("failed", [&](JsonWriter& json) {
                  json.key("code").value(to_string(error.code)).key("error").value(error.message);
                }));
    return 1;
  };

  ListenerOptions main_options = options.listener;
  main_options.max_parts = options.max_images;
  main_options.max_connections = std::min(main_options.max_connections, affordable_connections());
  main_options.leaders = usable_cores();
  Listener main(main_options, service.main_handler());
  TlsFile tls(options.tls, main);
  service.on_refresh([&] {  // if a file cannot be read, the old certificate stays
    if (auto read = tls.reload_if_changed(); !read) log_failed_refresh(service, read.error().message);
  });
  ListenerOptions probe_options;
  probe_options.host = options.probe_host;
  probe_options.port = options.probe_port;
  probe_options.max_connections = kProbeConnections;
  probe_options.max_body_bytes = 1 << 16;
  // Probes are small and their clients near, so a slow client must not keep another probe out.
  probe_options.header_timeout = kProbePatience;
  probe_options.body_timeout = kProbePatience;
  probe_options.write_timeout = kProbePatience;
  Listener probe(probe_options, service.probe_handler());
  ListenerOptions admin_options = probe_options;
  admin_options.socket_path = options.admin_socket;
  Listener admin(admin_options, service.admin_handler());
  if (auto read = tls.reload_if_changed(); !read) return give_up(read.error());
  auto port = main.bind();
  if (!port) return give_up(port.error());
  auto probe_port = probe.bind();
  if (!probe_port) return give_up(probe_port.error());
  if (!options.admin_socket.empty()) {
    if (auto bound = admin.bind(); !bound) return give_up(bound.error());
    admin.start();
  }
  main.start();
  probe.start();
  log_started(service, *port, *probe_port);

  std::atomic<bool> failed{false};
  std::unique_ptr<Periodic> watcher;
  IdleMemory memory;
  const Periodic tidier(kTidyInterval, [&] {
    try {
      service.host().free_unused();
    } catch (const std::bad_alloc&) {  // try again at the next interval
    }
    const std::size_t bodies = main.tidy() + probe.tidy() + admin.tidy();
    memory.look(bodies, std::chrono::steady_clock::now());
  });
  const auto load = [&]() -> Result<void> {
    try {
      return service.load();
    } catch (const std::exception& e) {
      return fail(ErrorCode::kInternal, e.what());
    }
  };
  std::thread loader([&] {
    if (auto loaded = load(); loaded) {
      watcher = std::make_unique<Periodic>(options.watch_interval, [&] {
        try {
          service.refresh();
        } catch (const std::exception& e) {
          log_failed_refresh(service, e.what());
        }
      });
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
  // Loading cannot be interrupted, and there are no requests to finish, so exit at the first signal.
  if (service.lifecycle().phase() == Lifecycle::Phase::kLoading) {
    writer->flush();
    _exit(0);
  }
  loader.join();
  // Ctrl-C means a user at a terminal, without a load balancer that needs the delay.
  std::thread shutdown([&] {
    shut_down(service, main, signal == SIGINT);
    signals.wake();
  });
  if (signals.wait() != 0) {
    writer->flush();
    _exit(1);
  }
  shutdown.join();
  watcher.reset();
  probe.stop();
  admin.stop();
  writer->flush();
  return 0;
}

Result<void> request_drain(const AdminAddress& address) {
  std::vector<std::string> hosts{address.probe_host};
  const std::string& host = address.probe_host;
  if (!address.socket.empty()) {
    std::error_code gone;  // if the working directory is gone, connecting reports the missing socket
    hosts = {std::filesystem::absolute(address.socket, gone).string()};
  } else if (host.empty() || host == "0.0.0.0" || host == "::") {
    hosts = {"127.0.0.1", "::1"};
  }
  std::string failure;
  for (const std::string& target : hosts) {
    Client client({target, address.probe_port, "/drain"}, std::chrono::hours(1));
    const auto response =
        client.send({"POST", "/drain", "", "", {{"Host", "localhost"}, {kAdminHeader, "1"}}});
    const std::string where =
        address.socket.empty() ? target + ":" + std::to_string(address.probe_port) : target;
    if (response && response->status == 200) return {};
    if (response) {
      return fail(ErrorCode::kUnavailable,
                  where + " answered " + std::to_string(response->status) + ": " + response->body);
    }
    if (failure.empty()) failure = "no answer from " + where + ": " + response.error().message;
  }
  return fail(ErrorCode::kUnavailable, failure);
}

}  // namespace infer::http
