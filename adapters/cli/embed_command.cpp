#include <unistd.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands.h"
#include "engine/json_writer.h"
#include "infer/tools/embed_folder.h"
#include "interrupt.h"
#include "open_embedder.h"
#include "printable.h"
#include "process.h"
#include "progress.h"

namespace infer::cli {
namespace {

struct Arguments {
  std::vector<std::string> paths;
  std::string model = "models/clip-vit-b-32";
  std::string device = "cpu";
  std::string out;
  std::string shard = "1/1";
  bool recursive = false;
  bool resume = false;
  bool force = false;
  bool json = false;
};

int report(const Arguments& arguments, const tools::EmbedFolderReport& done, double seconds) {
  const double rate = seconds > 0 ? static_cast<double>(done.written) / seconds : 0;
  if (arguments.json) {
    JsonWriter json;
    json.begin_object().key("out").value(arguments.out).key("written").value(done.written);
    json.key("rows").value(done.rows).key("skipped").value(done.skipped);
    json.key("dropped").value(done.dropped).key("seconds").value(seconds);
    json.key("images_per_second").value(rate).key("interrupted").value(done.interrupted).end_object();
    std::cout << json.text() << '\n';
  } else {
    std::cout << printable(arguments.out) << ": " << counted(done.written, "image", "images") << " in "
              << clock_text(seconds);
    if (done.rows > done.written)
      std::cout << ", " << counted(done.rows, "row", "rows") << " with those of earlier runs";
    if (done.dropped > 0) {
      std::cout << "; dropped "
                << counted(done.dropped, "row of a changed or deleted file",
                           "rows of changed or deleted files");
    }
    if (done.skipped > 0) std::cout << "; " << grouped(done.skipped) << " skipped";
    std::cout << '\n';
  }
  if (done.interrupted) {
    std::cerr << "infer embed: stopped; the written rows are complete, and --resume continues the run\n";
    return Interrupt::kExitCode;
  }
  return done.skipped > 0 ? kSomeSkipped : 0;
}

int run(const Arguments& arguments) {
  const auto give_up = [](const Error& error) {
    std::cerr << "infer embed: " << printable(error.message) << '\n';
    return 1;
  };
  auto shard = tools::Shard::parse(arguments.shard);
  if (!shard) return give_up(shard.error());
  const Interrupt interrupt;
  auto embedder = open_embedder(arguments.model, arguments.device, folder_limits());
  if (!embedder) return give_up(embedder.error());
  if (interrupt.requested()) {
    std::cerr << "infer embed: stopped; nothing was written\n";
    return Interrupt::kExitCode;
  }
  using tools::ExistingOutput;
  const tools::EmbedFolderOptions options{
      .paths = arguments.paths,
      .recursive = arguments.recursive,
      .shard = *shard,
      .out = arguments.out,
      .existing = arguments.resume  ? ExistingOutput::kResume
                  : arguments.force ? ExistingOutput::kReplace
                                    : ExistingOutput::kRefuse,
      .count_first = isatty(STDERR_FILENO) == 1,
  };
  std::optional<Progress> progress;
  const tools::EmbedFolderEvents events{
      .begins = [&](std::optional<std::size_t> total) { progress.emplace("images", total); },
      .skipped =
          [&](const std::string& path, const std::string& why) {
            progress->clear();
            std::cerr << printable(path) << ": " << printable(why) << '\n';
          },
      .progress = [&](std::size_t written, std::size_t skipped) { progress->update(written, skipped); },
  };
  const auto done = tools::embed_folder(*embedder, options, events, interrupt.token());
  if (progress) progress->clear();
  if (!done) return give_up(done.error());
  if (done->keeps_missing) {
    std::cerr
        << "infer embed: " << printable(arguments.out)
        << " keeps the rows of files that could not be found, and its new rows are at the end; run with "
           "--resume again once the files are available\n";
  }
  if (done->written + done->skipped + done->rows + done->dropped == 0 && !done->interrupted) {
    std::cerr << "infer embed: found no JPEG or PNG file"
              << (arguments.recursive ? "" : "; --recursive also searches the folders inside folders")
              << '\n';
    return 1;
  }
  return report(arguments, *done, progress->seconds());
}

}  // namespace

void add_embed_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* embed =
      app.add_subcommand("embed", "Turn photographs into vectors: single files, or folders of any size.");
  embed->add_option("paths", arguments->paths, "JPEG and PNG files, and folders of such files.")->required();
  embed->add_option("-o,--out", arguments->out, "File to write; the name ends in .npy, .jsonl or .csv.")
      ->required()
      ->type_name("FILE");
  embed->add_option("--model", arguments->model, "Model folder.")
      ->type_name("DIR")
      ->capture_default_str()
      ->envname("INFER_MODEL");
  embed->add_option("--device", arguments->device, "Device that runs the model: cpu or cuda:N.")
      ->type_name("NAME")
      ->capture_default_str()
      ->envname("INFER_DEVICE");
  embed->add_flag("-r,--recursive", arguments->recursive, "Search the folders inside folders too.");
  embed
      ->add_option("--shard", arguments->shard,
                   "Embed only part I of N parts, such as 1/4. Run one process for each part.")
      ->type_name("I/N");
  CLI::Option* resume = embed->add_flag("--resume", arguments->resume,
                                        "Continue the output of an earlier run: embed new and changed files, "
                                        "and drop the rows of deleted files.");
  embed->add_flag("--force", arguments->force, "Replace the output if it exists.")->excludes(resume);
  embed->add_flag("--json", arguments->json, "Print the summary as JSON.");
  embed->footer(
      "The rows are sorted by file name. With .npy, FILE.npy.paths lists the paths, one JSON string on each "
      "line.\n"
      "FILE.state records the model and the files of the rows, so that --resume refuses another model and "
      "gives "
      "the same\n"
      "output as a run from the beginning.\n"
      "Exit code 3: some files were skipped; standard error names each of them.\n\n"
      "Examples:\n"
      "  infer embed photos -r -o vectors.npy\n"
      "  infer embed photos -r -o vectors.npy --resume\n"
      "  infer embed a.jpg b.png -o vectors.jsonl\n"
      "  for i in 1 2 3; do infer embed photos -r --shard $i/3 -o part$i.npy & done; wait");
  embed->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace infer::cli
