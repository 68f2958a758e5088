#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "infer/tools/duplicates.h"

namespace infer::inline v0::tools {

/// The contents of a report of duplicates.
struct DuplicatesReport {
  std::vector<Photo> photos;  ///< Sorted by preference.
  std::vector<Link> links;    ///< Within `loosest`, so that the page can loosen and tighten the thresholds.
  Thresholds thresholds;      ///< The chosen thresholds.
  Thresholds loosest;         ///< The loosest thresholds that the page offers.
  /// For each photograph, a data: URI of a small picture for the page; empty without a link.
  std::vector<std::string> thumbnails;
  std::size_t skipped = 0;         ///< Files that could not be read.
  std::size_t symbolic_links = 0;  ///< Skipped symbolic links.
  std::string folder;              ///< The folder that was searched.
  std::string model;               ///< Empty without a model.
  std::string cosine_stage;        ///< "on", or why it is off.
};

/// Returns the links within the chosen thresholds.
std::vector<Link> chosen_links(const DuplicatesReport& report);

/// Returns {"groups":[{"keep","photos":[…],"links":[…]}],…} at the chosen thresholds, with a link from the
/// kept photograph to each other photograph of its group.
std::string groups_json(const DuplicatesReport& report);

/// Returns a self-contained HTML page.
///
/// The page shows groups with thumbnails and scores, sliders for the thresholds, and a shell script that
/// removes the ticked photographs. The script removes a file only while this file and the kept file have
/// their recorded hashes. The page itself deletes nothing.
std::string report_page(const DuplicatesReport& report);

}  // namespace infer::inline v0::tools
