//! temporary
use bondwitness_core::diagnose::{self, Input};
use bondwitness_core::evidence::Meaning as M;
use bondwitness_host::load::{self, Limits};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let loaded = load::load(&[a[1].clone().into()], &Limits::default()).unwrap();
    let inputs: Vec<Input<'_>> = loaded
        .inputs
        .iter()
        .map(|i| Input { path: &i.path, bytes: &i.bytes, sha256: None, problem: None })
        .collect();
    if a.len() > 3 {
        let n: usize = a[3].parse().unwrap();
        for _ in 0..n {
            std::hint::black_box(diagnose::diagnose(&inputs));
        }
        return;
    }
    let case = diagnose::case_of(&inputs);
    println!("virtual {:?}", case.virtual_devs);
    for s in case.counters.get(&a[2]).into_iter().flatten() {
        if s.meaning != M::Other {
            println!(
                "{} {:?} {} low {} high {} n {} reset {}",
                s.source, s.meaning, s.name, s.low.0, s.high.0, s.readings, s.reset
            );
        }
    }
    println!("accounted {:?}", bondwitness_core::ledger::transmit_accounted(&case, &a[2]).is_some());
    println!("receive {:?}", bondwitness_core::ledger::receive_clear(&case, &a[2]).is_some());
    for (r, l) in case.links().filter(|(_, l)| l.name == a[2]).take(2) {
        println!("{:?} {} {:?}", r.time, l.source, l.flags);
    }
    for (r, l) in case.links().filter(|(_, l)| l.source == "ip-monitor") {
        println!("{:?} {} {:?}", r.time, l.name, l.flags);
    }
}
