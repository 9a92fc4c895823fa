//! Link status of Talos Linux as YAML: `talosctl get links -o yaml`, and the resource dumps of a support bundle
//! (`<node>/resources/linkstatuses.net.talos.dev.yaml`).
//!
//! Sources: `LinkStatusSpec` in `pkg/machinery/resources/network/link_status.go`, `VLANSpec` and `BondMasterSpec` in
//! `link.go` beside it, the words for numbers in `pkg/machinery/nethelpers`, what fills it in
//! `internal/app/machined/pkg/controllers/network/link_status.go`, and `cmd/talosctl/cmd/talos/output/yaml.go` of
//! siderolabs/talos; `talosResource()` in `support/collectors/talos.go` of siderolabs/go-talos-support, whose documents
//! have no `node:`; `Metadata.MarshalYAML()` of cosi-project/runtime. Fields that are zero are left out by most keys.
//!
//! Each document becomes a [`Link`], with the keys of [`Link`] where it has one for the thing and the dotted path below
//! `spec` where not; what Talos asked of ethtool also becomes fields of `ethtool` and `ethtool-i`. `masterIndex` and the
//! `linkIndex` of a VLAN are resolved to names among the documents of the same node in the same block. `metadata.updated`
//! is when the resource last changed, not when it was read, and so is not the time of the record.

use super::ip_link::new_link;
use super::yaml_lines::{Reader, split};
use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Field, Fields, Line, Link, What};
use std::collections::BTreeMap;

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "talos-link-status";

/// The resource type.
const TYPE: &str = "LinkStatuses.net.talos.dev";

fn pair<'l>(line: Option<&'l Line<'_>>) -> Option<(&'l str, &'l str)> {
    split(line?.trimmed()).map(|(key, value)| (key, value.trim()))
}

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let at = |n: usize| pair(lines.get(i + n));
    let network = Some(("namespace", "network"));
    let typed = |n: usize| (1..=n).any(|n| at(n) == Some(("type", TYPE)));
    if line.trimmed() == "---" {
        return at(1) == Some(("metadata", "")) && typed(3)
            || at(2) == Some(("metadata", "")) && at(3) == network;
    }
    match at(0) {
        Some(("metadata", "")) => typed(3),
        Some(("node", _)) => {
            at(1) == Some(("metadata", "")) && typed(3)
                // `talosctl get -w`: the type is one line too far to see.
                || at(1).is_some_and(|(k, _)| k == "event") && at(2) == Some(("metadata", "")) && at(3) == network
        }
        // Inside of a document: this line alone could as well be from `ethtool -i`.
        Some(("driver", _)) => {
            line.indent() > 0
                && (1..=2).any(|n| {
                    at(n).is_some_and(|(k, _)| {
                        matches!(
                            k,
                            "driverVersion" | "firmwareVersion" | "productID" | "vendorID" | "linkState"
                        )
                    })
                })
        }
        _ => false,
    }
}

/// What one document says.
struct Document {
    fields: Fields,
    at: Citation,
}

impl Document {
    fn get(&self, key: &str) -> Option<&Field> {
        // A list has its key twice, the second time with the items.
        self.fields.entries.iter().rfind(|f| f.key == key)
    }
    fn text(&self, key: &str) -> &str {
        self.get(key).map_or("", |f| f.value.as_str())
    }
    fn index(&self, key: &str) -> Option<u64> {
        self.text(key).parse().ok().filter(|i| *i > 0)
    }
    fn node(&self) -> &str {
        self.text("node")
    }
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut documents = Vec::new();
    while let Some(document) = document(cursor, out) {
        documents.extend(document);
    }
    let mut names: BTreeMap<(&str, u64), &str> = BTreeMap::new();
    for d in &documents {
        let name = d.text("metadata.id");
        if let Some(index) = d.index("spec.index").filter(|_| !name.is_empty()) {
            names.insert((d.node(), index), name);
        }
    }
    for d in &documents {
        let name = |key: &str| names.get(&(d.node(), d.index(key)?)).copied();
        emit(d, &name, out);
    }
}

/// Reads one document; `Some(None)` for one that says nothing, `None` where the block ends.
fn document(cursor: &mut Cursor<'_, '_>, out: &mut Out) -> Option<Option<Document>> {
    cursor.skip_blank();
    let first = cursor.peek()?;
    let skip = usize::from(first.trimmed() == "---");
    // Another resource: its lines are looked at afresh.
    let foreign = (skip..skip + 5)
        .filter_map(|n| pair(cursor.peek_at(n)))
        .find(|(key, _)| *key == "type")
        .is_some_and(|(_, kind)| kind.contains(".talos.dev") && kind != TYPE);
    if foreign {
        return None;
    }
    if skip > 0 {
        out.typed(first);
        cursor.next();
    }
    let known = |key: &str| matches!(key, "node" | "event" | "metadata" | "spec");
    let mut reader = Reader::new(Fields::new(ID, None));
    let mut at: Option<Citation> = None;
    let (mut node, mut metadata) = (false, false);
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        if line.trimmed() == "---" {
            break;
        }
        // Documents that were pasted one below the other.
        match pair(Some(line)) {
            Some(("node", _)) if node || metadata => break,
            Some(("metadata", "")) if metadata => break,
            key => {
                node |= matches!(key, Some(("node", _)));
                metadata |= key == Some(("metadata", ""));
            }
        }
        if !reader.line(line, &known) {
            break;
        }
        out.typed(line);
        at = Some(at.map_or(line.cite(), |at| at.to(line.cite())));
        cursor.next();
    }
    match at {
        Some(at) => Some(Some(Document { fields: reader.fields, at })),
        None if skip > 0 => Some(None),
        None => None,
    }
}

/// Keys of `BondMasterSpec` and the words of `ip -d link` for them.
const BOND: &[(&str, &str)] = &[
    ("mode", "mode"),
    ("xmitHashPolicy", "xmit_hash_policy"),
    ("arpValidate", "arp_validate"),
    ("arpAllTargets", "arp_all_targets"),
    ("primaryReselect", "primary_reselect"),
    ("failOverMac", "fail_over_mac"),
    ("miimon", "miimon"),
    ("updelay", "updelay"),
    ("downdelay", "downdelay"),
    ("arpInterval", "arp_interval"),
    ("resendIgmp", "resend_igmp"),
    ("minLinks", "min_links"),
    ("lpInterval", "lp_interval"),
    ("packetsPerSlave", "packets_per_slave"),
    ("numPeerNotif", "num_grat_arp"),
    ("tlbLogicalLb", "tlb_dynamic_lb"),
    ("allSlavesActive", "all_slaves_active"),
    ("useCarrier", "use_carrier"),
    ("peerNotifyDelay", "peer_notify_delay"),
    ("missedMax", "missed_max"),
    ("primary", "primary"),
];

/// Those that mean something in mode 802.3ad only, and that Talos writes in every mode.
const BOND_LACP: &[(&str, &str)] = &[
    ("lacpRate", "lacp_rate"),
    ("adSelect", "ad_select"),
    ("adActorSysPrio", "ad_actor_sys_prio"),
    ("adUserPortKey", "ad_user_port_key"),
    ("adLacpActive", "lacp_active"),
];

/// The key in a [`Link`] of a key below `spec`.
fn link_key(key: &str, lacp: bool) -> Option<String> {
    let key = match key {
        "index" => "ifindex",
        "mtu" => "mtu",
        "queueDisc" => "qdisc",
        "hardwareAddr" => "mac",
        "permanentAddr" => "permaddr",
        "operationalState" => "state",
        "kind" => "kind",
        "slaveKind" => "slave_kind",
        "altNames" => "altname",
        "vlan.vlanID" => "vlan_id",
        "vlan.vlanProtocol" => "vlan_protocol",
        // Those are said otherwise.
        "flags" | "linkState" => return None,
        other => {
            let bond = other.strip_prefix("bondMaster.").and_then(|option| {
                let also = if lacp { BOND_LACP } else { &[] };
                BOND.iter().chain(also).find(|(from, _)| *from == option)
            });
            return Some(bond.map_or_else(|| other.to_owned(), |(_, to)| format!("bond.{to}")));
        }
    };
    Some(key.to_owned())
}

fn emit<'n>(d: &Document, name: &dyn Fn(&str) -> Option<&'n str>, out: &mut Out) {
    let Some(id) = d.get("metadata.id").filter(|f| !f.value.is_empty()) else { return };
    let mut link = new_link(ID, &id.value, None);
    link.deleted = d.text("event") == "destroyed";
    if let Some(f) = d.get("spec.flags") {
        flags(&mut link, &f.value);
    }
    let kind = d.text("spec.kind");
    let lacp = d.text("spec.bondMaster.mode") == "802.3ad";
    for f in &d.fields.entries {
        let key = f.key.strip_prefix("spec.").filter(|_| !f.value.is_empty());
        if let Some(key) = key.and_then(|key| link_key(key, lacp)) {
            let value = match key.as_str() {
                "state" => f.value.to_ascii_uppercase(),
                "bond.use_carrier" => if f.value == "true" { "1" } else { "0" }.to_owned(),
                _ => f.value.clone(),
            };
            link.fields.push(key, value, f.at);
        }
    }
    for (from, to) in [("node", "node"), ("metadata.version", "version"), ("metadata.updated", "updated")] {
        if let Some(f) = d.get(from).filter(|f| !f.value.is_empty()) {
            link.fields.push(to, f.value.clone(), f.at);
        }
    }
    if let (Some(master), Some(f)) = (name("spec.masterIndex"), d.get("spec.masterIndex")) {
        link.fields.push("master", master, f.at);
    }
    // Of a veth it is the peer, counted in another namespace.
    if let (Some(parent), Some(f), "vlan") = (name("spec.linkIndex"), d.get("spec.linkIndex"), kind)
        && parent != id.value
    {
        link.fields.push("vlan_parent", parent, f.at);
        link.parent = Some(parent.to_owned());
    }
    // False also where ethtool could not be asked; then the flag of the kernel knows better.
    let linked = d.get("spec.linkState").filter(|f| f.value == "true" || !link.flag("LOWER_UP"));
    if let Some(f) = linked {
        link.fields.push("carrier", if f.value == "true" { "1" } else { "0" }, f.at);
    }
    let physical = d.text("spec.type") == "ether" && kind.is_empty();
    let settings = settings(d, id, linked.filter(|_| physical));
    let driver = driver(d, id);
    out.record(d.at, None, What::Link(link));
    for fields in [settings, driver] {
        if !fields.entries.is_empty() {
            out.record(d.at, None, What::Fields(fields));
        }
    }
}

fn flags(link: &mut Link, text: &str) {
    link.flags = text.split(',').map(str::trim).filter(|f| !f.is_empty()).map(str::to_owned).collect();
    // As `ip` says it of the same two bits.
    if link.flag("UP") && !link.flag("RUNNING") {
        link.flags.insert(0, "NO-CARRIER".to_owned());
    }
}

/// What `ethtool <dev>` would say, in its words.
fn settings(d: &Document, id: &Field, linked: Option<&Field>) -> Fields {
    let mut fields = Fields::new("ethtool", Some(id.value.clone()));
    if let Some(f) = d.get("spec.speedMbit") {
        // SPEED_UNKNOWN is all ones, in 16 or 32 bits.
        let speed = f.value.parse::<u32>().ok().filter(|s| !matches!(*s, 0 | 0xffff | u32::MAX));
        fields.push("Speed", speed.map_or_else(|| "Unknown!".to_owned(), |s| format!("{s}Mb/s")), f.at);
    }
    // What Talos writes where ethtool did not answer.
    let answered = !fields.entries.is_empty() || !matches!(d.text("spec.duplex"), "" | "Unknown");
    if let Some(f) = d.get("spec.duplex").filter(|_| answered) {
        fields.push("Duplex", if f.value == "Unknown" { "Unknown!" } else { &f.value }, f.at);
    }
    if let Some(f) = d.get("spec.port").filter(|f| !matches!(f.value.as_str(), "" | "Other")) {
        let port = match f.value.as_str() {
            "TwistedPair" => "Twisted Pair",
            "Fibre" => "FIBRE",
            "DirectAttach" => "Direct Attach Copper",
            other => other,
        };
        fields.push("Port", port, f.at);
    }
    if let Some(f) = linked {
        fields.push("Link detected", if f.value == "true" { "yes" } else { "no" }, f.at);
    }
    fields
}

/// What `ethtool -i <dev>` would say.
fn driver(d: &Document, id: &Field) -> Fields {
    let mut fields = Fields::new("ethtool-i", Some(id.value.clone()));
    for (from, to) in [
        ("spec.driver", "driver"),
        ("spec.driverVersion", "version"),
        ("spec.firmwareVersion", "firmware-version"),
        ("spec.busPath", "bus-info"),
    ] {
        if let Some(f) = d.get(from).filter(|f| !f.value.is_empty()) {
            fields.push(to, f.value.clone(), f.at);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, Record};
    use crate::parse::parse_text;

    fn links(records: &[Record]) -> Vec<&Link> {
        records.iter().filter_map(|r| if let What::Link(l) = &r.what { Some(l) } else { None }).collect()
    }

    fn fields<'r>(records: &'r [Record], source: &str, dev: &str) -> &'r Fields {
        let of = |r: &'r Record| if let What::Fields(f) = &r.what { Some(f) } else { None };
        records.iter().filter_map(of).find(|f| f.source == source && f.dev.as_deref() == Some(dev)).unwrap()
    }

    #[test]
    fn a_bond_its_member_and_a_vlan() {
        let text = "node: 192.0.2.10\nmetadata:\n    namespace: network\n    type: LinkStatuses.net.talos.dev\n    id: bond0\n    version: 3\n    owner: network.LinkStatusController\n    phase: running\n    created: 2026-03-01T10:00:00Z\n    updated: 2026-03-01T10:00:09Z\nspec:\n    index: 8\n    type: ether\n    linkIndex: 0\n    flags: UP,BROADCAST,RUNNING,MASTER,MULTICAST,LOWER_UP\n    hardwareAddr: 02:00:5e:00:00:01\n    permanentAddr: \"\"\n    broadcastAddr: ff:ff:ff:ff:ff:ff\n    mtu: 9000\n    queueDisc: noqueue\n    operationalState: up\n    kind: bond\n    slaveKind: \"\"\n    driver: bonding\n    driverVersion: 6.12.6-talos\n    firmwareVersion: \"2\"\n    linkState: true\n    speedMbit: 10000\n    port: Other\n    duplex: Full\n    bondMaster:\n        mode: 802.3ad\n        xmitHashPolicy: layer3+4\n        lacpRate: fast\n        arpValidate: none\n        arpAllTargets: any\n        primaryReselect: always\n        failOverMac: none\n        miimon: 100\n        updelay: 200\n        downdelay: 200\n        useCarrier: true\n        adActorSysPrio: 65535\n---\nnode: 192.0.2.10\nmetadata:\n    namespace: network\n    type: LinkStatuses.net.talos.dev\n    id: enp1s0f0\n    version: 7\n    owner: network.LinkStatusController\n    phase: running\nspec:\n    altNames:\n        - enxffff\n        - eno1\n    index: 2\n    type: ether\n    linkIndex: 0\n    flags: UP,BROADCAST,SLAVE,MULTICAST\n    hardwareAddr: 02:00:5e:00:00:01\n    permanentAddr: 02:00:5e:00:00:02\n    mtu: 9000\n    queueDisc: mq\n    masterIndex: 8\n    operationalState: down\n    kind: \"\"\n    slaveKind: bond\n    busPath: 0000:01:00.0\n    pciID: 8086:10FB\n    driver: ixgbe\n    driverVersion: 6.12.6-talos\n    firmwareVersion: 0x8000095c\n    linkState: false\n    speedMbit: 4294967295\n    port: DirectAttach\n    duplex: Unknown\n---\nnode: 192.0.2.10\nmetadata:\n    namespace: network\n    type: LinkStatuses.net.talos.dev\n    id: bond0.70\nspec:\n    index: 9\n    type: ether\n    linkIndex: 8\n    flags: UP,BROADCAST,RUNNING,MULTICAST,LOWER_UP\n    mtu: 1500\n    operationalState: lowerLayerDown\n    kind: vlan\n    slaveKind: \"\"\n    linkState: false\n    port: Other\n    duplex: Unknown\n    vlan:\n        vlanID: 70\n        vlanProtocol: 802.1q\n";
        let parsed = parse_text(FileId(0), "x", text.as_bytes());
        assert_eq!(parsed.recognised, [ID]);
        assert!(parsed.unrecognised.is_empty() && parsed.not_understood.is_empty(), "{parsed:?}");
        let got = links(&parsed.records);
        let [bond, member, vlan] = got.as_slice() else { panic!("{got:?}") };
        let of = |l: &Link, key: &str| l.fields.text(key).map(str::to_owned);
        assert_eq!((bond.name.as_str(), of(bond, "kind").as_deref()), ("bond0", Some("bond")));
        for (key, value) in [
            ("mtu", "9000"),
            ("state", "UP"),
            ("mac", "02:00:5e:00:00:01"),
            ("carrier", "1"),
            ("bond.mode", "802.3ad"),
            ("bond.xmit_hash_policy", "layer3+4"),
            ("bond.lacp_rate", "fast"),
            ("bond.miimon", "100"),
            ("bond.use_carrier", "1"),
            ("broadcastAddr", "ff:ff:ff:ff:ff:ff"),
            ("node", "192.0.2.10"),
        ] {
            assert_eq!(of(bond, key).as_deref(), Some(value), "{key}");
        }
        assert!(bond.flag("MASTER") && bond.flag("LOWER_UP") && !bond.flag("NO-CARRIER"));
        assert!(member.flag("SLAVE") && member.flag("NO-CARRIER") && !member.flag("LOWER_UP"));
        for (key, value) in [
            ("master", "bond0"),
            ("permaddr", "02:00:5e:00:00:02"),
            ("slave_kind", "bond"),
            ("carrier", "0"),
            ("altname", "enxffff, eno1"),
            ("state", "DOWN"),
        ] {
            assert_eq!(of(member, key).as_deref(), Some(value), "{key}");
        }
        assert_eq!(
            (vlan.parent.as_deref(), of(vlan, "vlan_parent").as_deref()),
            (Some("bond0"), Some("bond0"))
        );
        assert_eq!((of(vlan, "vlan_id").as_deref(), of(vlan, "carrier")), (Some("70"), None));
        assert_eq!(of(vlan, "state").as_deref(), Some("LOWERLAYERDOWN"));
        let driver = fields(&parsed.records, "ethtool-i", "enp1s0f0");
        assert_eq!(
            (driver.text("driver"), driver.text("firmware-version"), driver.text("bus-info")),
            (Some("ixgbe"), Some("0x8000095c"), Some("0000:01:00.0"))
        );
        let settings = fields(&parsed.records, "ethtool", "enp1s0f0");
        assert_eq!(
            (settings.text("Speed"), settings.text("Port"), settings.text("Link detected")),
            (Some("Unknown!"), Some("Direct Attach Copper"), Some("no"))
        );
        assert_eq!(fields(&parsed.records, "ethtool", "bond0").text("Speed"), Some("10000Mb/s"));
    }

    #[test]
    fn a_bundle_has_no_node_and_other_resources_are_left_alone() {
        let text = "metadata:\n    namespace: network\n    type: LinkStatuses.net.talos.dev\n    id: bond1\n    version: 1\nspec:\n    index: 4\n    type: ether\n    flags: UP,BROADCAST,MASTER,MULTICAST\n    kind: bond\n    bondMaster:\n        mode: active-backup\n        lacpRate: slow\n---\nmetadata:\n    namespace: network\n    type: AddressStatuses.net.talos.dev\n    id: bond1/192.0.2.10/24\nspec:\n    linkName: bond1\n";
        let parsed = parse_text(FileId(0), "x", text.as_bytes());
        let got = links(&parsed.records);
        let [bond] = got.as_slice() else { panic!("{got:?}") };
        // The rate says nothing in this mode.
        assert_eq!(
            (bond.fields.text("bond.lacp_rate"), bond.fields.text("bondMaster.lacpRate")),
            (None, Some("slow"))
        );
        assert_eq!(parsed.unrecognised.len(), 7, "{parsed:?}");
    }

    #[test]
    fn watched_documents_and_one_node_after_the_other() {
        let text = "node: 192.0.2.10\nevent: destroyed\nmetadata:\n    namespace: network\n    type: LinkStatuses.net.talos.dev\n    id: eno9\nspec:\n    index: 2\n    masterIndex: 3\n    slaveKind: bond\nnode: 192.0.2.11\nmetadata:\n    namespace: network\n    type: LinkStatuses.net.talos.dev\n    id: bond0\nspec:\n    index: 3\n";
        let parsed = parse_text(FileId(0), "x", text.as_bytes());
        let got = links(&parsed.records);
        let [gone, other] = got.as_slice() else { panic!("{got:?}") };
        assert!(gone.deleted && !other.deleted);
        // Index 3 of this node is not index 3 of the other.
        assert_eq!(gone.fields.text("master"), None);
    }
}
