//! `ethtool -m`: the memory of a transceiver with its diagnostics (`sfpid.c`, `sfpdiag.c`, `qsfp.c` of ethtool).
//!
//! Flags follow from the values and the module's thresholds, as the module itself sets them.

use crate::view::{MemberView, OpticsView};
use std::fmt::Write as _;

/// High alarm, low alarm, high warning, low warning: the order in which ethtool prints them.
type Limits = [f64; 4];
const NAMES: [&str; 4] = ["high alarm", "low alarm", "high warning", "low warning"];

/// What a vendor wrote into a module.
struct Module {
    quad: bool,
    kind: &'static [(&'static str, &'static str)],
    part: &'static str,
    bias_ma: Limits,
    tx_mw: Limits,
    rx_mw: Limits,
}

const CELSIUS: Limits = [78.0, -13.0, 73.0, -8.0];
const VOLTS: Limits = [3.7, 2.9, 3.6, 3.0];
/// The supply voltage is not modelled.
const SUPPLY: f64 = 3.2934;

/// Short-reach optics of each speed, with thresholds as such modules carry them.
fn module(mbps: u32) -> Module {
    match mbps {
        0..=1_000 => Module {
            quad: false,
            kind: &[
                ("Transceiver codes", "0x00 0x00 0x00 0x01 0x00 0x00 0x00 0x00 0x00"),
                ("Transceiver type", "Ethernet: 1000BASE-SX"),
                ("Encoding", "0x01 (8B/10B)"),
                ("BR, Nominal", "1300MBd"),
            ],
            part: "SFP-1G-SX",
            bias_ma: [17.0, 1.0, 14.0, 2.0],
            tx_mw: [0.6310, 0.0670, 0.6310, 0.0790],
            rx_mw: [1.2589, 0.0100, 0.7943, 0.0158],
        },
        1_001..=10_000 => Module {
            quad: false,
            kind: &[
                ("Transceiver codes", "0x10 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00"),
                ("Transceiver type", "10G Ethernet: 10G Base-SR"),
                ("Encoding", "0x06 (64B/66B)"),
                ("BR, Nominal", "10300MBd"),
            ],
            part: "SFP-10G-SR",
            bias_ma: [13.2, 4.0, 12.6, 5.0],
            tx_mw: [1.0000, 0.1585, 0.7943, 0.1995],
            rx_mw: [2.0000, 0.0200, 1.0000, 0.0316],
        },
        10_001..=25_000 => Module {
            quad: false,
            kind: &[
                ("Transceiver codes", "0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x02"),
                ("Transceiver type", "Extended: 100G Base-SR4 or 25GBase-SR"),
                ("Encoding", "0x03 (NRZ)"),
                ("BR, Nominal", "25750MBd"),
            ],
            part: "SFP-25G-SR",
            bias_ma: [13.0, 2.0, 12.0, 3.0],
            tx_mw: [2.1878, 0.0851, 1.7378, 0.1445],
            rx_mw: [2.1878, 0.0447, 1.7378, 0.0891],
        },
        _ => Module {
            quad: true,
            kind: &[
                ("Transceiver codes", "0x80 0x00 0x00 0x00 0x00 0x00 0x00 0x00"),
                ("Transceiver type", "100G Ethernet: 100G Base-SR4 or 25GBase-SR"),
                ("Encoding", "0x05 (64B/66B)"),
                ("BR, Nominal", "25500Mbps"),
            ],
            part: "QSFP-100G-SR4",
            bias_ma: [13.0, 2.0, 12.0, 3.0],
            tx_mw: [3.4674, 0.0724, 1.7378, 0.1445],
            rx_mw: [3.4674, 0.0467, 1.7378, 0.0933],
        },
    }
}

/// Renders the module of one member; a port without an optical module says that there is none.
#[must_use]
pub fn render(m: &MemberView) -> String {
    let Some(optics) = m.optics else {
        return "netlink error: Operation not supported\n".to_owned();
    };
    let module = module(m.nominal_mbps);
    let mut out = String::new();
    identity(&mut out, &module, m);
    if module.quad {
        quad(&mut out, &module, &optics);
    } else {
        single(&mut out, &module, &optics);
    }
    out
}

fn put(out: &mut String, key: &str, value: &str) {
    let _ = writeln!(out, "\t{key:<41} : {value}");
}

fn identity(out: &mut String, module: &Module, m: &MemberView) {
    if module.quad {
        put(out, "Identifier", "0x11 (QSFP28)");
        put(out, "Extended identifier", "0xcc");
        put(out, "Extended identifier description", "3.5W max. Power consumption");
        put(out, "Connector", "0x0c (MPO Parallel Optic)");
    } else {
        put(out, "Identifier", "0x03 (SFP)");
        put(out, "Extended identifier", "0x04 (GBIC/SFP defined by 2-wire interface ID)");
        put(out, "Connector", "0x07 (LC)");
    }
    for (key, value) in module.kind {
        put(out, key, value);
    }
    put(out, "Rate identifier", if module.quad { "0x00" } else { "0x00 (unspecified)" });
    for (key, value) in if module.quad {
        [
            ("Length (SMF,km)", "0km"),
            ("Length (OM3 50um)", "70m"),
            ("Length (OM2 50um)", "0m"),
            ("Length (OM1 62.5um)", "0m"),
        ]
    } else {
        [
            ("Length (SMF,km)", "0km"),
            ("Length (SMF)", "0m"),
            ("Length (50um)", "80m"),
            ("Length (62.5um)", "30m"),
        ]
    } {
        put(out, key, value);
    }
    put(out, "Length (Copper or Active cable)", if module.quad { "100m" } else { "0m" });
    put(out, "Laser wavelength", if module.quad { "850.000nm" } else { "850nm" });
    put(out, "Vendor name", "OEM");
    put(out, "Vendor OUI", "00:1b:21");
    put(out, "Vendor PN", module.part);
    put(out, "Vendor rev", "A");
    // A serial number of its own for each module: from the port's address.
    let [.., a, b, c] = m.permanent.0;
    put(out, "Vendor SN", &format!("S{a:02X}{b:02X}{c:02X}{:04}", m.nominal_mbps / 100));
    put(out, "Date code", "230619");
}

/// Millwatts and dBm of a power that the module keeps in units of 0.1 µW.
fn power(mw: f64) -> String {
    let mw = (mw * 10_000.0).round() / 10_000.0;
    if mw <= 0.0 {
        return "0.0000 mW / -inf dBm".to_owned();
    }
    format!("{mw:.4} mW / {:.2} dBm", 10.0 * mw.log10())
}

fn degrees(celsius: f64) -> String {
    format!("{celsius:.2} degrees C / {:.2} degrees F", celsius * 1.8 + 32.0)
}

fn milliwatts(dbm: f64) -> f64 {
    10_f64.powf(dbm / 10.0)
}

/// `On` or `Off` for each limit.
fn flags(value: f64, limits: &Limits) -> [&'static str; 4] {
    let [high_alarm, low_alarm, high_warning, low_warning] = *limits;
    let on = |on: bool| if on { "On" } else { "Off" };
    [on(value > high_alarm), on(value < low_alarm), on(value > high_warning), on(value < low_warning)]
}

fn single(out: &mut String, module: &Module, o: &OpticsView) {
    let (tx, rx) = (milliwatts(o.tx_dbm), milliwatts(o.rx_dbm));
    put(out, "Optical diagnostics support", "Yes");
    put(out, "Laser bias current", &format!("{:.3} mA", o.bias_ma));
    put(out, "Laser output power", &power(tx));
    put(out, "Receiver signal average optical power", &power(rx));
    put(out, "Module temperature", &degrees(o.celsius));
    put(out, "Module voltage", &format!("{SUPPLY:.4} V"));
    put(out, "Alarm/warning flags implemented", "Yes");
    let mut all = |what: &str, value: f64, limits: &Limits| {
        for (name, flag) in NAMES.iter().zip(flags(value, limits)) {
            put(out, &format!("{what} {name}"), flag);
        }
    };
    all("Laser bias current", o.bias_ma, &module.bias_ma);
    all("Laser output power", tx, &module.tx_mw);
    all("Module temperature", o.celsius, &CELSIUS);
    all("Module voltage", SUPPLY, &VOLTS);
    all("Laser rx power", rx, &module.rx_mw);
    thresholds(out, module, "Laser output power");
}

fn thresholds(out: &mut String, module: &Module, tx: &str) {
    let mut all = |what: &str, limits: &Limits, show: fn(f64) -> String| {
        for (name, limit) in NAMES.iter().zip(limits) {
            put(out, &format!("{what} {name} threshold"), &show(*limit));
        }
    };
    all("Laser bias current", &module.bias_ma, |ma| format!("{ma:.3} mA"));
    all(tx, &module.tx_mw, power);
    all("Module temperature", &CELSIUS, degrees);
    all("Module voltage", &VOLTS, |v| format!("{v:.4} V"));
    all("Laser rx power", &module.rx_mw, power);
}

/// Four lanes that do not differ.
fn quad(out: &mut String, module: &Module, o: &OpticsView) {
    let (tx, rx) = (milliwatts(o.tx_dbm), milliwatts(o.rx_dbm));
    put(out, "Revision Compliance", "SFF-8636 Rev 2.5/2.6/2.7");
    put(out, "Module temperature", &degrees(o.celsius));
    put(out, "Module voltage", &format!("{SUPPLY:.4} V"));
    put(out, "Alarm/warning flags implemented", "Yes");
    for lane in 1..=4 {
        put(out, &format!("Laser tx bias current (Channel {lane})"), &format!("{:.3} mA", o.bias_ma));
    }
    for lane in 1..=4 {
        put(out, &format!("Transmit avg optical power (Channel {lane})"), &power(tx));
    }
    for lane in 1..=4 {
        put(out, &format!("Rcvr signal avg optical power(Channel {lane})"), &power(rx));
    }
    let mut lanes = |what: &str, word: &str, value: f64, limits: &Limits| {
        for lane in 1..=4 {
            for (name, flag) in NAMES.iter().zip(flags(value, limits)) {
                put(out, &format!("{what} {name:<12} ({word} {lane})"), flag);
            }
        }
    };
    lanes("Laser bias current", "Chan", o.bias_ma, &module.bias_ma);
    let mut whole = String::new();
    for (what, value, limits) in
        [("Module temperature", o.celsius, &CELSIUS), ("Module voltage", SUPPLY, &VOLTS)]
    {
        for (name, flag) in NAMES.iter().zip(flags(value, limits)) {
            put(&mut whole, &format!("{what} {name}"), flag);
        }
    }
    lanes("Laser tx power", "Channel", tx, &module.tx_mw);
    lanes("Laser rx power", "Channel", rx, &module.rx_mw);
    out.push_str(&whole);
    thresholds(out, module, "Laser tx power");
}
