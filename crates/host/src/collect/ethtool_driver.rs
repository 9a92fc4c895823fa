//! `ethtool-driver`: driver, firmware and bus address of each member, printed as `ethtool -i` prints them, and the permanent
//! address as `ethtool -P` does.

use super::ethtool_stats::with_ethtool;
use super::{Collector, Pace, Sink, Target, text};
use crate::bounded;
use crate::ethtool::Driver;
use std::io;
use std::time::Duration;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: ID, pace: Pace::Once, run };

const ID: &str = "ethtool-driver";
const LIMIT: Duration = Duration::from_secs(2);

fn run(target: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    let answers = bounded::each(ID, LIMIT, &target.members, |dev| {
        with_ethtool(|ethtool| {
            let begun = crate::clock::begin();
            let driver = ethtool.driver(dev)?;
            let address = ethtool.permanent_address(dev);
            Ok((driver, address, begun.end()))
        })
    });
    for (dev, answer) in answers {
        let source = format!("ethtool -i {dev} (ETHTOOL_GDRVINFO)");
        match answer {
            Ok((driver, address, window)) => {
                text(sink, ID, "host/ethtool-i.txt", &source, window, Ok(print(&driver).into_bytes()))?;
                let source = format!("ethtool -P {dev} (ETHTOOL_GPERMADDR)");
                let address = address.map(|a| print_address(&a).into_bytes());
                text(sink, ID, "host/ethtool-P.txt", &source, window, address)?;
            }
            Err(e) => text(sink, ID, "host/ethtool-i.txt", &source, crate::clock::begin().end(), Err(e))?,
        }
    }
    Ok(())
}

/// As `dump_drvinfo()` of ethtool prints it.
fn print(d: &Driver) -> String {
    let yes = |n: u32| if n > 0 { "yes" } else { "no" };
    format!(
        "driver: {}\nversion: {}\nfirmware-version: {}\nexpansion-rom-version: {}\nbus-info: {}\n\
         supports-statistics: {}\nsupports-test: {}\nsupports-eeprom-access: {}\n\
         supports-register-dump: {}\nsupports-priv-flags: {}\n",
        d.driver,
        d.version,
        d.firmware,
        d.rom,
        d.bus,
        yes(d.counters),
        yes(d.tests),
        yes(d.eeprom),
        yes(d.registers),
        yes(d.flags),
    )
}

fn print_address(address: &[u8]) -> String {
    // The kernel answers zeros for an interface that never had one.
    if address.iter().all(|b| *b == 0) {
        return "Permanent address: not set\n".to_owned();
    }
    let octets: Vec<String> = address.iter().map(|b| format!("{b:02x}")).collect();
    format!("Permanent address: {}\n", octets.join(":"))
}
