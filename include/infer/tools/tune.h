#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/tuned.h"
#include "infer/tools/search.h"

namespace infer::inline v0::tools {

/// Which model is tuned, and for which clients.
struct TuneOptions {
  std::string model = {};     ///< Model folder.
  std::string sample = {};    ///< What clients send, as `sample_request` takes it; may be empty.
  std::size_t clients = 30;   ///< Number of requests in flight.
  SearchOptions search = {};  ///< The search; its time is for all versions together.
  /// Called before a version is measured, with the number of candidates and the seconds that they take
  /// together; may be empty.
  std::function<void(const std::string& version, std::size_t candidates, double seconds)> progress = {};
};

/// The result of tuning.
struct TuneReport {
  std::size_t usable_cores = 1;                  ///< Cores that the candidates share.
  std::vector<std::string> versions = {};        ///< Measured versions; the first is the one that is served.
  std::map<std::string, std::string> precision;  ///< Precision of each version.
  std::map<std::string, Trial> chosen;           ///< The trial of the chosen settings of each version.
  std::string fastest = {};                      ///< The version whose chosen settings have most throughput.
  std::vector<Trial> trials = {};                ///< The last trial of every candidate.
};

/// Finds the settings that serve a model best on this machine.
///
/// Measures workers x intra-op threads x max_batch_size, then max_queue_delay, by successive halving: for the
/// version that is served, and for the versions with the same weights in another precision. The settings used
/// without tuning win unless another candidate is clearly better. Nothing else should run on the machine
/// meanwhile. Blocking.
///
/// Errors: those of `read_manifest`, `load_model`, `Engine::create`, `sample_request` and the requests;
/// `kCancelled` when `stop` is requested.
Result<TuneReport> tune_model(const TuneOptions& options, const std::stop_token& stop);

/// Returns the chosen settings as `write_tuned` takes them.
TunedVersions tuned_settings(const std::map<std::string, Trial>& chosen);

}  // namespace infer::inline v0::tools
