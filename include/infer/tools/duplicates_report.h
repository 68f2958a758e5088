#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "infer/tools/duplicates.h"

namespace infer::inline v0::tools {

/// Everything that a report of duplicates says.
struct DuplicatesReport {
  std::vector<Photo> photos;  ///< By preference.
  std::vector<Link> links;    ///< Within `loosest`, so that the page can move the thresholds both ways.
  Thresholds thresholds;      ///< The chosen thresholds.
  Thresholds loosest;         ///< The loosest thresholds that the page offers.
  /// By photo, a data: URI of a small picture for the page; empty for those without a link.
  std::vector<std::string> thumbnails;
  std::size_t skipped = 0;         ///< Files that could not be read.
  std::size_t symbolic_links = 0;  ///< Left out: a link is no photograph of its own.
  std::string folder;              ///< The folder that was searched.
  std::string model;               ///< Empty if no model was asked.
  std::string cosine_stage;        ///< "on", or why it is off.
};

/// Returns the links within the chosen thresholds.
std::vector<Link> chosen_links(const DuplicatesReport& report);

/// Returns {"groups":[{"keep","photos":[…],"links":[…]}],…}: the groups at the chosen thresholds, with a link
/// from the kept photograph to each other one.
std::string groups_json(const DuplicatesReport& report);

/// Returns one HTML page that needs nothing else.
///
/// The page shows groups with thumbnails and scores, sliders for the thresholds, and a shell script that
/// removes what is ticked, each file only while it and the kept one still have their hashes. The page itself
/// deletes nothing.
std::string report_page(const DuplicatesReport& report);

}  // namespace infer::inline v0::tools
