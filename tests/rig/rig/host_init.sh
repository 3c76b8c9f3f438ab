#!/bin/bash
# The first process of a host: its own /etc, /var, /run, /sys and /proc/stat, a bridge for its
# guests; then it lives for the others, which end with it.
# usage: host_init.sh FOLDER NAME ADDRESS MAC
set -e
source "$(dirname "$0")/first_process.sh"
folder=$1
hostname "$2"
mount -t sysfs sysfs /sys # of this network namespace; hides the control groups from libvirt
mount --bind "$folder/etc" /etc
mount --bind "$folder/var" /var
mount -t tmpfs -o mode=755 run /run
mount --bind "$folder/procstat" /proc/stat
mkdir -p /run/libvirt /run/ballast /var/{lib,log,cache}/libvirt /var/tmp
echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 2> /dev/null || true
echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6 2> /dev/null || true
ip link set lo up
# Of its own: a bridge without takes the least of its ports', which changes with each guest that
# comes or goes, and for seconds nobody reaches a host whose address is new.
ip link add br0 address "$4" type bridge
ip link set br0 up
ip addr add "$3/24" broadcast + dev br0
touch "$folder/ready"
live_for_the_others
