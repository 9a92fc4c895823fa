//! What is told about hosts that are not here.

use super::*;
use bondwitness_core::collection::v1::Clocks;
use bondwitness_host::doctor::{
    Bond, Clock, Driver, Exports, Kernel, KernelLog, Member, Module, Place, Trap, Tried, User,
};
use bondwitness_host::privilege::{Access, FUNCTIONS};

/// A user without rights on a machine with two 802.3ad members; what is refused is what a kernel refuses such a user.
fn unprivileged() -> View {
    let refused = |id: &str| match id {
        "states-and-counters" => Access::Yes("rtnetlink answers".to_owned()),
        "journal" => Access::NotHere("no journal files on this host".to_owned()),
        "partner-details" => Access::No("/proc/net/bonding leaves them out".to_owned()),
        _ => Access::No("operation not permitted".to_owned()),
    };
    let trap = Trap {
        id: "firmware-lldp",
        what: "the firmware answers LLDP itself".to_owned(),
        so: "to see the switch's name: turn it off",
        source: "a test",
    };
    let driver = |name: &str| Some(Driver { name: name.to_owned(), ..Driver::default() });
    let exports = Some(Exports { churn: true, port_priority: true, lacpdu_counters: false });
    let facts = Facts {
        user: User {
            uid: 65534,
            gid: 65534,
            capabilities: Vec::new(),
            initial_user_namespace: true,
            no_new_privileges: false,
        },
        kernel: Kernel {
            hostname: "db1".to_owned(),
            release: "6.12.107+deb13-amd64".to_owned(),
            version: "#1 SMP".to_owned(),
            machine: "x86_64".to_owned(),
            lockdown: None,
        },
        place: Place {
            container: None,
            virtual_machine: None,
            talos: false,
            netns: "net:[4026531840]".to_owned(),
            host_netns: Some(true),
        },
        bonds: vec![Bond {
            name: "bond0".to_owned(),
            mode: "IEEE 802.3ad Dynamic link aggregation".to_owned(),
            members: vec![
                Member { name: "eno1".to_owned(), driver: driver("i40e"), traps: vec![trap], exports },
                Member { name: "eno2".to_owned(), driver: driver("ice"), traps: Vec::new(), exports },
            ],
        }],
        functions: FUNCTIONS.iter().map(|f| Tried { function: f, access: refused(f.id) }).collect(),
        module: Some(Module { version: None, changed: vec![("max_bonds".to_owned(), "0".to_owned())] }),
        clock: Clock {
            now: Clocks {
                real_ns: 1_700_000_000_000_000_000,
                monotonic_ns: 90_000_000_000,
                boot_ns: 100_000_000_000,
                within_ns: 1_500,
            },
            synchronised: Some(true),
            max_error_us: 2_500,
            service: Some("chrony"),
            source: Some("tsc".to_owned()),
            shifted: false,
        },
        log: KernelLog { ring_bytes: Some(262_144), overwritten: None, restricted: Some(true) },
    };
    let step = |id: &str, done, how: &str| Step {
        id: id.to_owned(),
        takes: "something".to_owned(),
        done,
        how: how.to_owned(),
    };
    View {
        facts,
        judge: Ok(vec![
            step("seccomp", true, "kills the process"),
            step("landlock", false, "this kernel has none (Linux 5.13 brought it)"),
        ]),
        program: "/usr/bin/bondwitness".to_owned(),
        asked: None,
        netns: None,
    }
}

/// The same host for root.
fn root() -> View {
    let mut view = unprivileged();
    view.facts.user = User { initial_user_namespace: true, ..User::default() };
    view.facts.user.capabilities =
        bondwitness_host::privilege::FUNCTIONS.iter().map(|f| f.id.to_owned()).collect();
    for tried in &mut view.facts.functions {
        tried.access = Access::Yes("works".to_owned());
    }
    view.facts.log.overwritten = Some(12);
    view
}

/// Compares with what was looked at and committed; `UPDATE=1` writes it anew.
fn snapshot(name: &str, page: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cmd/doctor").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, page).unwrap();
    }
    assert_eq!(page, std::fs::read_to_string(&path).unwrap());
}

#[test]
fn without_rights_the_page_begins_with_what_stays_blind() {
    snapshot("unprivileged.txt", &text::page(&unprivileged(), 80, false));
}

#[test]
fn with_all_rights_nothing_is_to_be_granted() {
    snapshot("root.txt", &text::page(&root(), 80, false));
}

#[test]
fn lines_keep_to_the_width_except_what_is_to_be_copied() {
    for width in [60, 100] {
        for line in text::page(&unprivileged(), width, false).lines() {
            let copied = ["$ sudo", "docker", "Capabilit", "hostNetwork"].iter().any(|c| line.contains(c));
            assert!(copied || line.chars().count() <= width, "{line}");
            assert_eq!(line, line.trim_end());
        }
    }
}

#[test]
fn what_is_told_of_no_bond_a_wrong_name_and_another_namespace() {
    let mut view = unprivileged();
    view.asked = Some("bond7".to_owned());
    let page = text::page(&view, 80, false);
    assert!(!view.found());
    assert!(
        page.contains("BONDS     bond7 is not in this network namespace; these are:\n          bond0, "),
        "{page}"
    );
    view.facts.bonds.clear();
    view.facts.module = None;
    view.asked = None;
    view.netns = Some("blue".to_owned());
    let page = text::page(&view, 80, false);
    assert!(page.contains("BONDS     none: the bonding module is not loaded\n"), "{page}");
    assert!(page.contains("looking into network namespace blue (net:[4026531840])"), "{page}");
}

#[test]
fn a_container_and_a_user_namespace_are_told() {
    let mut view = unprivileged();
    view.facts.place.container = Some("podman".to_owned());
    view.facts.place.host_netns = None;
    view.facts.place.talos = true;
    view.facts.user.initial_user_namespace = false;
    view.facts.user.no_new_privileges = true;
    view.facts.clock.synchronised = Some(false);
    view.facts.clock.service = None;
    view.judge = Err("cannot start a child process".to_owned());
    let page = text::page(&view, 120, false);
    for expected in [
        "in a container (podman)",
        "cannot be told from here",
        "capabilities do not count for the host",
        "this shell has no_new_privs set",
        "talosctl -n NODE dmesg",
        "wall clock NOT synchronised (no service recognised)",
        "cannot be locked down, so nothing is diagnosed live",
    ] {
        assert!(page.contains(expected), "{expected}\n{page}");
    }
}

#[test]
fn a_name_with_control_characters_reaches_no_terminal() {
    let mut view = unprivileged();
    view.facts.bonds[0].members[0].name = "\u{1b}[31m<b>x".to_owned();
    assert!(!text::page(&view, 80, false).contains('\u{1b}'));
    assert!(!json::page(&view).to_string().contains('\u{1b}'));
}

#[test]
fn only_missing_rights_are_granted_and_each_once() {
    let page = json::page(&unprivileged());
    let of = |key: &str| page["grant"][key].clone();
    assert_eq!(of("capabilities"), json!(["CAP_NET_RAW", "CAP_NET_ADMIN", "CAP_SYSLOG", "CAP_PERFMON"]));
    assert_eq!(of("groups"), json!([]));
    assert_eq!(
        of("setcap"),
        json!("setcap cap_net_raw,cap_net_admin,cap_syslog,cap_perfmon+ep /usr/bin/bondwitness")
    );
    assert_eq!(
        of("container"),
        json!("--network host --cap-add NET_RAW --cap-add NET_ADMIN --cap-add SYSLOG --cap-add PERFMON")
    );
    let page = json::page(&root());
    assert_eq!(page["grant"]["setcap"], Value::Null);
    assert_eq!(page["grant"]["needs_root"], json!(false));
    let mut view = unprivileged();
    view.program = "/opt/my tools/bond'witness".to_owned();
    assert!(
        json::page(&view)["grant"]["setcap"]
            .as_str()
            .unwrap()
            .ends_with(r"+ep '/opt/my tools/bond'\''witness'")
    );
}

#[test]
fn every_function_is_in_the_json_with_the_domains_it_narrows() {
    let page = json::page(&unprivileged());
    assert_eq!(page["schema"], "bondwitness/doctor/v1");
    let functions = page["functions"].as_array().unwrap();
    assert_eq!(functions.len(), FUNCTIONS.len());
    let capture = functions.iter().find(|f| f["id"] == "capture").unwrap();
    assert_eq!(capture["access"], "no");
    assert_eq!(capture["needs"], json!({"kind": "capability", "name": "CAP_NET_RAW", "or": null}));
    assert!(capture["narrows"].as_array().unwrap().contains(&json!("switch-control-plane")));
}
