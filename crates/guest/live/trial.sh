#!/bin/busybox sh
# `bondwitness diagnose`, `collect` and `verify` on running bonds, with the product's own collectors. Started by the first
# process of the guest in place of its driver (`cargo xtask vm --live`). Each line is a statement that holds or not; the
# last line tells how many did not.

/bin/busybox --install -s /bin
failed=0
O=/tmp/live
mkdir -p $O

# The shell would take its own.
ip() { /usr/bin/ip -c=never "$@"; }
tc() { /usr/sbin/tc "$@"; }
B=/bondwitness

# holds NAME COMMAND...: it does.
holds() {
    n=$1; shift
    if "$@" >/tmp/out 2>&1; then echo "live: ok      $n"; else
        failed=$((failed + 1)); echo "live: FAILED  $n"; head -c 1500 /tmp/out
    fi
}
not() { ! "$@"; }
# exits CODE WORDS COMMAND...: with this code, saying these words.
exits() {
    c=$1; w=$2; shift 2
    "$@" >/tmp/said 2>&1; got=$?; head -c 1200 /tmp/said
    [ $got = $c ] && grep -q "$w" /tmp/said
}
# in_ NAMESPACE COMMAND...
in_() { ns=$1; shift; ip netns exec $ns "$@"; }

# pair NAME HOST-OPTIONS SWITCH-OPTIONS: a bond of two in namespace NAME, its switch in NAME-sw.
pair() {
    ip netns add $1; ip netns add $1-sw
    for i in 1 2; do ip link add eno$i netns $1 type veth peer name s$i netns $1-sw; done
    in_ $1 /usr/bin/ip link add bond0 type bond miimon 100 $2
    in_ $1-sw /usr/bin/ip link add po1 type bond miimon 100 $3
    for i in 1 2; do
        in_ $1 /usr/bin/ip link set eno$i master bond0
        in_ $1-sw /usr/bin/ip link set s$i master po1
        in_ $1-sw /usr/bin/ip link set s$i up
        in_ $1 /usr/bin/ip link set eno$i up
    done
    in_ $1 /usr/bin/ip link set bond0 up
    in_ $1-sw /usr/bin/ip link set po1 up
}
# dropping NAMESPACE DEVICE WAY AFTER FOR: LACPDUs are dropped on this way.
dropping() {
    sleep $4
    in_ $1 /usr/sbin/tc qdisc add dev $2 clsact
    in_ $1 /usr/sbin/tc filter add dev $2 $3 protocol 0x8809 matchall action drop
    sleep $5
    in_ $1 /usr/sbin/tc qdisc del dev $2 clsact
}

FAST="mode 802.3ad lacp_rate fast"
pair healthy "$FAST" "$FAST"
pair silent "$FAST" "$FAST"
pair egress "$FAST" "$FAST"
pair ingress "$FAST" "$FAST"
pair down "$FAST" "$FAST"
pair static "$FAST" "mode balance-xor"
pair backup "mode active-backup" "mode active-backup"
sleep 12
uname -r

dropping silent-sw s1 egress 20 15 &
dropping egress eno1 egress 20 15 &
dropping ingress eno1 ingress 20 15 &
(sleep 20; in_ down /usr/bin/ip link set eno1 down; sleep 15; in_ down /usr/bin/ip link set eno1 up) &
CASES="healthy silent egress ingress down static backup"
for n in $CASES; do
    ($B diagnose --netns $n --for 60 -o $O/$n.tar.zst --json >$O/$n.json 2>$O/$n.err; echo $? >$O/$n.code) &
    pids="$pids $!"
done
wait $pids

# What each exit code may be: a wrong accusation is the only thing that must never come.
may() { case " $2 " in *" $(cat $O/$1.code) "*) ;; *) cat $O/$1.code; cat $O/$1.err; grep -A8 '"verdict"' $O/$1.json; return 1 ;; esac; }
holds "healthy: nothing is wrong" may healthy "0"
holds "silent partner: never the host" may silent "10 12 13"
holds "a filter on the way out: the host" may egress "11"
holds "a filter on the way in: the host, or not decided" may ingress "10 11"
holds "set down on the host: the host, or not decided" may down "10 11"
holds "a static partner: the switch, both ends, or not decided" may static "10 12 15"
holds "an active-backup bond in order" may backup "0 10"
for c in $CASES; do
    echo "live: $c: code $(cat $O/$c.code), bundle of $(stat -c %s $O/$c.tar.zst) octets"
    holds "$c: the bundle holds, and its verdict is made anew" $B verify $O/$c.tar.zst
    holds "$c: at most 300 KiB" test $(stat -c %s $O/$c.tar.zst) -le 307200
    $B diagnose --from $O/$c.tar.zst --json >$O/$c.again
    holds "$c: the same verdict from the bundle, byte for byte" cmp $O/$c.json $O/$c.again
done

# An end ahead of time.
$B diagnose --netns healthy --for 1h -o $O/early.tar.zst >$O/early.txt 2>&1 & p=$!
# The shell starts what it puts into the background deaf to SIGINT; SIGTERM is taken the same way.
sleep 8; kill -TERM $p; wait $p
holds "a wish to stop gives the verdict on what there is" test $? = 0 -a -s $O/early.txt
holds "and the bundle" $B verify $O/early.tar.zst
$B diagnose --netns healthy --for 1h -o $O/killed.tar.zst >/dev/null 2>&1 & p=$!
sleep 5; kill -9 $p; sleep 2
holds "kill -9 leaves no bundle under the name" test ! -e $O/killed.tar.zst
holds "and no process that judges" not pgrep -f "bondwitness judge"
mkdir /tmp/full; mount -t tmpfs -o size=8k full /tmp/full
$B diagnose --netns healthy --for 0 -o /tmp/full/case.tar.zst >$O/full.txt 2>$O/full.err; code=$?
holds "a full disk is an error, told after the verdict" test $code = 1 -a -s $O/full.txt
holds "which names the file" grep -q "case.tar.zst" $O/full.err
holds "nothing half-written is left there" test -z "$(ls -A /tmp/full)"
holds "a file that is there is not written over" exits 1 "exists" $B diagnose --netns healthy --for 0 -o $O/early.tar.zst
holds "an unknown bond names those there are" exits 3 "bond0" $B diagnose bond7 --netns healthy --for 0
holds "no bond at all" exits 3 "" $B diagnose --for 0
$B collect --netns healthy --for 3 -o - >$O/piped.tar.zst
holds "collect into a pipe" $B diagnose --from $O/piped.tar.zst
(sleep 6; in_ healthy-sw /usr/bin/ip link set s2 down) & begun=$(date +%s)
$B diagnose --netns healthy --until-flap --for 10m >$O/flap.txt 2>&1
holds "it ends soon after a flap" test $(($(date +%s) - begun)) -le 30
holds "without sent frames" exits 10 "" $B diagnose --netns healthy --no-tx-tap --for 5

# Frames of a VLAN over a bond, followed on the host while they are sent: four ways to lose them, and none.
for n in way-tc way-queue way-far way-none way-down; do
    pair $n "mode active-backup" "mode active-backup"
    in_ $n /usr/bin/ip link add link bond0 name bond0.70 type vlan id 70
    in_ $n-sw /usr/bin/ip link add link po1 name po1.70 type vlan id 70
    in_ $n /usr/bin/ip addr add 192.0.2.1/24 dev bond0.70
    in_ $n-sw /usr/bin/ip addr add 192.0.2.2/24 dev po1.70
    in_ $n /usr/bin/ip link set bond0.70 up
    in_ $n-sw /usr/bin/ip link set po1.70 up
done
sleep 3
for n in way-tc way-queue way-far way-none way-down; do in_ $n ping -c 1 -W 2 192.0.2.2 >/dev/null 2>&1; done
in_ way-tc /usr/sbin/tc qdisc add dev bond0 clsact
in_ way-tc /usr/sbin/tc filter add dev bond0 egress matchall action drop
for i in 1 2; do in_ way-queue /usr/sbin/tc qdisc add dev eno$i root pfifo limit 0; done
in_ way-far-sw /usr/bin/ip link set po1.70 down
in_ way-down /usr/bin/ip link set bond0.70 down
ways=
for n in way-tc way-queue way-far way-none way-down; do
    ($B txpath bond0.70 --netns $n --for 6 -o $O/$n.tar.zst >$O/$n.txt 2>&1; echo $? >$O/$n.code) & ways="$ways $!"
    (sleep 2; in_ $n ping -c 10 -i 0.2 -W 1 192.0.2.2 >/dev/null 2>&1) &
done
wait $ways
# way NAME CODE WORDS: it came to this end, and says these words first.
way() { test "$(cat $O/$1.code)" = $2 && head -n 1 $O/$1.txt | grep -q "$3" && return 0; cat $O/$1.code $O/$1.txt; return 1; }
holds "txpath: a filter of tc on the bond" way way-tc 11 "die at bond0: matchall"
holds "txpath: a queue of a member that takes nothing" way way-queue 11 "die at eno.: pfifo"
holds "txpath: sent and not answered is not this host's way out" way way-far 0 "nothing is lost on the way to the wire"
holds "txpath: and that nothing came back is said" grep -q "and received none" $O/way-far.txt
holds "txpath: nothing is lost" way way-none 0 "bond0.70"
holds "txpath: a VLAN that is switched off" way way-down 11 "bond0.70"
for w in way-tc way-queue; do
    $B txpath bond0.70 --from $O/$w.tar.zst >$O/$w.again
    holds "$w: the same from the bundle" cmp $O/$w.txt $O/$w.again
    holds "$w: the bundle holds" $B verify $O/$w.tar.zst
done
holds "txpath: an interface that is not there" exits 3 "bond0.70" $B txpath bond0.71 --netns way-none --for 1
echo "guest: live: $failed statements do not hold"
exit $failed
