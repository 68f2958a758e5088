#include <unistd.h>

#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "folder/image_files.h"
#include "folder/ordered_pipeline.h"
#include "folder/photo_reader.h"
#include "folder/vector_file.h"
#include "infer/tasks/image_embedder.h"
#include "interrupt.h"
#include "json_writer.h"
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

struct Row {
  std::string path;
  Result<std::vector<float>> vector;
};

struct Counts {
  std::size_t written = 0;
  std::size_t skipped = 0;
};

int report(const Arguments& arguments, const Counts& counts, std::size_t rows, double seconds,
           bool interrupted) {
  const double rate = seconds > 0 ? static_cast<double>(counts.written) / seconds : 0;
  if (arguments.json) {
    adapter::JsonWriter json;
    json.begin_object().key("out").value(arguments.out).key("written").value(counts.written);
    json.key("rows").value(rows).key("skipped").value(counts.skipped).key("seconds").value(seconds);
    json.key("images_per_second").value(rate).key("interrupted").value(interrupted).end_object();
    std::cout << json.text() << '\n';
  } else {
    std::cout << printable(arguments.out) << ": " << grouped(counts.written) << " images in "
              << clock_text(seconds);
    if (rows > counts.written) std::cout << ", " << grouped(rows) << " rows with those of before";
    if (counts.skipped > 0) std::cout << "; " << grouped(counts.skipped) << " skipped";
    std::cout << '\n';
  }
  if (interrupted) {
    std::cerr << "infer embed: stopped; what was written is complete, --resume continues it\n";
    return Interrupt::kExitCode;
  }
  return counts.skipped > 0 ? kSomeSkipped : 0;
}

int run(const Arguments& arguments) {
  const auto give_up = [](const Error& error) {
    std::cerr << "infer embed: " << printable(error.message) << '\n';
    return 1;
  };
  auto shard = Shard::parse(arguments.shard);
  if (!shard) return give_up(shard.error());
  const Interrupt interrupt;
  auto embedder = open_embedder(arguments.model, arguments.device, folder_limits());
  if (!embedder) return give_up(embedder.error());
  auto out = VectorFile::open(arguments.out, embedder->dim(),
                              arguments.resume  ? VectorFile::Existing::kResume
                              : arguments.force ? VectorFile::Existing::kReplace
                                                : VectorFile::Existing::kRefuse);
  if (!out) return give_up(out.error());
  VectorFile& file = **out;
  const std::size_t rows_before = file.rows();

  // Counted first where somebody watches: walking a folder takes a moment, embedding it hours.
  std::optional<std::size_t> total;
  if (isatty(STDERR_FILENO) == 1) {
    ImageFiles walk(arguments.paths, arguments.recursive, *shard, [](const auto&, const auto&) {});
    total = 0;
    while (auto path = walk.next()) *total += file.contains(*path) ? 0 : 1;
  }
  Progress progress("images", total);
  Counts counts;
  std::mutex message;
  const auto skip = [&](const std::string& path, const std::string& why) {
    const std::lock_guard lock(message);
    progress.clear();
    std::cerr << printable(path) << ": " << printable(why) << '\n';
    ++counts.skipped;
  };
  ImageFiles files(arguments.paths, arguments.recursive, *shard, skip);
  OrderedPipeline<Row> pipeline(embedder->engine().options().threads.usable_cores,
                                folder_window(embedder->engine()));
  std::stop_source broken;  // the output cannot be written any more
  const std::stop_callback stop(interrupt.token(), [&] { broken.request_stop(); });
  std::optional<Error> failure;
  pipeline.run(
      [&]() -> std::optional<std::string> {
        while (auto path = files.next()) {
          if (!file.contains(*path)) return path;
        }
        return std::nullopt;
      },
      [&](std::size_t index, const std::string& path, auto& results) {
        auto bytes = read_photo(path);
        Result<void> started;
        if (bytes) {
          started =
              embedder->embed_async(*bytes, {}, [&results, index, path](Result<std::vector<float>>&& vector) {
                results.finish(index, Row{path, std::move(vector)});
              });
        } else {
          started = Unexpected(bytes.error());
        }
        if (!started) results.finish(index, Row{path, Unexpected(started.error())});
      },
      [&](Row&& row) {
        if (failure) return;
        if (!row.vector) {
          skip(row.path, row.vector.error().message);
        } else if (auto appended = file.append(row.path, *row.vector); !appended) {
          failure = appended.error();
          broken.request_stop();
        } else {
          ++counts.written;
        }
        const std::lock_guard lock(message);
        progress.update(counts.written, counts.skipped);
      },
      broken.get_token());
  progress.clear();
  if (failure) return give_up(*failure);
  if (counts.written + counts.skipped + rows_before == 0 && !interrupt.requested()) {
    std::cerr << "infer embed: found no .jpg, .jpeg or .png"
              << (arguments.recursive ? "" : "; --recursive looks into folders too") << '\n';
    return 1;
  }
  return report(arguments, counts, file.rows(), progress.seconds(), interrupt.requested());
}

}  // namespace

void add_embed_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* embed =
      app.add_subcommand("embed", "Turn photographs into vectors, a file or a folder of any size");
  embed->add_option("paths", arguments->paths, "JPEG and PNG files, and folders of them")->required();
  embed->add_option("-o,--out", arguments->out, "Output: .npy, .jsonl or .csv")
      ->required()
      ->type_name("FILE");
  embed->add_option("--model", arguments->model, "Model folder")
      ->capture_default_str()
      ->envname("INFER_MODEL");
  embed->add_option("--device", arguments->device, "cpu or cuda:N")
      ->capture_default_str()
      ->envname("INFER_DEVICE");
  embed->add_flag("-r,--recursive", arguments->recursive, "Folders below folders too");
  embed
      ->add_option("--shard", arguments->shard,
                   "Take the I-th of N parts, e.g. 1/4; run one process for each")
      ->type_name("I/N");
  CLI::Option* resume =
      embed->add_flag("--resume", arguments->resume, "Continue the output of a run that ended early");
  embed->add_flag("--force", arguments->force, "Replace the output if it exists")->excludes(resume);
  embed->add_flag("--json", arguments->json, "Print the summary as JSON");
  embed->footer(
      "Rows are in the order of the names. With .npy the paths are in FILE.npy.paths, a JSON string a line.\n"
      "Exit code: 0 all done, 3 done but some files were skipped (each is named on standard error), 130 "
      "stopped\n"
      "by Ctrl-C, 1 nothing could be done, 2 wrong usage.\n\n"
      "Examples:\n"
      "  infer embed photos -r -o vectors.npy\n"
      "  infer embed photos -r -o vectors.npy --resume\n"
      "  infer embed a.jpg b.png -o vectors.jsonl\n"
      "  for i in 1 2 3; do infer embed photos -r --shard $i/3 -o part$i.npy & done; wait");
  embed->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace infer::cli
