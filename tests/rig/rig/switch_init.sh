#!/bin/bash
# The first process of the switch: a bridge in a namespace of its own.
# usage: switch_init.sh FOLDER NAME ADDRESS MAC
set -e
source "$(dirname "$0")/first_process.sh"
ip link set lo up
ip link add br0 address "$4" type bridge
ip link set br0 up
ip addr add "$3/24" dev br0
touch "$1/ready"
live_for_the_others
