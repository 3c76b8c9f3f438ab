#!/bin/bash
# The first process of the switch: a bridge in a namespace of its own.
# usage: switch_init.sh FOLDER NAME ADDRESS
set -e
ip link set lo up
ip link add br0 type bridge
ip link set br0 up
ip addr add "$3/24" dev br0
touch "$1/ready"
trap : TERM
while :; do
  sleep 3600 &
  wait
done
