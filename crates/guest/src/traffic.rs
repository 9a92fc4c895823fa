//! A little traffic beside the LACPDUs, so that a member that carries data shows it.
//!
//! UDP to an address that the receiver does not have: its IP layer drops it without a trace on the interface.

use crate::programs::Place;
use crate::speaker::Speaker;
use crate::topology::Topology;
use anyhow::{Context, Result};
use bondwitness_host::packet::{self, PacketSocket};
use bondwitness_lab::fault::Fault;
use bondwitness_lab::incident::Incident;

/// Frames for each round and member, in each direction. Real hosts have thousands; here each costs instructions.
const FRAMES: u8 = 3;
/// The same where the data that keeps arriving is what tells who is silent: more than chatter.
const BUSY: u8 = 15;

/// The senders of one incident.
pub(crate) struct Traffic {
    /// None where the scenario's host sends nothing else.
    host: Option<PacketSocket>,
    /// One for each port of a speaker, one for each bond of a Linux far end; none where the switch sends nothing else.
    far: Vec<PacketSocket>,
    to_switch: Vec<u8>,
    to_host: Vec<u8>,
    members: usize,
    /// Frames for each round and member.
    frames: u8,
}

impl Traffic {
    /// Opens the senders.
    pub(crate) fn new(incident: &Incident, topology: &Topology) -> Result<Self> {
        let open = |place, name: String| {
            topology
                .at(place)
                .with(|| packet::ifindex(&name).and_then(PacketSocket::sender))?
                .with_context(|| format!("cannot send on {name}"))
        };
        let names = topology.names;
        let members = &incident.topology.members;
        let silent = incident.faults.iter().any(|f| matches!(f.fault, Fault::SwitchSilent { .. }));
        let far = if members.iter().any(|m| m.rx_pps == 0) {
            Vec::new()
        } else if topology.speaker {
            (0..topology.members)
                .map(|i| open(Place::Far(topology.half_of(i)), names.port(i)))
                .collect::<Result<_>>()?
        } else {
            (0..topology.halves()).map(|h| open(Place::Far(h), names.far_bond(h))).collect::<Result<_>>()?
        };
        Ok(Self {
            host: if members.iter().any(|m| m.tx_pps == 0) {
                None
            } else {
                Some(open(Place::Host, names.bond())?)
            },
            far,
            to_switch: frame(names.port_mac(0).0, names.member_mac(0).0),
            to_host: frame(names.member_mac(0).0, names.port_mac(0).0),
            members: topology.members,
            frames: if silent { BUSY } else { FRAMES },
        })
    }

    /// Sends one round. What cannot be sent, because a link is down, is not sent.
    pub(crate) fn round(&mut self, speaker: Option<&Speaker>) {
        let frames = self.frames.saturating_mul(u8::try_from(self.members).unwrap_or(1));
        for flow in 0..frames {
            // Other addresses, other members: the bond distributes by them.
            if let Some(last) = self.to_switch.get_mut(5) {
                *last = flow;
            }
            if let Some(host) = &self.host {
                let _ = host.send(&self.to_switch);
            }
            let Some(source) = self.to_host.get_mut(11) else { continue };
            *source = flow;
            match speaker {
                Some(speaker) => {
                    let port = usize::from(flow) % self.members.max(1);
                    if speaker.forwards(port)
                        && let Some(socket) = self.far.get(port)
                    {
                        let _ = socket.send(&self.to_host);
                    }
                }
                None => {
                    let half = usize::from(flow) % self.far.len().max(1);
                    if let Some(socket) = self.far.get(half) {
                        let _ = socket.send(&self.to_host);
                    }
                }
            }
        }
    }
}

/// An IPv4 datagram with eight octets of UDP, padded to the shortest frame, between addresses of RFC 2544.
fn frame(to: [u8; 6], from: [u8; 6]) -> Vec<u8> {
    let mut ip = vec![0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, 17, 0, 0, 198, 18, 0, 2, 198, 18, 0, 1];
    let sum = ip
        .chunks(2)
        .fold(0u32, |sum, pair| sum + pair.iter().fold(0, |word, octet| word << 8 | u32::from(*octet)));
    let sum = !((sum & 0xffff) + (sum >> 16));
    ip.splice(10..12, u16::try_from(sum & 0xffff).unwrap_or(0).to_be_bytes());
    let mut frame = Vec::with_capacity(60);
    frame.extend(to);
    frame.extend(from);
    frame.extend([0x08, 0x00]);
    frame.extend(ip);
    // Ports 9 and 9, length 26, no checksum.
    frame.extend([0, 9, 0, 9, 0, 26, 0, 0]);
    frame.resize(60, 0);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_sums_up() {
        let frame = frame([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
        assert_eq!(frame.len(), 60);
        let sum = frame[14..34].chunks(2).fold(0u32, |s, p| s + u32::from(u16::from_be_bytes([p[0], p[1]])));
        assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
    }
}
