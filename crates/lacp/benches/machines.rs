//! `cargo bench -p bondwitness-lacp`: simulated port-seconds in a second of one core.
//!
//! Two Linux systems with two ports each at the fast rate, events off; once healthy, once with a link that goes down
//! and up every 20 s and one PDU of sixteen lost. Goal: at least 1,000,000.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "measures and prints")]

use bondwitness_lacp::Mac;
use bondwitness_lacp::machine::{AdSelect, Pdu, PortConfig, Profile, System, SystemConfig, Time};
use std::collections::VecDeque;
use std::time::Instant;

const SECONDS: u64 = 200_000;
const LATENCY: u64 = 20_000;
const FLAP: u64 = 20_000_000_000;

fn system(last: u8) -> System {
    let config = SystemConfig {
        priority: 65535,
        system: Mac([2, 0, 0, 0, 0, last]),
        profile: Profile::linux(),
        ad_select: AdSelect::Stable,
    };
    let mut system = System::new(config, Time::ZERO);
    system.record_events(false);
    for number in 1..=2 {
        system.add_port(Time::ZERO, PortConfig { number, ..PortConfig::default() });
    }
    system.open(Time::ZERO);
    system
}

/// PDUs delivered.
fn run(flaps: bool) -> u64 {
    let mut ends = [system(1), system(2)];
    let mut flying: VecDeque<(Time, usize, usize, Pdu)> = VecDeque::new();
    let until = Time::from_secs(SECONDS);
    let mut flap = Time(if flaps { FLAP } else { u64::MAX });
    let (mut up, mut sent, mut delivered) = (true, 0_u64, 0_u64);
    loop {
        let due = [ends[0].next_deadline(), ends[1].next_deadline(), flying.front().map(|f| f.0), Some(flap)];
        let Some(now) = due.into_iter().flatten().min().filter(|&t| t <= until) else { break };
        if now == flap {
            up = !up;
            ends[0].set_link(now, 0, up);
            ends[1].set_link(now, 0, up);
            flap = flap + FLAP;
        }
        while let Some((_, to, port, pdu)) = flying.pop_front_if(|f| f.0 <= now) {
            ends[to].handle_pdu(now, port, &pdu);
            delivered += 1;
        }
        for (from, end) in ends.iter_mut().enumerate() {
            end.handle_timeout(now);
            while let Some((port, pdu)) = end.poll_transmit() {
                sent += 1;
                if !flaps || sent % 16 != 0 {
                    flying.push_back((now + LATENCY, 1 - from, port, pdu));
                }
            }
        }
    }
    delivered
}

fn main() {
    for (name, flaps) in [("healthy", false), ("with flaps and loss", true)] {
        let mut best = 0.0_f64;
        let mut delivered = 0;
        for _ in 0..3 {
            let start = Instant::now();
            delivered = run(flaps);
            best = best.max(4.0 * SECONDS as f64 / start.elapsed().as_secs_f64());
        }
        assert!(delivered > SECONDS, "the ends talk");
        println!(
            "two Linux systems, 2 ports each, {name:20} {:6.2} million port-seconds a second  (goal: at least 1)",
            best / 1e6
        );
    }
}
