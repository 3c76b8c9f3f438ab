// CSV as traces use it: commas, one header line, no quotes. Strict: every row has as many cells as
// the header, and an error tells line and column.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "ballast/base/result.h"

namespace ballast::files {

class Csv {
 public:
  // `name` is what errors call the file.
  Csv(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {}
  Csv(const Csv&) = delete;
  Csv& operator=(const Csv&) = delete;

  // Reads the header. Must be called first, once.
  Status open();
  const std::vector<std::string_view>& header() const { return header_; }

  // Moves to the next row that is not empty; false at the end or on an error.
  bool next();
  // What ended next(), if it was an error.
  const Status& status() const { return status_; }

  // The cells of the row at hand; valid until next().
  const std::vector<std::string_view>& cells() const { return cells_; }

  // The number in a cell, from `low` (itself only unless `above_low`) to `high`; false, after
  // wrong(), for anything else.
  struct Range {
    double low = 0;
    double high = 0;
    bool above_low = false;
    std::string_view unit = {};
  };
  bool number(std::size_t column, const Range& range, double& out);

  // Ends the reading with "name:line: column 3 (memory): found ..., expected ...". Gives false.
  bool wrong(std::size_t column, const std::string& expected);
  // The same for the row as a whole: "name:line: message".
  bool wrong_row(const std::string& message);

 private:
  bool next_line(std::string_view& line);

  std::string name_;
  std::string text_;
  std::size_t at_ = 0;
  std::size_t line_ = 0;
  std::vector<std::string_view> header_;
  std::vector<std::string_view> cells_;
  Status status_;
};

}  // namespace ballast::files
