#pragma once

#include <string>
#include <utility>
#include <vector>

namespace infer::cli {

/// A picture with one pair of axes, as SVG, showing lines or labelled points.
struct Plot {
  struct Series {
    std::string name;
    std::vector<std::pair<double, double>> points;
    std::vector<std::string> labels = {};  ///< Labels of the points; may be empty.
    bool line = true;
  };
  std::string title = {};
  std::string x_label = {};
  std::string y_label = {};
  std::vector<Series> series = {};
  bool log_y = false;  ///< Omits values of 0 and less.
};

std::string svg(const Plot& plot);

/// Returns false if the file could not be written.
bool write_svg(const std::string& file, const Plot& plot);

}  // namespace infer::cli
