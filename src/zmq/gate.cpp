#include "gate.h"

#include "ballast/wire/codec.h"

namespace ballast::zmq {
namespace {

using Clock = std::chrono::steady_clock;
constexpr Clock::duration told_every = std::chrono::seconds(10);
constexpr std::size_t told_of_max = 64;

}  // namespace

void Gate::note_not_believed(const NodeId& node) {
  refused_for_trust_ = true;
  const Clock::time_point now = Clock::now();
  std::erase_if(told_, [&](const auto& one) { return now >= one.second + told_every; });
  if (told_.size() < told_of_max && told_.emplace(node, now).second) not_believed_.push_back(node);
}

std::optional<wire::Message> Gate::admit(std::string_view bytes, const NodeId* proven) {
  refused_for_trust_ = false;
  Result<wire::Message> message = wire::decode(bytes);
  if (!message) {
    ++counters_.undecodable;
    return std::nullopt;
  }
  const wire::Header& header = message->header;
  if (header.cluster != settings_.cluster) {
    ++counters_.wrong_cluster;
    return std::nullopt;
  }
  if (proven != nullptr && *proven != header.sender) {
    ++counters_.impostor;
    return std::nullopt;
  }
  if (wire::is_for_masters_only(message->body) && trust_ != nullptr &&
      !trust_->may_be_master(header.sender)) {
    ++counters_.not_master;
    if (proven != nullptr) note_not_believed(header.sender);
    return std::nullopt;
  }
  return std::move(message).value();
}

}  // namespace ballast::zmq
