#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "commands.h"
#include "engine/json_writer.h"
#include "infer/engine/inspect.h"
#include "infer/engine/model.h"
#include "infer/models/clip_vit.h"
#include "infer/models/import.h"
#include "infer/models/quantize.h"
#include "infer/models/simulator.h"
#include "infer/tasks/task.h"
#include "model_argument.h"
#include "printable.h"
#include "process.h"

namespace infer::cli {
namespace {

void write_specs(JsonWriter& json, const std::vector<TensorSpec>& specs) {
  json.begin_array();
  for (const TensorSpec& spec : specs) {
    json.begin_object().key("name").value(spec.name).key("dtype").value(to_string(spec.dtype));
    json.key("shape").value(spec.any_rank ? "any" : spec.shape.text()).end_object();
  }
  json.end_array();
}

std::string inspection_json(const Manifest& manifest, const std::string& version,
                            const ModuleReport* module) {
  JsonWriter json;
  json.begin_object()
      .key("name")
      .value(manifest.name)
      .key("version")
      .value(version)
      .key("task")
      .value(manifest.task);
  json.key("backend").value(manifest.backend).key("precision").value(manifest.precision);
  json.key("weights").value(manifest.weights);
  write_specs(json.key("inputs"), manifest.inputs);
  write_specs(json.key("outputs"), manifest.outputs);
  if (module != nullptr) {
    json.key("forward").value(module->forward).key("methods").begin_array();
    for (const auto& name : module->methods) json.value(name);
    json.end_array().key("parameters").begin_object();
    for (const auto& [dtype, tensors] : module->parameters) {
      json.key(dtype)
          .begin_object()
          .key("tensors")
          .value(tensors.count)
          .key("elements")
          .value(tensors.elements);
      json.key("bytes").value(tensors.bytes).end_object();
    }
    json.end_object().key("ops").begin_object();
    for (const auto& [op, count] : module->ops) json.key(op).value(count);
    json.end_object().key("device_constants").begin_array();
    for (const auto& device : module->device_constants) json.value(device);
    json.end_array().key("mutable_buffers").begin_array();
    for (const auto& buffer : module->mutable_buffers) json.value(buffer);
    json.end_array();
  }
  return std::move(json.end_object()).text();
}

void print_inspection(const Manifest& manifest, const std::string& version, const ModuleReport* module) {
  std::cout << printable(manifest.name) << " version " << printable(version) << ": "
            << printable(manifest.task) << ", " << printable(manifest.backend) << ", "
            << printable(manifest.precision) << ", weights " << printable(manifest.weights) << '\n';
  const auto specs = [](const char* title, const std::vector<TensorSpec>& all) {
    for (const TensorSpec& spec : all) {
      std::cout << "  " << title << ' ' << printable(spec.name) << ' ' << to_string(spec.dtype) << ' '
                << (spec.any_rank ? "any shape" : spec.shape.text()) << '\n';
    }
  };
  specs("input ", manifest.inputs);
  specs("output", manifest.outputs);
  if (module == nullptr) return;
  std::cout << "  " << printable(module->forward) << '\n';
  for (const auto& [dtype, tensors] : module->parameters) {
    std::cout << "  " << printable(dtype) << ": " << tensors.elements << " in " << tensors.count
              << " tensors, " << (tensors.bytes >> 20) << " MiB\n";
  }
  for (const auto& [op, count] : module->ops) std::cout << "  " << printable(op) << " x " << count << '\n';
  for (const auto& device : module->device_constants)
    std::cout << "  device fixed in the code: " << printable(device) << '\n';
  for (const auto& buffer : module->mutable_buffers)
    std::cout << "  forward writes to: " << printable(buffer) << '\n';
}

int inspect(const std::string& directory, bool json) {
  const auto give_up = [](const Error& error) {
    std::cerr << "infer model inspect: " << printable(error.message) << '\n';
    return 1;
  };
  prepare_process(1);
  auto version = choose_version(directory);
  if (!version) return give_up(version.error());
  auto manifest = read_manifest(directory, *version);
  if (!manifest) return give_up(manifest.error());
  if (const auto task = find_task(*manifest, directory); !task) return give_up(task.error());
  std::optional<ModuleReport> module;
  if (manifest->backend == "torchscript") {
    auto report = inspect_torchscript(std::filesystem::path(directory) / *version / manifest->file);
    if (!report) return give_up(report.error());
    module = *std::move(report);
  }
  const ModuleReport* found = module ? &*module : nullptr;
  if (json) {
    std::cout << inspection_json(*manifest, *version, found) << '\n';
  } else {
    print_inspection(*manifest, *version, found);
  }
  return 0;
}

void add_import(CLI::App& model, Action& action) {
  struct Arguments {
    std::string source;
    ImportOptions options;
    std::string out;
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* import =
      model.add_subcommand("import", "Make a model from a checkpoint in Hugging Face's layout.");
  import
      ->add_option("source", arguments->source,
                   "Folder with config.json and safetensors files, or one safetensors file.")
      ->required();
  import
      ->add_option("--arch", arguments->options.architecture,
                   "Architecture: clip-vit, or bert (BERT, MiniLM, DistilBERT).")
      ->required()
      ->check(CLI::IsMember({"clip-vit", "bert"}));
  import->add_option("--out", arguments->out, "Folder to make, such as models/minilm.")
      ->required()
      ->type_name("DIR");
  import
      ->add_option(
          "--pooling", arguments->options.pooling,
          "How the vectors of a text's tokens become one vector. If not given: as the checkpoint says, "
          "else mean.")
      ->check(CLI::IsMember({"cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"}));
  import->add_option(
      "--max-tokens", arguments->options.max_tokens,
      "Maximum length of a text in tokens, if the checkpoint does not say it. Longer texts are cut.");
  import->add_flag("--json", arguments->json, "Print what was made as JSON.");
  import->footer("Example: infer model import all-MiniLM-L6-v2/ --arch bert --out models/minilm");
  import->callback([arguments, &action] {
    action = [arguments] {
      prepare_process(1);
      if (auto imported = import_model(arguments->source, arguments->options, arguments->out); !imported) {
        std::cerr << "infer model import: " << printable(imported.error().message) << '\n';
        return 1;
      }
      auto manifest = read_manifest(arguments->out);
      if (!manifest) {
        std::cerr << "infer model import: " << printable(manifest.error().message) << '\n';
        return 1;
      }
      if (arguments->json) {
        std::cout << inspection_json(*manifest, "1", nullptr) << '\n';
      } else {
        print_inspection(*manifest, "1", nullptr);
      }
      return 0;
    };
  });
}

void print_quantized(const QuantizeReport& report, const std::string& precision, const std::string& out) {
  std::cout << printable(out) << ": " << report.quantized << " linear layers in " << precision << ", file "
            << (report.bytes_before >> 20) << " -> " << (report.bytes_after >> 20) << " MiB; on "
            << report.samples << " samples, mean cosine " << report.mean_cosine << " (least "
            << report.least_cosine << ")\n";
  for (const std::string& layer : report.left_in_fp32)
    std::cout << "  left in fp32: " << printable(layer) << '\n';
}

void print_quantized_json(const QuantizeReport& report, const std::string& out) {
  JsonWriter json;
  json.begin_object().key("model").value(out).key("quantized").value(report.quantized);
  json.key("left_in_fp32").begin_array();
  for (const std::string& layer : report.left_in_fp32) json.value(layer);
  json.end_array().key("samples").value(report.samples).key("mean_cosine").value(report.mean_cosine);
  json.key("least_cosine").value(report.least_cosine).key("bytes_before").value(report.bytes_before);
  json.key("bytes_after").value(report.bytes_after).end_object();
  std::cout << json.text() << '\n';
}

void add_quantize(CLI::App& model, Action& action) {
  struct Arguments {
    std::string source;
    QuantizeOptions options;
    std::string out;
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* quantize = model.add_subcommand(
      "quantize", "Make a model of images or texts smaller and faster, in int8, bf16 or fp16.");
  add_model_argument(*quantize, arguments->source);
  quantize
      ->add_option(
          "--out", arguments->out,
          "Folder to make, such as models/minilm-int8. The folder of the model itself gets another version.")
      ->required()
      ->type_name("DIR");
  quantize->add_option("--precision", arguments->options.precision, "Precision of the linear layers.")
      ->check(CLI::IsMember({"int8", "bf16", "fp16"}))
      ->capture_default_str();
  quantize
      ->add_option("--samples", arguments->options.samples,
                   "Folder of photographs, or file of texts, on which to compare answers. If not given: "
                   "made-up inputs.")
      ->check(CLI::ExistingPath);
  quantize
      ->add_option("--min-cosine", arguments->options.least_cosine,
                   "Refuse the result if the cosine of any sample's two answers is smaller.")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  quantize->add_flag("--json", arguments->json, "Print the report as JSON.");
  quantize->footer(
      "Examples:\n"
      "  infer model quantize models/minilm --out models/minilm-int8\n"
      "  infer model quantize models/minilm --out models/minilm   # version 1-int8, for infer tune to "
      "compare");
  quantize->callback([arguments, &action] {
    require_model(arguments->source);
    action = [arguments] {
      prepare_process(1);
      auto report = quantize_model(arguments->source, arguments->options, arguments->out);
      if (!report) {
        std::cerr << "infer model quantize: " << printable(report.error().message) << '\n';
        return 1;
      }
      arguments->json ? print_quantized_json(*report, arguments->out)
                      : print_quantized(*report, arguments->options.precision, arguments->out);
      return 0;
    };
  });
}

}  // namespace

void add_model_command(CLI::App& app, Action& action) {
  CLI::App* model = app.add_subcommand("model", "Make models, and show what is in them.");
  model->require_subcommand(1);
  CLI::App* create =
      model->add_subcommand("create", "Make a model with random weights, to try the other commands.");
  struct Arguments {
    std::string architecture;
    std::uint64_t seed = 0;
    std::string out;
    SimulatorConfig simulator;
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  create->add_option("architecture", arguments->architecture, "Architecture of the model.")
      ->required()
      ->check(CLI::IsMember({"clip-vit-b-32", "simulator"}));
  create
      ->add_option("--seed", arguments->seed,
                   "Seed of the random weights: the same seed gives the same weights.")
      ->capture_default_str();
  create->add_option("--out", arguments->out, "Folder to make, such as models/clip-vit-b-32.")
      ->required()
      ->type_name("DIR");
  SimulatorConfig& simulator = arguments->simulator;
  for (const auto& [flag, target, help] :
       std::initializer_list<std::tuple<const char*, double*, const char*>>{
           {"--base-ms", &simulator.base_ms, "Simulator: CPU time of a forward, in milliseconds."},
           {"--per-sample-ms", &simulator.per_sample_ms,
            "Simulator: additional CPU time for each sample, in milliseconds."},
           {"--sigma", &simulator.sigma,
            "Simulator: spread of the CPU time (sigma of a log-normal distribution)."},
           {"--failure-rate", &simulator.failure_rate,
            "Simulator: share of forwards that fail, from 0 to 1."}})
    create->add_option(flag, *target, help)->capture_default_str();
  create->add_flag("--json", arguments->json, "Print what was made as JSON.");
  create->footer(
      "Examples:\n"
      "  infer model create clip-vit-b-32 --seed 1 --out models/clip-vit-b-32\n"
      "  infer model create simulator --base-ms 20 --out models/simulator");
  create->callback([arguments, &action] {
    action = [arguments] {
      const bool simulator = arguments->architecture == "simulator";
      arguments->simulator.seed = arguments->seed;
      auto created = simulator ? create_simulator(arguments->simulator, arguments->out)
                               : create_clip_vit({}, arguments->seed, arguments->out);
      if (!created) {
        std::cerr << "infer model create: " << printable(created.error().message) << '\n';
        return 1;
      }
      if (arguments->json) {
        JsonWriter json;
        json.begin_object()
            .key("model")
            .value(arguments->out)
            .key("architecture")
            .value(arguments->architecture);
        json.key("seed").value(arguments->seed);
        if (!simulator) json.key("weights").value("random");
        json.end_object();
        std::cout << json.text() << '\n';
        return 0;
      }
      if (simulator) {
        std::cout << printable(arguments->out) << ": simulator, " << arguments->simulator.base_ms
                  << " ms of CPU time a forward; serve it and POST /infer\n";
        return 0;
      }
      std::cout
          << printable(arguments->out) << ": CLIP ViT-B/32 image tower with random weights (seed "
          << arguments->seed
          << "). Its embeddings match only for identical images. Import a trained model for similarity.\n";
      return 0;
    };
  });

  add_import(*model, action);
  add_quantize(*model, action);

  auto directory = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  CLI::App* look = model->add_subcommand("inspect", "Show a model's signature, weights and operators.");
  add_model_argument(*look, *directory);
  look->add_flag("--json", *json, "Print the report as JSON.");
  look->footer("Example: infer model inspect models/clip-vit-b-32");
  look->callback([=, &action] {
    require_model(*directory);
    action = [=] { return inspect(*directory, *json); };
  });
}

}  // namespace infer::cli
