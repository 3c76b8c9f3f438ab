// Every bound of the system, in one place: how much of anything we accept, keep or send. What is
// over a bound is refused or dropped, and counted where it happens.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ballast::limits {

// Ids and texts
inline constexpr std::size_t id_bytes_max = 128;
inline constexpr std::size_t endpoint_bytes_max = 256;
inline constexpr std::size_t text_bytes_max = 512;    // reasons, details
inline constexpr std::size_t vm_text_bytes_max = 56;  // so that a full host fits in one message

// One host, one group
inline constexpr std::size_t vms_per_host_max = 4096;
inline constexpr std::size_t slaves_max = 4096;  // hard bound; the setting max_slaves is lower
inline constexpr std::size_t leases_per_host_max = 64;
inline constexpr std::size_t jobs_per_host_max = 64;
inline constexpr std::size_t questions_max = 64;  // about leases that a node does not know
inline constexpr std::size_t questions_of_node_max = 8;
inline constexpr std::size_t news_untold_max = 256;    // that a master has not acknowledged
inline constexpr std::size_t own_messages_max = 4096;  // of a node to itself, not yet taken
inline constexpr std::size_t revocations_max = 4096;   // told to targets at a time
inline constexpr std::size_t failed_rests_max = 4096;  // VMs whose migration failed lately
inline constexpr std::size_t failed_targets_max = 32;  // ... that are remembered of each
inline constexpr std::size_t failures_shown_max = 256;

// Messages
inline constexpr std::size_t message_bytes_max = 1U << 20U;
inline constexpr std::size_t message_depth_max = 8;
inline constexpr std::size_t send_queue_messages_max = 1000;
inline constexpr std::size_t receive_queue_messages_max = 256;  // of a connection of ours
// Of a connection to us. Messages may have a MiB, so these two bound its memory.
inline constexpr std::size_t session_receive_queue_messages_max = 16;
inline constexpr std::size_t session_send_queue_messages_max = 64;
// Connections to one of our sockets that nobody has spoken on yet: in all, and of one address.
inline constexpr std::size_t unproven_max = 128;
inline constexpr std::size_t unproven_per_address_max = 32;
inline constexpr std::size_t handshake_bytes_max = 4096;  // the handshake of CURVE takes a quarter
inline constexpr std::size_t connections_of_key_max = 4;  // to one of our sockets
// Resident memory above which whoever sends most is cut off, when he sends more than so much
// between two looks.
inline constexpr std::size_t memory_soft_max = 320U << 20U;
inline constexpr std::size_t greedy_bytes_min = 2U << 20U;
inline constexpr std::size_t waiting_for_link_max = 16;  // messages while it is down
inline constexpr std::size_t sockets_max = 16384;
inline constexpr std::size_t peers_per_node_max = 8192;
inline constexpr std::size_t subscribers_max = 64;            // connections to our feed
inline constexpr std::size_t feeds_max = 64;                  // of others that we subscribe to
inline constexpr std::size_t beacon_sources_max = 1024;       // addresses listened to in a second
inline constexpr std::size_t beacons_of_source_max = 200;     // of one address in a second
inline constexpr std::size_t control_bytes_max = 64U << 10U;  // a request
inline constexpr std::size_t control_reply_bytes_max = 64U << 20U;
inline constexpr std::size_t control_requests_max = 64;  // not yet answered

// The mesh
inline constexpr std::size_t peers_active_max = 12;
inline constexpr std::size_t peers_passive_max = 48;
inline constexpr std::size_t peers_told_max = 16;       // in one message
inline constexpr std::size_t summaries_kept_max = 256;  // whole; of the others only their version
inline constexpr std::size_t small_fleet_hosts = 8;     // so many stay one group
inline constexpr std::size_t disbelieved_max = 32;      // nodes of which an alarm stands, of a kind
inline constexpr std::size_t masters_known_max = 1U << 15U;
inline constexpr std::size_t summary_holes_max = 4;
inline constexpr std::size_t suspicions_max = 8;
inline constexpr std::size_t announced_max = 16;
inline constexpr std::size_t item_bytes_max = 16U << 10U;
inline constexpr std::size_t gossip_items_max = 256;  // in one message
inline constexpr std::size_t digest_entries_max = 1024;
inline constexpr std::size_t peers_remembered_max = 64;  // lost ones, tried again now and then
inline constexpr std::size_t peers_asked_max = 12;       // to be our peer, at a time
inline constexpr std::size_t news_items_max = 1024;    // learned lately: relayed, given to who asks
inline constexpr std::size_t relayed_items_max = 128;  // in one interval
inline constexpr std::size_t wanted_items_max = 512;   // told of in a digest, not yet pulled
inline constexpr std::size_t wanted_per_peer_max = 64;      // ... in one interval
inline constexpr std::size_t served_items_max = 128;        // to all who pull, in one interval
inline constexpr std::size_t peer_messages_max = 32;        // from one peer, in one interval
inline constexpr std::size_t strangers_heard_max = 256;     // others, in one interval
inline constexpr std::size_t messages_of_stranger_max = 8;  // ... from each
inline constexpr std::size_t bad_signatures_max = 16;       // looked at of one peer in one interval

// The fleet: what its key has signed
inline constexpr std::size_t fleet_record_bytes_max = 256;
inline constexpr std::size_t fleet_nodes_max = 1U << 17U;
inline constexpr std::size_t fleet_buckets = 256;
inline constexpr std::size_t fleet_records_max = 256;   // in one message
inline constexpr std::size_t fleet_chain_max = 64;      // keys, one after the other
inline constexpr std::size_t fleet_news_max = 4096;     // not yet passed on
inline constexpr std::size_t fleet_answers_max = 4;     // messages of records to one digest
inline constexpr std::size_t join_records_max = 2048;   // told to one that joins
inline constexpr std::size_t invitations_max = 64;      // open at a node
inline constexpr std::size_t invitation_uses_max = 1024;
inline constexpr std::size_t token_bytes_max = 2048;
inline constexpr std::size_t token_addresses_max = 8;

// The market and the exchange of plans
inline constexpr std::size_t wants_max = 8;             // VMs in one request
inline constexpr std::size_t want_not_to_max = 32;      // hosts that one of them does not go to
inline constexpr std::size_t leases_per_asker_max = 8;  // open at one grantor (design, section 3)
inline constexpr std::size_t proposed_max = 64;         // migrations in one proposal
inline constexpr std::size_t outbound_max = 256;        // VMs on their way to other groups
inline constexpr std::size_t pauses_max = 1024;         // VMs asked for in vain lately
inline constexpr double heat_max = 1e6;                 // overload, as a share of capacities

// What operators ask
inline constexpr std::size_t facts_max = 512;  // in one answer
inline constexpr std::size_t fact_kind_bytes_max = 32;
inline constexpr std::size_t inquiries_max = 64;  // not yet answered
inline constexpr std::size_t inquiries_of_asker_max = 8;
inline constexpr std::size_t inquiries_here_max = 16;  // by this node's own operator, besides
inline constexpr std::size_t masters_asked_max = 256;  // for one inquiry
inline constexpr std::size_t stories_max = 1024;       // VMs of which the past is kept
inline constexpr std::size_t alarms_told_max = 8;      // by a slave to its master, at a time
inline constexpr std::size_t story_lines_max = 24;     // of each

// Numbers from outside: a larger one is taken for a mistake
inline constexpr double cpu_mhz_max = 1e9;
inline constexpr double memory_mib_max = 1e10;
inline constexpr double network_mbit_max = 1e9;
inline constexpr double threshold_max = 1.0;
// A load may be above the capacity of its host, but not absurdly so.
inline constexpr double dirty_rate_mib_s_max = 1e6;
inline constexpr double rest_s_max = 366.0 * 24 * 3600;  // of a VM that has moved

// Files
inline constexpr std::size_t input_bytes_max = 1U << 30U;  // after decompression
inline constexpr std::size_t config_bytes_max = 1U << 20U;
inline constexpr std::size_t config_errors_max = 100;  // told of one file
inline constexpr std::size_t path_bytes_max = 1024;
inline constexpr std::size_t socket_path_bytes_max = 107;  // sockaddr_un, unix(7)
inline constexpr std::size_t seeds_max = 64;
inline constexpr std::size_t shared_paths_max = 64;
inline constexpr std::size_t rule_words_max = 8;  // groups or hosts that one VM names
inline constexpr std::size_t description_bytes_max = 4U << 20U;  // XML
inline constexpr std::size_t interface_bytes_max = 15;           // IFNAMSIZ, without its end
inline constexpr std::size_t json_depth_max = 32;
inline constexpr std::size_t snapshot_hosts_max = 1U << 20U;
inline constexpr std::size_t snapshot_vms_max = 1U << 23U;
inline constexpr std::size_t snapshot_rules_max = 1U << 20U;
inline constexpr std::size_t trace_intervals_max = 1U << 20U;
inline constexpr double trace_percent_max = 1000;  // of a VM's CPU: recorders overshoot a little
inline constexpr std::size_t state_bytes_max = 1U << 20U;
inline constexpr std::size_t trusted_keys_max = 1U << 17U;
inline constexpr std::size_t log_lines_max = 1024;  // that nobody has read yet
inline constexpr std::size_t log_line_bytes_max = 4096;

// Memory of the past
inline constexpr std::size_t events_kept = 1024;
inline constexpr std::size_t samples_per_vm_max = 360;
inline constexpr std::size_t departures_max = 8192;  // VMs of a group that have moved lately
inline constexpr std::size_t moves_remembered_max = 256;

}  // namespace ballast::limits
