//! Secrets and names, by what stands before them: `password = ...`, `Bearer ...`, `/home/...`, `hostname: ...`.

use super::mapper::{Kind, Mapper};

/// Words before a secret. Behind those of the first list an equals sign or a colon must follow, behind those of the second
/// a blank is enough.
const SIGNED: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "psk",
    "secret",
    "token",
    "api_key",
    "api-key",
    "apikey",
    "private_key",
    "private-key",
    "privatekey",
    "access_key",
    "access-key",
    "auth_key",
    "auth-key",
    "community",
    "ssid",
    "credential",
    "credentials",
    "wpa-psk",
    "wep-key",
    "pre-shared-key",
    "aescbckey",
    "cak",
    "pin",
    "cookie",
];
const BLANK: &[&str] =
    &["password", "passphrase", "psk", "community", "bearer", "wpa-psk", "wpa-ssid", "ssid", "secret"];

/// Replaces secrets in a line, and user names in paths.
pub(super) fn redact(line: &str, mapper: &mut Mapper) -> String {
    let mut line = line.to_owned();
    for (begin, end) in secrets(&line).into_iter().rev() {
        let Some(value) = line.get(begin..end).map(str::to_owned) else { continue };
        let to = mapper.opaque(Kind::Secret, &value);
        line.replace_range(begin..end, &to);
    }
    line
}

/// Where secrets stand, in order, without overlap.
fn secrets(line: &str) -> Vec<(usize, usize)> {
    let lower = line.to_ascii_lowercase();
    let mut found: Vec<(usize, usize)> = Vec::new();
    let words = SIGNED.iter().map(|w| (*w, false)).chain(BLANK.iter().map(|w| (*w, true)));
    for (word, blank) in words {
        for (at, _) in lower.match_indices(word) {
            let before = at.checked_sub(1).and_then(|i| lower.as_bytes().get(i));
            let after = at + word.len();
            if before.is_some_and(u8::is_ascii_alphanumeric) {
                continue;
            }
            let rest = lower.get(after..).unwrap_or_default();
            let signs: &[char] = if blank { &[' ', '\t'] } else { &['"', '\'', ' ', '\t'] };
            let gap = rest.len() - rest.trim_start_matches(signs).len();
            let behind = rest.get(gap..).unwrap_or_default();
            let sign = usize::from(behind.starts_with([':', '=']));
            if sign == 0 && (!blank || gap == 0) {
                continue;
            }
            let value = behind.get(sign..).unwrap_or_default();
            let skip = value.len() - value.trim_start_matches(['"', '\'', ' ', '\t']).len();
            let quote = value.get(..skip).and_then(|s| s.chars().rev().find(|c| matches!(c, '"' | '\'')));
            let begin = after + gap + sign + skip;
            let value = lower.get(begin..).unwrap_or_default();
            let length = value
                .find(|c: char| match quote {
                    Some(q) => c == q || c == '\n',
                    None => c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '}'),
                })
                .unwrap_or(value.len());
            // A column of counters behind a label, as `PIN:` of /proc/interrupts.
            let counter = quote.is_none() && value.bytes().take(length).all(|b| b.is_ascii_digit());
            if length > 0 && !(counter && (skip > 1 || length < 4)) {
                found.push((begin, begin + length));
            }
        }
    }
    // Who is asked for by name in an address: //user:password@host.
    for (at, _) in lower.match_indices("://") {
        let begin = at + 3;
        let rest = lower.get(begin..).unwrap_or_default();
        let length = rest.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(rest.len());
        if let Some(end) = rest.get(..length).and_then(|r| r.rfind('@')) {
            found.push((begin, begin + end));
        }
    }
    // Tokens that show themselves.
    for (prefix, least) in [("eyj", 20), ("akia", 20), ("ghp_", 20), ("glpat-", 20), ("xoxb-", 20)] {
        for (at, _) in lower.match_indices(prefix) {
            let before = at.checked_sub(1).and_then(|i| lower.as_bytes().get(i));
            let rest = lower.get(at..).unwrap_or_default();
            let length = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
                .unwrap_or(rest.len());
            if length >= least && !before.is_some_and(u8::is_ascii_alphanumeric) {
                found.push((at, at + length));
            }
        }
    }
    found.sort_unstable();
    let mut out: Vec<(usize, usize)> = Vec::new();
    for (begin, end) in found {
        match out.last_mut() {
            Some(last) if begin < last.1 => last.1 = last.1.max(end),
            _ => out.push((begin, end)),
        }
    }
    out
}

/// Learns names from a text: those of hosts where they are given, those of users in paths and sessions.
pub(super) fn learn(text: &str, mapper: &mut Mapper) {
    let mut next_is_name = false;
    for line in text.lines() {
        let line = line.trim();
        if std::mem::take(&mut next_is_name) {
            mapper.learn(Kind::Host, line);
        }
        next_is_name = line.contains("kernel/hostname <==") || line.contains("etc/hostname <==");
        let lower = line.to_ascii_lowercase();
        for key in [
            "hostname",
            "nodename",
            "host_name",
            "host-name",
            "sysname",
            "system name",
            "device id",
            "system-name",
        ] {
            if let Some(at) = lower.find(key) {
                let rest = line.get(at + key.len()..).unwrap_or_default();
                let value = rest.trim_start_matches(['"', '\'', ' ', '\t']);
                let signed = value.strip_prefix([':', '=']);
                // A blank alone is enough where the line begins with the word, as on switches.
                if let Some(value) = signed.or_else(|| (at == 0 && rest.starts_with(' ')).then_some(value)) {
                    mapper.learn(Kind::Host, word(value));
                }
            }
        }
        let words: Vec<&str> = line.split_whitespace().take(4).collect();
        // As `uname -a` has it; /proc/version begins alike and names no host.
        if let ["Linux", host, release, ..] = words.as_slice()
            && *host != "version"
            && release.starts_with(|c: char| c.is_ascii_digit())
        {
            mapper.learn(Kind::Host, host);
        }
        // A prompt has a folder or a sign behind the host; an interface on another one has neither.
        let prompt = |w: &&&str| w.ends_with(['$', '#']) || w.contains(":~") || w.contains(":/");
        let first = words.first().filter(prompt);
        if let Some((user, rest)) = first.and_then(|w| w.trim_start_matches('[').split_once('@')) {
            mapper.learn(Kind::Host, rest.split([':', '$', '#', '>', '~', ']']).next().unwrap_or_default());
            mapper.learn(Kind::User, user);
        }
        if let Some((host, command)) = line.split_once(['#', '>'])
            && ["show ", "sh ", "display "].iter().any(|c| command.trim_start().starts_with(c))
        {
            mapper.learn(Kind::Host, host.rsplit('@').next().unwrap_or_default());
        }
        for key in ["/home/", "/Users/", "for user ", "USER=", "user=", "publickey for ", "password for "] {
            for (at, _) in line.match_indices(key) {
                let rest = line.get(at + key.len()..).unwrap_or_default();
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
                mapper.learn(Kind::User, rest.get(..end.unwrap_or(rest.len())).unwrap_or_default());
            }
        }
    }
}

fn word(text: &str) -> &str {
    text.trim_start_matches(['"', '\'', ' ', '\t'])
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .next()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_their_names_stay() {
        for (line, secret) in [
            ("password = hunter2", "hunter2"),
            ("\"psk\": \"correct horse\",", "correct horse"),
            ("wpa-psk s3cr3t-key", "s3cr3t-key"),
            ("Authorization: Bearer abc.def.ghi", "abc.def.ghi"),
            ("http://joe:pa55@proxy:3128/", "joe:pa55"),
            ("snmp-server community publ1c ro", "publ1c"),
            ("ssid=\"Home Net\"", "Home Net"),
            ("kernel: cmdline: api_key=Zm9vYmFy quiet", "Zm9vYmFy"),
            ("key eyJhbGciOiJIUzI1NiIsInR5cCI6 end", "eyJhbGciOiJIUzI1NiIsInR5cCI6"),
        ] {
            let got = redact(line, &mut Mapper::new([7; 32]));
            assert!(!got.contains(secret) && got.contains("secret-"), "{line} became {got}");
        }
        for line in [
            "PIN:      91234          0   Posted-interrupt notification event",
            "Actor Key: 15",
            "key 9",
            "token bucket",
            "tokens 100 ctokens 5",
            "pins 3",
        ] {
            assert_eq!(redact(line, &mut Mapper::new([7; 32])), line);
        }
    }

    #[test]
    fn names_are_learned_where_they_are_given() {
        let mut m = Mapper::new([7; 32]);
        learn(
            "\"hostname\": \"db01\",\nLinux web7 6.12.0 #1\nLinux version 6.12.0 (gcc)\nops@jump9:~$ ls\ncore-sw1# show lacp\nSysName: tor-a\n\
             ==> /proc/sys/kernel/hostname <==\ncache3\nsession opened for user alice by root\ncat /home/bobby/x\n",
            &mut m,
        );
        let names: Vec<String> = m.names().into_iter().map(|n| n.0).collect();
        assert!(!names.iter().any(|n| n == "version"), "{names:?}");
        for name in ["db01", "web7", "jump9", "core-sw1", "tor-a", "cache3", "alice", "bobby"] {
            assert!(names.iter().any(|n| n == name), "{name} not in {names:?}");
        }
    }
}
