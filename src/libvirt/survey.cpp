#include "ballast/libvirt/survey.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#include "ballast/base/ids.h"
#include "census.h"
#include "lane.h"
#include "line.h"
#include "looker.h"
#include "real_connection.h"
#include "uri.h"

namespace ballast::libvirt {
namespace {

// Over SSH an answer takes longer than over a socket of this host.
constexpr Duration look_patience = std::chrono::seconds(10);

Options options_of(const std::string& uri, const SurveyOptions& from) {
  Options options;
  options.uri = uri;
  // Only of the host that we are on are /proc and the file systems at hand.
  options.afar = !uri.starts_with("qemu:") || !check_local(uri).ok();
  options.knows_rules = true;
  options.opt_in = from.opt_in;
  options.shared_paths = from.shared_paths;
  options.between_looks = from.between_looks;
  return options;
}

}  // namespace

// Held by the thread that looks, too: it may outlive who asked.
struct Surveyor::State {
  State(const Options& options, std::shared_ptr<Connector> connector)
      : line(connector, DomainEvent()),
        census(std::move(connector), look_patience),
        looker(options, census) {}

  Result<Survey> look(Lane::Life& life) {
    const Result<std::shared_ptr<Connection>> connection = line.get();
    if (!connection) return connection.error();
    Result<HostSample> sample = looker.sample(**connection, life);
    if (!sample) return sample.error();
    Survey survey;
    const Result<std::string> name = (*connection)->hostname();
    survey.host = name && is_valid_id(*name) ? *name : sample->host;
    survey.uuid = sample->host;
    survey.missing = looker.missing();
    for (const VmSample& vm : sample->vms) {
      const Description* known = looker.described(vm.id);
      if (known == nullptr) continue;
      SurveyedRules rules{vm.id, known->affinity, known->anti_affinity, {}};
      for (const std::string& host : known->hosts) rules.hosts.emplace_back(host);
      if (!rules.affinity.empty() || !rules.anti_affinity.empty() || !rules.hosts.empty())
        survey.rules.push_back(std::move(rules));
    }
    survey.sample = std::move(*sample);
    return survey;
  }

  Line line;
  Census census;
  Looker looker;
  Lane lane{1, 1};
  std::mutex mutex;
  std::condition_variable changed;
  bool looking = false;
  std::optional<Result<Survey>> found;
};

Surveyor::Surveyor(const std::string& uri, const SurveyOptions& options)
    : Surveyor(uri, options, reading_connector(without_questions(uri))) {}

Surveyor::Surveyor(std::string uri, const SurveyOptions& options,
                   std::shared_ptr<Connector> connector)
    : uri_(std::move(uri)),
      state_(std::make_shared<State>(options_of(uri_, options), std::move(connector))) {}

Surveyor::~Surveyor() {
  (void)state_->lane.end(Duration(0));
  state_->census.close();
}

void Surveyor::begin() {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->looking) return;
    state_->looking = true;
    state_->found.reset();
  }
  const bool runs = state_->lane.run([state = state_](Lane::Life& life) {
    Result<Survey> survey = state->look(life);
    const std::lock_guard lock(state->mutex);
    state->found = std::move(survey);
    state->looking = false;
    state->changed.notify_all();
  });
  if (runs) return;
  const std::lock_guard lock(state_->mutex);
  state_->found = Error{"no thread is left to ask it"};
  state_->looking = false;
}

std::optional<Result<Survey>> Surveyor::take(Duration patience) {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait_for(lock, patience, [this] { return state_->found.has_value(); });
  return std::exchange(state_->found, std::nullopt);
}

}  // namespace ballast::libvirt
