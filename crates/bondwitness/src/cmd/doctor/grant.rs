//! How the missing rights are granted: by file capabilities, a systemd unit, a container, a pod.

use bondwitness_host::doctor::{Facts, Tried};
use bondwitness_host::privilege::{Access, Grant};

/// What is missing, and how to grant it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Missing {
    /// Capabilities that a service may hold, in the order of the table.
    pub(super) capabilities: Vec<&'static str>,
    /// Groups.
    pub(super) groups: Vec<&'static str>,
    /// Whether something is missing that only root should have.
    pub(super) root: bool,
}

/// Functions that were tried and refused.
pub(super) fn refused(facts: &Facts) -> impl Iterator<Item = &Tried> {
    facts.functions.iter().filter(|t| matches!(t.access, Access::No(_)))
}

pub(super) fn missing(facts: &Facts) -> Missing {
    let mut missing = Missing::default();
    for tried in refused(facts) {
        match tried.function.grant {
            Grant::Capability(c) if !missing.capabilities.contains(&c.name()) => {
                missing.capabilities.push(c.name())
            }
            Grant::Group(g) if !missing.groups.contains(&g) => missing.groups.push(g),
            Grant::Root(_) => missing.root = true,
            _ => {}
        }
    }
    missing
}

/// `CAP_NET_RAW` as Docker and Kubernetes spell it.
fn short(name: &str) -> &str {
    name.trim_start_matches("CAP_")
}

impl Missing {
    pub(super) fn nothing(&self) -> bool {
        self.capabilities.is_empty() && self.groups.is_empty()
    }

    /// The command that grants the capabilities to the program's file.
    pub(super) fn setcap(&self, program: &str) -> Option<String> {
        let list = self.capabilities.join(",").to_lowercase();
        let quoted = if program.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-+".contains(&b)) {
            program.to_owned()
        } else {
            format!("'{}'", program.replace('\'', r"'\''"))
        };
        (!self.capabilities.is_empty()).then(|| format!("setcap {list}+ep {quoted}"))
    }

    /// Lines of a systemd unit's `[Service]`.
    pub(super) fn unit(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.capabilities.is_empty() {
            let list = self.capabilities.join(" ");
            lines.push(format!("AmbientCapabilities={list}"));
            lines.push(format!("CapabilityBoundingSet={list}"));
        }
        if !self.groups.is_empty() {
            lines.push(format!("SupplementaryGroups={}", self.groups.join(" ")));
        }
        lines
    }

    /// Arguments of `docker run` or `podman run`.
    pub(super) fn container(&self) -> Option<String> {
        let list: Vec<String> = self.capabilities.iter().map(|c| format!("--cap-add {}", short(c))).collect();
        (!list.is_empty()).then(|| format!("--network host {}", list.join(" ")))
    }

    /// The part of a pod's container, as YAML in one line.
    pub(super) fn pod(&self) -> Option<String> {
        let list: Vec<&str> = self.capabilities.iter().map(|c| short(c)).collect();
        (!list.is_empty()).then(|| {
            format!(
                "hostNetwork: true; securityContext: {{runAsUser: 0, capabilities: {{drop: [ALL], add: [{}]}}}}",
                list.join(", ")
            )
        })
    }
}
