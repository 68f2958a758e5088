#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "infer/tools/duplicates.h"

namespace infer::inline v0::tools {

/// Everything that a report of duplicates says.
struct DuplicatesReport {
  std::vector<Photo> photos;  ///< Sorted by preference.
  std::vector<Link> links;    ///< Within `loosest`, so that the page can move the thresholds both ways.
  Thresholds thresholds;      ///< The chosen thresholds.
  Thresholds loosest;         ///< The loosest thresholds that the page offers.
  /// By photo, a data: URI of a small picture for the page; empty for those without a link.
  std::vector<std::string> thumbnails;
  std::size_t skipped = 0;         ///< Files that could not be read.
  std::size_t symbolic_links = 0;  ///< Symbolic links, which were left out.
  std::string folder;              ///< The folder that was searched.
  std::string model;               ///< Name of the model; empty if none was used.
  std::string cosine_stage;        ///< "on", or why it is off.
};

/// Returns the links within the chosen thresholds.
std::vector<Link> chosen_links(const DuplicatesReport& report);

/// Returns {"groups":[{"keep","photos":[…],"links":[…]}],…}: the groups at the chosen thresholds, with a link
/// from the kept photograph to each other one.
std::string groups_json(const DuplicatesReport& report);

/// Returns a self-contained HTML page.
///
/// The page shows groups with thumbnails and scores, sliders for the thresholds, and a shell script that
/// removes the selected files, each only if that file and the kept file still have the hashes of the report.
/// The page itself deletes nothing.
std::string report_page(const DuplicatesReport& report);

}  // namespace infer::inline v0::tools
