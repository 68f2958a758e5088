#pragma once

#include <CLI/CLI.hpp>

#include "infer/tools/arrivals.h"

namespace infer::cli {

/// The flags that say when requests arrive; `options` must outlive the command line.
inline void add_arrival_flags(CLI::App& app, tools::ArrivalOptions& options) {
  auto* qps = app.add_option("--qps", options.qps, "Number of requests a second.")
                  ->check(CLI::Range(0.01, 1e6))
                  ->capture_default_str();
  auto* seconds = app.add_option("--seconds", options.seconds, "How long to send requests, in seconds.")
                      ->check(CLI::Range(0.1, 86400.0))
                      ->capture_default_str();
  auto* ramp = app.add_option("--ramp-to", options.ramp_to,
                              "Number of requests a second at the end. The rate grows evenly from --qps.")
                   ->check(CLI::Range(0.01, 1e6));
  auto* poisson =
      app.add_flag("--poisson", options.poisson,
                   "Send requests at random times, as many independent users do, instead of evenly.");
  app.add_option("--trace", options.trace,
                 "CSV file whose first column says when to send each request, in seconds. infer load --csv "
                 "writes such files.")
      ->type_name("FILE")
      ->excludes(qps)
      ->excludes(seconds)
      ->excludes(ramp)
      ->excludes(poisson);
}

}  // namespace infer::cli
