//! Filters, queues, settings, modules and load, through the parsers.

use crate::round_trip::read;
use crate::views::{physical, split74};
use bondwitness_core::evidence::{Fields, Hook as Read, HookPoint, Meaning, What};
use bondwitness_core::parse::Parsed;
use bondwitness_lab::fault::Hook;
use bondwitness_lab::render::{
    carrier, ethtool_driver, ethtool_module, ethtool_settings, filters, ip_link, ip_link_json, maddr, nstat,
    psi, qdisc, softnet, sysfs_bonding, uname,
};
use bondwitness_lab::view::{HookView, HostView, OpticsView, VlanView};

fn fields(p: &Parsed) -> Vec<&Fields> {
    p.records.iter().filter_map(|r| if let What::Fields(f) = &r.what { Some(f) } else { None }).collect()
}

fn hooks(p: &Parsed) -> Vec<&Read> {
    p.records.iter().filter_map(|r| if let What::Hook(h) = &r.what { Some(h) } else { None }).collect()
}

fn hook(hook: Hook, name: &str, dropped: u64) -> HookView {
    HookView { hook, vlan: None, name: name.to_owned(), dropped, tcx: false }
}

/// Everything that can sit on an interface.
pub(crate) fn hooked() -> HostView {
    let mut view = physical("ixgbe");
    view.members[0].hooks = vec![
        hook(Hook::TcEgress, "", 12),
        hook(Hook::TcIngress, "", 7),
        hook(Hook::NftEgress, "guard", 5),
        hook(Hook::Xdp, "xdp_filter_slow_protocols", 3),
    ];
    view.members[1].hooks = vec![hook(Hook::NftIngress, "guard", 9)];
    view.bond.hooks = vec![
        HookView { vlan: Some(70), ..hook(Hook::TcEgress, "", 110) },
        HookView { vlan: Some(70), ..hook(Hook::NftEgress, "policy", 104) },
        HookView { tcx: true, ..hook(Hook::TcEgress, "cil_to_netdev", 0) },
    ];
    view.vlan =
        Some(VlanView { name: "bond0.70".to_owned(), ifindex: 5, id: 70, counters: view.bond.counters });
    view
}

#[test]
fn filters_come_back_with_place_and_count() {
    let view = hooked();
    let eno1 = &view.members[0].hooks;
    for (path, text, point, dropped) in [
        ("tc_-s_filter_show_dev_eno1_egress.txt", filters::tc(eno1, true, 60), HookPoint::Egress, 12),
        ("tc_-s_filter_show_dev_eno1_ingress.txt", filters::tc(eno1, false, 60), HookPoint::Ingress, 7),
    ] {
        let p = read(path, &text);
        let [h] = hooks(&p)[..] else { panic!("{path}") };
        assert_eq!((h.dev.as_deref(), h.point, h.dropped), (Some("eno1"), point, Some(dropped)));
        assert!(h.drops_lacp);
    }
    let p = read("tc_-s_filter_show_dev_bond0_egress.txt", &filters::tc(&view.bond.hooks, true, 60));
    let [h] = hooks(&p)[..] else { panic!("a tcx link is in the listing of tc") };
    assert_eq!((h.dev.as_deref(), h.drops_lacp, h.dropped), (Some("bond0"), false, Some(110)));

    let p = read("nft_list_ruleset.txt", &filters::nft(&view));
    let got: Vec<_> =
        hooks(&p).iter().map(|h| (h.dev.as_deref().unwrap(), h.point, h.drops_lacp, h.dropped)).collect();
    assert_eq!(
        got,
        [
            ("eno1", HookPoint::Egress, true, Some(5)),
            ("eno2", HookPoint::Ingress, true, Some(9)),
            ("bond0", HookPoint::Egress, false, Some(104)),
        ]
    );
    assert_eq!(filters::nft(&split74()), "");

    let p = read("bpftool_net.txt", &filters::bpftool(&view));
    let got: Vec<_> = hooks(&p).iter().map(|h| (h.dev.as_deref().unwrap(), h.point)).collect();
    assert_eq!(got, [("eno1", HookPoint::Xdp), ("bond0", HookPoint::Egress)]);
    assert!(hooks(&p)[1].program.starts_with("cil_to_netdev"));
    read("bpftool_net.txt", &filters::bpftool(&split74()));
    // The program stands in the listing of interfaces too, and the VLAN device on the bond.
    for text in [ip_link::render(&view, 1), ip_link_json::render(&view)] {
        let p = read("ip-s-d-link.txt", &text);
        let of = |name: &str| {
            p.records
                .iter()
                .find_map(|r| match &r.what {
                    What::Link(l) if l.name == name => Some(l),
                    _ => None,
                })
                .unwrap()
        };
        assert!(of("eno1").fields.get("xdp").is_some(), "{text}");
        assert_eq!(of("bond0.70").fields.text("vlan_id"), Some("70"), "{text}");
    }
}

#[test]
fn queues_of_every_kind() {
    for kind in ["mq", "fq_codel", "pfifo_fast", "pfifo", "netem", "noqueue"] {
        let mut view = hooked();
        view.members[1].qdisc.kind = kind;
        let p = read("tc_-s_qdisc_show.txt", &qdisc::render(&view));
        let q: Vec<_> = p
            .records
            .iter()
            .filter_map(|r| if let What::Qdisc(q) = &r.what { Some(q) } else { None })
            .filter(|q| q.dev == "eno2")
            .collect();
        let root = q.iter().find(|q| q.root).unwrap();
        let want = &view.members[1].qdisc;
        assert_eq!((root.kind.as_str(), root.sent, root.dropped), (kind, want.sent, 13), "{kind}");
        assert_eq!((root.requeues, root.backlog), (5, 2), "{kind}");
        if kind == "mq" {
            // The children add up to the root.
            let sum = q.iter().filter(|q| !q.root).fold((0, 0), |a, q| (a.0 + q.sent, a.1 + q.dropped));
            assert_eq!(sum, (want.sent, 13));
        }
        assert!(p.records.iter().any(|r| matches!(&r.what, What::Qdisc(q) if q.kind == "clsact")));
    }
}

#[test]
fn settings_of_every_driver_and_speed() {
    for (driver, nominal) in [
        ("igb", 1_000),
        ("igc", 2_500),
        ("tg3", 1_000),
        ("e1000e", 1_000),
        ("ixgbe", 10_000),
        ("i40e", 10_000),
        ("ice", 25_000),
        ("mlx5_core", 100_000),
        ("bnxt_en", 25_000),
        ("veth", 10_000),
    ] {
        for up in [true, false] {
            for light in [true, false] {
                let mut view = physical(driver);
                let m = &mut view.members[0];
                m.nominal_mbps = nominal;
                m.carrier = up;
                m.speed_mbps = up.then_some(nominal);
                if light && driver != "veth" {
                    m.optics = Some(OpticsView { rx_dbm: -3.2, tx_dbm: -2.1, bias_ma: 7.0, celsius: 36.5 });
                }
                let p = read("ethtool_eno1.txt", &ethtool_settings::render(m));
                let [f] = fields(&p)[..] else { panic!("{driver}") };
                assert_eq!((f.source, f.dev.as_deref()), ("ethtool", Some("eno1")));
                assert_eq!(f.int("Speed"), up.then_some(u64::from(nominal)));
                assert_eq!(f.text("Link detected"), Some(if up { "yes" } else { "no" }));
                let p = read("ethtool_-i_eno1.txt", &ethtool_driver::render(m));
                assert_eq!(fields(&p)[0].text("driver"), Some(driver));
                assert_eq!(fields(&p)[0].text("firmware-version"), Some(m.versions.1.as_str()));
                let p = read("ethtool_-m_eno1.txt", &ethtool_module::render(m));
                let on = fields(&p)[0].entries.iter().filter(|e| e.value == "On").count();
                assert_eq!(on, 0, "{driver} {nominal}: a healthy module raises no flag");
            }
        }
    }
}

#[test]
fn weak_light_raises_the_flags_of_the_receiver_only() {
    for (nominal, rx_dbm, want) in
        [(1_000, -22.0, 2), (10_000, -16.0, 1), (10_000, -18.5, 2), (25_000, -15.0, 2), (100_000, -15.0, 8)]
    {
        let mut view = physical("ice");
        let m = &mut view.members[0];
        m.nominal_mbps = nominal;
        m.optics = Some(OpticsView { rx_dbm, tx_dbm: -2.1, bias_ma: 7.0, celsius: 36.5 });
        let p = read("ethtool_-m_eno1.txt", &ethtool_module::render(m));
        let f = fields(&p)[0];
        let on: Vec<&str> = f.entries.iter().filter(|e| e.value == "On").map(|e| e.key.as_str()).collect();
        assert_eq!(on.len(), want, "{nominal} {rx_dbm}: {on:?}");
        assert!(on.iter().all(|k| k.starts_with("Laser rx power low")), "{on:?}");
        let rx = f.entries.iter().find(|e| e.key.contains("eceiv") || e.key.contains("Rcvr")).unwrap();
        let dbm: f64 = rx.value.split(" / ").nth(1).unwrap().trim_end_matches(" dBm").parse().unwrap();
        assert!((dbm - rx_dbm).abs() < 0.05, "{} {rx_dbm}", rx.value);
    }
    let mut view = physical("ice");
    view.members[0].optics = Some(OpticsView { rx_dbm: -60.0, tx_dbm: -2.1, bias_ma: 7.0, celsius: 36.5 });
    assert!(ethtool_module::render(&view.members[0]).contains("0.0000 mW / -inf dBm"));
}

#[test]
fn multicast_sysfs_and_carrier() {
    let mut view = physical("igb");
    view.members[1].slow_protocols_joined = false;
    view.members[1].admin_up = false;
    view.members[1].carrier = false;
    let p = read("ip_maddr.txt", &maddr::render(&view));
    let joined: Vec<_> = fields(&p)
        .iter()
        .filter(|f| f.entries.iter().any(|e| e.value == "01:80:c2:00:00:02"))
        .map(|f| f.dev.clone().unwrap())
        .collect();
    assert_eq!(joined, ["eno1"]);
    let p = read("sys-bonding-bond0.txt", &sysfs_bonding::render(&view, true));
    let bond = fields(&p).into_iter().find(|f| f.get("mode").is_some()).unwrap();
    assert_eq!((bond.dev.as_deref(), bond.text("mode")), (Some("bond0"), Some("802.3ad 4")));
    let p = read("sys-carrier.txt", &carrier::render(&view));
    let down = p.records.iter().find_map(|r| match &r.what {
        What::Link(l) if l.name == "eno2" => l.fields.int("carrier_down_count"),
        _ => None,
    });
    assert_eq!(down, Some(1));
    view.bond.lacp = false;
    read("sys-bonding-bond0.txt", &sysfs_bonding::render(&view, true));
}

#[test]
fn load_and_protocols() {
    let mut view = split74();
    view.load.softnet = vec![(0x0002_2be3, 254, 18), (0x1_0000_0005, 0, 1)];
    view.load.cpu_some = (91.25, 60.5, 12.0, 987_654_321);
    view.protocol = vec![("IpInReceives", 265_936), ("TcpRetransSegs", 1_234), ("TcpExtTCPTimeouts", 0)];
    for (kernel, words) in [("3.10.0", 11), ("5.10.0", 13), ("6.1.0", 13), ("6.12.107", 15)] {
        view.kernel = kernel.to_owned();
        let text = softnet::render(&view);
        assert_eq!(text.lines().map(|l| l.split(' ').count()).collect::<Vec<_>>(), [words; 2]);
        let p = read("softnet_stat.txt", &text);
        let What::Counters(c) = &p.records[0].what else { panic!() };
        let get = |name: &str| c.entries.iter().find(|e| e.name == name).map(|e| (e.value, e.meaning));
        assert_eq!(get("cpu0.dropped"), Some((254, Meaning::SoftnetDropped)));
        assert_eq!(get("cpu1.time_squeeze"), Some((1, Meaning::SoftnetSqueezed)));
        assert_eq!(get("cpu1.processed"), Some((5, Meaning::Other)), "words have 32 bits");
        assert_eq!(psi::render(&view).is_some(), kernel != "3.10.0");
    }
    let p = read("during/proc-pressure-cpu.txt", &psi::render(&view).unwrap());
    let f = fields(&p)[0];
    assert_eq!(
        (f.text("resource"), f.text("some.avg10"), f.text("some.total")),
        (Some("cpu"), Some("91.25"), Some("987654321"))
    );
    let text = nstat::render(&view);
    assert!(text.contains("\nTcpRetransSegs                  1234               0.0\n"), "{text}");
    let p = read("nstat_-a.txt", &text);
    let retransmits = p.records.iter().find_map(|r| match &r.what {
        What::Counters(c) => c.entries.iter().find(|e| e.meaning == Meaning::Retransmits).map(|e| e.value),
        _ => None,
    });
    assert_eq!(retransmits, Some(1_234));
    let p = read("uname_-a.txt", &uname::render("db01", "3.10.0-1160.el7.x86_64"));
    assert_eq!(fields(&p)[0].text("nodename"), Some("db01"));
}
