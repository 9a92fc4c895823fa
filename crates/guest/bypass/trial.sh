#!/bin/busybox sh
# `bondwitness bypass` with real VLANs on a real bond. Started by the first process of the guest in place of its driver
# (`cargo xtask vm --bypass`). Each line is a statement that holds or not; the last line tells how many did not.

/bin/busybox --install -s /bin
S=/run/bw
F=/tmp/wanted.yaml
LOG=/tmp/run.log
failed=0

# The shell would take its own.
ip() { /usr/bin/ip -c=never "$@"; }
tc() { /usr/sbin/tc "$@"; }

bypass() { v=$1; shift; case $v in remove) /bondwitness bypass $v --state $S "$@" ;; *) /bondwitness bypass $v $F --state $S "$@" ;; esac; }

# holds NAME COMMAND...: it does.
holds() {
    statement=$1; shift
    if "$@" >/tmp/out 2>&1; then echo "bypass: ok      $statement"; else
        failed=$((failed + 1)); echo "bypass: FAILED  $statement"; head -c 1500 /tmp/out; ip -br link; tail -n 5 $LOG
    fi
}

# soon COMMAND...: within two seconds (R6), looking every 50 ms.
soon() { i=0; while [ $i -lt 40 ]; do "$@" >/dev/null 2>&1 && return 0; usleep 50000; i=$((i + 1)); done; return 1; }

# exits CODE WORDS COMMAND...: with this code, saying these words.
exits() {
    c=$1; w=$2; shift 2
    "$@" >/tmp/said 2>&1; got=$?; cat /tmp/said
    [ $got = $c ] && grep -q "$w" /tmp/said
}

# is NAME WORDS...: all of them stand in what ip tells of it.
is() { n=$1; shift; ip -d link show $n >/tmp/is 2>&1 || return 1; for w in "$@"; do grep -q "$w" /tmp/is || return 1; done; }
not() { ! "$@"; }
wanted() { [ $# = 0 ] && echo "bypass: []" >$F && return; echo "bypass:" >$F; for e in "$@"; do echo "  - {$e}" >>$F; done; }
half_made() { ip -br link | grep -q '^bw'; }

for i in 1 2; do
    ip link add n$i type veth peer name s$i
    ip link set s$i up
done
ip link add bond0 type bond mode active-backup miimon 100
for i in 1 2; do ip link set n$i master bond0; done
ip link set bond0 up
ip link set bond0 type bond active_slave n1
uname -r

V="name: vpn0, vlan: 70, bond: bond0, mtu: 1400, qdisc: fq_codel, txqueuelen: 1000"
wanted "$V"
holds "a plan changes nothing" exits 0 "create bw" bypass plan
holds "nothing is there after a plan" not is vpn0
holds "apply makes it" bypass apply
holds "VLAN 70 on the active member, as wanted" is vpn0 "vpn0@n1" "vlan protocol 802.1Q id 70" "mtu 1400" "qdisc fq_codel" "qlen 1000" ",UP" "alias bondwitness:"
holds "the second time nothing is written" exits 0 " 0 changes sent" bypass apply
ip link delete vpn0

ip link add link n1 name other type vlan id 70
holds "a foreign VLAN 70 on the member is refused" exits 5 "other is VLAN 70" bypass apply
holds "and left alone" is other "vlan protocol"
ip link delete other
ip link add vpn0 type dummy
holds "a foreign vpn0 is refused" exits 5 "did not make" bypass apply
ip link delete vpn0
ip link add link bond0 name bond0.70 type vlan id 70
ip addr add 192.0.2.1/24 dev bond0.70
holds "a VLAN on the bond with an address is not made deaf" exits 5 "in use (address 192.0.2.1/24)" bypass apply
ip addr flush dev bond0.70
holds "one without is only told of" exits 0 "bond0.70 will hear nothing" bypass plan
ip link delete bond0.70
wanted "name: vpn0, vlan: 70, bond: bond0, mtu: 9000"
holds "an MTU above the member's is refused" exits 5 "MTU 9000" bypass apply
wanted "name: vpn0, vlan: 70, bond: bond0, qdisc: nosuchkind"
holds "the kernel's words on a failure" exits 1 "qdisc kind is unknown" bypass apply
holds "and nothing is left of it" not half_made
ip link add bond1 type bond mode 802.3ad
for i in 3 4; do ip link add n$i type veth peer name s$i; ip link set n$i master bond1; done
ip link set bond1 up
wanted "name: l0, vlan: 70, bond: bond1"
holds "LACP with two members is refused" exits 5 "2 forwarding members" bypass apply
wanted "name: l0, vlan: 70, bond: bond1, allow: [several-members]"
holds "lifted, it is made" bypass apply
wanted
holds "no longer wanted, it goes" bypass apply
holds "gone" not is l0

killed=0
for t in 1 2 3 4 5 6 7 8 9 10 11 12 14 16 20 30; do
    wanted "$V"
    /bondwitness bypass apply $F --state $S >/dev/null 2>&1 &
    p=$!
    usleep ${t}000
    kill -9 $p 2>/dev/null && killed=$((killed + 1))
    wait $p 2>/dev/null
    bypass apply >/tmp/said 2>&1 || { failed=$((failed + 1)); echo "bypass: FAILED  apply after kill -9 at $t ms"; cat /tmp/said; }
    half_made && { failed=$((failed + 1)); echo "bypass: FAILED  half made after kill -9 at $t ms"; }
    bypass remove >/dev/null 2>&1
done
echo "bypass: killed $killed of 16 times"

wanted "$V" "name: a1, vlan: 31, bond: bond0" "name: a2, vlan: 32, bond: bond0, mtu: 1400" "name: a3, vlan: 33, bond: bond0, qdisc: fq_codel" "name: a4, vlan: 34, bond: bond0" "name: a5, vlan: 35, bond: bond0"
/bondwitness bypass run $F --state $S --ready-file /tmp/ready >$LOG 2>&1 &
run=$!
holds "run makes all" soon test -f /tmp/ready
holds "a second instance is told who holds the lock" exits 6 "process $run" bypass apply
ip link delete a1; holds "a deleted one comes back" soon is a1 "id 31" ",UP"
ip link set a2 mtu 1300; holds "the MTU comes back" soon is a2 "mtu 1400"
tc qdisc replace dev a3 root pfifo_fast 2>/dev/null || tc qdisc del dev a3 root
holds "the queue comes back" soon is a3 "qdisc fq_codel"
ip link set a4 down; holds "it is set up again" soon is a4 ",UP"
ip link set a5 alias ""; holds "the mark comes back" soon is a5 "alias bondwitness:"
ip link set bond0 type bond active_slave n2
holds "the active member is followed" soon is vpn0 "vpn0@n2" "id 70" "mtu 1400" "qdisc fq_codel" ",UP"
holds "by the others too" soon is a5 "a5@n2" ",UP"
ip link set n2 down
holds "a member that goes down is followed" soon is vpn0 "vpn0@n1" ",UP"
ip link set n2 up
sleep 1
ip link add link vpn0 name kid type vlan id 5
ip link set bond0 type bond active_slave n2
holds "with something on it, it stays" soon grep -q "would destroy kid" $LOG
holds "where it was" is vpn0 "vpn0@n1"
ip link delete kid
holds "and moves when that is gone" soon is vpn0 "vpn0@n2"
unshare -n sleep 1000 &
other=$!
usleep 200000
# A pod has a pair to its host: that is what gives its namespace an id here, by which it can be looked into.
ip link add p0 type veth peer name eth0 netns $other
ip link add link vpn0 name net1 netns $other type vlan id 6
ip link set bond0 type bond active_slave n1
holds "also if it is in another namespace" soon grep -q "would destroy net1 in another namespace" $LOG
kill $other; wait $other 2>/dev/null
ip link set n2 mtu 1200; ip link set n2 mtu 1500
ip link set a4 txqueuelen 5; ip link set a4 down
holds "undone again: contested" soon grep -q "^contested a4" $LOG
ip link set a4 down; usleep 300000
holds "and left alone" not is a4 ",UP"
holds "not ready any more" soon not test -f /tmp/ready
kill $run; wait $run; holds "it ends in peace" test $? = 0
holds "the interfaces stay" is a2 "a2@"
ip link add link a2 name kid type vlan id 5
holds "what is in use is not removed" exits 5 "in use: kid" bypass remove a2
ip link delete kid
holds "remove" bypass remove
holds "nothing of ours is left" not grep -q bondwitness /sys/class/net/*/ifalias
echo "guest: bypass: $failed statements do not hold"
exit $failed
