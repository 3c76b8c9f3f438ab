#include "record.h"

#include <arpa/inet.h>

#include <charconv>
#include <cmath>

#include "ballast/base/ids.h"
#include "ballast/base/limits.h"

namespace ballast::simulated {
namespace {

bool is_plain(char c) { return c > ' ' && c < 0x7f && c != '%'; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_field(std::string& line, std::string_view field) {
  static constexpr char digits[] = "0123456789ABCDEF";
  if (field.empty()) line += "%";  // a lone % stands for nothing
  for (const char c : field) {
    if (is_plain(c)) {
      line += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    line += '%';
    line += digits[byte >> 4U];
    line += digits[byte & 15U];
  }
}

std::optional<std::string> field_from(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text == "%") return std::string();
  std::string field;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_plain(text[i])) {
      field += text[i];
      continue;
    }
    if (text[i] != '%' || i + 2 >= text.size()) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    field += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return field;
}

}  // namespace

std::string to_line(const Record& record) {
  std::string line;
  for (const std::string& field : record) {
    if (!line.empty()) line += ' ';
    append_field(line, field);
  }
  return line;
}

std::optional<Record> from_line(std::string_view line) {
  if (line.size() > record_bytes_max) return std::nullopt;
  Record record;
  while (true) {
    const std::size_t blank = line.find(' ');
    std::optional<std::string> field = field_from(line.substr(0, blank));
    if (!field || record.size() == fields_max) return std::nullopt;
    record.push_back(std::move(*field));
    if (blank == std::string_view::npos) return record;
    line.remove_prefix(blank + 1);
  }
}

std::optional<double> number_from(std::string_view text, double max) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(value) || value < 0 || value > max) return std::nullopt;
  return value;
}

bool equal_secrets(std::string_view a, std::string_view b) {
  unsigned char difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference = static_cast<unsigned char>(difference | (a[i] ^ b[b.empty() ? 0 : i % b.size()]));
  return difference == 0;
}

std::optional<Peer> peer_from(const Record& record, std::size_t first) {
  if (record.size() < first + 3) return std::nullopt;
  const std::string& outlives = record[first + 2];
  if (outlives != "0" && outlives != "1") return std::nullopt;
  if (!address_from_uri(record[first]) || !is_valid_id(record[first + 1])) return std::nullopt;
  return Peer{record[first], record[first + 1], outlives == "1"};
}

void append(Record& record, const Peer& peer) {
  record.push_back(peer.uri);
  record.push_back(peer.host);
  record.push_back(peer.outlives_process ? "1" : "0");
}

std::string to_text(const Peer& peer) {
  Record record;
  append(record, peer);
  return to_line(record);
}

std::optional<Peer> peer_from_text(std::string_view text) {
  const std::optional<Record> record = from_line(text);
  if (!record || record->size() != 3) return std::nullopt;
  return peer_from(*record, 0);
}

std::optional<LoopbackAddress> address_from_uri(std::string_view uri) {
  constexpr std::string_view scheme = "sim://";
  if (!uri.starts_with(scheme)) return std::nullopt;
  std::optional<LoopbackAddress> address = address_from(uri.substr(scheme.size()));
  if (address && address->port == 0) return std::nullopt;
  return address;
}

std::optional<LoopbackAddress> address_from(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.size() > limits::endpoint_bytes_max)
    return std::nullopt;
  LoopbackAddress address{std::string(text.substr(0, colon)), 0};
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc{} || end != port.data() + port.size()) return std::nullopt;
  if (address.port < 0 || address.port > 65535) return std::nullopt;
  in_addr parsed{};
  if (inet_pton(AF_INET, address.ip.c_str(), &parsed) != 1) return std::nullopt;
  if ((ntohl(parsed.s_addr) >> 24U) != 127) return std::nullopt;
  return address;
}

}  // namespace ballast::simulated
