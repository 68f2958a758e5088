#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

// Checkpoints made by the tests: a safetensors writer, and weights from the formula of
// tests/reference/make_reference.py.

namespace infer::inline v0::testing {

using NamedShapes = std::vector<std::pair<std::string, std::vector<std::int64_t>>>;

inline std::vector<float> formula_weights(const std::string& name, std::size_t count) {
  std::uint32_t hash = 2166136261U;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  const double shift = hash % 1000;
  std::string lower = name;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const bool norm = lower.find("norm") != std::string::npos || lower.find("layrnorm") != std::string::npos;
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i) {
    const double wave = std::sin(0.37 * static_cast<double>(i) + shift);
    values.push_back(static_cast<float>(norm && name.ends_with("weight") ? 1 + 0.1 * wave : 0.2 * wave));
  }
  return values;
}

inline void write_text(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

/// Returns a safetensors file of FP32 tensors with formula weights. The file's names omit the first
/// `prefix` characters.
inline std::string safetensors_bytes(const NamedShapes& tensors, std::size_t prefix = 0) {
  std::string header = "{";
  std::string data;
  for (const auto& [name, shape] : tensors) {
    std::size_t count = 1;
    std::string dims;
    for (const std::int64_t dim : shape) {
      count *= static_cast<std::size_t>(dim);
      dims += (dims.empty() ? "" : ",") + std::to_string(dim);
    }
    const auto values = formula_weights(name, count);
    header += (header.size() > 1 ? ",\"" : "\"") + name.substr(prefix) + R"(":{"dtype":"F32","shape":[)" +
              dims + R"(],"data_offsets":[)" + std::to_string(data.size()) + "," +
              std::to_string(data.size() + count * sizeof(float)) + "]}";
    data.append(reinterpret_cast<const char*>(values.data()), count * sizeof(float));
  }
  header += "}";
  const std::uint64_t size = header.size();
  std::string bytes(sizeof size, '\0');
  std::memcpy(bytes.data(), &size, sizeof size);
  return bytes + header + data;
}

/// 40 tokens: five special tokens, letters, and a few word pieces.
inline std::string small_vocabulary() {
  std::string text = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (char c = 'a'; c <= 'z'; ++c) text += std::string(1, c) + "\n";
  for (const char* piece : {"##a", "##b", "the", "good", "bad", ".", "##s", "!", "film"})
    text += std::string(piece) + "\n";
  return text;
}

/// Returns names and shapes of a BERT of 2 layers, width 32 and 4 heads, or of a DistilBERT if `distil`.
inline NamedShapes bert_shapes(const std::string& prefix, bool distil, std::int64_t labels) {
  NamedShapes out;
  const auto affine = [&](const std::string& name, std::int64_t rows, std::int64_t columns) {
    out.push_back({name + ".weight", {rows, columns}});
    out.push_back({name + ".bias", {rows}});
  };
  const auto norm = [&](const std::string& name) {
    out.push_back({name + ".weight", {32}});
    out.push_back({name + ".bias", {32}});
  };
  out.push_back({prefix + "embeddings.word_embeddings.weight", {40, 32}});
  out.push_back({prefix + "embeddings.position_embeddings.weight", {16, 32}});
  if (!distil) out.push_back({prefix + "embeddings.token_type_embeddings.weight", {2, 32}});
  norm(prefix + "embeddings.LayerNorm");
  for (int i = 0; i < 2; ++i) {
    const std::string layer =
        prefix + (distil ? "transformer.layer." : "encoder.layer.") + std::to_string(i) + ".";
    const std::vector<std::string> attention =
        distil ? std::vector<std::string>{"q_lin", "k_lin", "v_lin", "out_lin"}
               : std::vector<std::string>{"self.query", "self.key", "self.value", "output.dense"};
    for (const std::string& part : attention) affine(layer + "attention." + part, 32, 32);
    norm(layer + (distil ? "sa_layer_norm" : "attention.output.LayerNorm"));
    affine(layer + (distil ? "ffn.lin1" : "intermediate.dense"), 48, 32);
    affine(layer + (distil ? "ffn.lin2" : "output.dense"), 32, 48);
    norm(layer + (distil ? "output_layer_norm" : "output.LayerNorm"));
  }
  if (labels > 0) {
    affine(distil ? "pre_classifier" : prefix + "pooler.dense", 32, 32);
    affine("classifier", labels, 32);
  }
  return out;
}

inline NamedShapes clip_shapes() {
  NamedShapes out{{"vision_model.embeddings.class_embedding", {32}},
                  {"vision_model.embeddings.patch_embedding.weight", {32, 3, 8, 8}},
                  {"vision_model.embeddings.position_embedding.weight", {5, 32}},
                  {"visual_projection.weight", {12, 32}}};
  const auto affine = [&](const std::string& name, std::int64_t rows, std::int64_t columns) {
    out.push_back({name + ".weight", {rows, columns}});
    out.push_back({name + ".bias", {rows}});
  };
  const auto norm = [&](const std::string& name) {
    out.push_back({name + ".weight", {32}});
    out.push_back({name + ".bias", {32}});
  };
  norm("vision_model.pre_layrnorm");
  norm("vision_model.post_layernorm");
  for (int i = 0; i < 2; ++i) {
    const std::string layer = "vision_model.encoder.layers." + std::to_string(i) + ".";
    for (const char* part : {"q_proj", "k_proj", "v_proj", "out_proj"})
      affine(layer + "self_attn." + part, 32, 32);
    norm(layer + "layer_norm1");
    norm(layer + "layer_norm2");
    affine(layer + "mlp.fc1", 48, 32);
    affine(layer + "mlp.fc2", 32, 48);
  }
  return out;
}

inline std::string bert_config(bool distil) {
  return distil
             ? R"({"model_type":"distilbert","dim":32,"n_layers":2,"n_heads":4,"hidden_dim":48,"vocab_size":40,)"
               R"("max_position_embeddings":16,"activation":"gelu","id2label":{"0":"bad","1":"good"}})"
             : R"({"model_type":"bert","hidden_size":32,"num_hidden_layers":2,"num_attention_heads":4,)"
               R"("intermediate_size":48,"vocab_size":40,"max_position_embeddings":16,"layer_norm_eps":1e-12})";
}

/// A module of sentence-transformers that follows the encoder.
struct SentenceModule {
  std::string type;
  std::string path;
  std::string config;   ///< Empty: no config.json.
  NamedShapes tensors;  ///< Names begin with the path, which the file omits.
};

/// Adds modules.json and the modules to a checkpoint, like the save function of sentence-transformers.
inline void write_modules(const std::filesystem::path& folder, const std::vector<SentenceModule>& modules) {
  std::string list = R"([{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"})";
  for (std::size_t i = 0; i < modules.size(); ++i) {
    const SentenceModule& module = modules[i];
    const std::string number = std::to_string(i + 1);
    list += R"(,{"idx":)" + number + R"(,"name":")" + number + R"(","path":")" + module.path +
            R"(","type":"sentence_transformers.models.)" + module.type + "\"}";
    if (!module.config.empty()) write_text(folder / module.path / "config.json", module.config);
    if (!module.tensors.empty())
      write_text(folder / module.path / "model.safetensors",
                 safetensors_bytes(module.tensors, module.path.size() + 1));
  }
  write_text(folder / "modules.json", list + "]");
}

/// Writes a complete checkpoint: config.json, vocab.txt, model.safetensors.
inline void write_checkpoint(const std::filesystem::path& folder, const std::string& config,
                             const NamedShapes& tensors) {
  write_text(folder / "config.json", config);
  write_text(folder / "vocab.txt", small_vocabulary());
  write_text(folder / "model.safetensors", safetensors_bytes(tensors));
}

}  // namespace infer::inline v0::testing
