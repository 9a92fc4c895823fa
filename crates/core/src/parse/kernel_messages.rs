//! The dictionary of kernel messages: what a line of the kernel log means, and whom it names.
//!
//! Sources: format strings of `drivers/net/bonding`, `drivers/net/team`, `net/core`, `net/sched/sch_generic.c`,
//! `drivers/pci/pcie/aer.c` and of the Ethernet drivers (`kernel-facts.md` sections 6 and 6.1), in their present
//! form and in the forms of kernels back to 2.6.32. A message has a head that says who speaks
//! (`igb 0000:02:00.0 net0: `, `bond0: (slave eno1): `, `bonding: bond0: `, `mlx4_en: eth2: `) and a body.
//!
//! Strict on purpose: words such as `error` and `reset` count only behind the head of a network driver, a
//! success or a report of capabilities is [`KernelKind::Other`], and what dynamic debug prints is never an event
//! (drivers call `e_dbg("Error ...")` on healthy paths).

use super::prompt::{is_ifname, looks_like_ifname};
use crate::evidence::KernelKind;

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it means.
    pub kind: KernelKind,
    /// The interface it names: the member where it names a bond too.
    pub dev: Option<String>,
    /// The bond (or team) it names.
    pub bond: Option<String>,
    /// The driver that speaks.
    pub driver: Option<String>,
    /// The bus address of the device that speaks (`0000:02:00.0`).
    pub bus: Option<String>,
    /// The speed in Mbit/s that a link message tells.
    pub speed: Option<u64>,
}

/// Who speaks, and what is said.
struct Head<'a> {
    driver: Option<&'a str>,
    bus: Option<&'a str>,
    /// The first interface of the head: the bond where a member follows.
    name: Option<&'a str>,
    /// `(slave X)`.
    member: Option<&'a str>,
    /// Printed by dynamic debug.
    debug: bool,
    body: &'a str,
}

/// Reads one message: the text behind time, host and `kernel:`.
#[must_use]
pub fn classify(message: &str) -> Message {
    let head = head(message);
    let lower = head.body.to_ascii_lowercase();
    let mut m = Message {
        kind: KernelKind::Other,
        dev: head.member.or(head.name).map(str::to_owned),
        bond: None,
        driver: head.driver.map(str::to_owned),
        bus: head.bus.map(str::to_owned),
        speed: None,
    };
    if m.dev.is_none() && m.bus.is_some() {
        // Messages of the device about its interface.
        m.dev = ["registered PHC device on ", "removed PHC on ", "removed PHC device on "]
            .iter()
            .find_map(|p| name_after(head.body, p))
            .map(str::to_owned);
    }
    if bonding(&head, &lower, &mut m) || team(&head, &mut m) || head.debug {
        return m;
    }
    if let Some(kind) = core(&head, &lower, &mut m)
        .or_else(|| pci(&head, &lower, &mut m))
        .or_else(|| link(&head, &lower, &mut m))
        .or_else(|| driver(&head, &lower))
    {
        m.kind = kind;
    }
    m
}

/// True if a line without any time stamp can only be a kernel message: a driver with a bus address, or a
/// message that nothing else prints.
#[must_use]
pub fn is_unmistakable(message: &str) -> bool {
    let t = message.strip_prefix("kernel: ").unwrap_or(message);
    let head = head(t);
    if head.body.is_empty() {
        return false;
    }
    if head.driver.is_some() && head.bus.is_some() || head.member.is_some() {
        return true;
    }
    if head.driver == Some("bonding") && head.name.is_some() {
        return true;
    }
    let body = head.body;
    head.name.is_some()
        && [
            "link status definitely ",
            "making interface ",
            "now running without any active interface",
            "Warning: No 802.3ad response",
            "An illegal loopback occurred",
            "NIC Link is ",
            "entered promiscuous mode",
            "left promiscuous mode",
            "renamed from ",
            "Enslaving ",
        ]
        .iter()
        .any(|p| body.starts_with(p))
        || body.starts_with("NETDEV WATCHDOG: ")
        || body.starts_with("Virtual device ") && body.contains(" asks to queue packet")
        || body.starts_with("device ") && body.ends_with(" promiscuous mode")
        || body.starts_with("net_ratelimit: ") && body.contains(" callbacks suppressed")
        || body.starts_with("IPv6: ADDRCONF(NETDEV_")
        || body.starts_with("8021q: adding VLAN ")
        || body.starts_with("Linux version ") && body.contains("(gcc version ")
}

fn head(message: &str) -> Head<'_> {
    let mut h =
        Head { driver: None, bus: None, name: None, member: None, debug: false, body: message.trim_start() };
    // Dynamic debug with `+tmfl`: `[547] e1000e:e1000_set_page_igp:298: `, `<intr> e1000e:...`.
    if let Some(rest) = h.body.strip_prefix("<intr> ") {
        h.debug = true;
        h.body = rest;
    }
    if let Some((pid, rest)) = h.body.strip_prefix('[').and_then(|r| r.split_once("] "))
        && !pid.is_empty()
        && pid.bytes().all(|b| b.is_ascii_digit())
    {
        h.debug = true;
        h.body = rest;
    }
    if let Some((place, rest)) = h.body.split_once(": ")
        && !place.contains(' ')
        && let Some((module, line)) = place.rsplit_once(':')
        && module.contains(':')
        && !line.is_empty()
        && line.bytes().all(|b| b.is_ascii_digit())
        && !is_bus(place)
    {
        h.debug = true;
        h.driver = module.split(':').next();
        h.body = rest;
    }
    for _ in 0..6 {
        let before = h.body;
        if h.bus.is_none() {
            driver_and_bus(&mut h);
        }
        if let Some((member, rest)) = h.body.strip_prefix("(slave ").and_then(|r| r.split_once("): "))
            && is_ifname(member)
        {
            h.member = Some(member);
            h.body = rest;
        }
        bracketed(&mut h);
        colon(&mut h);
        if h.body == before {
            break;
        }
    }
    // `igb: net0 NIC Link is Down`, `bnx2: eth0 NIC Copper Link is Up`.
    if let Some((name, rest)) = h.body.split_once(' ')
        && (rest.starts_with("NIC ") || rest.starts_with("Link is ") || rest.starts_with("link "))
        && is_ifname(name)
        && name != "NIC"
        && (looks_like_ifname(name) || rest.starts_with("NIC Link is "))
    {
        h.name = h.name.or(Some(name));
        h.body = rest;
    }
    h
}

/// `igb 0000:02:00.0 net0: `, `igb 0000:02:00.0: `, `e1000e 0000:00:1f.6 0000:00:1f.6 (uninitialized): `,
/// `r8152 2-1:1.0 eth0: `, `virtio_net virtio0 ens3: `.
fn driver_and_bus<'a>(h: &mut Head<'a>) {
    let Some((word, rest)) = h.body.split_once(' ') else { return };
    if word.is_empty()
        || word.len() > 24
        || !word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    {
        return;
    }
    let (bus, after) = rest.split_once(' ').unwrap_or((rest, ""));
    if let Some(bus) = bus.strip_suffix(':') {
        if is_bus(bus) {
            (h.driver, h.bus, h.body) = (Some(word), Some(bus), after);
        }
        return;
    }
    if !is_bus(bus) {
        return;
    }
    // Up to the colon stands the name, perhaps with `(unnamed net_device) (uninitialized)`.
    let Some((names, body)) = after.split_once(':') else { return };
    let (names, body) = if is_bus_start(names) {
        // `0000:00:1f.6 (uninitialized): ` before the device has a name.
        let Some((names, body)) = after.split_once(": ") else { return };
        (names, body)
    } else {
        (names, body)
    };
    if names.split_whitespace().count() > 4 {
        return;
    }
    let name = names.split_whitespace().next().unwrap_or("");
    if is_ifname(name) && !is_pci(name) && word != "pci" {
        h.name = Some(name);
    }
    (h.driver, h.bus, h.body) = (Some(word), Some(bus), body.trim_start());
}

fn is_bus_start(names: &str) -> bool {
    matches!(names.len(), 4..=8) && names.bytes().all(|b| b.is_ascii_hexdigit())
}

/// `[bnx2x_attn_int_deasserted3:4323(eth2)]`, `[qede_link_update:2900(ens1f0)]`.
fn bracketed<'a>(h: &mut Head<'a>) {
    if let Some((inside, rest)) = h.body.strip_prefix('[').and_then(|r| r.split_once(']'))
        && let Some((_, name)) = inside.split_once('(')
        && inside.len() < 80
    {
        let name = name.trim_end_matches(')').split_whitespace().next().unwrap_or("");
        if is_ifname(name) {
            h.name = h.name.or(Some(name));
        }
        h.body = rest.trim_start();
    }
}

/// `bonding: `, `bond0: `, `bond0 (unregistering): `, `igb: `.
fn colon<'a>(h: &mut Head<'a>) {
    let Some((front, rest)) = h.body.split_once(": ") else { return };
    let (word, state) = front.split_once(' ').map_or((front, ""), |(w, s)| (w, s));
    let plain = state.is_empty() || state.starts_with("(un") && state.ends_with(')');
    if !plain {
        return;
    }
    if state.is_empty() && (is_nic(word) || SPEAKERS.contains(&word)) {
        h.driver = h.driver.or(Some(word));
        h.body = rest.trim_start();
    } else if h.name.is_none() && is_ifname(word) && !is_foreign(word) {
        let sure = rest.starts_with("(slave ") || STRONG.iter().any(|s| rest.starts_with(s));
        if sure || !state.is_empty() || looks_like_ifname(word) || word.starts_with("bond") {
            h.name = Some(word);
            h.body = rest.trim_start();
        }
    }
}

/// Words before a colon that say who speaks and are no network driver.
const SPEAKERS: &[&str] =
    &["bonding", "AER", "pciehp", "sfp", "libphy", "Generic", "phylink", "DMAR", "AMD-Vi"];

/// Bodies that only an interface can have.
const STRONG: &[&str] = &[
    "entered promiscuous mode",
    "left promiscuous mode",
    "entered allmulticast mode",
    "left allmulticast mode",
    "renamed from ",
    "link becomes ready",
    "link is not ready",
    "link status ",
    "NIC Link is ",
    "Link is Up",
    "Link is Down",
    "Port device ",
];

/// Names in front of a colon that look like an interface (`sda1`, `IPv6`, `ata7`) and are none.
fn is_foreign(word: &str) -> bool {
    const STEMS: &[&str] = &[
        "IPv", "ipv", "ip", "NFS", "R", "CR", "DR", "acpi", "ata", "bcache", "blk", "card", "cgroup", "cma",
        "cpu", "crc", "dm", "drbd", "efi", "ext", "fb", "hci", "hid", "host", "i", "input", "kvm", "loop",
        "mce", "md", "mmc", "mtd", "nbd", "nvme", "pci", "pps", "ptp", "raid", "ram", "random", "rbd", "rtc",
        "scsi", "sd", "sda", "sha", "smp", "sr", "st", "tty", "ttyS", "usb", "vd", "vda", "vdb", "x", "xvd",
        "xvda", "zd", "zram", "serial", "e820", "aes", "jbd", "ch", "sg", "hd", "cdc", "lpc", "soc", "phy",
        "mdio",
    ];
    let stem = word.len() - word.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
    word == "e820" || STEMS.contains(&word.get(..stem).unwrap_or(""))
}

/// Address of a device on a bus: PCI, USB, virtio, a platform device, Hyper-V.
#[must_use]
pub fn is_bus(t: &str) -> bool {
    is_pci(t) || is_usb(t) || is_named_bus(t) || is_uuid(t)
}

fn hex(t: &str, min: usize, max: usize) -> bool {
    (min..=max).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_hexdigit())
}

/// `0000:02:00.0`, `10000:e1:00.0`, `02:00.0`.
fn is_pci(t: &str) -> bool {
    let Some((front, function)) = t.rsplit_once('.') else { return false };
    let mut parts = front.rsplit(':');
    let (slot, bus, domain) = (parts.next(), parts.next(), parts.next());
    hex(function, 1, 1)
        && slot.is_some_and(|p| hex(p, 2, 2))
        && bus.is_some_and(|p| hex(p, 2, 2))
        && domain.is_none_or(|p| hex(p, 4, 8))
        && parts.next().is_none()
}

/// `2-1`, `2-1.4:1.0`.
fn is_usb(t: &str) -> bool {
    t.split_once('-').is_some_and(|(bus, port)| {
        !bus.is_empty()
            && bus.len() <= 3
            && bus.bytes().all(|b| b.is_ascii_digit())
            && port.bytes().next().is_some_and(|b| b.is_ascii_digit())
            && port.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b':'))
    })
}

fn is_named_bus(t: &str) -> bool {
    let numbered =
        |p: &str| t.strip_prefix(p).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    ["virtio", "netdevsim", "dpni.", "vif-", "vio"].iter().any(|p| numbered(p))
        // `ff0e0000.ethernet`, `30be0000.ethernet`, `vmbus`-less platform names.
        || t.split_once('.').is_some_and(|(address, kind)| {
            hex(address, 6, 16)
                && kind.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
                && kind.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        })
}

fn is_uuid(t: &str) -> bool {
    t.len() == 36
        && t.bytes()
            .enumerate()
            .all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() })
}

/// True for the name of a driver of a network interface.
#[must_use]
pub fn is_nic(driver: &str) -> bool {
    NICS.binary_search(&driver).is_ok()
        || driver.ends_with("-dwmac")
        || driver.ends_with("-cpsw-nuss")
        || driver.starts_with("mlxsw_")
        || driver.starts_with("mlx5_")
        || driver.starts_with("mlx4_")
}

/// Drivers of network interfaces, sorted.
const NICS: &[&str] = &[
    "3c59x",
    "8139cp",
    "8139too",
    "alx",
    "amd-xgbe",
    "aqc111",
    "aquantia",
    "asix",
    "atl1",
    "atl1c",
    "atl1e",
    "atl2",
    "atlantic",
    "ax88179_178a",
    "b44",
    "bcmgenet",
    "be2net",
    "benet",
    "bna",
    "bnx2",
    "bnx2x",
    "bnxt",
    "bnxt_en",
    "cdc_ether",
    "cdc_mbim",
    "cdc_ncm",
    "cpsw",
    "cxgb",
    "cxgb3",
    "cxgb4",
    "cxgb4vf",
    "dm9601",
    "dwmac",
    "e100",
    "e1000",
    "e1000e",
    "ehea",
    "ena",
    "enetc",
    "enic",
    "fbnic",
    "fec",
    "fm10k",
    "forcedeth",
    "fsl_dpaa2_eth",
    "fsl_dpaa_eth",
    "fsl_enetc",
    "funeth",
    "gianfar",
    "gve",
    "hclge",
    "hclgevf",
    "hinic",
    "hinic3",
    "hns",
    "hns3",
    "hns3vf",
    "hv_netvsc",
    "i40e",
    "i40evf",
    "iavf",
    "ibmveth",
    "ibmvnic",
    "ice",
    "idpf",
    "igb",
    "igbvf",
    "igc",
    "ionic",
    "ixgb",
    "ixgbe",
    "ixgbevf",
    "jme",
    "lan743x",
    "lan78xx",
    "libphy",
    "liquidio",
    "macb",
    "mana",
    "mlx4_core",
    "mlx4_en",
    "mlx5_core",
    "mlx5_en",
    "mtk_soc_eth",
    "mv643xx_eth",
    "mv88e6085",
    "mvneta",
    "mvpp2",
    "myri10ge",
    "netsec",
    "netvsc",
    "netxen_nic",
    "nfp",
    "ngbe",
    "nicpf",
    "nicvf",
    "niu",
    "octeon_ep",
    "octeontx2-nicpf",
    "octeontx2-nicvf",
    "pcnet32",
    "pds_core",
    "qed",
    "qede",
    "qeth",
    "qlcnic",
    "qlge",
    "r8125",
    "r8126",
    "r8127",
    "r8152",
    "r8168",
    "r8169",
    "ravb",
    "rtl8150",
    "rvu_nicpf",
    "rvu_nicvf",
    "s2io",
    "sfc",
    "sfc_ef100",
    "sfp",
    "sh_eth",
    "sis900",
    "skge",
    "sky2",
    "smsc75xx",
    "smsc95xx",
    "sr9700",
    "st_gmac",
    "stmmac",
    "stmmaceth",
    "tg3",
    "thunder-nic",
    "thunder-nicvf",
    "tn40xx",
    "tulip",
    "txgbe",
    "usbnet",
    "via-rhine",
    "via-velocity",
    "vif",
    "virtio_net",
    "vmxnet3",
    "vxge",
    "xen_netfront",
    "xennet",
    "xgbe",
    "xgene-enet",
];

/// The token after `marker`, without punctuation, if it can be an interface.
fn name_after<'a>(body: &'a str, marker: &str) -> Option<&'a str> {
    let at = body.find(marker)?;
    let rest = body.get(at.checked_add(marker.len())?..)?;
    let word = rest
        .trim_start_matches('(')
        .split_whitespace()
        .next()?
        .trim_end_matches([',', '.', ';', '!', ')', ':', '-'])
        .trim_matches(['\'', '"', '`']);
    is_ifname(word).then_some(word)
}

fn is_bond_name(name: &str) -> bool {
    name.strip_prefix("bond").is_some_and(|r| !r.contains('.'))
}

/// Messages of the bonding driver, old (`bonding: bond0: ...`, member named in the text) and new
/// (`bond0: (slave X): ...`).
fn bonding(h: &Head<'_>, lower: &str, m: &mut Message) -> bool {
    use KernelKind as K;
    let body = h.body;
    let certain = h.member.is_some() || h.driver == Some("bonding");
    if h.driver.is_some_and(|d| d != "bonding") || h.name.is_none() && h.driver.is_none() {
        return false;
    }
    let link_status = lower.starts_with("link status ");
    let kind = if link_status && (lower.contains("definitely up") || lower.starts_with("link status up")) {
        m.speed = speed(lower);
        K::MemberUp
    } else if link_status && (lower.contains("definitely down") || lower.starts_with("link status down")) {
        K::MemberDown
    } else if lower.starts_with("enslaving ") {
        K::Enslaved
    } else if lower.starts_with("releasing ") {
        K::Released
    } else if lower.contains("the new active one") {
        K::NewActive
    } else if lower.starts_with("now running without any active interface") {
        K::NoActive
    } else if lower.starts_with("an illegal loopback occurred") {
        K::Loopback
    } else if lower.contains("no 802.3ad response from the link partner") {
        K::NoPartner
    } else if lower.contains("the permanent hwaddr of") && lower.contains("still in use") {
        K::HwaddrInUse
    } else if lower.starts_with("interface") && lower.ends_with("is now up")
        || lower.starts_with("backup interface") && lower.ends_with("is now up")
    {
        K::MemberUp
    } else if lower.starts_with("interface") && lower.ends_with("is now down")
        || lower.starts_with("backup interface") && lower.ends_with("is now down")
    {
        K::MemberDown
    } else if certain || h.name.is_some_and(is_bond_name) && !lower.contains("promiscuous mode") {
        if is_bond_error(lower) {
            K::BondError
        } else if certain || is_bond_talk(lower) {
            K::BondOther
        } else {
            return false;
        }
    } else {
        return false;
    };
    m.kind = kind;
    m.bond = h.name.map(str::to_owned);
    m.driver.get_or_insert_with(|| "bonding".to_owned());
    m.dev = h.member.map(str::to_owned).or_else(|| {
        [
            "nslaving ",
            "adapter ",
            "dding slave ",
            "emoving slave ",
            "HWaddr of ",
            "from slave ",
            "of slave ",
            "for slave ",
            "existent slave ",
            "duplex for ",
            "nterface ",
        ]
        .iter()
        .find_map(|p| name_after(body, p))
        // New forms leave the name out: `link status down for interface, disabling it`.
        .filter(|n| !matches!(*n, "the" | "up" | "slave" | "is" | "with" | "and" | "was" | "as" | "in"))
        .map(str::to_owned)
    });
    true
}

fn is_bond_error(lower: &str) -> bool {
    lower.starts_with("error")
        || lower.contains("failed")
        || lower.starts_with("cannot ")
        || lower.starts_with("can't ")
        || lower.contains("could not ")
        || lower.contains("couldn't ")
        || lower.contains("unable to ")
        || lower.contains("does not support setting the mac address")
        || lower.contains("did not find a suitable aggregator")
        || lower.contains("refused")
        || lower.contains("fatal")
}

fn is_bond_talk(lower: &str) -> bool {
    const TALK: &[&str] = &[
        "active interface up",
        "first active interface up",
        "removing an active aggregator",
        "released all slaves",
        "setting ",
        "adding slave",
        "removing slave",
        "warning: ",
        "option ",
        "mode ",
        "mii ",
        "arp ",
        "port ",
        "lag ",
        "primary ",
        "primary_reselect",
        "making ",
        "invalid ",
        "unsetting ",
        "forcing ",
        "added ",
        "removed ",
        "clearing ",
        "is being ",
        "lacp ",
        "no ",
        "rx machine",
        "mux machine",
        "periodic machine",
        "sent lacpdu",
        "received lacpdu",
        "slave ",
        "xmit_hash",
        "xdp",
        "probe:",
        "network device",
        "killing off",
        "fail_over_mac",
        "updelay",
        "downdelay",
        "transmit-queue",
        "creating ",
    ];
    TALK.iter().any(|p| lower.starts_with(p))
}

/// `team0: Port device eth0 added` (`drivers/net/team/team_core.c`).
fn team(h: &Head<'_>, m: &mut Message) -> bool {
    let Some(rest) = h.body.strip_prefix("Port device ") else { return false };
    let (Some(team), Some((port, event))) = (h.name, rest.split_once(' ')) else { return false };
    m.kind = match event {
        "added" => KernelKind::Enslaved,
        "removed" => KernelKind::Released,
        _ => return false,
    };
    m.dev = Some(port.to_owned());
    m.bond = Some(team.to_owned());
    m.driver.get_or_insert_with(|| "team".to_owned());
    true
}

/// Messages of the kernel's core.
fn core(h: &Head<'_>, lower: &str, m: &mut Message) -> Option<KernelKind> {
    use KernelKind as K;
    let body = h.body;
    if let Some(rest) = body.strip_prefix("NETDEV WATCHDOG: ") {
        // Before 6.7: `eth0 (igb): transmit queue 2 timed out`; before 2.6.28: `eth0: transmit timed out`.
        if let Some((who, _)) = rest.split_once(": ")
            && !who.starts_with("CPU")
        {
            let (name, driver) = who.split_once(" (").map_or((who, None), |(n, d)| (n, Some(d)));
            if is_ifname(name) {
                m.dev = Some(name.to_owned());
            }
            if let Some(d) = driver {
                m.driver = Some(d.trim_end_matches(')').to_owned());
            }
        }
        return Some(K::TxTimeout);
    }
    if body.contains(" asks to queue packet") {
        m.dev = name_after(body, "irtual device ").map(str::to_owned).or_else(|| m.dev.take());
        return Some(K::AsksToQueue);
    }
    if lower.ends_with("entered promiscuous mode") || lower.ends_with("left promiscuous mode") {
        if let Some(name) = body.strip_prefix("device ").and_then(|r| r.split_whitespace().next()) {
            m.dev = Some(name.to_owned());
        }
        return Some(K::Promiscuous);
    }
    if body.starts_with("renamed from ") {
        return Some(K::Renamed);
    }
    if body.starts_with("register '") && h.name.is_some() {
        return Some(K::Renamed);
    }
    if body.starts_with("IPv6: ADDRCONF(")
        || body.starts_with("ADDRCONF(")
        || body.contains("link becomes ready")
    {
        m.dev = name_after(body, "): ").map(str::to_owned).or_else(|| m.dev.take());
        return body.contains("link becomes ready").then_some(K::LinkReady);
    }
    if body.starts_with("8021q: adding VLAN ") {
        m.dev = name_after(body, "on device ").map(str::to_owned);
        return Some(K::Other);
    }
    if body.starts_with("Linux version ") {
        return Some(K::Boot);
    }
    if lower.contains(" callbacks suppressed")
        && (["net_ratelimit", "__ratelimit", "bond", "dev_"].iter().any(|p| lower.starts_with(p))
            || h.driver.is_some_and(is_nic)
            || h.name.is_some())
        || lower.contains("printk messages dropped")
        || lower.starts_with("printk: ") && lower.contains("messages suppressed")
        || lower.starts_with("missed ") && lower.contains("kernel messages")
    {
        return Some(K::Suppressed);
    }
    if lower.contains("soft lockup - cpu#")
        || lower.contains("hard lockup on cpu")
        || lower.contains("detected hard lockup")
        || lower.contains("self-detected stall on cpu")
        || lower.contains("detected stalls on cpus")
        || lower.contains("detected expedited stalls")
        || lower.contains("rcu_sched kthread starved")
        || lower.contains("kthread starved for ")
        || lower.contains("blocked for more than ") && lower.contains("task ")
        || lower.contains("workqueue lockup")
    {
        return Some(K::Lockup);
    }
    if lower.starts_with("out of memory")
        || lower.starts_with("memory cgroup out of memory")
        || lower.contains("invoked oom-killer")
        || lower.starts_with("oom-kill:")
        || lower.contains("page allocation failure")
        || lower.contains("page allocation stalls for")
        || lower.contains("unable to allocate memory on node")
    {
        return Some(K::Memory);
    }
    if body.starts_with("WARNING: CPU: ")
        || body.starts_with("WARNING: at ")
        || body.starts_with("WARNING: ") && body.contains(" at ") && body.contains(".c:")
        || body.starts_with("BUG: ")
        || body.starts_with("UBSAN: ")
        || body.starts_with("Oops: ")
        || body.starts_with("Oops[")
        || body.starts_with("kernel BUG at ")
        || body.starts_with("Kernel panic")
        || body.starts_with("general protection fault")
        || body.starts_with("Unable to handle kernel")
        || body.starts_with("divide error: ")
        || body.starts_with("invalid opcode: ")
        || body.starts_with("stack segment: ")
        || body.starts_with("refcount_t: ")
        || body.starts_with("Internal error: ")
        || body.starts_with("unregister_netdevice: waiting for ")
    {
        // `WARNING: CPU: 3 PID: 77 at ...:6843 igc_rd32+0x88/0xa0 [igc]`
        if let Some((_, module)) = body.strip_suffix(']').and_then(|b| b.rsplit_once(" ["))
            && is_nic(module)
        {
            m.driver = Some(module.to_owned());
        }
        return Some(K::Oops);
    }
    None
}

/// `   [ 0] RxErr                  (First)`, `   [12] Timeout`.
fn aer_bit(body: &str) -> bool {
    let Some((bit, name)) = body.trim_start().strip_prefix('[').and_then(|t| t.split_once("] ")) else {
        return false;
    };
    bit.trim_start().parse::<u8>().is_ok_and(|n| n < 32)
        && name.trim_start().bytes().next().is_some_and(|b| b.is_ascii_uppercase())
}

/// The PCIe bus: AER, EEH, hot plug, IOMMU.
fn pci(h: &Head<'_>, lower: &str, m: &mut Message) -> Option<KernelKind> {
    use KernelKind as K;
    let body = h.body;
    let aer = |m: &mut Message| {
        m.driver.get_or_insert_with(|| "AER".to_owned());
    };
    if let Some(at) = lower.find("pcie bus error: severity=") {
        aer(m);
        let severity = lower.get(at + 25..).unwrap_or("");
        return Some(if severity.starts_with("correct") { K::AerCorrectable } else { K::AerUncorrectable });
    }
    // What AER prints below its report: the device with its status, the bits by name, the packet's header. The report has
    // said how bad it is; `[12] Timeout` is the replay timer of the bus and no timeout of the driver.
    if h.driver.is_some()
        && (lower.trim_start().starts_with("device [") && lower.contains("status/mask=")
            || lower.trim_start().starts_with("tlp header:")
            || aer_bit(body))
    {
        return Some(K::Other);
    }
    if h.driver.is_some() || lower.starts_with("aer: ") {
        let l = lower.strip_prefix("aer: ").unwrap_or(lower);
        let l = l.strip_prefix("multiple ").unwrap_or(l);
        // `Corrected error received: 0000:00:1c.0`, 6.11: `Correctable error message received from 0000:..`.
        if l.contains("error received")
            || l.contains("error message received")
            || l.contains("errors received")
        {
            if l.starts_with("correct") {
                return Some(K::AerCorrectable);
            }
            if l.starts_with("uncorrect") || l.starts_with("fatal") || l.starts_with("non-fatal") {
                return Some(K::AerUncorrectable);
            }
        }
        if l.starts_with("device recovery failed") || l.starts_with("can't recover") {
            return Some(K::AerUncorrectable);
        }
        if matches!(h.driver, Some("pcieport" | "pciehp")) && lower.starts_with("slot") {
            return (lower.contains("link down") || lower.contains("card not present"))
                .then_some(K::PcieLost);
        }
    }
    if lower.starts_with("eeh: ") {
        if lower.contains("frozen") || lower.contains("fenced") || lower.contains("detected pci bus error") {
            return Some(K::AerUncorrectable);
        }
        if lower.contains("permanently disabled") || lower.contains("unable to recover") {
            return Some(K::PcieLost);
        }
    }
    let nic = h.driver.is_some_and(is_nic);
    if nic || h.driver.is_some() && h.name.is_some() {
        if lower.contains("pcie link lost")
            || lower.starts_with("adapter removed")
            || lower.starts_with("failed to read reg 0x")
            || lower.contains("device now detached")
            || lower.contains("device inaccessible")
            || lower.contains("register read failed")
            || lower.starts_with("read past its length")
            || lower.contains("surprise removal")
            || lower.contains("unable to change power state from d3cold")
            || lower.contains("refused to change power state")
            || lower.starts_with("pci link down")
            || lower.contains("device is gone")
            || lower.contains("device has been removed")
            || lower.contains("pci channel offline")
            || lower.starts_with("adapter is not present")
            || lower.contains("pci device is not accessible")
        {
            return Some(K::PcieLost);
        }
        if body.contains("IO_PAGE_FAULT") || body.contains("Unhandled context fault") {
            return Some(K::DriverError);
        }
    }
    None
}

/// Carrier messages of drivers.
fn link(h: &Head<'_>, lower: &str, m: &mut Message) -> Option<KernelKind> {
    use KernelKind as K;
    if h.name.is_none() && !h.driver.is_some_and(is_nic) {
        return None;
    }
    // `atlantic: link change old 0 new 10000`.
    let lower = lower.strip_prefix("ax88179 - ").unwrap_or(lower);
    if let Some(new) = lower.strip_prefix("link change old ").and_then(|r| r.split_once(" new ")) {
        let speed: u64 = crate::evidence::leading_int(new.1)?;
        m.speed = (speed > 0).then_some(speed);
        return Some(if speed > 0 { K::LinkUp } else { K::LinkDown });
    }
    if lower.starts_with("link status is: ") {
        return Some(if lower.ends_with('1') { K::LinkUp } else { K::LinkDown });
    }
    let mut l = lower.trim_end_matches(['.', '!']);
    for p in
        ["device ", "ena ", "nic ", "remote ", "copper ", "serdes ", "fiber ", "fibre ", "ethernet ", "port "]
    {
        l = l.strip_prefix(p).unwrap_or(l);
    }
    let state = l
        .strip_prefix("link is ")
        .or_else(|| l.strip_prefix("link "))
        .or_else(|| l.strip_prefix("carrier "))
        .or_else(|| l.strip_prefix("link: "))?;
    let word = state.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
    match word {
        "up" | "on" => {
            m.speed = speed(lower);
            let half =
                ["half duplex", "half-duplex", "/half", " half,", ", half"].iter().any(|p| lower.contains(p))
                    || lower.ends_with(" half");
            Some(if half { K::LinkUpHalf } else { K::LinkUp })
        }
        "down" | "off" | "lost" => Some(K::LinkDown),
        _ => None,
    }
}

/// The speed in Mbit/s in a text in lower case: `1000 mbps`, `10 gbps`, `2.5gbps`, `1gbps/full`.
fn speed(lower: &str) -> Option<u64> {
    for (unit, factor) in
        [("mbps", 1), ("mb/s", 1), ("gbps", 1000), ("gb/s", 1000), ("gbit", 1000), ("mbit", 1)]
    {
        let Some(at) = lower.find(unit) else { continue };
        let front = lower.get(..at)?.trim_end();
        let start =
            front.len() - front.bytes().rev().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let number = front.get(start..)?;
        let (whole, tenth) = number.split_once('.').unwrap_or((number, ""));
        let whole: u64 = whole.parse().ok()?;
        let tenth: u64 = tenth.get(..1).and_then(|d| d.parse().ok()).unwrap_or(0);
        return whole.checked_mul(factor)?.checked_add(tenth * factor / 10);
    }
    None
}

/// Messages of network drivers other than carrier.
fn driver(h: &Head<'_>, lower: &str) -> Option<KernelKind> {
    use KernelKind as K;
    let nic = h.driver.is_some_and(is_nic)
        || h.bus.is_some() && h.name.is_some()
        || h.driver.is_none() && h.name.is_some_and(is_wired_name);
    if !nic {
        // `igb: probe of 0000:02:00.0 failed with error -5` has no head; its driver is a word before a colon and
        // is handled above. `firmware: failed to load rtl_nic/...` names the NIC only in its path.
        let nic_file = ["rtl_nic/", "bnx2/", "bnx2x/", "tigon/", "intel/ice/", "cxgb4/", "mrvl/"];
        return (lower.contains("fail")
            && lower.contains("firmware")
            && nic_file.iter().any(|f| lower.contains(f)))
        .then_some(K::FirmwareError);
    }
    let has = |words: &[&str]| words.iter().any(|w| lower.contains(w));
    if has(&["tx unit hang", "hardware unit hang", "tx hang", "tx stuck", "lost tx completions"])
        || has(&["tx that wasn't completed", "rx hang", "queue hang", "tx queue hung", "tx queue stuck"])
    {
        return Some(K::TxHang);
    }
    if lower.starts_with("initiating reset") {
        return Some(K::NicReset);
    }
    if has(&["tx timeout", "tx_timeout", "transmit timed out", "transmit timeout", "tx queue timeout"])
        && !has(&["watchdog_timeo"])
    {
        return Some(K::TxTimeout);
    }
    if let Some(kind) = module(h, lower) {
        return Some(kind);
    }
    let bad = has(&[
        "error",
        "fail",
        "cannot",
        "can't",
        "could not",
        "couldn't",
        "unable",
        "fatal",
        "timed out",
        "timeout",
        "invalid",
        "unresponsive",
        "not responding",
        "no response",
        "assert",
        "crash",
        "hang",
        "hung",
        "exceed",
        "overflow",
        "enospc",
        "not enough",
        "too many",
        "out of ",
        "exhaust",
    ]);
    let harmless = has(&[
        "error reporting",
        "no error",
        "errors: 0",
        "error count 0",
        "error recovery",
        "error 0)",
        "recovered",
        "recovery successful",
        "not supported",
        "unsupported by",
        "timeout value",
        "will be dropped from",
        "dcb ",
        "lldp",
        "ptp",
        "phc",
        "vpd",
        "wol",
        "eee ",
        "msi-x",
        "msix",
        "msi ",
        "pcie bandwidth",
        "aspm",
    ]);
    let filter = has(&[
        "filter",
        "promisc",
        "multicast",
        "unicast list",
        "uc list",
        "mc list",
        "rx mode",
        "rx_mode",
        "rx mask",
        "mac list",
        "vlan table",
        "allmulti",
    ]);
    if filter
        && (bad && !harmless
            || has(&["forced on", "forcing ", "some addresses will be dropped", "leaving promiscuous"]))
        && !has(&["flow director is"])
    {
        return Some(K::FilterError);
    }
    if has(&[
        "health compromised",
        "mlx5_error_sw_reset",
        "mlx5_enter_error_state",
        "device's health",
        "health recovery",
        "miss count",
        "health issue observed",
        "print_health_info",
        "will cause a leak of a command resource",
        "keep alive watchdog",
        "entering safe mode",
        "firmware reset event",
        "fatal condition",
        "firmware asserted",
        "fw assert",
        "mc assert",
        "internal error detected",
        "mfw indication",
        "hwrm req_type",
        "hwrm command timeout",
        "unrecoverable error",
        "ue: ",
        "adminq",
        "admin queue timeout",
        "aq command",
        "cmd_exec_timeout",
        "heartbeat failure",
    ]) || has(&["firmware", " fw ", "fw:", "fw_", "hwrm", "admin queue", "mailbox", "mcp ", "command "])
        && bad
        && !harmless
        && !has(&["newer version", "older version"])
        || lower.starts_with("fw ") && bad
    {
        return Some(K::FirmwareError);
    }
    if lower.starts_with("error (timeout")
        || lower.starts_with("fatal error ")
        || lower.contains("error detected in the")
    {
        return Some(K::FirmwareError);
    }
    if lower.starts_with("reset adapter")
        || lower.starts_with("resetting")
        || has(&[
            "resetting adapter",
            "resetting the adapter",
            "resetting device",
            "resetting nic",
            "resetting hardware",
            "initiating reset",
            "reset requested",
            "reset warning received",
            "reset indication received",
            "hardware reset detected",
            "trigger reset is on",
            "device reset completed",
            "starting a recovery process",
            "received reset request",
            "- resetting",
            ", resetting",
            "schedule reset",
            "scheduling reset",
            "global reset",
            "core reset",
            "corer ",
            "globr ",
        ]) && !has(&["dma status error"])
    {
        return Some(K::NicReset);
    }
    if has(&[
        "malicious driver detection",
        "dma status error",
        "re-ordering memory-mapped",
        "pci error (cmd",
        "overheated",
        "over temperature",
        "nvm checksum is not valid",
        "eeprom checksum is not valid",
        "checksum is not valid",
        "hw csum failure",
        "rx csum failure",
        "illegal descriptor",
        "driver issue detected",
        "malformed tx",
        "parity error",
        "ecc error",
        "swiotlb buffer is full",
        "stop_queue",
    ]) && !has(&["ecc error detection enabled"])
    {
        return Some(K::DriverError);
    }
    if lower.starts_with("probe of ") && lower.contains(" failed") || lower.starts_with("probe with driver ")
    {
        return Some(K::DriverError);
    }
    // The rest of what a driver calls an error. Only with its bus address: `eth0: ...` may be the network stack.
    let word = lower.starts_with("error")
        || has(&[
            "failed",
            "failure",
            " error",
            "unable to ",
            "cannot ",
            "fatal",
            " fault",
            " hang",
            " timeout",
            "timed out",
        ]);
    (word && !harmless && !has(&["default", "fallback", "falling back"]) && h.driver.is_some())
        .then_some(K::DriverError)
}

/// Names in front of a message without driver that belong to a physical NIC.
fn is_wired_name(name: &str) -> bool {
    ["eth", "eno", "ens", "enp", "enx", "enP", "em", "net", "lan", "swp"].iter().any(|p| name.starts_with(p))
        && looks_like_ifname(name)
}

/// Optical modules and cables.
fn module(h: &Head<'_>, lower: &str) -> Option<KernelKind> {
    let has = |words: &[&str]| words.iter().any(|w| lower.contains(w));
    (has(&[
        "port module event",
        "unsupported sfp",
        "unsupported qsfp",
        "unsupported module",
        "unsupported port module",
        "module was detected",
        "detected sfp",
        "sfp+ module",
        "sfp module",
        "qsfp module",
        "module inserted",
        "module unplugged",
        "module removed",
        "module plugged",
        "cable plugged",
        "cable unplugged",
        "transceiver",
        "unqualified",
        "incompatible sfp",
        "optics faulted",
        "optics ",
        "physical link is functional",
        "module does not meet",
        "connected media type",
        "tx was disabled on port",
        "module transmit fault",
        "module tx fault",
        "module rx",
    ]) || h.driver == Some("sfp") && lower.starts_with("module "))
    .then_some(KernelKind::ModuleEvent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use KernelKind as K;

    fn check(text: &str, kind: KernelKind, dev: Option<&str>, bond: Option<&str>, driver: Option<&str>) {
        let m = classify(text);
        assert_eq!(
            (m.kind, m.dev.as_deref(), m.bond.as_deref(), m.driver.as_deref()),
            (kind, dev, bond, driver),
            "{text}"
        );
    }

    #[test]
    fn drivers_are_sorted() {
        let mut sorted = NICS.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted, NICS);
    }

    #[test]
    fn bonding_new_and_old() {
        let b = Some("bond0");
        let d = Some("bonding");
        for (text, kind, dev) in [
            ("bond0: (slave h1): link status definitely down, disabling slave", K::MemberDown, Some("h1")),
            ("bond0: (slave h1): link status definitely up, 10000 Mbps full duplex", K::MemberUp, Some("h1")),
            (
                "bond0: link status definitely down for interface net0, disabling it",
                K::MemberDown,
                Some("net0"),
            ),
            (
                "bond0: link status definitely up for interface p1p1, 1000 Mbps full duplex.",
                K::MemberUp,
                Some("p1p1"),
            ),
            (
                "bonding: bond0: link status definitely down for interface eth1, disabling it",
                K::MemberDown,
                Some("eth1"),
            ),
            (
                "bond0: link status down for active interface eth0, disabling it in 200 ms",
                K::MemberDown,
                Some("eth0"),
            ),
            (
                "bond0: (slave eno1): link status down for interface, disabling it in 200 ms",
                K::MemberDown,
                Some("eno1"),
            ),
            ("bond0: (slave eno1): link status up again after 100 ms", K::MemberUp, Some("eno1")),
            ("bond0: Enslaving eth0 as a backup interface with an up link", K::Enslaved, Some("eth0")),
            (
                "bonding: bond0: enslaving eth0 as an active interface with a down link.",
                K::Enslaved,
                Some("eth0"),
            ),
            ("bond0: (slave s2): Releasing backup interface", K::Released, Some("s2")),
            ("bond0 (unregistering): (slave h1): Releasing backup interface", K::Released, Some("h1")),
            ("bond0: Releasing backup interface eth1", K::Released, Some("eth1")),
            ("bond0: making interface net1 the new active one", K::NewActive, Some("net1")),
            ("bond0: (slave eno2): making interface the new active one", K::NewActive, Some("eno2")),
            ("bond0: now running without any active interface!", K::NoActive, None),
            ("bond0: (slave h2): An illegal loopback occurred on slave", K::Loopback, Some("h2")),
            ("bond0: An illegal loopback occurred on adapter (eth3)", K::Loopback, Some("eth3")),
            (
                "bond0: Warning: No 802.3ad response from the link partner for any adapters in the bond",
                K::NoPartner,
                None,
            ),
            ("bond0: (slave v1): Error -13 calling set_mac_address", K::BondError, Some("v1")),
            ("bond0: active interface up!", K::BondOther, None),
            ("bond0 (unregistering): Released all slaves", K::BondOther, None),
            ("bond0: (slave h2): Removing an active aggregator", K::BondOther, Some("h2")),
        ] {
            check(text, kind, dev, b, d);
        }
        check(
            "lacp0: link status definitely down for interface eno1, disabling it",
            K::MemberDown,
            Some("eno1"),
            Some("lacp0"),
            d,
        );
        assert_eq!(
            classify("bond0: (slave h1): link status definitely up, 25000 Mbps full duplex").speed,
            Some(25_000)
        );
    }

    #[test]
    fn carrier_of_many_drivers() {
        for (text, kind, dev, driver, speed) in [
            ("igb 0000:02:00.0 net0: igb: net0 NIC Link is Down", K::LinkDown, "net0", Some("igb"), None),
            (
                "e1000e 0000:00:1f.6 eno1: NIC Link is Up 1000 Mbps Half Duplex, Flow Control: None",
                K::LinkUpHalf,
                "eno1",
                Some("e1000e"),
                Some(1000),
            ),
            (
                "ixgbe 0000:84:00.0 eix1: NIC Link is Up 2.5 Gbps, Flow Control: None",
                K::LinkUp,
                "eix1",
                Some("ixgbe"),
                Some(2500),
            ),
            (
                "ice 0000:af:00.0 ens1f0: NIC Link is up 100 Gbps Full Duplex, Requested FEC: RS-FEC",
                K::LinkUp,
                "ens1f0",
                Some("ice"),
                Some(100_000),
            ),
            ("mlx5_core 0000:3b:00.0 ens2f0: Link up", K::LinkUp, "ens2f0", Some("mlx5_core"), None),
            ("mlx4_en: eth2: Link Down", K::LinkDown, "eth2", Some("mlx4_en"), None),
            (
                "bnx2: eth0 NIC Copper Link is Up, 1000 Mbps full duplex",
                K::LinkUp,
                "eth0",
                Some("bnx2"),
                Some(1000),
            ),
            (
                "r8169 0000:03:00.0 enp3s0: Link is Up - 1Gbps/Full - flow control rx/tx",
                K::LinkUp,
                "enp3s0",
                Some("r8169"),
                Some(1000),
            ),
            (
                "atlantic 0000:0b:00.0 enp11s0: atlantic: link change old 0 new 10000",
                K::LinkUp,
                "enp11s0",
                Some("atlantic"),
                Some(10_000),
            ),
            (
                "atlantic 0000:0b:00.0 enp11s0: atlantic: link change old 10000 new 0",
                K::LinkDown,
                "enp11s0",
                Some("atlantic"),
                None,
            ),
            ("r8152 2-1:1.0 eth0: carrier off", K::LinkDown, "eth0", Some("r8152"), None),
            (
                "tg3 0000:02:00.0: eth0: Link is up at 1000 Mbps, full duplex",
                K::LinkUp,
                "eth0",
                Some("tg3"),
                Some(1000),
            ),
            ("eth0: Link is Up - 100Mbps/Half - flow control off", K::LinkUpHalf, "eth0", None, Some(100)),
            ("bnxt_en 0000:5e:00.0 p1p1: NIC Link is Down", K::LinkDown, "p1p1", Some("bnxt_en"), None),
        ] {
            check(text, kind, Some(dev), None, driver);
            assert_eq!(classify(text).speed, speed, "{text}");
        }
        check("ata7: SATA link down (SStatus 0 SControl 300)", K::Other, None, None, None);
        check("ACPI: PCI: Interrupt link LNKA configured for IRQ 0", K::Other, None, None, None);
    }

    #[test]
    fn faults() {
        for (text, kind) in [
            (
                "igc 0000:02:00.0 enp2s0: NETDEV WATCHDOG: CPU: 3: transmit queue 0 timed out 5120 ms",
                K::TxTimeout,
            ),
            ("NETDEV WATCHDOG: eth0 (igb): transmit queue 2 timed out", K::TxTimeout),
            ("i40e 0000:02:00.0 eno1: tx_timeout: VSI_seid: 390, Q 5, NTC: 0x1", K::TxTimeout),
            ("bnxt_en 0000:5e:00.0 p1p1: TX timeout detected, starting reset task!", K::TxTimeout),
            ("e1000e 0000:00:1f.6 eno1: Detected Hardware Unit Hang:", K::TxHang),
            ("igb 0000:02:00.0: Detected Tx Unit Hang", K::TxHang),
            ("e1000e 0000:00:1f.6 eno1: Reset adapter unexpectedly", K::NicReset),
            ("ixgbe 0000:84:00.0 eix1: initiating reset due to tx timeout", K::NicReset),
            ("igc 0000:0a:00.0 enp10s0: PCIe link lost, device now detached", K::PcieLost),
            ("igc: Failed to read reg 0xc030!", K::PcieLost),
            ("ixgbe 0000:84:00.0: Adapter removed", K::PcieLost),
            ("mlx5_core 0000:3b:00.0: device's health compromised - reached miss count", K::FirmwareError),
            ("mlx5_core 0000:3b:00.0: Port module event: module 0, Cable unplugged", K::ModuleEvent),
            ("ixgbe 0000:0b:00.0 eno1: detected SFP+: 3", K::ModuleEvent),
            ("ice 0000:af:00.0 ens1: Error setting Multicast promiscuous mode on VSI 6", K::FilterError),
            (
                "i40e 0000:02:00.0: Error I40E_AQ_RC_ENOSPC, forcing overflow promiscuous on PF",
                K::FilterError,
            ),
            (
                "i40e 0000:02:00.0: Error I40E_AQ_RC_ENOSPC adding RX filters on PF, promiscuous mode forced on",
                K::FilterError,
            ),
            ("ice 0000:af:00.0: Malicious Driver Detection event TX_PQM detected on PF 0", K::DriverError),
            ("igb: probe of 0000:02:00.0 failed with error -5", K::DriverError),
            ("r8169 0000:03:00.0: firmware: failed to load rtl_nic/rtl8168g-2.fw (-2)", K::FirmwareError),
            ("pcieport 0000:00:1c.0: AER: Corrected error received: 0000:00:1c.0", K::AerCorrectable),
            ("igb 0000:17:00.1:   device [8086:1521] error status/mask=00001000/00002000", K::Other),
            ("igb 0000:17:00.1:    device [8086:1563] error status/mask=00001000/00002000", K::Other),
            ("igb 0000:17:00.1:    [12] Timeout               ", K::Other),
            ("igb 0000:17:00.1:    [ 0] RxErr                  (First)", K::Other),
            ("igb 0000:17:00.1: [12] timed out", K::DriverError),
            (
                "igb 0000:01:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)",
                K::AerCorrectable,
            ),
            (
                "pcieport 0000:00:1c.0: PCIe Bus Error: severity=Uncorrectable (Non-Fatal), type=Transaction Layer, (Requester ID)",
                K::AerUncorrectable,
            ),
            ("watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [kworker/3:1:123]", K::Lockup),
            ("INFO: task kworker/u8:2:77 blocked for more than 120 seconds.", K::Lockup),
            ("rcu: INFO: rcu_sched self-detected stall on CPU", K::Lockup),
            ("net_ratelimit: 12 callbacks suppressed", K::Suppressed),
            ("Virtual device busy0 asks to queue packet!", K::AsksToQueue),
            ("WARNING: CPU: 3 PID: 82577 at drivers/net/x.c:6843 igc_rd32+0x88/0xa0 [igc]", K::Oops),
            ("ksoftirqd/0: page allocation failure: order:0, mode:0x20", K::Memory),
        ] {
            assert_eq!(classify(text).kind, kind, "{text}");
        }
        assert_eq!(
            classify("NETDEV WATCHDOG: eth0 (igb): transmit queue 2 timed out").driver.as_deref(),
            Some("igb")
        );
    }

    #[test]
    fn successes_and_debug_are_not_events() {
        for text in [
            "e1000e 0000:00:1f.6 0000:00:1f.6 (uninitialized): registered PHC clock",
            "igc 0000:0a:00.0: PCIe PTM not supported by PCIe bus/controller",
            "igc 0000:0a:00.0: 4.000 Gb/s available PCIe bandwidth (5.0 GT/s PCIe x1 link)",
            "igc 0000:0a:00.0 (unnamed net_device) (uninitialized): PHC added",
            "pcieport 0000:00:1c.0: AER: enabled with IRQ 122",
            "mlx5_core 0000:3b:00.0: firmware version: 16.35.2000",
            "bnxt_en 0000:5e:00.0 eth0: Broadcom BCM57416 found at mem 9d010000, node addr 02:00:00:00:00:01",
            "[3244] e1000e:e1000_watchdog_task:5210: e1000e 0000:00:1f.6 eno1: Error in exiting dmoff",
            "[547] e1000e:e1000_reset_hw_ich8lan:4732: e1000e 0000:00:1f.6 eno1: Issuing a global reset to ich8lan",
            "nvme nvme0: resetting controller",
            "EXT4-fs error (device sda1): ext4_lookup:1",
            "NMI watchdog: Perf NMI watchdog permanently disabled",
            "8021q: adding VLAN 0 to HW filter on device bond0",
            "IPv6: ADDRCONF(NETDEV_UP): eth0: link is not ready",
        ] {
            assert_eq!(classify(text).kind, K::Other, "{text}");
        }
    }

    #[test]
    fn names() {
        check("device net0 left promiscuous mode", K::Promiscuous, Some("net0"), None, None);
        check("h1: entered promiscuous mode", K::Promiscuous, Some("h1"), None, None);
        check("ixgbe 0000:84:00.0 eix1: renamed from eth1", K::Renamed, Some("eix1"), None, Some("ixgbe"));
        check("team0: Port device eth1 added", K::Enslaved, Some("eth1"), Some("team0"), Some("team"));
        check(
            "IPv6: ADDRCONF(NETDEV_CHANGE): eth2: link becomes ready",
            K::LinkReady,
            Some("eth2"),
            None,
            None,
        );
        assert_eq!(classify("i40e 0000:02:00.0: x").bus.as_deref(), Some("0000:02:00.0"));
    }

    #[test]
    fn bare_lines() {
        assert!(is_unmistakable("e1000e 0000:00:1f.6 eno1: NIC Link is Down"));
        assert!(is_unmistakable("bond0: (slave eno1): Enslaving as a backup interface with an up link"));
        assert!(!is_unmistakable("bond0: flags=5187<UP,BROADCAST,RUNNING,MASTER,MULTICAST>  mtu 1500"));
        assert!(!is_unmistakable("Then bond0: (slave eno1) went down"));
        assert!(!is_unmistakable("eth0: no link"));
    }
}
