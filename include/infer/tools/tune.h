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

/// Options of tuning.
struct TuneOptions {
  std::string model = {};     ///< Model folder.
  std::string sample = {};    ///< What clients send, as `sample_request` takes it; may be empty.
  std::size_t clients = 30;   ///< Number of requests in progress at a time.
  SearchOptions search = {};  ///< For all versions together.
  /// Called before a version is measured, with the number of candidates and their total time in seconds;
  /// may be empty.
  std::function<void(const std::string& version, std::size_t candidates, double seconds)> progress = {};
};

/// The result of tuning.
struct TuneReport {
  std::size_t usable_cores = 1;                  ///< Cores that the candidates share.
  std::vector<std::string> versions = {};        ///< Measured versions, beginning with the served one.
  std::map<std::string, std::string> precision;  ///< Precision of each version.
  std::map<std::string, Trial> chosen;           ///< The trial of the chosen settings of each version.
  std::string fastest = {};        ///< The version whose chosen settings have the highest throughput.
  std::vector<Trial> trials = {};  ///< The last trial of every candidate.
};

/// Finds the settings that serve a model best on this machine.
///
/// Measures combinations of workers, intra-op threads and max_batch_size, then max_queue_delay, by successive
/// halving: for the served version, and for versions with the same weights in another precision. The current
/// settings win unless another candidate is clearly better. Nothing else should run on the machine meanwhile.
/// Blocking.
///
/// Errors: those of `read_manifest`, `load_model`, `Engine::create`, `sample_request` and the requests;
/// `kCancelled` when `stop` is requested.
Result<TuneReport> tune_model(const TuneOptions& options, const std::stop_token& stop);

/// Returns the chosen settings as `write_tuned` takes them.
TunedVersions tuned_settings(const std::map<std::string, Trial>& chosen);

}  // namespace infer::inline v0::tools
