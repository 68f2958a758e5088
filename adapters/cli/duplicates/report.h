#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "grouping.h"

namespace infer::cli {

/// Everything a report says.
struct DuplicatesReport {
  std::vector<Photo> photos;
  std::vector<Link> links;  ///< Within `loosest`, so that the page can be moved both ways.
  Thresholds thresholds;    ///< The chosen ones.
  Thresholds loosest;
  std::vector<std::string> thumbnails;  ///< data: URIs by photo; empty for those without a link.
  std::size_t skipped = 0;
  std::string folder;
  std::string model;         ///< Empty where no model was asked.
  std::string cosine_stage;  ///< "on", or why it is off.
};

/// Links within the chosen thresholds.
std::vector<Link> chosen_links(const DuplicatesReport& report);

/// {"groups":[{"keep","photos":[…],"links":[…]}],…}: the groups at the chosen thresholds,
/// the photograph to keep first, with links from it to each of the others.
std::string groups_json(const DuplicatesReport& report);

/// One HTML page that needs nothing else: groups with thumbnails and scores, sliders for the thresholds, and
/// a shell script that removes what is ticked. The page and this program delete nothing.
std::string report_page(const DuplicatesReport& report);

}  // namespace infer::cli
