#pragma once

#include <string>
#include <utility>
#include <vector>

namespace infer::cli {

/// A picture with one pair of axes, as SVG: lines, or points with names.
struct Plot {
  struct Series {
    std::string name;
    std::vector<std::pair<double, double>> points;
    std::vector<std::string> labels = {};  ///< Beside the points, where given.
    bool line = true;
  };
  std::string title = {};
  std::string x_label = {};
  std::string y_label = {};
  std::vector<Series> series = {};
  bool log_y = false;  ///< Values of 0 and less are left out then.
};

std::string svg(const Plot& plot);

/// Whether it could be written.
bool write_svg(const std::string& file, const Plot& plot);

}  // namespace infer::cli
