//! `doctor` for people: what is wrong first, what to type next, the rest below.

use super::View;
use super::grant::{self, Missing};
use bondwitness_core::report::printable;
use bondwitness_host::doctor::{Bond, Facts};
use bondwitness_host::privilege::{Access, Grant};

/// Writes lines of a width, each section with its heading at the margin.
struct Page {
    out: String,
    width: usize,
    color: bool,
}

const MARGIN: usize = 10;

impl Page {
    fn heading(&mut self, word: &str, text: &str) {
        let start = self.out.len();
        self.wrapped(&format!("{word:<MARGIN$}"), MARGIN, text);
        if self.color && !word.is_empty() {
            self.out.replace_range(start..start + word.len(), &format!("\x1b[1m{word}\x1b[0m"));
        }
    }

    fn line(&mut self, text: &str) {
        self.heading("", text);
    }

    fn item(&mut self, text: &str) {
        self.wrapped(&format!("{:MARGIN$}- ", ""), MARGIN + 2, text);
    }

    fn below(&mut self, text: &str) {
        let indent = MARGIN + 4;
        self.wrapped(&format!("{:indent$}", ""), indent, text);
    }

    /// What is to be copied stays on its line, however long.
    fn verbatim(&mut self, text: &str) {
        self.out.push_str(&format!("{:MARGIN$}  {}\n", "", printable(text)));
    }

    fn wrapped(&mut self, first: &str, indent: usize, text: &str) {
        let text = printable(text);
        let mut column = first.chars().count();
        let mut fresh = true;
        self.out.push_str(first);
        for word in text.split_whitespace() {
            let length = word.chars().count();
            if !fresh && column + 1 + length > self.width {
                self.out.push('\n');
                self.out.push_str(&" ".repeat(indent));
                column = indent;
                fresh = true;
            }
            if !fresh {
                self.out.push(' ');
                column += 1;
            }
            self.out.push_str(word);
            column += length;
            fresh = false;
        }
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        self.out.push('\n');
    }

    fn space(&mut self) {
        self.out.push('\n');
    }
}

pub(super) fn page(view: &View, width: usize, color: bool) -> String {
    let mut p = Page { out: String::new(), width, color };
    let facts = &view.facts;
    let missing = grant::missing(facts);
    who(&mut p, view);
    bonds(&mut p, view);
    p.space();
    blind(&mut p, facts);
    sees(&mut p, facts);
    if !missing.nothing() || missing.root {
        p.space();
        how_to_grant(&mut p, view, &missing);
    }
    traps(&mut p, facts);
    p.space();
    host(&mut p, facts);
    clocks(&mut p, facts);
    judge(&mut p, view);
    p.out
}

fn who(p: &mut Page, view: &View) {
    let f = &view.facts;
    let rights = match f.user.capabilities.len() {
        0 => "no capabilities".to_owned(),
        1..=6 => f.user.capabilities.join(", "),
        n => format!("{n} capabilities"),
    };
    let who = if f.user.uid == 0 { "root".to_owned() } else { format!("uid {}", f.user.uid) };
    p.heading(
        "DOCTOR",
        &format!(
            "{}, Linux {} ({}), as {who} with {rights}",
            f.kernel.hostname, f.kernel.release, f.kernel.machine
        ),
    );
    if !f.user.initial_user_namespace {
        p.line("in a user namespace of its own: capabilities do not count for the host");
    }
    if let Some(kind) = &f.place.container {
        p.line(&format!("in a container ({kind})"));
    }
    match (&view.netns, f.place.host_netns) {
        (Some(name), _) => p.line(&format!("looking into network namespace {name} ({})", f.place.netns)),
        (None, Some(false)) => p.line(&format!(
            "not in the host's network namespace ({}): the host's bonds are not visible here",
            f.place.netns
        )),
        (None, None) if f.place.container.is_some() => p.line(&format!(
            "whether this is the host's network namespace cannot be told from here ({}); a container shares it with \
             --network host, a pod with hostNetwork: true",
            f.place.netns
        )),
        _ => {}
    }
}

fn bonds(p: &mut Page, view: &View) {
    let bonds = &view.facts.bonds;
    if bonds.is_empty() {
        let why = if view.facts.module.is_some() {
            "none in this network namespace"
        } else {
            "none: the bonding module is not loaded"
        };
        p.heading("BONDS", why);
        return;
    }
    if let Some(asked) = view.asked.as_ref().filter(|_| !view.found()) {
        p.heading("BONDS", &format!("{asked} is not in this network namespace; these are:"));
    }
    for (i, bond) in bonds.iter().enumerate() {
        let heading = if i == 0 && view.found() { "BONDS" } else { "" };
        p.heading(heading, &bond_line(bond));
    }
}

fn bond_line(bond: &Bond) -> String {
    let members: Vec<String> = bond
        .members
        .iter()
        .map(|m| match &m.driver {
            Some(d) if !d.name.is_empty() => format!("{} ({})", m.name, d.name),
            _ => m.name.clone(),
        })
        .collect();
    let members = if members.is_empty() { "no members".to_owned() } else { members.join(", ") };
    format!("{}, {}: {members}", bond.name, bond.mode)
}

fn blind(p: &mut Page, facts: &Facts) {
    let (weighty, rest): (Vec<_>, Vec<_>) =
        grant::refused(facts).partition(|t| !t.function.verdicts.is_empty());
    if weighty.is_empty() {
        p.heading("BLIND", "to nothing that a verdict needs");
    } else {
        p.heading("BLIND", "this user cannot:");
    }
    for tried in weighty {
        let f = tried.function;
        let Access::No(why) = &tried.access else { continue };
        p.item(&format!("{}: {why}", f.does));
        p.below(&format!("not seen: {}", f.blind));
        p.below(&format!("so: {}", f.verdicts));
        let or = if f.or.is_empty() { String::new() } else { format!(", or {}", f.or) };
        p.below(&format!("needs: {}{or}", needs(f.grant)));
    }
    for tried in rest {
        let f = tried.function;
        p.item(&format!("{} (no verdict needs it; {})", f.does, needs(f.grant)));
    }
}

fn needs(grant: Grant) -> String {
    match grant {
        Grant::Everyone => "nothing".to_owned(),
        Grant::Capability(c) => c.name().to_owned(),
        Grant::Root(c) => format!("root ({})", c.name()),
        Grant::Group(g) => format!("group {g}"),
    }
}

fn sees(p: &mut Page, facts: &Facts) {
    let can: Vec<&str> = facts
        .functions
        .iter()
        .filter(|t| matches!(t.access, Access::Yes(_)))
        .map(|t| t.function.does)
        .collect();
    p.heading("CAN", &if can.is_empty() { "nothing".to_owned() } else { can.join("; ") });
    for tried in &facts.functions {
        if let Access::NotHere(why) = &tried.access {
            p.heading("NOT HERE", &format!("{}: {why}", tried.function.does));
        }
    }
}

fn how_to_grant(p: &mut Page, view: &View, missing: &Missing) {
    if missing.nothing() {
        p.heading("GRANT", "run it as root when you need the rest; a service should not hold these rights");
        return;
    }
    if view.facts.user.no_new_privileges {
        p.heading(
            "GRANT",
            "this shell has no_new_privs set: setcap and sudo have no effect here, start it outside. One of:",
        );
    } else {
        p.heading("GRANT", "one of:");
    }
    if let Some(setcap) = missing.setcap(&view.program) {
        p.item("to the program, for every user who may start it:");
        p.verbatim(&format!("$ sudo {setcap}"));
    }
    let unit = missing.unit();
    if !unit.is_empty() {
        p.item("to a service, in [Service] of its unit:");
        for line in unit {
            p.verbatim(&line);
        }
    }
    if let Some(container) = missing.container() {
        p.item("to a container (as its root user; add --device /dev/kmsg for the kernel log):");
        p.verbatim(&format!("docker run {container} ..."));
    }
    if let Some(pod) = missing.pod() {
        p.item("to a pod (its namespace needs the pod security level `privileged`):");
        p.verbatim(&pod);
    }
    if !missing.groups.is_empty() && missing.capabilities.is_empty() {
        for group in &missing.groups {
            p.item("to a user:");
            p.verbatim(&format!("$ sudo usermod -aG {group} USER"));
        }
    }
    if view.facts.place.talos {
        p.item("Talos has no shell: run a pod as above in kube-system; the kernel log comes with");
        p.verbatim("talosctl -n NODE dmesg > dmesg.txt");
    }
}

fn traps(p: &mut Page, facts: &Facts) {
    let mut heading = "TRAPS";
    for member in facts.bonds.iter().flat_map(|b| &b.members) {
        for trap in &member.traps {
            if !heading.is_empty() {
                p.space();
            }
            p.heading(heading, &format!("{}: {}", member.name, trap.what));
            p.below(trap.so);
            heading = "";
        }
    }
}

fn host(p: &mut Page, facts: &Facts) {
    let mut words = Vec::new();
    if let Some(vm) = &facts.place.virtual_machine {
        words.push(format!("a virtual machine ({vm}): members are the hypervisor's, not cables"));
    }
    if let Some(mode) = &facts.kernel.lockdown {
        words.push(format!("kernel lockdown {mode}: some of the above is refused even to root"));
    }
    match &facts.module {
        None => {}
        Some(m) if m.changed.is_empty() => {
            words.push("parameters of the bonding module at their defaults".to_owned())
        }
        Some(m) => {
            let list: Vec<String> = m.changed.iter().map(|(n, v)| format!("{n}={v}")).collect();
            words.push(format!("parameters of the bonding module: {}", list.join(" ")));
        }
    }
    let exports: Vec<_> = facts
        .bonds
        .iter()
        .filter(|b| b.speaks_lacp())
        .flat_map(|b| &b.members)
        .filter_map(|m| m.exports)
        .collect();
    if !exports.is_empty() {
        let all = |has: fn(&bondwitness_host::doctor::Exports) -> bool| {
            if exports.iter().all(has) { "yes" } else { "no" }
        };
        words.push(format!(
            "this kernel tells over netlink: churn state {}, LACPDU counters {}, port priority {}",
            all(|e| e.churn),
            all(|e| e.lacpdu_counters),
            all(|e| e.port_priority)
        ));
    }
    for (i, line) in words.iter().enumerate() {
        p.heading(if i == 0 { "HOST" } else { "" }, line);
    }
}

fn clocks(p: &mut Page, facts: &Facts) {
    let c = &facts.clock;
    let service = c.service.unwrap_or("no service recognised");
    let state = match c.synchronised {
        Some(true) => {
            format!("synchronised ({service}), error below {:.1} ms", c.max_error_us as f64 / 1000.0)
        }
        Some(false) => format!(
            "NOT synchronised ({service}): times cannot be compared with the switch's log without a common event"
        ),
        None => "whether it is synchronised cannot be told".to_owned(),
    };
    p.heading("CLOCK", &format!("wall clock {state}"));
    let slept = c.now.boot_ns.saturating_sub(c.now.monotonic_ns) / 1_000_000_000;
    let slept = if slept > 0 { format!("; the host has slept {slept} s since boot") } else { String::new() };
    let source = c.source.as_deref().unwrap_or("unknown");
    p.line(&format!("read together within {} us, from {source}{slept}", c.now.within_ns / 1000));
    if c.shifted {
        p.line("in a time namespace: the kernel log's times are not this process's");
    }
    let log = &facts.log;
    let size = log.ring_bytes.map_or("of unknown size".to_owned(), |b| format!("of {} KiB", b / 1024));
    let lost = match log.overwritten {
        None => String::new(),
        Some(0) => ", nothing overwritten since boot".to_owned(),
        Some(n) => format!(", {n} records overwritten since boot: older ones are in the journal at best"),
    };
    p.heading("LOG", &format!("kernel log ring {size}{lost}"));
}

fn judge(p: &mut Page, view: &View) {
    match &view.judge {
        Ok(steps) => {
            let done = steps.iter().filter(|s| s.done).count();
            p.heading(
                "JUDGE",
                &format!(
                    "the process that parses gives up its rights: {done} of {} steps taken, tried just now",
                    steps.len()
                ),
            );
            for step in steps.iter().filter(|s| !s.done) {
                p.item(&format!("{}: not here: {}", step.id, step.how));
            }
        }
        Err(why) => {
            p.heading(
                "JUDGE",
                "the process that parses cannot be locked down, so nothing is diagnosed live:",
            );
            p.item(why);
        }
    }
}
