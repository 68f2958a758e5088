#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "grouping.h"

namespace infer::cli {

/// Everything a report says.
struct DuplicatesReport {
  std::vector<Photo> photos;  ///< By preference.
  std::vector<Link> links;    ///< Within `loosest`, so that the page can be moved both ways.
  Thresholds thresholds;      ///< The chosen ones.
  Thresholds loosest;
  std::vector<std::string> thumbnails;  ///< data: URIs by photo; empty for those without a link.
  std::size_t skipped = 0;
  std::size_t symbolic_links = 0;  ///< Left out: a link is no photograph of its own.
  std::string folder;
  std::string model;         ///< Empty where no model was asked.
  std::string cosine_stage;  ///< "on", or why it is off.
};

/// Links within the chosen thresholds.
std::vector<Link> chosen_links(const DuplicatesReport& report);

/// {"groups":[{"keep","photos":[…],"links":[…]}],…}: the groups, with a link from the kept photograph to each
/// other, at the chosen thresholds.
std::string groups_json(const DuplicatesReport& report);

/// One HTML page that needs nothing else: groups with thumbnails and scores, sliders for the thresholds, and
/// a shell script that removes what is ticked, each file only while the kept one and it still have their
/// hashes. The page and this program delete nothing.
std::string report_page(const DuplicatesReport& report);

}  // namespace infer::cli
