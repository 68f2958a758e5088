#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace infer::inline v0::tools {

/// Times of a model on one machine, as `infer bench --json` measures them.
struct ServiceCurve {
  /// The times of one batch size.
  struct Point {
    std::size_t batch = 1;    ///< Samples in a batch.
    double alone = 0;         ///< Seconds of a forward while no other forward runs.
    double side_by_side = 0;  ///< Seconds of a forward while every worker computes.
  };
  std::vector<Point> points;         ///< At least one, ascending by batch.
  double prepare = 0;                ///< CPU seconds to turn a request into a sample.
  std::size_t workers = 1;           ///< Workers that computed side by side.
  std::size_t intra_op_threads = 1;  ///< Threads of each worker.

  /// Returns the seconds of a forward that runs alone. Interpolates linearly between measured sizes.
  double forward(std::size_t batch) const { return at(batch, &Point::alone); }

  /// Returns the relative speed of a forward while `running` forwards run, including itself. Forwards slow
  /// each other down because they share memory and caches.
  double speed(std::size_t batch, std::size_t running) const {
    if (workers < 2 || running < 2) return 1;
    const double least = std::min(1.0, forward(batch) / at(batch, &Point::side_by_side));
    return 1 - (1 - least) * static_cast<double>(running - 1) / static_cast<double>(workers - 1);
  }

 private:
  double at(std::size_t batch, double Point::*seconds) const {
    const auto above =
        std::lower_bound(points.begin(), points.end(), batch,
                         [](const Point& point, std::size_t size) { return point.batch < size; });
    if (above == points.begin()) return (*above).*seconds;
    const Point& low = *std::prev(above);
    if (above == points.end())  // beyond the largest measured size
      return low.*seconds * static_cast<double>(batch) / static_cast<double>(low.batch);
    const double part =
        static_cast<double>(batch - low.batch) / static_cast<double>(above->batch - low.batch);
    return low.*seconds + part * ((*above).*seconds - low.*seconds);
  }
};

}  // namespace infer::inline v0::tools
