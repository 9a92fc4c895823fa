#!/bin/busybox sh
# What `bondwitness collect` reads beside what `ip`, `tc`, `bridge`, `ethtool` and `tcpdump` say at the same moment, on a host
# with what people put on bonds. Started by the first process of the guest in place of its driver (`cargo xtask vm
# --differ`); everything goes to /out, and is compared outside. Only what nobody can compare afterwards is judged here.
#
# With adapters that the emulator has (their addresses tell their kind, side and number) each kind gets a bond: e1000e and
# igb with LACP, virtio without; the other end of each cable is in namespace sw. Without e1000e, veth takes its place.

/bin/busybox --install -s /bin
B=/bondwitness
O=/out
failed=0
# The shell would take its own.
ip() { /usr/bin/ip "$@"; }
tc() { /usr/sbin/tc "$@"; }
in_sw() { ip netns exec sw "$@"; }
holds() {
    n=$1; shift
    if "$@" >/tmp/out 2>&1; then echo "differ: ok      $n"; else
        failed=$((failed + 1)); echo "differ: FAILED  $n"; head -c 3000 /tmp/out
    fi
}
mkdir -p /tmp /etc/iproute2
echo "root:x:0:0:root:/:/bin/sh" >/etc/passwd
echo "root:x:0:" >/etc/group
uname -a >$O/uname.txt
{ ip -V; tc -V; bridge -V; ethtool --version; tcpdump --version; } >$O/versions.txt 2>&1

# The emulator's monitor is at the other end of the second serial line: it is the hand that pulls cables.
if [ -e /dev/ttyS1 ]; then
    stty -F /dev/ttyS1 raw -echo 2>/dev/null
    cat /dev/ttyS1 >$O/monitor.txt &
fi
cable() { for end in n s; do printf 'set_link %s%s %s\n' $1 $end $2 >/dev/ttyS1; done; sleep 1; }

ip netns add sw
in_sw /usr/bin/ip link set lo up
ip link set lo up
# 02:00:00:00:0K:SN: kind, side (0 here, 8 there), number.
for d in /sys/class/net/*; do
    a=$(cat $d/address) old=${d##*/}
    case $a in 02:00:00:00:0[123]:*) ;; *) continue ;; esac
    k=${a#02:00:00:00:0}; k=${k%%:*}; n=${a##*:}
    case $k in 1) w=ee ;; 2) w=gb ;; 3) w=vi ;; esac
    case $n in
        0*) ip link set $old down; ip link set $old name $w${n#0} ;;
        8*) ip link set $old down; ip link set $old name s$w${n#8}; ip link set s$w${n#8} netns sw ;;
    esac
done
if [ ! -e /sys/class/net/ee1 ]; then
    for n in 1 2 3; do
        ip link add ve$n numtxqueues 2 numrxqueues 2 address 02:00:00:00:11:0$n type veth peer name sve$n netns sw
    done
fi
ls /sys/class/net >$O/interfaces.txt

# bond NAME OPTIONS MEMBERS...: here and, with the same options, there.
bond() {
    b=$1 o=$2; shift 2
    ip link add $b type bond $o; in_sw /usr/bin/ip link add s$b type bond $o
    for m in "$@"; do
        ip link set $m master $b; in_sw /usr/bin/ip link set s$m master s$b
        in_sw /usr/bin/ip link set s$m up; ip link set $m up
    done
    ip link set $b up; in_sw /usr/bin/ip link set s$b up
}
LACP="mode 802.3ad miimon 100 lacp_rate slow xmit_hash_policy layer3+4"
if [ -e /sys/class/net/ee1 ]; then
    FIRST=ee1 SECOND=ee2 MEMBERS="ee1 ee2 gb1 gb2 vi1 vi2"
    bond bond0 "$LACP" ee1 ee2
    bond bond2 "$LACP lacp_rate fast ad_user_port_key 7" gb1 gb2
else
    FIRST=ve1 SECOND=ve2 MEMBERS="ve1 ve2 ve3 vi1 vi2"
    bond bond0 "$LACP" ve1 ve2 ve3
fi
for v in vi1 vi2; do ethtool -s $v speed 10000 duplex full; in_sw /usr/sbin/ethtool -s s$v speed 10000 duplex full; done
bond bond1 "mode active-backup miimon 100 updelay 200 num_grat_arp 2 primary vi2" vi1 vi2

ip link add link bond0 name bond0.70 type vlan id 70 egress-qos-map 0:1 6:6
ip link add link bond0 name bond0.71 type vlan id 71 protocol 802.1ad
ip link add link bond1 name bond1.72 type vlan id 72
ip link add br0 type bridge vlan_filtering 1 forward_delay 0
ip link add d0 type dummy
ip link add d1 type dummy
ip link set d0 master br0
ip link set bond1.72 master br0
bridge vlan add dev d0 vid 100 pvid untagged
bridge vlan add dev d0 vid 200-210
ip link add link bond0 name mv0 type macvlan mode bridge
ip link add link d1 name iv0 type ipvlan mode l3
ip link property add dev $FIRST altname first-uplink
ip link set $SECOND alias "to the second switch"
for i in d0 d1 bond0.70 bond0.71 bond1.72 br0 mv0 iv0; do ip link set $i up; done
ip addr add 192.0.2.2/24 brd + dev bond0.70
ip addr add 192.0.2.9/24 dev bond0.70
ip addr add 198.51.100.1 peer 198.51.100.2/32 dev d0
ip addr add 2001:db8:70::2/64 dev bond0.70 nodad
ip addr add 203.0.113.5/28 dev bond1 noprefixroute
ip neigh add 192.0.2.77 lladdr 02:00:00:00:33:01 nud permanent dev bond0.70
ip neigh add 192.0.2.78 lladdr 02:00:00:00:33:02 nud stale dev bond0.70
ip neigh add 2001:db8:70::77 lladdr 02:00:00:00:33:03 nud permanent router dev bond0.70
ip neigh add proxy 192.0.2.99 dev bond0.70
bridge fdb add 02:00:00:00:55:01 dev d0 master static vlan 200
ip maddr add 01:00:5e:00:00:fb dev bond0
tc qdisc replace dev $FIRST root handle 100: mq 2>/dev/null || tc qdisc replace dev $FIRST root handle 100: fq_codel
tc qdisc replace dev $SECOND root fq_codel limit 500 target 3ms quantum 3000 noecn
tc qdisc replace dev vi1 root pfifo_fast 2>/dev/null || tc qdisc replace dev vi1 root prio
tc qdisc replace dev vi2 root fq
tc qdisc add dev bond0.71 root tbf rate 100mbit burst 64kb latency 50ms
tc qdisc add dev d0 root pfifo limit 77
tc qdisc add dev d1 root bfifo limit 64000
tc qdisc add dev bond0.70 root handle 1: prio bands 3
tc qdisc add dev bond0 clsact
tc qdisc add dev $FIRST clsact
tc qdisc add dev bond1 ingress
tc filter add dev $FIRST egress protocol all pref 11 flower dst_mac 01:80:c2:00:00:0e action drop
tc filter add dev $FIRST ingress protocol 0x88cc pref 12 matchall action pass
tc filter add dev bond0 ingress protocol all pref 20 u32 match u16 0x8809 0xffff at -2 action ok
tc filter add dev bond0 egress protocol ip pref 30 matchall action mirred egress mirror dev d0
tc filter add dev bond0 egress protocol ip pref 31 flower ip_proto udp dst_ip 192.0.2.0/24 dst_port 4789 action pass
tc filter add dev bond0 egress protocol 802.1Q pref 32 flower vlan_id 70 vlan_ethtype ip src_ip 192.0.2.2 action drop
tc filter add dev bond1 ingress protocol ip pref 5 flower ip_proto tcp src_port 179 action pass
for p in /proc/sys/net/ipv6/conf/*; do echo 0 >$p/router_solicitations; done 2>/dev/null
sleep 100

# snap FOLDER: what every other tool says. A file's name is the tool, what was asked, and after @ the interface.
say() { f=$1; shift; "$@" >$S/$f 2>$S/$f.err || { rm -f $S/$f; return 1; }; [ -s $S/$f.err ] || rm -f $S/$f.err; }
snap() {
    S=$O/$1; mkdir -p $S
    # Counters that move come first here and last in the twin, so that ours lie between.
    say ip-link.json ip -j -d -s -s link
    say ip-stats-bond.json ip -j stats show group xstats subgroup bond suite 802.3ad
    say ip-stats-member.json ip -j stats show group xstats_slave subgroup bond suite 802.3ad
    say ip-addr.json ip -j -d addr
    say ip-neigh.json ip -j -s neigh
    say ip-maddr.json ip -j maddr
    say tc-qdisc.json tc -j -s -d qdisc
    for d in bond0 bond1 $FIRST; do
        say tc-filter-ingress@$d.json tc -j -s filter show dev $d ingress
        say tc-filter-egress@$d.json tc -j -s filter show dev $d egress
    done
    say bridge-link.json bridge -j -d link
    say bridge-vlan.json bridge -j vlan
    say bridge-fdb.json bridge -j -d fdb
    for d in $MEMBERS; do
        say ethtool@$d.json ethtool --json $d
        for a in -k -g -c -T -m -l; do
            say ethtool$a@$d.json ethtool --json $a $d || say ethtool$a@$d.txt ethtool $a $d
        done
        say ethtool-a@$d.json ethtool -I --json -a $d
        say ethtool-fec@$d.json ethtool -I --json --show-fec $d
        say ethtool-eee@$d.txt ethtool --show-eee $d
        say ethtool-groups@$d.json ethtool --json -S $d --all-groups
        say ethtool-S@$d.txt ethtool -S $d
        say ethtool-i@$d.txt ethtool -i $d
        say ethtool-P@$d.txt ethtool -P $d
        say ethtool-priv@$d.txt ethtool --show-priv-flags $d
    done
    find $S -name '*.err' -size 0 -exec rm {} \;
}
snap before
holds "collect without a window" $B collect --for 0 -o $O/moment.tar.zst
snap after
# Frames: on each member a listener for each direction, which does not ask for other people's frames.
mkdir -p $O/frames
for d in $MEMBERS; do for q in in out; do
    tcpdump -p -i $d -Q $q -n -s 0 -U --immediate-mode --time-stamp-precision nano -Z root \
        -w $O/frames/$d.$q.pcap ether proto 0x8809 2>/tmp/td.$d.$q & listeners="$listeners $!"
done; done
for d in $MEMBERS; do for q in in out; do
    until grep -qs listening /tmp/td.$d.$q; do sleep 0.2; done
done; done
holds "collect for a while" $B collect --for 95 -o $O/while.tar.zst
sleep 1
kill $listeners
wait $listeners
snap last

# What the adapters' bonds are told when nothing is wrong, when a cable is pulled, and when a member is set down.
diagnose() {
    n=$1 may=$2; shift 2
    $B diagnose "$@" -o $O/$n.tar.zst --json >$O/$n.json 2>$O/$n.err
    c=$?
    echo "differ: $n: exit code $c, $(grep -m1 '"summary"' $O/$n.json | head -c 300)"
    case " $may " in *" $c "*) holds "$n: exit code one of $may" true ;; *)
        cat $O/$n.err >&2; holds "$n: exit code one of $may" false ;;
    esac
}
if [ -e /dev/ttyS1 ] && [ -e /sys/class/net/ee1 ]; then
    # With the slow rate a member that is set down between two LACPDUs may stay undecided; with the fast rate it must not.
    for b in "bond0 ee2 10" "bond2 gb2 11"; do
        set -- $b; b=$1 m=$2 or=$3
        diagnose healthy-$b "0" $b --for 100
        (sleep 40; cable $m off; cat /sys/class/net/$m/carrier >/tmp/carrier.$m) &
        diagnose pulled-$b "10 13" $b --for 70
        holds "$b: the adapter saw the cable go" grep -q 0 /tmp/carrier.$m
        cable $m on
        sleep 100
        (sleep 30; ip link set $m down) &
        diagnose admin-down-$b "11 $or" $b --for 150
        ip link set $m up
        sleep 100
    done
    dmesg >$O/dmesg.txt
fi
tar -c -f /dev/vda -C $O .
sync
echo "guest: differ: $failed statements do not hold"
exit $failed
