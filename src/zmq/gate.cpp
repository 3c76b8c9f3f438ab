#include "gate.h"

#include "ballast/wire/codec.h"

namespace ballast::zmq {
namespace {

template <class... Kinds>
bool is_one_of(const wire::Body& body) {
  return (std::holds_alternative<Kinds>(body) || ...);
}

// The mesh, the market, the exchange of plans.
bool is_between_masters(const wire::Body& body) {
  return is_one_of<wire::Gossip, wire::Neighbor, wire::NeighborAnswer, wire::Disconnect,
                   wire::Shuffle, wire::ShuffleAnswer, wire::Pull, wire::Pulled, wire::Request,
                   wire::RequestAnswer, wire::Release, wire::ReleaseAck, wire::SwapBack,
                   wire::SwapOver, wire::SwapOverAck, wire::Proposal, wire::Verdict>(body);
}

}  // namespace

bool is_for_masters_only(const wire::Body& body) {
  return is_one_of<wire::AttachAnswer, wire::ReportAck, wire::Order, wire::OutcomeAck,
                   wire::LeaseTell, wire::LeaseRevoke, wire::LeaseStateAck, wire::Promote,
                   wire::Dismiss, wire::LeaveAck, wire::ReportAsk, wire::Reply, wire::Drain>(
             body) ||
         is_between_masters(body);
}

std::optional<wire::Message> Gate::admit(std::string_view bytes, const NodeId* proven) {
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
  if (is_for_masters_only(message->body) && trust_ != nullptr &&
      !trust_->may_be_master(header.sender)) {
    ++counters_.not_master;
    return std::nullopt;
  }
  return std::move(message).value();
}

}  // namespace ballast::zmq
