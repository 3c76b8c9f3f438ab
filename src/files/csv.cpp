#include "csv.h"

#include <charconv>

#include "ballast/base/ids.h"
#include "json_text.h"

namespace ballast::files {
namespace {

void split(std::string_view line, std::vector<std::string_view>& cells) {
  cells.clear();
  while (true) {
    const std::size_t comma = line.find(',');
    cells.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return;
    line.remove_prefix(comma + 1);
  }
}

}  // namespace

bool Csv::next_line(std::string_view& line) {
  while (at_ < text_.size()) {
    std::size_t end = text_.find('\n', at_);
    if (end == std::string::npos) end = text_.size();
    line = std::string_view(text_).substr(at_, end - at_);
    at_ = end + 1;
    ++line_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) return true;
  }
  return false;
}

Status Csv::open() {
  if (text_.starts_with("\xEF\xBB\xBF"))
    return Error{name_ + ":1: found a byte order mark, expected plain UTF-8 without one"};
  std::string_view line;
  if (!next_line(line)) return Error{name_ + ": is empty, expected a header line"};
  split(line, header_);
  return {};
}

bool Csv::next() {
  std::string_view line;
  if (!status_ || !next_line(line)) return false;
  split(line, cells_);
  if (cells_.size() != header_.size())
    return wrong_row("found " + std::to_string(cells_.size()) + " columns, expected " +
                     std::to_string(header_.size()) + " as in the header");
  return true;
}

bool Csv::number(std::size_t column, const Range& range, double& out) {
  const std::string_view cell = cells_[column];
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  const bool read = error == std::errc() && end == cell.data() + cell.size();
  // False for NaN too, which from_chars reads.
  const bool fits =
      (range.above_low ? value > range.low : value >= range.low) && value <= range.high;
  if (read && fits) {
    out = value;
    return true;
  }
  std::string expected = range.above_low ? "a number above " : "a number from ";
  expected += shown(range.low) + (range.above_low ? ", at most " : " to ") + shown(range.high);
  if (!range.unit.empty()) expected += " (" + std::string(range.unit) + ")";
  return wrong(column, expected);
}

bool Csv::wrong(std::size_t column, const std::string& expected) {
  return wrong_row("column " + std::to_string(column + 1) + " (" +
                   cleaned_text(header_[column], 32) + "): found " +
                   (cells_[column].empty() ? "nothing" : quoted(cells_[column])) + ", expected " +
                   expected);
}

bool Csv::wrong_row(const std::string& message) {
  status_ = Error{name_ + ":" + std::to_string(line_) + ": " + message};
  return false;
}

}  // namespace ballast::files
