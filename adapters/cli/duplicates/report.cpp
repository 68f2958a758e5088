#include "report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <string_view>
#include <utility>

#include "infer/version.h"
#include "json_writer.h"
#include "report_template.h"
#include "shell_word.h"

namespace infer::cli {
namespace {

using adapter::JsonWriter;

std::string hash_text(std::uint64_t hash) {
  std::array<char, 17> out{};
  std::snprintf(out.data(), out.size(), "%016llx", static_cast<unsigned long long>(hash));
  return out.data();
}

void write_photo(JsonWriter& json, const Photo& photo) {
  json.begin_object().key("path").value(photo.path).key("bytes").value(photo.bytes);
  json.key("width").value(photo.width).key("height").value(photo.height);
  json.key("sha256").value(photo.sha256).key("perceptual_hash").value(hash_text(photo.hash));
}

void write_scores(JsonWriter& json, const Link& link) {
  json.key("stage").value(to_string(link.stage)).key("distance").value(link.distance);
  json.key("cosine");
  if (link.cosine) {
    json.value(*link.cosine);
  } else {
    json.null();
  }
}

void write_summary(JsonWriter& json, const DuplicatesReport& report) {
  json.key("folder").value(report.folder).key("photos_read").value(report.photos.size());
  json.key("skipped").value(report.skipped);
  json.key("model").value(report.model).key("cosine_stage").value(report.cosine_stage);
  json.key("max_distance")
      .value(report.thresholds.distance)
      .key("min_cosine")
      .value(report.thresholds.cosine);
}

/// JSON that no HTML parser can take for markup: there "<" occurs in strings alone, where it may be escaped.
std::string inside_script(const std::string& json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::vector<Link> chosen_links(const DuplicatesReport& report) {
  std::vector<Link> links;
  for (Link link : report.links) {
    const bool cosine = link.cosine && *link.cosine >= report.thresholds.cosine;
    if (link.stage == Stage::kPerceptual && link.distance > report.thresholds.distance)
      link.stage = Stage::kCosine;
    if (link.stage != Stage::kCosine || cosine) links.push_back(link);
  }
  return links;
}

std::string groups_json(const DuplicatesReport& report) {
  const auto links = chosen_links(report);
  JsonWriter json;
  json.begin_object();
  write_summary(json, report);
  json.key("groups").begin_array();
  for (const Group& group : groups_of(report.photos, links)) {
    const Photo& keep = report.photos[group.keep];
    json.begin_object().key("keep").value(keep.path);
    json.key("photos").begin_array();
    write_photo(json, keep);
    json.end_object();
    for (const Link& link : group.links) {
      write_photo(json, report.photos[link.b]);
      json.end_object();
    }
    json.end_array().key("links").begin_array();
    for (const Link& link : group.links) {
      json.begin_object().key("a").value(keep.path).key("b").value(report.photos[link.b].path);
      write_scores(json, link);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return std::move(json).text();
}

std::string report_page(const DuplicatesReport& report) {
  std::vector<std::size_t> order(report.photos.size());  // the best first, as the page takes them
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return is_better(report.photos[a], report.photos[b]); });
  std::vector<std::size_t> place(report.photos.size(), report.photos.size());
  JsonWriter json;
  json.begin_object();
  write_summary(json, report);
  json.key("loosest_distance")
      .value(report.loosest.distance)
      .key("loosest_cosine")
      .value(report.loosest.cosine);
  json.key("version").value(INFER_VERSION).key("photos").begin_array();
  std::size_t shown = 0;
  for (const std::size_t i : order) {
    if (report.thumbnails[i].empty()) continue;
    place[i] = shown++;
    write_photo(json, report.photos[i]);
    json.key("word").value(shell_word(report.photos[i].path));
    json.key("thumbnail").value(report.thumbnails[i]).end_object();
  }
  json.end_array().key("links").begin_array();
  for (const Link& link : report.links) {
    json.begin_object().key("a").value(place[link.a]).key("b").value(place[link.b]);
    write_scores(json, link);
    json.end_object();
  }
  json.end_array().end_object();

  const std::string_view page = kReportTemplate;
  constexpr std::string_view kMark = "@DATA@";
  const std::size_t at = page.find(kMark);
  std::string out(page.substr(0, at));
  out += inside_script(json.text());
  out += page.substr(at + kMark.size());
  return out;
}

}  // namespace infer::cli
