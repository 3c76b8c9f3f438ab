// Ids of hosts and VMs: short texts that came from outside once and were checked there. Types keep
// them apart, so that a VM's id is never taken for a host's.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace ballast {

template <class Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string text) : text_(std::move(text)) {}

  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }
  auto operator<=>(const Id&) const = default;

 private:
  std::string text_;
};

using HostId = Id<struct HostTag>;
using NodeId = HostId;  // one node runs on one host and carries its id
using VmId = Id<struct VmTag>;

// True for 1 to limits::id_bytes_max bytes of UTF-8 without control characters: what every door to
// the outside accepts as an id.
bool is_valid_id(std::string_view text);

// True for at most `bytes_max` bytes of UTF-8 without control characters: reasons and details that
// come over the network and end on an operator's terminal.
bool is_clean_text(std::string_view text, std::size_t bytes_max);

// The text made clean: cut between characters at `bytes_max`, '?' in place of what is not UTF-8 or
// is a control character.
std::string cleaned_text(std::string_view text, std::size_t bytes_max);

// For messages to people: the id in quotes, cut to a readable length, control bytes replaced.
std::string quoted(std::string_view text);
// For a string the overload above would lose to std::quoted, which argument-dependent lookup finds
// wherever <iomanip> is there.
inline std::string quoted(const std::string& text) { return quoted(std::string_view(text)); }
inline std::string quoted(const char* text) { return quoted(std::string_view(text)); }

}  // namespace ballast

template <class Tag>
struct std::hash<ballast::Id<Tag>> {
  std::size_t operator()(const ballast::Id<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.str());
  }
};
