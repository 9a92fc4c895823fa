//! Names of message types, flags of interfaces, error numbers (`include/uapi/linux/rtnetlink.h`, `if.h`, `errno.h`).

/// The name of a message type of rtnetlink; `None` for one that is not read.
#[must_use]
pub fn route(kind: u16) -> Option<&'static str> {
    Some(match kind {
        1 => "NLMSG_NOOP",
        2 => "NLMSG_ERROR",
        3 => "NLMSG_DONE",
        4 => "NLMSG_OVERRUN",
        16 => "RTM_NEWLINK",
        17 => "RTM_DELLINK",
        18 => "RTM_GETLINK",
        19 => "RTM_SETLINK",
        20 => "RTM_NEWADDR",
        21 => "RTM_DELADDR",
        22 => "RTM_GETADDR",
        24 => "RTM_NEWROUTE",
        25 => "RTM_DELROUTE",
        26 => "RTM_GETROUTE",
        28 => "RTM_NEWNEIGH",
        29 => "RTM_DELNEIGH",
        30 => "RTM_GETNEIGH",
        32 => "RTM_NEWRULE",
        33 => "RTM_DELRULE",
        34 => "RTM_GETRULE",
        36 => "RTM_NEWQDISC",
        37 => "RTM_DELQDISC",
        38 => "RTM_GETQDISC",
        40 => "RTM_NEWTCLASS",
        41 => "RTM_DELTCLASS",
        42 => "RTM_GETTCLASS",
        44 => "RTM_NEWTFILTER",
        45 => "RTM_DELTFILTER",
        46 => "RTM_GETTFILTER",
        48 => "RTM_NEWACTION",
        49 => "RTM_DELACTION",
        50 => "RTM_GETACTION",
        52 => "RTM_NEWPREFIX",
        56 => "RTM_NEWMULTICAST",
        57 => "RTM_DELMULTICAST",
        58 => "RTM_GETMULTICAST",
        62 => "RTM_GETANYCAST",
        64 => "RTM_NEWNEIGHTBL",
        66 => "RTM_GETNEIGHTBL",
        68 => "RTM_NEWNDUSEROPT",
        80 => "RTM_NEWNETCONF",
        81 => "RTM_DELNETCONF",
        82 => "RTM_GETNETCONF",
        84 => "RTM_NEWMDB",
        86 => "RTM_GETMDB",
        88 => "RTM_NEWNSID",
        89 => "RTM_DELNSID",
        90 => "RTM_GETNSID",
        92 => "RTM_NEWSTATS",
        94 => "RTM_GETSTATS",
        96 => "RTM_NEWCACHEREPORT",
        100 => "RTM_NEWCHAIN",
        101 => "RTM_DELCHAIN",
        102 => "RTM_GETCHAIN",
        104 => "RTM_NEWNEXTHOP",
        106 => "RTM_GETNEXTHOP",
        108 => "RTM_NEWLINKPROP",
        112 => "RTM_NEWVLAN",
        114 => "RTM_GETVLAN",
        120 => "RTM_NEWTUNNEL",
        122 => "RTM_GETTUNNEL",
        _ => return None,
    })
}

/// What `strerror()` says of an error number, as the GNU library words it; `None` for one that is not here.
#[must_use]
pub fn error(number: i32) -> Option<&'static str> {
    Some(match number {
        1 => "Operation not permitted",
        2 => "No such file or directory",
        4 => "Interrupted system call",
        5 => "Input/output error",
        6 => "No such device or address",
        7 => "Argument list too long",
        11 => "Resource temporarily unavailable",
        12 => "Cannot allocate memory",
        13 => "Permission denied",
        14 => "Bad address",
        16 => "Device or resource busy",
        17 => "File exists",
        19 => "No such device",
        22 => "Invalid argument",
        28 => "No space left on device",
        33 => "Numerical argument out of domain",
        34 => "Numerical result out of range",
        38 => "Function not implemented",
        61 => "No data available",
        71 => "Protocol error",
        75 => "Value too large for defined data type",
        90 => "Message too long",
        92 => "Protocol not available",
        93 => "Protocol not supported",
        95 => "Operation not supported",
        97 => "Address family not supported by protocol",
        98 => "Address already in use",
        99 => "Cannot assign requested address",
        100 => "Network is down",
        101 => "Network is unreachable",
        105 => "No buffer space available",
        110 => "Connection timed out",
        _ => return None,
    })
}

/// `IFF_UP`.
pub const UP: u32 = 1;
/// `IFF_RUNNING`.
pub const RUNNING: u32 = 0x40;

/// Flags of an interface in the order and spelling of `ip` (`print_link_flags()`, iproute2 6.15); `IFF_RUNNING` is shown by
/// its absence, as `NO-CARRIER`, and unknown bits in hexadecimal.
#[must_use]
pub fn interface_flags(flags: u32) -> Vec<String> {
    const NAMES: [(u32, &str); 18] = [
        (0x8, "LOOPBACK"),
        (0x2, "BROADCAST"),
        (0x10, "POINTOPOINT"),
        (0x1000, "MULTICAST"),
        (0x80, "NOARP"),
        (0x200, "ALLMULTI"),
        (0x100, "PROMISC"),
        (0x400, "MASTER"),
        (0x800, "SLAVE"),
        (0x4, "DEBUG"),
        (0x8000, "DYNAMIC"),
        (0x4000, "AUTOMEDIA"),
        (0x2000, "PORTSEL"),
        (0x20, "NOTRAILERS"),
        (0x1, "UP"),
        (0x1_0000, "LOWER_UP"),
        (0x2_0000, "DORMANT"),
        (0x4_0000, "ECHO"),
    ];
    let mut out = Vec::new();
    if flags & UP != 0 && flags & RUNNING == 0 {
        out.push("NO-CARRIER".to_owned());
    }
    let mut rest = flags & !RUNNING;
    for (bit, name) in NAMES {
        if rest & bit != 0 {
            out.push(name.to_owned());
            rest &= !bit;
        }
    }
    if rest != 0 {
        out.push(format!("{rest:x}"));
    }
    out
}

/// A number as its name in a table, or in decimal.
#[must_use]
pub fn of(table: &[&str], number: u64) -> String {
    usize::try_from(number)
        .ok()
        .and_then(|n| table.get(n))
        .map_or_else(|| number.to_string(), |s| (*s).to_owned())
}

/// `operstate` (RFC 2863; `enum` in `include/uapi/linux/if.h`).
pub const OPERSTATE: [&str; 7] =
    ["UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP"];

/// `ARPHRD_*` as `ip` prints it behind `link/` (`lib/ll_types.c`).
#[must_use]
pub fn hardware(kind: u16) -> String {
    match kind {
        0 => "netrom",
        1 => "ether",
        6 => "ieee802",
        24 => "ieee1394",
        32 => "infiniband",
        280 => "can",
        512 => "ppp",
        768 => "ipip",
        769 => "tunnel6",
        772 => "loopback",
        774 => "fddi",
        776 => "sit",
        778 => "gre",
        801 => "ieee802.11",
        803 => "ieee802.11/radiotap",
        823 => "gre6",
        824 => "netlink",
        825 => "6lowpan",
        826 => "vsockmon",
        0xffff => "void",
        0xfffe => "none",
        n => return format!("[{n}]"),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_read_as_ip_prints_them() {
        assert_eq!(
            interface_flags(0x1_1843),
            ["BROADCAST", "MULTICAST", "SLAVE", "UP", "LOWER_UP"].map(str::to_owned)
        );
        assert_eq!(interface_flags(0x1003).first().map(String::as_str), Some("NO-CARRIER"));
        assert_eq!(interface_flags(0x8000_0000), ["80000000".to_owned()]);
    }
}
