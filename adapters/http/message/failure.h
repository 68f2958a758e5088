#pragma once

#include <string>

namespace infer::http {

/// Why a request failed.
struct Failure {
  int status = 500;
  std::string code;  ///< "InvalidArgument"
  std::string message;
};

}  // namespace infer::http
