#pragma once

#include <string_view>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/backend.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// The backends that models may name: those of the library, and those that a program adds.
///
/// A program fills a table before it opens models and passes it in `OpenOptions::backends` or
/// `LoadOptions::backends`. Once shared, a table is constant, so that any number of threads can use it.
class INFER_EXPORT Backends {
 public:
  /// Holds the backends of this build, of "torchscript", "scripted" and "series".
  Backends();

  /// Adds a backend, for models whose infer.json has its name under "backend".
  ///
  /// Errors: `kInvalidArgument` (the name does not match [A-Za-z0-9._-]{1,64}, or there is no function to
  /// load models), `kFailedPrecondition` (the name is taken).
  Result<void> add(BackendEntry entry);

  /// Returns the backend of this name, or null; valid until the table changes.
  const BackendEntry* find(std::string_view name) const noexcept;
  /// Returns all backends, in the order in which they were added.
  const std::vector<BackendEntry>& entries() const noexcept { return entries_; }

 private:
  std::vector<BackendEntry> entries_;
};

}  // namespace infer::inline v0
