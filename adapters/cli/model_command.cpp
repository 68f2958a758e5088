#include <iostream>
#include <memory>
#include <string>

#include "commands.h"
#include "infer/models/clip_vit.h"

namespace infer::cli {

void add_model_command(CLI::App& app, Action& action) {
  CLI::App* model = app.add_subcommand("model", "Make models");
  model->require_subcommand(1);
  CLI::App* create = model->add_subcommand("create", "Make a model with random weights, to try things out");
  struct Arguments {
    std::string architecture;
    std::uint64_t seed = 0;
    std::string out;
  };
  auto arguments = std::make_shared<Arguments>();
  create->add_option("architecture", arguments->architecture, "What to make")
      ->required()
      ->check(CLI::IsMember({"clip-vit-b-32"}));
  create->add_option("--seed", arguments->seed, "The same seed gives the same weights")
      ->capture_default_str();
  create->add_option("--out", arguments->out, "Folder to make, e.g. models/clip-vit-b-32")->required();
  create->footer("Example: infer model create clip-vit-b-32 --seed 1 --out models/clip-vit-b-32");
  create->callback([arguments, &action] {
    action = [arguments] {
      auto created = create_clip_vit({}, arguments->seed, arguments->out);
      if (!created) {
        std::cerr << "infer model create: " << created.error().message << '\n';
        return 1;
      }
      std::cout << arguments->out << ": CLIP ViT-B/32 image tower with random weights (seed "
                << arguments->seed << "). Its embeddings tell identical images from others, no more.\n";
      return 0;
    };
  });
}

}  // namespace infer::cli
