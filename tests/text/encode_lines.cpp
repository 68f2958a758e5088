// Prints the token ids of each text: encode_lines VOCAB LOWERCASE MAX_TOKENS < texts, each ended by a NUL
// byte. With a number of rounds as fourth argument, prints seconds per round instead.
#include <chrono>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "infer/text/wordpiece.h"

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::filesystem::path vocab = argv[1];
  infer::TokenizerSpec spec;
  spec.vocab = vocab.filename().string();
  spec.lowercase = std::string(argv[2]) == "1";
  spec.max_tokens = std::stoul(argv[3]);
  const auto tokenizer = infer::WordPiece::open(vocab.parent_path(), spec);
  if (!tokenizer) {
    std::cerr << tokenizer.error().message << '\n';
    return 1;
  }
  std::ios::sync_with_stdio(false);
  const std::string input{std::istreambuf_iterator<char>(std::cin), {}};
  std::vector<std::string_view> texts;
  for (std::size_t at = 0; at < input.size();) {
    const std::size_t end = input.find('\0', at);
    texts.push_back(std::string_view(input).substr(at, end - at));
    at = end + 1;
  }
  if (argc > 4) {
    for (int round = 0; round < std::stoi(argv[4]); ++round) {
      const auto start = std::chrono::steady_clock::now();
      std::size_t tokens = 0;
      for (const auto text : texts) tokens += tokenizer->encode(text).ids.size();
      const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
      std::cout << time.count() << ' ' << tokens << '\n';
    }
    return 0;
  }
  for (const auto text : texts) {
    std::string line;
    for (const auto id : tokenizer->encode(text).ids) line += std::to_string(id) + ' ';
    std::cout << line << '\n';
  }
}
