#!/bin/sh
# The first process of a guest: modules, network, then the load program for good.
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in $(cat /modules); do insmod "/lib/$module.ko" || dmesg | tail -n 3; done
for word in $(cat /proc/cmdline); do
  case $word in rig.ip=*) ip=${word#rig.ip=} ;; esac
done
ip link set lo up
tries=0
while [ ! -d /sys/class/net/eth0 ] && [ $tries -lt 20 ]; do
  sleep 0.1
  tries=$((tries + 1))
done
ip addr add "$ip/24" dev eth0
ip link set eth0 up
exec /load
