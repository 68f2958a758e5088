#pragma once

#include <CLI/CLI.hpp>

#include "infer/tools/arrivals.h"

namespace infer::cli {

/// The flags that say when requests arrive; `options` must outlive the command line.
inline void add_arrival_flags(CLI::App& app, tools::ArrivalOptions& options) {
  auto* qps = app.add_option("--qps", options.qps, "Requests a second")
                  ->check(CLI::Range(0.01, 1e6))
                  ->capture_default_str();
  auto* seconds = app.add_option("--seconds", options.seconds, "For how long")
                      ->check(CLI::Range(0.1, 86400.0))
                      ->capture_default_str();
  auto* ramp = app.add_option("--ramp-to", options.ramp_to, "Requests a second at the end, reached evenly")
                   ->check(CLI::Range(0.01, 1e6));
  auto* poisson =
      app.add_flag("--poisson", options.poisson,
                   "Requests independent of each other, as many users send them, instead of evenly");
  app.add_option("--trace", options.trace,
                 "Replay: seconds in the first column of a CSV file, such as infer load --csv writes")
      ->type_name("FILE")
      ->excludes(qps)
      ->excludes(seconds)
      ->excludes(ramp)
      ->excludes(poisson);
}

}  // namespace infer::cli
