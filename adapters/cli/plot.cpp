#include "plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <sstream>

#include "printable.h"

namespace infer::cli {
namespace {

constexpr double kWidth = 760;
constexpr double kHeight = 420;
constexpr double kLeft = 70;
constexpr double kRight = 20;
constexpr double kTop = 40;
constexpr double kBottom = 55;
// Okabe and Ito's colours, which colour-blind people can tell apart.
constexpr std::array kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : printable(text)) {  // control characters are not allowed in XML
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

/// Maps values to positions between 0 and `pixels`, and chooses the values that get a mark.
class Axis {
 public:
  Axis(double least, double most, double pixels, bool log)
      : pixels_(pixels), log_(log), least_(least), most_(most) {
    if (log_) {
      least_ = std::pow(10, std::floor(std::log10(least)));
      most_ = std::pow(10, std::ceil(std::log10(most)));
      if (most_ <= least_) most_ = least_ * 10;
      const int powers = static_cast<int>(std::lround(std::log10(most_ / least_)));
      for (int i = 0; i <= powers; ++i) marks_.push_back(least_ * std::pow(10, i));
      return;
    }
    least_ = std::min(0.0, least);
    if (most_ <= least_) most_ = least_ + 1;
    const double rough = (most_ - least_) / 6;
    const double power = std::pow(10, std::floor(std::log10(rough)));
    const double step = power * (rough / power < 1.5   ? 1
                                 : rough / power < 3.5 ? 2
                                 : rough / power < 7.5 ? 5
                                                       : 10);
    most_ = std::ceil(most_ / step) * step;
    const long first = std::lround(std::ceil(least_ / step));
    const long last = std::lround(most_ / step);
    for (long i = first; i <= last; ++i) marks_.push_back(static_cast<double>(i) * step);
  }

  double at(double value) const {
    return log_
               ? pixels_ * (std::log10(value) - std::log10(least_)) / (std::log10(most_) - std::log10(least_))
               : pixels_ * (value - least_) / (most_ - least_);
  }
  const std::vector<double>& marks() const { return marks_; }

 private:
  double pixels_;
  bool log_;
  double least_;
  double most_;
  std::vector<double> marks_;
};

}  // namespace

std::string svg(const Plot& plot) {
  constexpr double kMost = std::numeric_limits<double>::max();
  double x_least = kMost, x_most = -kMost, y_least = kMost, y_most = -kMost;
  const auto shown = [&](const auto& point) { return !plot.log_y || point.second > 0; };
  for (const auto& series : plot.series) {
    for (const auto& point : series.points) {
      if (!shown(point)) continue;
      x_least = std::min(x_least, point.first);
      x_most = std::max(x_most, point.first);
      y_least = std::min(y_least, point.second);
      y_most = std::max(y_most, point.second);
    }
  }
  if (x_least > x_most) x_least = y_least = 0.1, x_most = y_most = 1;
  const Axis x(x_least, x_most, kWidth - kLeft - kRight, false);
  const Axis y(y_least, y_most, kHeight - kTop - kBottom, plot.log_y);
  const auto px = [&](double value) { return number(kLeft + x.at(value)); };
  const auto py = [&](double value) { return number(kHeight - kBottom - y.at(value)); };

  std::ostringstream out;
  out << R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 )" << kWidth << ' ' << kHeight
      << R"(" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>)"
      << R"(<text x=")" << kLeft << R"(" y="22" font-size="15">)" << escaped(plot.title) << "</text>\n";
  for (const double mark : x.marks()) {
    out << R"(<text text-anchor="middle" x=")" << px(mark) << R"(" y=")" << kHeight - kBottom + 18 << R"(">)"
        << number(mark) << "</text>";
  }
  for (const double mark : y.marks()) {
    out << R"(<line stroke="#ddd" x1=")" << kLeft << R"(" x2=")" << kWidth - kRight << R"(" y1=")" << py(mark)
        << R"(" y2=")" << py(mark) << R"("/><text text-anchor="end" x=")" << kLeft - 8 << R"(" y=")"
        << py(mark) << R"(" dy="4">)" << number(mark) << "</text>";
  }
  out << R"(<text text-anchor="middle" x=")" << (kLeft + kWidth - kRight) / 2 << R"(" y=")" << kHeight - 15
      << R"(">)" << escaped(plot.x_label) << R"(</text><text text-anchor="middle" transform="translate(16 )"
      << (kTop + kHeight - kBottom) / 2 << R"lit() rotate(-90)">)lit" << escaped(plot.y_label) << "</text>\n";
  double legend = kTop + 8;
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    const auto& series = plot.series[i];
    const char* colour = kColours[i % kColours.size()];
    if (series.line) {
      out << R"(<polyline fill="none" stroke-width="2" stroke=")" << colour << R"(" points=")";
      for (const auto& point : series.points) {
        if (shown(point)) out << px(point.first) << ',' << py(point.second) << ' ';
      }
      out << "\"/>";
    } else {
      for (std::size_t k = 0; k < series.points.size(); ++k) {
        const auto& point = series.points[k];
        if (!shown(point)) continue;
        out << R"(<circle r="4" fill=")" << colour << R"(" cx=")" << px(point.first) << R"(" cy=")"
            << py(point.second) << "\"/>";
        if (k < series.labels.size()) {
          out << R"(<text font-size="10" dx="7" dy="4" x=")" << px(point.first) << R"(" y=")"
              << py(point.second) << R"(">)" << escaped(series.labels[k]) << "</text>";
        }
      }
    }
    out << R"(<rect width="12" height="4" x=")" << kLeft + 12 << R"(" y=")" << legend << R"(" fill=")"
        << colour << R"("/><text x=")" << kLeft + 30 << R"(" y=")" << legend + 6 << R"(">)"
        << escaped(series.name) << "</text>\n";
    legend += 18;
  }
  out << "</svg>\n";
  return out.str();
}

bool write_svg(const std::string& file, const Plot& plot) {
  std::ofstream out(file, std::ios::binary);
  out << svg(plot);
  return static_cast<bool>(out.flush());
}

}  // namespace infer::cli
