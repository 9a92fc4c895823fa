#!/bin/busybox sh
# The first process of the guest that made the recordings beside this file: a bond with what people put on bonds, and what
# the tools and the kernel say to each other about it, as nlmon shows it. Started by record.sh.
B=/bin/busybox
$B mount -t proc proc /proc
$B mount -t sysfs sys /sys
$B mount -t devtmpfs dev /dev
$B mkdir -p /run/netns /tmp /out /etc/iproute2
echo "root:x:0:0:root:/:/bin/sh" >/etc/passwd
echo "root:x:0:" >/etc/group
# The shell would take its own `ip` and `tc`.
ip() { /usr/bin/ip "$@"; }
tc() { /usr/sbin/tc "$@"; }
export PATH=/usr/bin:/usr/sbin:/bin LC_ALL=C HOME=/
for m in $($B cat /modules/order); do
    a=
    [ $m = bonding ] && a=max_bonds=0
    $B insmod /modules/$m.ko $a || echo "insmod $m failed"
done

# The switch: a second bond in a namespace of its own.
ip netns add sw
for n in 1 2; do
    ip link add h$n address 02:00:00:00:11:0$n type veth peer name s$n address 02:00:00:00:22:0$n netns sw
done
ip -n sw link add po1 type bond mode 802.3ad miimon 100 lacp_rate fast
for n in 1 2; do ip -n sw link set s$n master po1; ip -n sw link set s$n up; done
ip -n sw link set po1 up

ip link add bond0 type bond mode 802.3ad miimon 100 lacp_rate fast xmit_hash_policy layer3+4
for n in 1 2; do ip link set h$n master bond0; ip link set h$n up; done
ip link set bond0 up
ip link add link bond0 name bond0.70 type vlan id 70 egress-qos-map 0:1 6:6
ip link add br0 type bridge vlan_filtering 1
ip link add d0 type dummy
ip link set d0 master br0
ip link add link bond0 name mv0 type macvlan mode bridge
ip link add d1 type dummy
ip link add link d1 name iv0 type ipvlan mode l3
ip link property add dev h1 altname first-uplink
ip link set h2 alias "to the second switch"
for i in lo bond0.70 br0 d0 d1 mv0 iv0 eth0; do ip link set $i up; done
ip addr add 192.0.2.2/24 brd + dev bond0.70
ip addr add 192.0.2.9/24 dev bond0.70 valid_lft 3600 preferred_lft 1800
ip addr add 198.51.100.1 peer 198.51.100.2/32 dev d0
ip -n sw link add link po1 name po1.70 type vlan id 70
ip -n sw addr add 192.0.2.1/24 dev po1.70
ip -n sw link set po1.70 up
ip neigh add 192.0.2.77 lladdr 02:00:00:00:33:01 nud permanent dev bond0.70
tc qdisc replace dev h1 root fq_codel limit 500
tc qdisc replace dev h2 root pfifo_fast 2>/dev/null || tc qdisc replace dev h2 root prio
tc qdisc add dev bond0 clsact
tc qdisc add dev h1 clsact
tc qdisc add dev d0 root pfifo limit 77
tc filter add dev h1 egress protocol 0x8809 pref 10 flower action drop
tc filter add dev h1 egress protocol all pref 11 flower dst_mac 01:80:c2:00:00:0e action drop
tc filter add dev bond0 ingress protocol all pref 20 u32 match u16 0x8809 0xffff at -2 action ok
tc filter add dev bond0 egress protocol ip pref 30 matchall action mirred egress mirror dev d0
tc filter add dev bond0 egress protocol ip pref 31 flower ip_proto udp dst_port 4789 action pass
$B sleep 5
$B ping -c 3 -i 0.3 -W 1 192.0.2.1 >/out/ping.txt 2>&1

ip link add nlmon0 type nlmon
ip link set nlmon0 up
TD="/opt/td/ld-linux-x86-64.so.2 --library-path /opt/td /opt/td/tcpdump"

# Records one exchange: a name, and the command whose output becomes the text twin.
tap() {
    name=$1
    $TD -i nlmon0 -Z root -n -s 0 --immediate-mode -U -w /out/$name.pcap 2>/tmp/td.txt &
    td=$!
    for i in 1 2 3 4 5 6 7 8 9 10; do $B grep -q listening /tmp/td.txt && break; $B sleep 0.2; done
}
done_() {
    $B sleep 1
    $B kill $td || $B cat /tmp/td.txt
    wait $td
}

tap link
ip -d -s -s link >/out/link.txt
done_
ip -d -s -s -j link >/out/link.json
tap addr
ip -d addr >/out/addr.txt
done_
tap neigh
ip -s neigh >/out/neigh.txt
done_
tap qdisc
tc -s -d qdisc >/out/qdisc.txt
done_
tap filter
for d in h1 bond0; do for p in ingress egress; do
    echo "==> tc -s filter show dev $d $p <=="
    tc -s filter show dev $d $p
done; done >/out/filter.txt
done_
tap xstats
ip stats show group xstats_slave subgroup bond suite 802.3ad >/out/xstats.txt
ip stats show group xstats subgroup bond suite 802.3ad >>/out/xstats.txt
done_
for d in h1 bond0 eth0; do
    tap ethtool-$d
    {
        echo "# ethtool $d"; ethtool $d
        echo "# ethtool -k $d"; ethtool -k $d
        echo "# ethtool -g $d"; ethtool -g $d
        echo "# ethtool -c $d"; ethtool -c $d
        echo "# ethtool -I -a $d"; ethtool -I -a $d
        echo "# ethtool -l $d"; ethtool -l $d
        echo "# ethtool -I --show-fec $d"; ethtool -I --show-fec $d
        echo "# ethtool -T $d"; ethtool -T $d
        echo "# ethtool -S $d --all-groups"; ethtool -S $d --all-groups
        echo "# ethtool -m $d"; ethtool -m $d
    } >/out/ethtool-$d.txt 2>&1
    done_
done

# Events: a member loses its carrier and gets it back, an address and an interface come and go.
tap events
/usr/bin/ip -ts -d monitor link address >/out/events.txt &
mon=$!
$B sleep 1
ip -n sw link set s1 down
$B sleep 2
ip -n sw link set s1 up
$B sleep 4
ip addr add 192.0.2.50/24 dev bond0.70
ip addr del 192.0.2.50/24 dev bond0.70
ip link add d9 type dummy
ip link del d9
$B sleep 1
$B kill $mon
done_
$B cp /proc/net/dev_mcast /out/dev_mcast.txt
$B cp /proc/net/igmp /out/igmp.txt
$B cp /proc/net/igmp6 /out/igmp6.txt
ip maddr >/out/maddr.txt
$B uname -a >/out/uname.txt
ip -V >/out/versions.txt 2>&1
ethtool --version >>/out/versions.txt
$B tar -c -f /dev/vda -C /out .
$B sync
echo "guest exit 0"
$B poweroff -f
