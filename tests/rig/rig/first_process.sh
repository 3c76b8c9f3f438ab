# shellcheck shell=bash
# Sourced by the first process of a host and of the switch, which has nothing to do but to live: all
# else in its namespaces ends with it.

# Never comes back. Buries what dies meanwhile; ends when it is killed.
live_for_the_others() {
  trap : TERM
  while :; do
    sleep infinity &
    wait
  done
}
