// Doubts, settled by asking. A source that handed a VM over and heard no answer asks the target
// whether it runs; a target whose VM nobody confirmed asks the source whether it still holds a
// copy. A process that is gone for good answers too: where nobody listens on loopback it has died,
// and a host without a state file has taken its VMs with it.
#include "machine.h"

namespace ballast::simulated {
namespace {

enum class Answer : unsigned char { yes, no, none };

Answer answer_of(Connected connected, const Record& question, const Peer& peer, Duration within) {
  const Answer if_gone = peer.outlives_process ? Answer::none : Answer::no;
  if (!connected.line) return connected.silence == Silence::refused ? if_gone : Answer::none;
  if (!connected.line->send(question)) return Answer::none;
  const std::optional<Record> said = connected.line->read(within);
  if (!said || said->size() != 1) return Answer::none;
  if (said->front() == "yes") return Answer::yes;
  if (said->front() == "no") return Answer::no;
  return said->front() == "other-host" ? if_gone : Answer::none;
}

bool stands_still(CopyState state) {
  return state == CopyState::handed_over || state == CopyState::in_doubt ||
         state == CopyState::leftover;
}

}  // namespace

Connected Machine::connect(const Peer& peer) const {
  const std::optional<LoopbackAddress> address = address_from_uri(peer.uri);
  if (!address || !reachable_) return {};
  return connect_to(*address, options_.io_timeout, stopping_);
}

void Machine::settle() {
  while (!stopping_) {
    std::map<VmId, Copy> open;
    {
      std::unique_lock lock(mutex_);
      stop_settling_.wait_for(lock, options_.ask_again, [this] { return stopping_.load(); });
      for (const auto& [vm, copy] : model_.copies())
        if ((copy.unconfirmed || stands_still(copy.state)) && !conversations_.contains(copy.token))
          open.emplace(vm, copy);
    }
    for (const auto& [vm, copy] : open)
      if (!stopping_) settle_one(vm, copy);
  }
}

void Machine::settle_one(const VmId& vm, const Copy& copy) {
  const std::optional<Peer> peer = peer_from_text(copy.peer);
  if (!peer) return;
  const Record question{std::string(protocol_name),
                        options_.secret,
                        copy.unconfirmed ? "holds" : "runs",
                        peer->host,
                        copy.token,
                        vm.str()};
  const Answer answer = answer_of(connect(*peer), question, *peer, options_.io_timeout);
  if (answer == Answer::none) return;
  // A change that fails (a full disk) leaves the doubt as it is, and it is settled another time.
  (void)commit([&](HostModel& model) -> Status {
    const Copy* now = model.find(vm);
    if (now == nullptr || now->token != copy.token) return Error{"settled meanwhile"};
    if (copy.unconfirmed) return answer == Answer::no ? model.confirm(vm) : Status();
    return answer == Answer::yes ? model.remove(vm) : model.roll_back(vm);
  });
}

}  // namespace ballast::simulated
