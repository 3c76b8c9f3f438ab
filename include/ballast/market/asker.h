// Asks other masters for room: who is asked for what, who answered what, and whom to ask next.
//
// A VM is asked for at one master at a time. Which one is left to weighted chance among those whose
// last word says that it fits, the tighter the likelier, so that large holes stay for large VMs. So
// that masters in need do not all run to the same one, they share the others out among themselves
// and ask elsewhere only when none of their share fits, and then a little later, when the grants of
// the first moment are known. A refusal teaches what room is left there, and the next one is asked.
// Who does not answer is left alone for a while; a grant that comes after all is given back.
// Source: design, section 3, steps 6 and 7.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ballast/base/random.h"
#include "ballast/base/time.h"
#include "ballast/market/seller.h"
#include "ballast/wire/market_messages.h"

namespace ballast::market {

struct AskerCounters {
  std::uint64_t sent = 0;           // VMs asked for, each asking counted
  std::uint64_t granted = 0;        // VMs
  std::uint64_t granted_first = 0;  // at the first master that was asked
  std::uint64_t refused = 0;
  std::uint64_t refused_stale = 0;  // although its last word said that it fits
  std::uint64_t unanswered = 0;
  std::uint64_t given_back = 0;  // grants that came too late
};

struct AskerSettings {
  NodeId self;
  // How long the news of a grant take to get about. Who must ask outside of its share waits for
  // once to twice as long, by chance.
  Duration news_take = std::chrono::seconds(2);
  // What was asked for in vain everywhere is asked for again after this, then after twice as long
  // each time, up to an hour; at once where news tell of room that fits.
  Duration pause_first = std::chrono::minutes(3);
};

class Asker {
 public:
  Asker(AskerSettings settings, std::uint64_t seed);
  void set_pause_first(Duration pause) { settings_.pause_first = pause; }

  struct Send {
    NodeId to;
    std::string endpoint;
    wire::Request request;
  };
  struct Granted {
    NodeId grantor;
    std::string endpoint;
    wire::Grant grant;
    wire::Want want;
  };
  struct Release {
    NodeId grantor;
    std::string endpoint;
    LeaseId lease;
  };
  struct Answered {
    std::vector<Granted> granted;
    std::vector<Release> unwanted;
  };

  // What has no room at home now, hottest first; what is no longer named is no longer asked for.
  // The caller leaves out what it has a grant for.
  void need(TimePoint now, std::vector<wire::Want> wants);

  // Requests to send now.
  std::vector<Send> tick(TimePoint now, const std::vector<Seller>& sellers);
  TimePoint next_deadline() const;

  Answered take(TimePoint now, const NodeId& from, const wire::RequestAnswer& answer);

  // VMs that may as well stay in their group (Want::heat_max), and for which nobody has a cooler
  // host: the first no, or silence, is the last. They are no longer asked for.
  std::set<VmId> take_declined() { return std::exchange(declined_, {}); }
  bool has_declined() const { return !declined_.empty(); }

  // The connection to this master broke: nobody waits for its answer.
  void lost(TimePoint now, const NodeId& master);

  // Of a VM that was asked for in vain wherever that made sense.
  struct Pause {
    std::uint32_t asked = 0;  // masters, in this round and those before
    Duration left{0};
  };
  std::optional<Pause> pause_of(TimePoint now, const VmId& vm) const;

  // A request for it is open.
  bool is_asking_for(const VmId& vm) const {
    const auto found = needs_.find(vm);
    return found != needs_.end() && found->second.request != 0;
  }

  bool wants_anything() const { return !needs_.empty(); }
  const AskerCounters& counters() const { return counters_; }

 private:
  // Not asked again before `until`, unless its next summary tells of room that fits. time_never: in
  // this round.
  struct Refused {
    TimePoint until;
    std::uint64_t incarnation = 0;
    std::uint64_t version = 0;
  };
  struct Need {
    wire::Want want;
    std::uint32_t order = 0;
    std::uint64_t request = 0;  // that asks for it; 0: none
    std::uint32_t tries = 0;
    std::map<NodeId, Refused> refused_by;
    TimePoint next;       // not asked for before
    bool waited = false;  // for news, before it is asked for outside of our share
    // A round is over when nobody is left to ask; the next begins after a pause.
    Resources asked_load;  // what it needed when it was first refused in this round
    Duration pause{0};     // after this round
    std::optional<TimePoint> paused_until;
  };
  struct Open {
    NodeId to;
    std::string endpoint;
    wire::Request request;
    std::uint64_t incarnation = 0;  // of the summary that it was chosen by
    std::uint64_t version = 0;
    TimePoint since;
    TimePoint repeat;
  };
  // What a master said after its summary: counts until a newer summary comes.
  struct Learned {
    std::uint64_t incarnation = 0;
    std::uint64_t version = 0;
    std::vector<Resources> holes;
    TimePoint until;
  };

  void give_up_silent(TimePoint now);
  std::vector<Seller> as_known(TimePoint now, const std::vector<Seller>& sellers) const;
  // What this seller weighs in the choice for that VM; 0: it is not to be asked.
  double weight_of(TimePoint now, const Need& need, const Seller& seller, bool as_swap) const;
  std::vector<double> weights_of(TimePoint now, const Need& need,
                                 const std::vector<Seller>& sellers, bool as_swap) const;
  std::size_t choose(const std::vector<double>& weights);
  std::size_t roomiest(TimePoint now, const Need& need, const std::vector<Seller>& sellers) const;
  // Whom to ask for this VM now; nobody, and `next` is set, when that has to wait.
  std::size_t choose_or_wait(TimePoint now, Need& need, const std::vector<Seller>& sellers,
                             const std::vector<bool>& ours, bool& as_swap);
  Open& request_to(TimePoint now, const Seller& seller, std::uint64_t& number);
  // `avoid_until`: for how long this one is not asked again; what it does not name: as one that is
  // silent.
  void free_needs_of(std::uint64_t number, const Open& open, TimePoint now,
                     const std::map<VmId, TimePoint>& avoid_until);
  void begin_round(TimePoint now, Need& need) const;
  void end_round(TimePoint now, Need& need) const;
  void remember(TimePoint now, std::map<VmId, Need> dropped);

  AskerSettings settings_;
  Random random_;
  std::uint64_t next_number_;
  std::map<VmId, Need> needs_;
  std::map<VmId, Need> paused_;  // not needed now; should they be again, their pause goes on
  std::map<std::uint64_t, Open> open_;
  std::map<NodeId, Learned> learned_;
  std::map<NodeId, TimePoint> silent_;  // left alone until
  std::set<VmId> declined_;
  AskerCounters counters_;
};

}  // namespace ballast::market
