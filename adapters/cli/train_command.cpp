#include <array>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include "commands.h"
#include "engine/json_writer.h"
#include "infer/models/train_forecast.h"
#include "infer/models/train_text.h"
#include "printable.h"
#include "process.h"

namespace infer::cli {
namespace {

void print_progress(const std::string& line) { std::cerr << printable(line) << '\n'; }

// --- text

void print_report(const TextReport& report, const std::string& out) {
  std::array<char, 200> line{};
  std::snprintf(
      line.data(), line.size(),
      ": trained on %zu rows; on %zu held out: accuracy %.3f, log loss %.3f, calibration error %.3f\n",
      report.trained, report.held_out, report.accuracy, report.log_loss, report.calibration_error);
  std::cout << printable(out) << line.data() << "rows: true label; columns: predicted label\n";
  for (std::size_t i = 0; i < report.labels.size(); ++i) {
    std::cout << "  " << printable_column(report.labels[i], 20);
    for (const std::size_t count : report.confusion[i]) {
      std::snprintf(line.data(), line.size(), " %6zu", count);
      std::cout << line.data();
    }
    std::cout << '\n';
  }
}

void print_json(const TextReport& report, const std::string& out) {
  JsonWriter json;
  json.begin_object().key("model").value(out).key("trained").value(report.trained);
  json.key("held_out").value(report.held_out).key("accuracy").value(report.accuracy);
  json.key("log_loss").value(report.log_loss).key("calibration_error").value(report.calibration_error);
  json.key("regularisation").value(report.regularisation).key("temperature").value(report.temperature);
  json.key("labels").begin_array();
  for (const auto& label : report.labels) json.value(label);
  json.end_array().key("confusion").begin_array();
  for (const auto& row : report.confusion) {
    json.begin_array();
    for (const std::size_t count : row) json.value(count);
    json.end_array();
  }
  json.end_array().end_object();
  std::cout << json.text() << '\n';
}

void add_text(CLI::App& train, Action& action) {
  struct Arguments {
    TrainTextOptions options;
    std::string out;
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* text =
      train.add_subcommand("text", "Train a text classifier on the vectors of a sentence embedder.");
  text->add_option("--base", arguments->options.base, "Model folder of a sentence embedder.")
      ->required()
      ->type_name("DIR");
  text->add_option("--data", arguments->options.data, "CSV file with a header line.")
      ->required()
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  text->add_option("--out", arguments->out, "Folder to make, such as models/sentiment.")
      ->required()
      ->type_name("DIR");
  text->add_option("--text", arguments->options.text_column, "Name of the column of texts.")
      ->capture_default_str();
  text->add_option("--label", arguments->options.label_column, "Name of the column of labels.")
      ->capture_default_str();
  text->add_option("--held-out", arguments->options.held_out,
                   "Share of the rows that are kept to measure the classifier, from 0.01 to 0.9.")
      ->check(CLI::Range(0.01, 0.9))
      ->capture_default_str();
  text->add_option("--seed", arguments->options.seed, "Seed of the random split of the rows.")
      ->capture_default_str();
  text->add_flag("--json", arguments->json, "Print the report as JSON.");
  text->footer("Example: infer train text --base models/minilm --data reviews.csv --out models/sentiment");
  text->callback([arguments, &action] {
    action = [arguments] {
      prepare_process(1);
      if (!arguments->json) arguments->options.progress = print_progress;
      auto report = train_text(arguments->options, arguments->out);
      if (!report) {
        std::cerr << "infer train text: " << printable(report.error().message) << '\n';
        return 1;
      }
      if (arguments->json) {
        print_json(*report, arguments->out);
      } else {
        print_report(*report, arguments->out);
      }
      return 0;
    };
  });
}

// --- forecast

void print_leaderboard(const std::vector<LeaderboardRow>& rows) {
  std::array<char, 200> line{};
  std::cout << "version                        MAE         RMSE      MASE   80 % interval coverage\n";
  for (const LeaderboardRow& row : rows) {
    std::snprintf(line.data(), line.size(), " %11.5g  %11.5g  %8.4f", row.mae, row.rmse, row.mase);
    std::cout << printable_column(row.version, 22) << line.data();
    if (row.coverage) {
      std::snprintf(line.data(), line.size(), "   %5.1f %%", *row.coverage * 100);
      std::cout << line.data();
    }
    std::cout << '\n';
  }
}

void print_json(const std::vector<LeaderboardRow>& rows) {
  JsonWriter json;
  json.begin_array();
  for (const LeaderboardRow& row : rows) {
    json.begin_object().key("version").value(row.version).key("model").value(row.model);
    json.key("mae").value(row.mae).key("rmse").value(row.rmse).key("mase").value(row.mase).key("coverage");
    if (row.coverage) {
      json.value(*row.coverage);
    } else {
      json.null();
    }
    json.end_object();
  }
  json.end_array();
  std::cout << json.text() << '\n';
}

void add_forecast(CLI::App& train, Action& action) {
  struct Arguments {
    TrainForecastOptions options;
    std::string model = "all";
    std::string out;
    bool promote = false;
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  TrainForecastOptions& options = arguments->options;
  CLI::App* forecast =
      train.add_subcommand("forecast", "Train forecasters on a time series, and compare them.");
  forecast->add_option("--data", options.data, "CSV file with a header line.")
      ->required()
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  forecast->add_option("--target", options.columns.targets, "Names of the columns to forecast.")
      ->required()
      ->delimiter(',')
      ->type_name("NAME,…");
  forecast
      ->add_option("--features", options.columns.features,
                   "Names of further columns that the models may use.")
      ->delimiter(',')
      ->type_name("NAME,…");
  forecast->add_option("--time", options.columns.time,
                       "Name of the column of times. If not given: rows are numbered.");
  forecast->add_option("--history", options.history, "Number of rows that a model looks back on.")
      ->capture_default_str();
  forecast->add_option("--horizon", options.horizon, "Number of rows that a model forecasts at a time.")
      ->capture_default_str();
  forecast
      ->add_option("--season", options.season,
                   "Number of rows after which the series repeats. 0: from the time between two rows.")
      ->capture_default_str();
  std::vector<std::string> models = forecast_models();
  models.emplace_back("all");
  forecast->add_option("--kind", arguments->model, "Kind of forecaster to train.")
      ->check(CLI::IsMember(models))
      ->capture_default_str();
  forecast->add_option("--model", arguments->model)->check(CLI::IsMember(models))->group("");  // former name
  forecast->add_option("--out", arguments->out, "Model folder to make, or to add versions to.")
      ->required()
      ->type_name("DIR");
  forecast
      ->add_option("--seed", options.seed,
                   "Seed of the training: the same seed gives the same models, up to rounding.")
      ->capture_default_str();
  forecast->add_flag("--join", options.join,
                     "Add to the newest run of the folder instead of beginning a new run.");
  forecast->add_flag("--promote", arguments->promote, "Promote the best version, as infer promote does.");
  forecast->add_flag("--json", arguments->json, "Print the leaderboard as JSON.");
  forecast->footer(
      "Examples:\n"
      "  infer train forecast --data co2.csv --target co2 --time date --history 52 --out models/co2\n"
      "To train several kinds in parallel, begin the run with one kind and join the others:\n"
      "  infer train forecast --data co2.csv --target co2 --out models/co2 --kind naive\n"
      "  for m in gru lstm prophet; do\n"
      "    infer train forecast --data co2.csv --target co2 --out models/co2 --kind $m --join & done; wait");
  forecast->callback([arguments, &action] {
    action = [arguments] {
      prepare_process(1);
      if (arguments->model != "all") arguments->options.models = {arguments->model};
      if (!arguments->json) arguments->options.progress = print_progress;
      arguments->options.notice = print_progress;
      const auto give_up = [](const Error& error) {
        std::cerr << "infer train forecast: " << printable(error.message) << '\n';
        return 1;
      };
      auto rows = train_forecast(arguments->options, arguments->out);
      if (!rows) return give_up(rows.error());
      if (arguments->json) {
        print_json(*rows);
      } else {
        print_leaderboard(*rows);
      }
      if (arguments->promote) {
        if (auto promoted = promote(arguments->out, rows->front().version); !promoted)
          return give_up(promoted.error());
      }
      return 0;
    };
  });
}

}  // namespace

void add_train_command(CLI::App& app, Action& action) {
  CLI::App* train = app.add_subcommand("train", "Train text classifiers and forecasters.");
  train->require_subcommand(1);
  add_text(*train, action);
  add_forecast(*train, action);
}

void add_promote_command(CLI::App& app, Action& action) {
  auto directory = std::make_shared<std::string>();
  auto version = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("promote", "Choose the version of a model that servers use.");
  command->add_option("model", *directory, "Model folder.")
      ->required()
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR");
  command->add_option("version", *version, "Version to use. If not given: the first of the leaderboard.");
  command->footer(
      "A running server switches within one or two seconds, after it has loaded and checked the version.\n"
      "Example: infer promote models/co2 3-gru");
  command->callback([=, &action] {
    action = [=] {
      const auto give_up = [](const Error& error) {
        std::cerr << "infer promote: " << printable(error.message) << '\n';
        return 1;
      };
      std::string chosen = *version;
      if (chosen.empty()) {
        auto rows = read_leaderboard(*directory);
        if (!rows) return give_up(rows.error());
        if (rows->empty())
          return give_up({ErrorCode::kNotFound, *directory + ": the leaderboard is empty", {}});
        chosen = rows->front().version;
      }
      if (auto promoted = promote(*directory, chosen); !promoted) return give_up(promoted.error());
      std::cout << printable(*directory) << ": version " << printable(chosen) << " is promoted\n";
      return 0;
    };
  });
}

}  // namespace infer::cli
