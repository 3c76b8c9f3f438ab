// Where the parts of a node put what they want done. Messages to the node itself do not leave it:
// they come round as if they had been delivered, so that a master treats its own host as any other.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ballast/base/bounded.h"
#include "ballast/base/limits.h"
#include "ballast/node/node.h"
#include "story.h"

namespace ballast::node {

class Outbox {
 public:
  Outbox(NodeId self, std::string cluster) : self_(std::move(self)), cluster_(std::move(cluster)) {}

  const NodeId& self() const { return self_; }
  void set_epoch(const Epoch& epoch) { epoch_ = epoch; }

  // With an endpoint: connect there. Without: on the session that the node opened to us.
  void send(const NodeId& to, const std::string& endpoint, wire::Body body) {
    wire::Message message{wire::Header{cluster_, self_, epoch_}, std::move(body)};
    if (to == self_) {
      // As on any other link: what does not fit is lost, and the protocol repeats it.
      if (!own_.push(std::move(message))) count("own_messages_dropped");
    } else {
      effects_.sends.push_back(wire::Envelope{to, endpoint, std::move(message)});
    }
  }

  void publish(const std::string& topic, wire::Gossip gossip) {
    effects_.publications.push_back(
        {topic, wire::Message{wire::Header{cluster_, self_, epoch_}, std::move(gossip)}});
  }
  void subscribe(wire::Subscription subscription) {
    effects_.subscriptions.push_back(std::move(subscription));
  }
  void call(wire::BeaconSend send) { effects_.beacons.push_back(std::move(send)); }

  void command(HypervisorCommand command) { effects_.commands.push_back(std::move(command)); }
  void learned(wire::FleetRecordPtr record) { effects_.learned.push_back(std::move(record)); }
  void save(StoredState state) { effects_.save = std::move(state); }

  void event(TimePoint now, EventKind kind, const VmId& vm, const HostId& host, std::string text) {
    Event event{now, ++events_made_, kind, vm, host, std::move(text)};
    if (!event.vm.empty()) story_.add(now, event.vm, name_of(kind), event.host, event.text);
    effects_.events.push_back(event);
    recent_.push(std::move(event));
  }
  // An alarm about this node itself, or its end: its master hears of it too.
  void self_alarm(TimePoint now, EventKind kind, const HostId& host, const std::string& text) {
    event(now, kind, {}, host, text);
    if (alarms_.size() >= limits::alarms_told_max) alarms_.erase(alarms_.begin());
    const bool over = kind == EventKind::recovered;
    alarms_.emplace_back(now, wire::AlarmNote{events_made_, over, Duration(0),
                                              cleaned_text(text, limits::text_bytes_max)});
    alarms_changed_ = true;
  }
  bool take_alarms_changed() { return std::exchange(alarms_changed_, false); }
  // Those younger than that.
  wire::Alarms alarms(TimePoint now, Duration young) const {
    wire::Alarms told;
    for (const auto& [at, note] : alarms_) {
      if (now - at > young) continue;
      told.notes.push_back(note);
      told.notes.back().age = now - at;
    }
    return told;
  }
  // A step of what becomes of a VM: no event, but `ballast why` tells it.
  void tell(TimePoint now, const VmId& vm, const char* kind, const HostId& host, std::string text) {
    story_.add(now, vm, kind, host, std::move(text));
  }
  const Story& story() const { return story_; }

  void count(const std::string& what, std::uint64_t by = 1) { counters_[what] += by; }

  // The next message of ours to ourselves.
  bool has_own() const { return !own_.empty(); }
  wire::Message take_own() { return own_.pop(); }

  Effects take_effects() { return std::exchange(effects_, Effects{}); }
  const BoundedRing<Event>& recent() const { return recent_; }
  const std::map<std::string, std::uint64_t>& counters() const { return counters_; }

 private:
  NodeId self_;
  std::string cluster_;
  Epoch epoch_;
  Effects effects_;
  BoundedQueue<wire::Message> own_{limits::own_messages_max};
  BoundedRing<Event> recent_{limits::events_kept};
  Story story_;
  std::vector<std::pair<TimePoint, wire::AlarmNote>> alarms_;
  bool alarms_changed_ = false;
  std::uint64_t events_made_ = 0;
  std::map<std::string, std::uint64_t> counters_;
};

}  // namespace ballast::node
