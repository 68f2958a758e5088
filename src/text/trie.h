#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace infer::inline v0 {

/// Finds the longest key that a text begins with. A double array: the child of node s by byte b is
/// base[s] + b if check there says s (Aoe, 1989, "An Efficient Digital Search Algorithm by Using a
/// Double-Array Structure"). One or two cache lines a byte, no hashing.
class Trie {
 public:
  Trie() : cells_(1) {}
  explicit Trie(const std::map<std::string, std::int32_t>& keys) : cells_(1) {
    std::vector<Key> sorted;
    for (const auto& [key, value] : keys) {
      if (!key.empty()) sorted.push_back({key, value});
    }
    if (!sorted.empty()) place(0, sorted.data(), sorted.data() + sorted.size(), 0);
  }

  struct Match {
    std::int32_t value = -1;  ///< Of the key; -1: no key fits.
    std::size_t length = 0;
  };
  Match longest(std::string_view text) const noexcept {
    Match match;
    std::int32_t node = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::int32_t next =
          cells_[static_cast<std::size_t>(node)].base + static_cast<unsigned char>(text[i]);
      if (static_cast<std::size_t>(next) >= cells_.size() ||
          cells_[static_cast<std::size_t>(next)].check != node)
        break;
      node = next;
      const std::int32_t value = cells_[static_cast<std::size_t>(node)].value;
      if (value >= 0) match = {value, i + 1};
    }
    return match;
  }

 private:
  struct Cell {
    std::int32_t base = 0;
    std::int32_t check = -1;
    std::int32_t value = -1;
  };
  struct Key {
    std::string_view text;
    std::int32_t value;
  };

  /// Places the children of `node`, whose keys [begin, end) agree in their first `depth` bytes.
  void place(std::int32_t node, const Key* begin, const Key* end, std::size_t depth) {
    if (begin->text.size() == depth) {
      cells_[static_cast<std::size_t>(node)].value = begin->value;
      if (++begin == end) return;
    }
    std::vector<const Key*> starts;  // of each child's keys
    for (const Key* key = begin; key != end; ++key) {
      if (key == begin || key->text[depth] != key[-1].text[depth]) starts.push_back(key);
    }
    const std::int32_t base = free_base(starts, depth);
    cells_[static_cast<std::size_t>(node)].base = base;
    for (const Key* child : starts) cells_[cell(base, child, depth)].check = node;
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const auto index = static_cast<std::int32_t>(cell(base, starts[i], depth));
      place(index, starts[i], i + 1 < starts.size() ? starts[i + 1] : end, depth + 1);
    }
  }

  static std::size_t cell(std::int32_t base, const Key* key, std::size_t depth) {
    return static_cast<std::size_t>(base) + static_cast<unsigned char>(key->text[depth]);
  }

  /// The first place where all children find a free cell. Cells fill from the front, so the search begins
  /// where the last one that found much occupied ended.
  std::int32_t free_base(const std::vector<const Key*>& children, std::size_t depth) {
    std::size_t tried = 0;
    for (std::int32_t base = search_from_;; ++base) {
      const std::size_t needed = static_cast<std::size_t>(base) + 256;
      if (cells_.size() < needed) cells_.resize(needed + needed / 2);
      bool free = true;
      for (const Key* child : children) free = free && cells_[cell(base, child, depth)].check < 0;
      if (free) {
        if (tried > 64) search_from_ = base;
        return base;
      }
      ++tried;
    }
  }

  std::vector<Cell> cells_;
  std::int32_t search_from_ = 1;
};

}  // namespace infer::inline v0
