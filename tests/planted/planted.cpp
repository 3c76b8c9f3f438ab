// The switch of the bugs that are planted on purpose. Linked only where the sources that name them
// were compiled with BALLAST_PLANTED.
#include "ballast/base/planted.h"

namespace ballast::planted {
namespace {
Bug planted_bug = Bug::none;
}

bool on(Bug bug) { return bug == planted_bug; }
void plant(Bug bug) { planted_bug = bug; }

const char* name_of(Bug bug) {
  switch (bug) {
    case Bug::none: return "none";
    case Bug::ledger_forgets_promises: return "the ledger forgets what it promised";
    case Bug::ledger_ignores_memory: return "the ledger ignores memory";
    case Bug::ledger_ignores_limits: return "the ledger ignores thresholds";
    case Bug::ledger_adopts_anything: return "the ledger adopts whatever a target claims";
    case Bug::ledger_keeps_ended: return "the ledger keeps leases that have ended";
    case Bug::ledger_never_expires: return "leases never expire";
    case Bug::source_believes_failure: return "the source believes a call that failed";
    case Bug::source_believes_success: return "the source believes a call that went well";
    case Bug::source_guesses_at_silence: return "the source guesses what a silent target would say";
    case Bug::source_waits_for_paused: return "a VM that arrived paused is waited for";
    case Bug::source_starts_unasked: return "the source starts although the target said no";
    case Bug::target_forgets_at_absent: return "the target drops a lease whose VM is not here yet";
    case Bug::target_keeps_nothing: return "what a VM had at its source is lost";
    case Bug::target_never_settles: return "the target never asks its hypervisor";
    case Bug::target_ignores_memory: return "the target ignores what memory is free";
    case Bug::target_forgets_cooldown: return "a VM that arrived does not rest";
    case Bug::target_answers_for_hypervisor: return "the target says absent without asking";
    case Bug::holder_tells_once: return "the holder tells news only once";
    case Bug::slave_stays_lost: return "a slave does not look for a master again";
    case Bug::holder_obeys_anyone: return "a node obeys whoever is not its master";
    case Bug::master_wakes_rashly: return "a master that stood still takes others for lost";
    case Bug::leads_untrusted: return "a node leads whatever its role and trust say";
    case Bug::demotion_is_forgotten: return "a demotion is forgotten by the next life";
    case Bug::stands_by_for_ever: return "a master stands by for ever";
    case Bug::stands_by_for_nobody: return "the second master leads a group of itself";
    case Bug::stands_by_behind_doors: return "a master that stands by takes nobody";
    case Bug::source_asks_no_name: return "the source asks no hypervisor who it is";
    case Bug::conductor_hears_anyone: return "the master hears outcomes from anybody";
    case Bug::group_believes_names: return "two hosts may be the same hypervisor";
    case Bug::conductor_orders_untold: return "orders before the target knows of the lease";
    case Bug::conductor_revokes_once: return "a lease is revoked only once";
    case Bug::conductor_never_gives_up: return "the master never gives up on a silent node";
    case Bug::master_forgets_quiet: return "the master moves VMs right after it has started";
    case Bug::failures_never_end: return "what failed once is never tried again";
    case Bug::failures_end_at_once: return "what failed is tried again and again";
    case Bug::failures_block_others: return "a VM that failed at one target goes nowhere";
    case Bug::picture_holds_claimed: return "a VM that two hosts claim is held for ever";
    case Bug::picture_forgets_flight: return "a VM in flight counts where it comes from";
    case Bug::streams_are_endless: return "nobody counts the migrations of a host";
    case Bug::conductor_ignores_failures: return "a migration that failed is waited for";
    case Bug::master_answers_once: return "a slave that comes back hears nothing";
    case Bug::master_searches_once: return "what cannot be relieved is never searched again";
    case Bug::master_tires_of_planning: return "the master makes five plans and no more";
    case Bug::grantor_forgets_quota: return "one asker may have all the room";
    case Bug::grantor_answers_anew: return "a request that comes twice is served twice";
    case Bug::asker_keeps_late_grants: return "late grants are not given back";
    case Bug::asker_asks_all_at_once: return "a VM is asked for at several masters at once";
    case Bug::asker_forgets_refusals: return "who refused is asked again at once";
    case Bug::asker_starves: return "what fits nowhere is never asked for again";
    case Bug::asker_waits_for_the_dead: return "an answer is waited for without end";
    case Bug::mesh_relays_nothing: return "no news is relayed";
    case Bug::mesh_never_pulls: return "what was lost is not asked for";
    case Bug::mesh_digests_nothing_old: return "digests tell only of what is new";
    case Bug::mesh_believes_one_witness: return "one witness is enough";
    case Bug::mesh_never_withdraws: return "witnesses are not believed";
    case Bug::mesh_keeps_withdrawn: return "a master that came back stays withdrawn";
    case Bug::mesh_ignores_own_past: return "a master is shadowed by its own past";
    case Bug::mesh_replaces_no_link: return "a link that broke is not replaced";
    case Bug::mesh_watches_no_link: return "silence of a peer is not noticed";
    case Bug::mesh_forgets_the_lost: return "masters that were lost are not tried again";
    case Bug::mesh_takes_everyone: return "the view has no bound";
    case Bug::mesh_forgets_who_asked: return "a yes to a Neighbor is not meant";
    case Bug::mesh_sends_no_picture: return "a newcomer is not sent the picture";
    case Bug::mesh_forgets_nobody: return "who is gone for long is still known";
    case Bug::mesh_takes_forgeries: return "signatures are not looked at";
    case Bug::mesh_believes_any_stamp: return "a pause may have any number";
    case Bug::mesh_takes_any_pause: return "an older word of pause wins";
    case Bug::model_resumes_in_doubt: return "a source resumes a VM that runs at its target";
    case Bug::model_drops_in_doubt: return "a source removes a VM that its target never started";
    case Bug::count: break;
  }
  return "?";
}

}  // namespace ballast::planted
