#!/bin/bash
# Makes the recordings of this folder again: boots each kernel of `cargo xtask vm --fetch` with guest-init.sh as its first
# process. Run from the repository's root, with tcpdump, xz and qemu-system-x86_64 installed here.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
vm=$(realpath target/vm)
packages=$vm/root
user=$packages/userland
for kernel in ${*:-6.12 6.1}; do
    root=$packages/kernel-$kernel
    work=$vm/netlink-$kernel
    rm -rf "$work"
    mkdir -p "$work"/fs/{bin,usr/bin,usr/sbin,lib64,usr/lib/x86_64-linux-gnu,modules,opt/td,proc,sys,dev,run,tmp,out,etc/iproute2}
    fs=$work/fs
    cp "$here/guest-init.sh" "$fs/init"
    chmod 755 "$fs/init"
    cp "$user/usr/bin/busybox" "$fs/bin/"
    cp "$user"/usr/bin/ip "$fs/usr/bin/"
    cp "$user"/usr/sbin/{tc,ethtool} "$fs/usr/sbin/"
    cp -L "$user/usr/lib64/ld-linux-x86-64.so.2" "$fs/lib64/"
    for p in usr/bin/ip usr/sbin/tc usr/sbin/ethtool; do
        "$user/usr/lib64/ld-linux-x86-64.so.2" --library-path "$user/usr/lib/x86_64-linux-gnu" --list "$user/$p" |
            awk '/=> \//{print $3}' | xargs -I{} cp -Ln {} "$fs/usr/lib/x86_64-linux-gnu/"
    done
    td=$(command -v tcpdump)
    cp -L "$td" "$fs/opt/td/tcpdump"
    ldd "$td" | awk '/=> \//{print $3} /^\t\/lib64/{print $1}' | xargs -I{} cp -L {} "$fs/opt/td/"
    # Modules in an order in which each finds what it needs; names that are built in are left out.
    find "$root" -name '*.ko*' >"$work/modules.txt"
    declare -A seen=()
    add() {
        local name=${1//-/_} file
        [ -n "${seen[$name]:-}" ] && return
        seen[$name]=1
        file=$(sed 's/.*/&/' "$work/modules.txt" | awk -F/ -v n="$name" '{f=$NF; sub(/\.ko.*/,"",f); gsub(/-/,"_",f); if (f==n) print $0}' | head -1)
        [ -z "$file" ] && return
        case $file in *.xz) xz -dc "$file" >"$fs/modules/$name.ko" ;; *) cp "$file" "$fs/modules/$name.ko" ;; esac
        local needs
        needs=$(tr '\0' '\n' <"$fs/modules/$name.ko" | sed -n 's/^depends=//p' | head -1)
        for n in ${needs//,/ }; do add "$n"; done
        echo "$name" >>"$fs/modules/order"
    }
    for m in virtio_pci virtio_blk virtio_net veth bonding 8021q dummy bridge macvlan ipvlan nlmon sch_ingress sch_fq_codel \
        sch_prio cls_matchall cls_u32 cls_flower act_mirred act_gact af_packet drop_monitor; do add "$m"; done
    (cd "$fs" && find . | ./bin/busybox cpio -o -H newc) >"$work/initrd" 2>/dev/null
    truncate -s 64M "$work/disk.img"
    image=$(ls "$root"/boot/vmlinuz-* | head -1)
    nice -n 10 qemu-system-x86_64 -accel tcg,thread=single -icount shift=0,sleep=off -cpu Nehalem,-cx16 -smp 1 -m 1000 \
        -nographic -no-reboot -nodefaults -rtc base=2026-01-01T00:00:00,clock=vm -serial stdio \
        -append "console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable random.trust_bootloader=on" \
        -device virtio-net-pci,mac=02:00:00:00:44:01 \
        -kernel "$image" -initrd "$work/initrd" -drive "file=$work/disk.img,format=raw,if=virtio,cache=unsafe" \
        </dev/null >"$work/console.txt" 2>&1
    grep -q "guest exit 0" "$work/console.txt" || { tail -20 "$work/console.txt"; exit 1; }
    mkdir -p "$work/out"
    tar -x -f "$work/disk.img" -C "$work/out"
    echo "$kernel: $work/out"
done
