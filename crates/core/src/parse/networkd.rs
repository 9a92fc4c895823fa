//! Units of systemd-networkd: `.network`, `.netdev` and `.link` files (systemd 210 to 257).
//!
//! Keys are `Section.Key` (`Bond.Mode`, `Network.Bond`); the interface is `Match.Name` or `NetDev.Name`.

use super::ini_lines::{self, Dialect};
use super::{Cursor, Format, Out};
use crate::evidence::Line;

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "networkd";

const DIALECT: Dialect = Dialect {
    id: ID,
    sections: &[
        "Match",
        "NetDev",
        "Network",
        "Link",
        "Bond",
        "Team",
        "VLAN",
        "Bridge",
        "Address",
        "Route",
        "DHCP",
        "DHCPv4",
        "DHCPv6",
        "DHCPServer",
        "DHCPServerStaticLease",
        "IPv6AcceptRA",
        "IPv6SendRA",
        "IPv6Prefix",
        "IPv6RoutePrefix",
        "RoutingPolicyRule",
        "NextHop",
        "Neighbor",
        "BridgeFDB",
        "BridgeMDB",
        "BridgeVLAN",
        "LLDP",
        "CAN",
        "QDisc",
        "FQ",
        "FairQueueing",
        "FairQueueingControlledDelay",
        "FQCoDel",
        "NetworkEmulator",
        "TokenBucketFilter",
        "PFIFO",
        "BFIFO",
        "PFIFOFast",
        "PFIFOHeadDrop",
        "CAKE",
        "ControlledDelay",
        "DeficitRoundRobinScheduler",
        "HierarchyTokenBucket",
        "HierarchyTokenBucketClass",
        "TrivialLinkEqualizer",
        "MACVLAN",
        "MACVTAP",
        "IPVLAN",
        "IPVTAP",
        "VXLAN",
        "GENEVE",
        "Tunnel",
        "Tun",
        "Tap",
        "Peer",
        "VRF",
        "WireGuard",
        "WireGuardPeer",
        "MACsec",
        "Xfrm",
        "L2TP",
        "DHCPPrefixDelegation",
        "SR-IOV",
        "DHCPv6PrefixDelegation",
        "IPv6PREF64Prefix",
        "BatmanAdvanced",
        "EnhancedTransmissionSelection",
        "QuickFairQueueing",
        "QuickFairQueueingClass",
        "GenericRandomEarlyDetection",
        "HeavyHitterFilter",
        "PIE",
        "FlowQueuePIE",
        "StochasticFairBlue",
        "StochasticFairnessQueueing",
        "BandMultiQueueing",
        "MultiQueueing",
        "FooOverUDP",
        "BareUDP",
        "IPoIB",
        "WLAN",
        "MobileNetwork",
    ],
    begins: &["Match", "NetDev"],
    names: &["NetDev.Name", "Match.Name", "Match.OriginalName"],
};

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    ini_lines::section(&DIALECT, t).is_some()
        && (1..=3).any(|n| {
            lines
                .get(i + n)
                .is_some_and(|l| ini_lines::pair(l.trimmed()).is_some() || l.trimmed().starts_with('#'))
        })
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    ini_lines::read(&DIALECT, cursor, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, What};
    use crate::parse::parse_text_with;

    #[test]
    fn two_units_in_one_paste() {
        let text = "# 10-bond0.netdev\n[NetDev]\nName=bond0\nKind=bond\n\n[Bond]\nMode=802.3ad\nLACPTransmitRate=fast\n\n[Match]\nName=eno1 eno2\n\n[Network]\nBond=bond0\n\n[Match]\nName=bond0\n\n[Network]\nDHCP=yes\n";
        let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty(), "{parsed:?}");
        let configs: Vec<_> = parsed
            .records
            .iter()
            .filter_map(|r| if let What::Config(f) = &r.what { Some(f) } else { None })
            .collect();
        let [a, b] = configs.as_slice() else { panic!("{configs:?}") };
        assert_eq!((a.dev.as_deref(), a.text("Bond.Mode")), (Some("bond0"), Some("802.3ad")));
        assert_eq!((b.dev.as_deref(), b.text("Network.DHCP")), (Some("bond0"), Some("yes")));
        assert_eq!(a.text("Bond.LACPTransmitRate"), Some("fast"));
    }
}
