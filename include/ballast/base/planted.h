// Bugs on purpose. Auditors that never find anything prove nothing: a test compiles the sources
// that name these bugs once more with BALLAST_PLANTED, switches one on, and sees it found.
// Everywhere else on() is false at compile time and leaves no trace.
#pragma once

namespace ballast::planted {

enum class Bug : unsigned char {
  none,
  // The ledger
  ledger_forgets_promises,  // room is given to one after the other
  ledger_ignores_memory,    // only the thresholds count
  ledger_ignores_limits,    // only the memory counts
  ledger_keeps_ended,       // a lease that has ended stays
  ledger_adopts_anything,
  ledger_never_expires,
  // A migration at its source
  source_believes_failure,  // the call failed, so the VM stayed
  source_believes_success,  // the call returned well, so the VM has gone
  source_guesses_at_silence,
  source_waits_for_paused,  // a VM that arrived paused is waited for
  source_starts_unasked,    // the target's no is taken for a yes
  // ... and at its target
  target_forgets_at_absent,  // a VM that is not here yet will not come
  target_never_settles,
  target_keeps_nothing,  // of what a VM had and its hypervisor forgets
  target_ignores_memory,
  target_forgets_cooldown,
  target_answers_for_hypervisor,  // says absent without asking
  // Nodes
  streams_are_endless,     // nobody counts the migrations of a host
  holder_tells_once,       // news is not repeated
  slave_stays_lost,        // whose master is gone
  holder_obeys_anyone,     // and takes promises from anyone, not from its master only
  master_wakes_rashly,     // that nobody spoke while it stood still is their silence
  leads_untrusted,         // whatever role and trust say
  demotion_is_forgotten,   // by the next life
  stands_by_for_ever,      // also when the first master is gone
  stands_by_for_nobody,    // the second master leads a group of itself
  stands_by_behind_doors,  // and takes nobody, however long he waits
  source_asks_no_name,     // migrates to whatever hypervisor is at the address
  // The master
  conductor_orders_untold,  // before the target knows of the lease
  conductor_revokes_once,
  conductor_never_gives_up,
  conductor_ignores_failures,  // a migration that failed is waited for
  conductor_hears_anyone,      // of a migration that another holder was told to do
  group_believes_names,        // of hypervisors, though two hosts say the same
  master_forgets_quiet,        // moves right after it has started
  master_answers_once,         // a slave that comes back hears nothing
  master_tires_of_planning,
  master_searches_once,    // what cannot be relieved is never searched again
  failures_never_end,      // what failed once is never tried again
  failures_end_at_once,    // what failed is tried again and again
  failures_block_others,   // a VM that failed at one target goes nowhere
  picture_holds_claimed,   // a VM that two hosts claim, for as long as they do
  picture_forgets_flight,  // a VM in flight counts where it comes from
  // The market
  grantor_forgets_quota,     // one asker may have it all
  grantor_answers_anew,      // a request that comes twice is served twice
  asker_keeps_late_grants,   // what it no longer wants is not given back
  asker_asks_all_at_once,    // while an answer is awaited
  asker_forgets_refusals,    // and asks the same one again
  asker_starves,             // what fits nowhere now is never asked for again
  asker_waits_for_the_dead,  // whoever does not answer is waited for
  // The mesh
  mesh_relays_nothing,
  mesh_never_pulls,
  mesh_digests_nothing_old,
  mesh_believes_one_witness,
  mesh_never_withdraws,
  mesh_keeps_withdrawn,
  mesh_ignores_own_past,
  mesh_replaces_no_link,
  mesh_watches_no_link,
  mesh_forgets_the_lost,
  mesh_takes_everyone,
  mesh_forgets_who_asked,
  mesh_sends_no_picture,
  mesh_forgets_nobody,
  mesh_takes_forgeries,
  mesh_takes_any_pause,
  mesh_believes_any_stamp,
  // The model itself: what the auditors of VMs are for
  model_resumes_in_doubt,  // the source lets a VM go on that runs at its target
  model_drops_in_doubt,    // the source removes a VM that its target never started
  count,
};

const char* name_of(Bug bug);

#ifdef BALLAST_PLANTED
bool on(Bug bug);
void plant(Bug bug);  // this one, and no other
#else
constexpr bool on(Bug) { return false; }
#endif

}  // namespace ballast::planted
