#include "infer/tools/duplicates_report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

#include "engine/json_writer.h"
#include "infer/version.h"
#include "report_template.h"

namespace infer::inline v0::tools {
namespace {

std::string hash_text(std::uint64_t hash) {
  std::array<char, 17> out{};
  std::snprintf(out.data(), out.size(), "%016llx", static_cast<unsigned long long>(hash));
  return out.data();
}

void write_photo(JsonWriter& json, const Photo& photo) {
  json.begin_object().key("path").value(photo.path).key("bytes").value(photo.bytes);
  json.key("width").value(photo.width).key("height").value(photo.height);
  json.key("sha256").value(photo.sha256).key("perceptual_hash");
  if (photo.hashes[0]) {
    json.value(hash_text(*photo.hashes[0]));
  } else {
    json.null();
  }
  if (!photo.also.empty()) {
    json.key("also").begin_array();
    for (const std::string& path : photo.also) json.value(path);
    json.end_array();
  }
}

void write_scores(JsonWriter& json, const Link& link) {
  json.key("stage").value(to_string(link.stage)).key("distance");
  if (link.distance) {
    json.value(*link.distance);
  } else {
    json.null();
  }
  json.key("cosine");
  if (link.cosine) {
    json.value(*link.cosine);
  } else {
    json.null();
  }
}

void write_summary(JsonWriter& json, const DuplicatesReport& report) {
  json.key("folder").value(report.folder).key("photos_read").value(report.photos.size());
  json.key("skipped").value(report.skipped).key("symbolic_links").value(report.symbolic_links);
  json.key("model").value(report.model).key("cosine_stage").value(report.cosine_stage);
  json.key("max_distance")
      .value(report.thresholds.distance)
      .key("min_cosine")
      .value(report.thresholds.cosine);
}

/// Escapes each "<" of JSON in a script element, because "</script" would end the element and "<!--" would
/// change its parsing.
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

/// Writes a path as an argument in single quotes for `printf %b` of a POSIX shell. Characters that a
/// terminal, a text field or a shell could change become octal escapes.
std::string shell_name(const std::string& path) {
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7F || c == '\\' || c == '\'') {
      std::array<char, 6> octal{};
      std::snprintf(octal.data(), octal.size(), "\\0%03o", byte);
      out += octal.data();
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
    if (link.stage == Stage::kPerceptual && *link.distance > report.thresholds.distance)
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
  const auto photo = [&](std::size_t i) {
    write_photo(json, report.photos[i]);
    json.end_object();
  };
  for (const Group& group : find_groups(report.photos, links)) {
    json.begin_object().key("keep").value(report.photos[group.keep].path);
    json.key("photos").begin_array();
    photo(group.keep);
    for (const auto& member : group.members) photo(member.photo);
    json.end_array().key("links").begin_array();
    for (const auto& member : group.members) {
      json.begin_object().key("a").value(report.photos[group.keep].path);
      json.key("b").value(report.photos[member.photo].path);
      write_scores(json, member.link);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return std::move(json).text();
}

std::string report_page(const DuplicatesReport& report) {
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
  for (std::size_t i = 0; i < report.photos.size(); ++i) {
    if (report.thumbnails[i].empty()) continue;
    place[i] = shown++;
    write_photo(json, report.photos[i]);
    json.key("shell_names").begin_array().value(shell_name(report.photos[i].path));
    for (const std::string& path : report.photos[i].also) json.value(shell_name(path));
    json.end_array().key("thumbnail").value(report.thumbnails[i]).end_object();
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

}  // namespace infer::inline v0::tools
