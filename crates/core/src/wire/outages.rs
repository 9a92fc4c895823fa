//! The outages of one part: when a member did not carry traffic, and how that came about.

use super::{Cause, LONG_LIMIT, Outage, Part, SECOND, Span, Story, deaf_words, limit, period, seconds};
use crate::capture::fold::KEEP_GAP_NS;
use crate::capture::{Change, Gap, Speaker};
use lacp::PortState;

impl Part {
    /// True if a speaker kept its cadence from three and a half periods before `ns` until two periods after it.
    fn in_time_around(s: &Speaker, ns: i64, period: i64) -> bool {
        let (from, to) = (ns.saturating_sub(period * 7 / 2), ns.saturating_add(2 * period));
        s.first.0 < ns
            && s.last.0 >= ns.saturating_add(period / 2)
            && !s.gaps.iter().any(|g| g.len_ns() > period * 17 / 10 && g.from_ns < to && g.to_ns > from)
    }

    /// The gaps of a speaker, with the silence before its first and behind its last PDU while the other spoke.
    pub(super) fn gaps_of(&self, s: &Speaker, other: Option<&Speaker>) -> Vec<Gap> {
        let mut gaps = s.gaps.clone();
        if let Some(o) = other {
            if o.first.0 < s.first.0 {
                gaps.insert(
                    0,
                    Gap {
                        from_ns: o.first.0,
                        to_ns: s.first.0,
                        from_frame: o.first.1,
                        to_frame: s.first.1,
                        answered: None,
                    },
                );
            }
            if o.last.0 > s.last.0 {
                gaps.push(Gap {
                    from_ns: s.last.0,
                    to_ns: o.last.0,
                    from_frame: s.last.1,
                    to_frame: o.last.1,
                    answered: None,
                });
            }
        }
        gaps
    }

    /// The silences of a speaker on this wire, those at its edges included while the other end, or another link of the same
    /// capture, goes on.
    pub(crate) fn silences(&self, s: &Speaker, other: Option<&Speaker>) -> Vec<Gap> {
        let mut gaps = self.gaps_of(s, other);
        if self.span.1 > s.last.0.max(other.map_or(i64::MIN, |o| o.last.0)) {
            let (from_ns, from_frame) = s.last;
            gaps.retain(|g| g.from_ns != from_ns);
            gaps.push(Gap { from_ns, to_ns: self.span.1, from_frame, to_frame: from_frame, answered: None });
        }
        gaps
    }

    /// True if the partner shows that it heard us in the middle of a silence of the host at the tap: it still spoke, and
    /// was not deaf, when its own timeout had long run out on the last PDU that the tap shows. Then the tap lost frames
    /// that the partner got: the silence is the capture's, not the host's (erratum E-37).
    pub(super) fn heard_through(&self, silence: &Gap) -> bool {
        let (Some(h), Some(p)) = (self.host(), self.partner()) else { return false };
        let before = p.at(silence.from_ns);
        let patient = |c: Option<&Change>| c.is_none_or(|c| !c.actor.state.contains(PortState::TIMEOUT));
        let asked = self.asked_by_us(silence.from_ns).unwrap_or(false);
        // The partner's current_while, and then the longest it takes to say so.
        let expired_by = |patient: bool| silence.from_ns.saturating_add(limit(!patient));
        let told =
            |from: i64| from.saturating_add(p.intervals.3.min((period(asked) * 17 / 10).max(KEEP_GAP_NS)));
        let until = told(expired_by(patient(before)));
        let from = expired_by(patient(before) || patient(p.at(until)));
        let until = told(from);
        let spoke = p.first.0 <= silence.from_ns
            && p.last.0 >= from
            && !p.gaps.iter().any(|g| g.from_ns < from && g.to_ns > until);
        let hears = |c: &Change| {
            !c.actor.state.deaf()
                && h.at(silence.from_ns).is_some_and(|ours| c.partner.same_identity(&ours.actor))
        };
        until < silence.to_ns && spoke && before.is_some_and(hears) && p.at(until).is_some_and(hears)
    }

    /// Times in which the link was down: our first PDU after a silence carries Expired and Defaulted together,
    /// which Linux sends only after PORT_DISABLED (kernel-facts section 2: 199 = just after carrier-up). Or it is Defaulted
    /// without having been Expired: from a PDU that was heard, current_while and then another short timeout in EXPIRED, in
    /// which it sends every second, must pass before timeouts make it so (802.1AX Receive machine). The port was
    /// initialised anew.
    pub(super) fn link_downs(&self) -> Vec<Span> {
        let both = PortState::EXPIRED.union(PortState::DEFAULTED);
        let Some(h) = self.host() else { return Vec::new() };
        let mut spans = Vec::new();
        for (i, c) in h.changes.iter().enumerate() {
            let before = i.checked_sub(1).and_then(|b| h.changes.get(b));
            let gap = h.gaps.iter().find(|g| g.to_ns == c.ns);
            let anew = || {
                let Some((heard, _)) = c.answered else { return false };
                let asked = period(before.is_some_and(|b| b.actor.state.contains(PortState::TIMEOUT)));
                let too_soon = c.ns.saturating_sub(heard) < 3 * asked + 3 * SECOND - SECOND / 10;
                // In EXPIRED it would have said so, every second for three. It said nothing, and neither did the other end,
                // which had heard it until then: nothing went either way.
                let content = self.partner().and_then(|p| p.at(heard)).is_some_and(|p| !p.actor.state.deaf());
                let mute = gap.is_some_and(|g| {
                    let due = period(self.asked_by_partner(g.from_ns).unwrap_or(false));
                    g.len_ns() > due * 5 / 2 && heard <= g.from_ns.saturating_add(due * 3 / 2)
                });
                c.actor.state.contains(PortState::DEFAULTED)
                    && before.is_some_and(|b| !b.actor.state.deaf())
                    && (too_soon || mute && content)
            };
            if i == 0 || !c.actor.state.contains(both) && !anew() {
                continue;
            }
            let start = gap.map_or(c.ns, |g| g.from_ns);
            spans.push(Span {
                start,
                end: c.ns.saturating_add(1),
                first: gap.map_or(c.frame, |g| g.from_frame),
                last: c.frame,
                open: false,
            });
        }
        spans
    }

    pub(super) fn outages(&self, story: &mut Story, link_down: &[Span]) {
        // One line of time: every change of either end.
        let mut points: Vec<(i64, u64, bool, Change)> = Vec::new();
        for (ours, s) in self.host().map(|s| (true, s)).into_iter().chain(self.partner().map(|s| (false, s)))
        {
            points.extend(s.changes.iter().map(|c| (c.ns, c.frame, ours, *c)));
        }
        points.sort_by_key(|p| (p.0, p.1));
        let (mut ours, mut theirs): (Option<Change>, Option<Change>) = (None, None);
        let mut open: Option<(i64, u64)> = None;
        let start = points.first().map_or((self.span.0, 0), |p| (p.0, p.1));
        let carrying = |c: Option<&Change>| c.is_none_or(|c| c.actor.state.carries_traffic());
        let fresh = PortState::EXPIRED.union(PortState::DEFAULTED);
        let mut negotiating = true;
        for (ns, frame, is_ours, change) in &points {
            if *is_ours {
                ours = Some(*change);
            } else {
                theirs = Some(*change);
            }
            let up =
                carrying(ours.as_ref()) && carrying(theirs.as_ref()) && (ours.is_some() || theirs.is_some());
            if up {
                // A capture may begin in the middle of an outage. The first seconds after link-up look different: no
                // end complains yet, or our own first PDU carries Expired and Defaulted together.
                if !story.carried && (!negotiating || ns.saturating_sub(start.0) > 10 * SECOND) {
                    self.outage(
                        story,
                        Span { start: start.0, end: *ns, first: start.1, last: *frame, open: false },
                        link_down,
                    );
                }
                story.carried = true;
                if let Some((from, first)) = open.take() {
                    let span = Span { start: from, end: *ns, first, last: *frame, open: false };
                    self.outage(story, span, link_down);
                }
            } else if open.is_none() && story.carried {
                open = Some((*ns, *frame));
            }
            let state = change.actor.state;
            negotiating &= story.carried || !state.deaf() || (*is_ours && state.contains(fresh));
        }
        let last = points.last().map_or(0, |p| p.1);
        if let Some((from, first)) = open {
            self.outage(story, Span { start: from, end: self.span.1, first, last, open: true }, link_down);
        } else if !story.carried && !points.is_empty() {
            // Never came up within the capture.
            self.outage(
                story,
                Span { start: start.0, end: self.span.1, first: start.1, last, open: true },
                link_down,
            );
        } else {
            story.carries_at_end = story.carried;
        }
        // A speaker that fell silent for good while the other goes on may leave the last words "all is well".
        let dead_in = story.in_gaps.iter().any(|g| self.partner().is_some_and(|p| g.from_frame == p.last.1));
        let dead_out = story.out_gaps.iter().any(|g| self.host().is_some_and(|h| g.from_frame == h.last.1));
        if dead_in || dead_out {
            story.carries_at_end = false;
        }
        // Neither end spoke here while other members were captured already.
        let fast =
            self.asked_by_us(start.0).unwrap_or(true) || self.asked_by_partner(start.0).unwrap_or(true);
        if !points.is_empty() && start.0.saturating_sub(self.span.0) > limit(fast).max(15 * SECOND) {
            let span = Span { start: self.span.0, end: start.0, first: start.1, last: start.1, open: false };
            let text = format!(
                "the first LACPDU of either end, {} after other members were captured",
                seconds(start.0 - self.span.0)
            );
            story.outages.insert(
                0,
                Outage {
                    span,
                    cause: Cause::Unclear,
                    proof: vec![(start.1, text)],
                    heard_all_along: false,
                    gap: None,
                },
            );
        }
        // Both fell silent although the capture went on: the last words say nothing about what came after.
        let last_words = self.out.iter().chain(&self.ins).map(|s| (s.last.0, s.last.1)).max();
        if let Some((ns, frame)) = last_words
            && story.carries_at_end
        {
            let fast = self.asked_by_us(ns).unwrap_or(true) || self.asked_by_partner(ns).unwrap_or(true);
            if self.span.1.saturating_sub(ns) > limit(fast) {
                story.carries_at_end = false;
                let span = Span { start: ns, end: self.span.1, first: frame, last: frame, open: true };
                let text = format!(
                    "the last LACPDU of either end; the capture went on for {}",
                    seconds(self.span.1 - ns)
                );
                story.outages.push(Outage {
                    span,
                    cause: Cause::Unclear,
                    proof: vec![(frame, text)],
                    heard_all_along: false,
                    gap: None,
                });
            }
        }
    }

    /// Finds out how an outage came about.
    fn outage(&self, story: &mut Story, span: Span, link_down: &[Span]) {
        let within = |t: i64| t >= span.start.saturating_sub(SECOND) && t <= span.end.saturating_add(SECOND);
        let host_changes: Vec<&Change> =
            self.host().into_iter().flat_map(|s| &s.changes).filter(|c| within(c.ns)).collect();
        let partner_changes: Vec<&Change> =
            self.partner().into_iter().flat_map(|s| &s.changes).filter(|c| within(c.ns)).collect();
        let host_deaf = host_changes.iter().find(|c| c.actor.state.deaf()).copied();
        let partner_deaf = partner_changes.iter().find(|c| c.actor.state.deaf()).copied();
        let mut proof: Vec<(u64, String)> = Vec::new();
        let mut heard_all_along = false;
        let mut used: Option<Gap> = None;
        // Periods that were asked for just before the trouble.
        let before = span.start.saturating_sub(4 * SECOND);
        let out_period = period(self.asked_by_partner(before).unwrap_or(false));
        let in_period = period(self.asked_by_us(before).unwrap_or(false));
        // Our own frames had stopped, or came too late, before the partner complained.
        let (out_gap, untold) = match partner_deaf {
            Some(d) => {
                // Who is not heard is Expired for three seconds before he is Defaulted (802.1AX Receive machine): a shorter
                // silence of ours does not lead there.
                let defaulted = d.actor.state.contains(PortState::DEFAULTED);
                let shortest = if defaulted { (3 * out_period + 3 * SECOND) * 9 / 10 } else { 0 };
                let all = self.host().into_iter().flat_map(|h| self.gaps_of(h, self.partner()));
                let (lost, silent): (Vec<Gap>, Vec<Gap>) = all
                    .filter(|g| {
                        g.len_ns() > out_period * 5 / 2
                            && d.ns.saturating_sub(g.from_ns) >= shortest
                            && slowed(self.partner(), g.from_ns, d.ns).is_none()
                            && g.from_ns < d.ns.saturating_sub(out_period * 3 / 2)
                            && g.to_ns > d.ns.saturating_sub(2 * out_period)
                    })
                    // What the partner heard of us is told until it complains, not after it.
                    .partition(|g| self.heard_through(&Gap { to_ns: g.to_ns.min(d.ns), ..*g }));
                (silent.into_iter().max_by_key(Gap::len_ns), lost.into_iter().max_by_key(Gap::len_ns))
            }
            None => (None, None),
        };
        // An end that asks for the slow rate is answered at it from then on, and Linux lets the timeout of the fast one run
        // out all the same (`ad_rx_machine()` sets it with each PDU, Linux 6.12): that silence was asked for.
        let slower = host_deaf.and_then(|d| slowed(self.host(), d.ns.saturating_sub(4 * SECOND), d.ns));
        // The silence that made us expire began well before our state says so, and lasted until then.
        let in_gap = host_deaf.filter(|_| slower.is_none()).and_then(|d| {
            let all = self.partner().into_iter().flat_map(|p| self.gaps_of(p, self.host()));
            all.filter(|g| {
                g.len_ns() > in_period * 5 / 2
                    && g.from_ns < d.ns.saturating_sub(in_period * 3 / 2)
                    && g.to_ns >= d.ns.saturating_sub(in_period / 2)
            })
            .max_by_key(Gap::len_ns)
        });
        let heard_in_time = self.partner().zip(host_deaf).is_some_and(|(p, d)| {
            // One late PDU ends an Expired at once: a host that stays deaf while PDUs arrive does not get them.
            let until = self
                .host()
                .and_then(|h| h.changes.iter().find(|c| c.ns > d.ns && !c.actor.state.deaf()))
                .map_or(self.span.1, |c| c.ns);
            until.saturating_sub(d.ns) > 2 * in_period && Self::in_time_around(p, d.ns, in_period)
        });
        // We were deaf before the partner was: once Defaulted, Linux sends every 31 s, and a partner with a short timeout
        // expires on that. Its complaint is then a consequence.
        let deaf_first = partner_deaf.is_some_and(|p| {
            self.host()
                .and_then(|h| h.at(p.ns.saturating_sub(SECOND / 2)))
                .is_some_and(|c| c.actor.state.deaf())
                || host_deaf.is_some_and(|h| h.ns < p.ns)
        });
        let identity = story.identity.iter().find(|(_, b)| within(b.ns)).copied();
        let first_deaf = host_deaf.map(|c| c.ns).into_iter().chain(partner_deaf.map(|c| c.ns)).min();
        // A partner that leaves says so: Aggregation cleared, while it still hears us.
        let left = partner_changes.iter().find(|c| {
            !c.actor.state.contains(PortState::AGGREGATION)
                && !c.actor.state.deaf()
                && !c.partner.system.is_zero()
                && story.carried
                && first_deaf.is_none_or(|d| c.ns <= d)
        });
        // So does a host that releases the member (bond_3ad_unbind_slave); its silence afterwards, and what the partner
        // makes of it, follow from that.
        let released = host_changes.iter().find(|c| {
            !c.actor.state.contains(PortState::AGGREGATION)
                && !c.actor.state.deaf()
                && c.ns >= span.start.saturating_sub(SECOND)
                && story.carried
                && first_deaf.is_none_or(|d| c.ns <= d)
        });
        // Expired and Defaulted together follow from no timeout: only a port that was disabled or begun anew says so
        // (802.1AX Receive machine: PORT_DISABLED to EXPIRED with the defaults recorded).
        let restarted = partner_changes.iter().find(|c| {
            c.actor.state.contains(PortState::EXPIRED.union(PortState::DEFAULTED))
                && story.carried
                && c.ns >= span.start.saturating_sub(SECOND)
        });
        // With both ends passive nobody keeps a cadence: the silences are the rule, not a cause.
        let passive = |s: Option<&Speaker>| {
            s.is_some_and(|s| {
                let then = s.at(span.start).into_iter().chain(s.changes.iter().filter(|c| within(c.ns)));
                then.into_iter().all(|c| !c.actor.state.contains(PortState::ACTIVITY))
            })
        };
        let both_passive = passive(self.host()) && passive(self.partner());
        let cause = if both_passive {
            proof.push((span.first, "neither end is active".to_owned()));
            Cause::Unclear
        } else if let Some(c) = released {
            proof.push((
                c.frame,
                format!(
                    "the host leaves by itself: it clears Aggregation while it hears the partner ({})",
                    c.actor.state
                ),
            ));
            Cause::HostReleased
        } else if let Some(d) = link_down
            .iter()
            .find(|d| d.start < span.end.saturating_add(SECOND) && d.end > span.start.saturating_sub(SECOND))
        {
            proof.push((d.last, "our first PDU after the silence is Defaulted, without the timeouts that lead there: the port had been disabled, the link was down".to_owned()));
            used = Some(Gap {
                from_ns: d.start,
                to_ns: d.end.saturating_sub(1),
                from_frame: d.first,
                to_frame: d.last,
                answered: None,
            });
            Cause::LinkDown
        } else if let Some((a, b)) = identity {
            proof.push((
                a.frame,
                format!(
                    "partner {} key {} priority {}",
                    a.actor.system, a.actor.key, a.actor.system_priority
                ),
            ));
            proof.push((
                b.frame,
                format!(
                    "then partner {} key {} priority {}",
                    b.actor.system, b.actor.key, b.actor.system_priority
                ),
            ));
            Cause::PartnerChanged
        } else if let Some(c) = left {
            proof.push((
                c.frame,
                format!(
                    "the partner leaves by itself: it clears Aggregation while it hears us ({})",
                    c.actor.state
                ),
            ));
            Cause::PartnerWithdrew
        } else if let Some(c) = restarted {
            let gap = self.partner().and_then(|p| p.gaps.iter().find(|g| g.to_ns == c.ns)).copied();
            if let Some(g) = gap {
                proof.push((
                    g.from_frame,
                    format!("the partner's last PDU before a silence of {}", seconds(g.len_ns())),
                ));
            }
            proof.push((
                c.frame,
                "its first PDU after it carries Expired and Defaulted: the partner's port began anew"
                    .to_owned(),
            ));
            used = gap;
            Cause::PartnerRestarted
        } else if let (Some(d), false) = (partner_deaf, deaf_first) {
            if let Some(g) = out_gap {
                proof.push((
                    g.from_frame,
                    format!("our last PDU at the tap before a silence of {}", seconds(g.len_ns())),
                ));
                proof.push((d.frame, format!("then the partner says {}", deaf_words(d.actor.state))));
                used = Some(g);
                Cause::HostSilent
            } else {
                if let Some(g) = untold {
                    proof.push((
                        g.from_frame,
                        format!(
                            "our last PDU at the tap for {}, while the partner still heard us when that one had long timed out: the capture lost frames of the host",
                            seconds(g.len_ns())
                        ),
                    ));
                } else if let Some((ns, frame)) = d.answered {
                    proof.push((
                        frame,
                        format!("our last PDU before it passed the tap {} earlier", seconds(d.ns - ns)),
                    ));
                }
                proof.push((
                    d.frame,
                    format!(
                        "the partner says {} (state {:#04x})",
                        deaf_words(d.actor.state),
                        d.actor.state.bits()
                    ),
                ));
                let silent_first = self.partner().is_some_and(|p| {
                    p.gaps.iter().any(|g| g.to_ns == d.ns && g.len_ns() > in_period * 5 / 2)
                });
                // That our frames passed the tap must have been seen, for as long as the partner's timeout: a capture that
                // began in the middle of the outage has not seen it.
                let seen = self.host().is_some_and(|h| h.first.0 <= d.ns.saturating_sub(3 * out_period))
                    && d.answered.is_some_and(|(ns, _)| d.ns.saturating_sub(ns) <= out_period * 5 / 2);
                match (seen, silent_first) {
                    (false, _) => Cause::Unclear,
                    (true, true) => Cause::LostBothWays,
                    (true, false) => Cause::LostTowardsSwitch,
                }
            }
        } else if let Some(d) = host_deaf {
            if let Some(g) = in_gap {
                used = Some(g);
                proof.push((
                    g.from_frame,
                    format!("the partner's last PDU before a silence of {}", seconds(g.len_ns())),
                ));
                proof.push((d.frame, format!("then our own PDU says {}", deaf_words(d.actor.state))));
                let resumed = self.partner().is_some_and(|p| p.last.0 >= g.to_ns && p.last.0 > g.from_ns);
                let back = if resumed { self.partner().and_then(|p| p.at(g.to_ns)) } else { None };
                // Once Defaulted we send at the slow rate, and a partner with a short timeout expires on that: no proof of
                // a second loss. It says Expired after one timeout without us, Defaulted after two.
                let unheard = |b: &Change| {
                    let ours = self.host().and_then(|h| {
                        let gap = h.gaps.iter().find(|o| o.from_ns < b.ns && o.to_ns >= b.ns);
                        gap.map(|o| o.from_ns).or_else(|| (h.last.0 < b.ns).then_some(h.last.0))
                    });
                    ours.is_some_and(|t| {
                        let defaulted =
                            b.actor.state.contains(PortState::DEFAULTED) || b.partner.system.is_zero();
                        b.ns.saturating_sub(t) >= if defaulted { 58 } else { 28 } * SECOND / 10
                    })
                };
                match back {
                    Some(b)
                        if (b.actor.state.deaf() || b.partner.system.is_zero())
                            && !unheard(b)
                            && g.len_ns() < 3 * in_period + 6 * SECOND =>
                    {
                        proof.push((
                            g.to_frame,
                            "the first PDU after it is from a partner that did not hear us either".to_owned(),
                        ));
                        Cause::LostBothWays
                    }
                    Some(b) if b.partner.state.deaf() && !b.actor.state.deaf() => {
                        heard_all_along = true;
                        proof.push((g.to_frame, format!("the first PDU after it echoes our state {:#04x}: the partner had heard us all along", b.partner.state.bits())));
                        Cause::LostTowardsHost
                    }
                    _ => Cause::LostTowardsHost,
                }
            } else if heard_in_time {
                if let Some((ns, frame)) = d.answered {
                    proof.push((
                        frame,
                        format!("the partner's PDU passed the tap {} before", seconds(d.ns - ns)),
                    ));
                }
                proof.push((
                    d.frame,
                    format!(
                        "our PDU says {} while the partner's PDUs pass the tap in time",
                        deaf_words(d.actor.state)
                    ),
                ));
                Cause::LostInsideHost
            } else if let Some(c) = slower {
                proof.push((c.frame, "our PDU asks for the slow rate".to_owned()));
                proof.push((
                    d.frame,
                    format!("the timeout of the fast rate ran out: {}", deaf_words(d.actor.state)),
                ));
                Cause::Unclear
            } else if self.partner().is_none() && self.unknown.is_empty() {
                proof.push((
                    d.frame,
                    format!(
                        "our PDU says {} and no PDU of a partner was captured",
                        deaf_words(d.actor.state)
                    ),
                ));
                Cause::LostTowardsHost
            } else {
                proof.push((d.frame, format!("our PDU says {}", deaf_words(d.actor.state))));
                Cause::Unclear
            }
        } else {
            let withdrew = |c: &&&Change| {
                !c.actor.state.contains(PortState::SYNCHRONIZATION)
                    || !c.actor.state.contains(PortState::AGGREGATION)
            };
            let p = partner_changes.iter().find(withdrew);
            let h = host_changes.iter().find(withdrew);
            // After a silence it is renegotiation, not a decision; and it must show that it hears us.
            let deliberate = |c: &Change| {
                let after_silence = self.partner().is_some_and(|p| {
                    p.gaps.iter().any(|g| {
                        let patient = !c.actor.state.contains(PortState::TIMEOUT);
                        g.to_ns == c.ns && g.len_ns() > if patient { LONG_LIMIT } else { 3 * SECOND }
                    }) || p.first.0 == c.ns
                });
                let hears = self
                    .host()
                    .and_then(|h| h.at(c.ns))
                    .is_some_and(|ours| c.partner.same_identity(&ours.actor));
                !after_silence && hears
            };
            match (h, p) {
                (Some(h), Some(p)) if h.ns <= p.ns => {
                    proof.push((h.frame, format!("our PDU withdraws: {}", h.actor.state)));
                    Cause::HostWithdrew
                }
                (_, Some(p)) if deliberate(p) => {
                    proof.push((
                        p.frame,
                        format!("the partner withdraws although it hears us: {}", p.actor.state),
                    ));
                    Cause::PartnerWithdrew
                }
                (Some(h), None) => {
                    proof.push((h.frame, format!("our PDU withdraws: {}", h.actor.state)));
                    Cause::HostWithdrew
                }
                (_, Some(p)) => {
                    proof.push((
                        p.frame,
                        format!("the partner is out of sync after a silence: {}", p.actor.state),
                    ));
                    Cause::Unclear
                }
                (None, None) => Cause::Unclear,
            }
        };
        proof.sort_by_key(|p| p.0);
        story.outages.push(Outage { span, cause, proof, heard_all_along, gap: used });
    }
}

/// Where a speaker that had asked for the fast rate turned to the slow one between two instants.
fn slowed(speaker: Option<&Speaker>, from: i64, to: i64) -> Option<&Change> {
    let fast = |c: &Change| c.actor.state.contains(PortState::TIMEOUT);
    let speaker = speaker.filter(|s| s.at(from).is_some_and(fast))?;
    speaker.changes.iter().find(|c| c.ns > from && c.ns < to && !fast(c) && !c.actor.state.deaf())
}
