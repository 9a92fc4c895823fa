//! The other tools' side: every leaf of what they print, looked up among our facts.

use super::ours::{Fact, Ours};
use super::table::{How, Table, Tool, Used};
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What came of a leaf.
pub(super) enum Said {
    /// We read the same.
    Equal,
    /// The table says why we do not.
    Excused,
    /// We read something else, or nothing.
    Wrong(String),
}

/// One value that a tool printed: which file, interface and object, which field there.
type Name = (String, String, String, String);

/// An object of a tool's output.
struct Thing {
    file: String,
    dev: String,
    /// Its identity in words.
    which: String,
    identity: Vec<(String, String)>,
    leaves: Vec<(String, Value)>,
}

/// Compares what stands in `before` and `after` with ours, leaf by leaf.
pub(super) fn compare(
    before: &Path,
    after: &Path,
    ours: &Ours,
    table: &Table,
    used: &mut Used,
    each: &mut dyn FnMut(&str, Said),
) -> Result<()> {
    let mut later: BTreeMap<Name, Value> = BTreeMap::new();
    for (_, thing) in read(after, table)? {
        for (path, value) in thing.leaves {
            later.insert((thing.file.clone(), thing.dev.clone(), thing.which.clone(), path), value);
        }
    }
    for (tool, thing) in read(before, table)? {
        let facts: Vec<&Fact> = ours.facts.iter().filter(|f| answers(f, &tool, &thing)).collect();
        // Kinds of disciplines have fields of the same name that are different things.
        let kind = thing.identity.iter().find(|(key, _)| key == "kind");
        let row = kind.map_or_else(|| tool.name.clone(), |(_, kind)| format!("{}/{kind}", tool.name));
        for (path, value) in &thing.leaves {
            // Places in lists are for telling them apart only.
            let plain: String = path.split('.').filter(|p| !p.starts_with('#')).collect::<Vec<_>>().join(".");
            if table.excused(&row, &plain, &spell(value), used) {
                each(&tool.name, Said::Excused);
                continue;
            }
            let name = (thing.file.clone(), thing.dev.clone(), thing.which.clone(), path.clone());
            let end = later.get(&name).unwrap_or(value);
            let keys = table.keys(&row, &plain, used);
            let same = keys.iter().any(|(key, how)| found(&facts, key, how, value, end));
            if same {
                each(&tool.name, Said::Equal);
                continue;
            }
            let read: Vec<&str> =
                keys.iter().flat_map(|(key, _)| facts.iter().flat_map(|f| f.values(key))).take(6).collect();
            let until = if end == value { String::new() } else { format!(" to {}", spell(end)) };
            each(
                &tool.name,
                Said::Wrong(format!(
                    "{} {}: {plain} = {}{until}; we read {read:?} in {} records",
                    thing.dev,
                    thing.which,
                    spell(value),
                    facts.len()
                )),
            );
        }
    }
    Ok(())
}

/// Is this fact about the thing?
fn answers(fact: &Fact, tool: &Tool, thing: &Thing) -> bool {
    fact.dev == thing.dev
        && tool.records.iter().any(|(kind, source)| fact.kind == kind && fact.source == *source)
        && thing.identity.iter().all(|(key, value)| fact.values(key).any(|v| v == value))
}

/// Every object of every file of a snapshot.
fn read(folder: &Path, table: &Table) -> Result<Vec<(Tool, Thing)>> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .with_context(|| format!("cannot list {}", folder.display()))?
        .map(|e| e.map(|e| e.path()))
        .collect::<std::io::Result<_>>()?;
    files.sort();
    let mut out = Vec::new();
    for path in files {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some((stem, form)) = file.rsplit_once('.').filter(|(_, form)| *form != "err") else { continue };
        let (name, at) = stem.split_once('@').map_or((stem, None), |(n, d)| (n, Some(d.to_owned())));
        let Some(tool) = table.tools.iter().find(|t| t.name == name) else {
            bail!("{file}: the table knows no tool {name}");
        };
        let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
        let objects = if form == "json" {
            objects(&text).with_context(|| format!("cannot understand {file} of {}", folder.display()))?
        } else {
            vec![listing(&text)]
        };
        for (n, object) in objects.iter().enumerate() {
            let dev = tool.dev.as_ref().and_then(|d| object.get(d)).map(spell).or_else(|| at.clone());
            let dev = dev.unwrap_or_default();
            let parts: Vec<Map<String, Value>> = match &tool.each {
                None => vec![object.clone()],
                Some(list) => {
                    let list = object.get(list).and_then(Value::as_array);
                    list.into_iter().flatten().filter_map(|v| v.as_object().cloned()).collect()
                }
            };
            for (m, part) in parts.into_iter().enumerate() {
                let identity: Vec<(String, String)> = tool
                    .identity
                    .iter()
                    .filter_map(|(field, key)| Some((key.clone(), identify(&part, field)?)))
                    .collect();
                let words: Vec<&str> = identity.iter().map(|(_, v)| v.as_str()).collect();
                let which = if words.is_empty() { format!("#{n}.{m}") } else { words.join(" ") };
                let mut leaves = Vec::new();
                walk(&mut leaves, "", &Value::Object(part.clone()));
                out.push((
                    tool.clone(),
                    Thing { file: file.clone(), dev: dev.clone(), which, identity, leaves },
                ));
            }
        }
    }
    if out.is_empty() {
        bail!("{} holds nothing", folder.display());
    }
    Ok(out)
}

/// The value of an identifying field; `a/b` joins two with a slash.
fn identify(part: &Map<String, Value>, field: &str) -> Option<String> {
    let values: Vec<String> = field.split('/').filter_map(|f| part.get(f).map(spell)).collect();
    (!values.is_empty()).then(|| values.join("/"))
}

/// The objects of one or more arrays, one after the other.
fn objects(text: &str) -> Result<Vec<Map<String, Value>>> {
    let mut out = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        match value? {
            Value::Array(list) => out.extend(list.into_iter().filter_map(|v| match v {
                Value::Object(map) if !map.is_empty() => Some(map),
                _ => None,
            })),
            Value::Object(map) => out.push(map),
            _ => {}
        }
    }
    Ok(out)
}

/// `key: value` of a tool that has no JSON. Lines without a value are headings: of limits, which have the same keys as what is
/// set, and of words that stand alone below them.
fn listing(text: &str) -> Map<String, Value> {
    const LIMITS: &str = "Pre-set maximums";
    let mut out = Map::new();
    let mut heading = String::new();
    for line in text.lines().filter(|l| !l.trim().is_empty()) {
        if let Some(key) = line.strip_suffix(':') {
            key.trim().clone_into(&mut heading);
        } else if let Some((key, value)) = line.split_once(':').filter(|(_, v)| !v.trim().is_empty()) {
            let key = key.trim();
            let key = if heading == LIMITS { format!("{LIMITS}: {key}") } else { key.to_owned() };
            out.insert(key, Value::String(value.trim().to_owned()));
        } else if !line.trim_end().ends_with(':') {
            let list = out.entry(heading.clone()).or_insert_with(|| Value::Array(Vec::new()));
            if let Some(list) = list.as_array_mut() {
                list.push(Value::String(line.trim().to_owned()));
            }
        }
    }
    out
}

fn walk(out: &mut Vec<(String, Value)>, path: &str, value: &Value) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, v)| walk(out, &below(key), v)),
        Value::Array(list) if list.iter().any(|v| v.is_object() || v.is_array()) => {
            list.iter().enumerate().for_each(|(n, v)| walk(out, &below(&format!("#{n}")), v));
        }
        // An empty list says nothing.
        Value::Array(list) if list.is_empty() => {}
        other => out.push((path.to_owned(), other.clone())),
    }
}

/// A value in words.
fn spell(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        Value::Array(list) => list.iter().map(spell).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn found(facts: &[&Fact], key: &str, how: &How, begin: &Value, end: &Value) -> bool {
    let values: Vec<&str> = facts.iter().flat_map(|f| f.values(key)).collect();
    let either = |same: &dyn Fn(&Value) -> bool| same(begin) || same(end);
    let cut = |c: char| c.is_whitespace() || ",()[]".contains(c);
    match how {
        How::Present => either(&|v| v.as_bool() == Some(!values.is_empty())),
        _ if values.is_empty() => false,
        // A number that moves lies between the two readings, each time that we read it.
        How::Same if begin.is_number() => values.iter().all(|v| between(v, begin, end)),
        How::Same => values.iter().any(|v| between(v, begin, end)),
        How::Begins => values.iter().any(|v| {
            let whole = |t: &Value| {
                spellings(t).iter().any(|s| {
                    v.strip_prefix(s.as_str())
                        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
                })
            };
            either(&whole)
        }),
        How::Amount => values.iter().any(|v| {
            let near =
                |t: &Value| t.as_f64().zip(amount(v)).is_some_and(|(a, b)| (a - b).abs() <= a.abs() * 0.005);
            either(&near)
        }),
        How::List => either(&|t| {
            let split = |s: &str| {
                let words = s.split(|c: char| cut(c) || "<>|".contains(c)).filter(|w| !w.is_empty());
                let mut words: Vec<String> = words.map(str::to_lowercase).collect();
                words.sort();
                words
            };
            let theirs = split(&spell(t));
            let one = |f: &Fact| split(&f.values(key).collect::<Vec<_>>().join(" "));
            facts.iter().map(|f| one(f)).filter(|ours| !ours.is_empty()).all(|ours| ours == theirs)
        }),
        How::Word => {
            let words = || values.iter().flat_map(|v| v.split(cut)).map(|w| w.trim_end_matches(':'));
            words().any(|w| between(w, begin, end))
        }
        How::Part => values.iter().flat_map(|v| v.split(['/', ':', ' '])).any(|w| between(w, begin, end)),
        How::Beside(word) => values.iter().any(|v| {
            let words: Vec<&str> = v.split(cut).filter(|w| !w.is_empty()).collect();
            let same = |w: &str| {
                between(w, begin, end) || amount(w).zip(begin.as_f64()).is_some_and(|(a, b)| a == b)
            };
            words.windows(2).any(|w| match w {
                [a, b] => a == word && same(b) || b == word && same(a),
                _ => false,
            })
        }),
        How::Named(word) => either(&|t| *t != Value::Bool(false) && values.iter().any(|v| v == word)),
        How::Mention(word) => {
            either(&|t| t.as_bool().is_some_and(|b| values.iter().any(|v| v.contains(word.as_str()) == b)))
        }
        How::Hexadecimal => either(&|t| {
            let number = |s: &str| u64::from_str_radix(s.trim_start_matches("0x"), 16).ok();
            let parts = || values.iter().flat_map(|v| v.split([' ', '/']));
            number(&spell(t)).is_some_and(|n| parts().any(|v| number(v) == Some(n)))
        }),
    }
}

/// A number with a unit of `tc` or `ethtool`, in microseconds, octets, packets or megabits.
fn amount(text: &str) -> Option<f64> {
    let text = text.split_whitespace().next()?;
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text.get(digits.len()..)? {
        "" | "us" | "b" | "p" | "Mb/s" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        "Kb" => 1024.0,
        "Mb" => 1024.0 * 1024.0,
        _ => return None,
    };
    Some(digits.parse::<f64>().ok()? * unit)
}

fn between(ours: &str, begin: &Value, end: &Value) -> bool {
    match (ours.parse::<i128>().ok(), number(begin), number(end)) {
        (Some(n), Some(a), Some(b)) => a.min(b) <= n && n <= a.max(b),
        _ => match (ours.parse::<f64>().ok(), begin.as_f64(), end.as_f64()) {
            (Some(n), Some(a), Some(b)) => a.min(b) <= n && n <= a.max(b),
            _ => is_same(ours, begin) || is_same(ours, end),
        },
    }
}

fn number(value: &Value) -> Option<i128> {
    value
        .as_u64()
        .map(i128::from)
        .or_else(|| value.as_i64().map(i128::from))
        .or_else(|| value.as_str()?.parse().ok())
}

fn is_same(ours: &str, theirs: &Value) -> bool {
    spellings(theirs).iter().any(|s| s.eq_ignore_ascii_case(ours))
}

/// How a value of JSON may be spelled in text.
fn spellings(value: &Value) -> Vec<String> {
    let words: &[&str] = match value {
        Value::Bool(true) => &["on", "yes", "true", "1", ""],
        Value::Bool(false) => &["off", "no", "false", "0"],
        Value::Null => &["null", "none", "", "on"],
        _ => return vec![spell(value)],
    };
    words.iter().map(|w| (*w).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fact(key: &str, value: &str) -> Fact {
        let entries = vec![(key.to_owned(), value.to_owned())];
        Fact { kind: "link", source: String::new(), dev: String::new(), entries }
    }

    #[test]
    fn a_number_must_lie_between_two_readings() {
        let (f, g) = (fact("n", "5"), fact("n", "9"));
        let says = |facts: &[&Fact], a: u32, b: u32| found(facts, "n", &How::Same, &json!(a), &json!(b));
        assert!(says(&[&f], 5, 5) && says(&[&f], 4, 6) && says(&[&f, &g], 5, 9));
        assert!(!says(&[&f], 6, 7) && !says(&[&f, &g], 5, 8) && !says(&[], 5, 5));
    }

    #[test]
    fn words_lists_and_switches() {
        let says = |ours: &str, how: &How, v: &Value| found(&[&fact("k", ours)], "k", how, v, v);
        assert!(says("on [fixed]", &How::Begins, &json!(true)) && !says("off", &How::Begins, &json!(true)));
        assert!(says("10240p", &How::Amount, &json!(10240)) && !says("10240p", &How::Amount, &json!(1024)));
        assert!(
            says("A,B", &How::List, &json!(["b", "a"])) && !says("A,B,C", &How::List, &json!(["b", "a"]))
        );
        assert!(
            says("dst_port 179", &How::Word, &json!(179)) && !says("dst_port 1790", &How::Word, &json!(179))
        );
        assert!(says("5ms", &How::Amount, &json!(4999)) && !says("4ms", &How::Amount, &json!(4999)));
        let beside = |word: &str, n| says("3 bytes (dropped 4)", &How::Beside(word.to_owned()), &json!(n));
        assert!(beside("bytes", 3) && beside("dropped", 4) && !beside("dropped", 3));
        assert!(
            !says("1", &How::Present, &json!(false))
                && found(&[], "k", &How::Present, &json!(false), &json!(false))
        );
    }

    #[test]
    fn every_leaf_is_walked() {
        let mut out = Vec::new();
        walk(&mut out, "", &json!({"a": {"b": 1, "c": [{"d": 2}, {"d": 3}]}, "e": ["x", "y"], "f": []}));
        let names: Vec<&str> = out.iter().map(|(p, _)| p.as_str()).collect();
        assert_eq!(names, ["a.b", "a.c.#0.d", "a.c.#1.d", "e"]);
    }
}
