//! Every output of the program for programs, and every file that it writes, is what its schema says, and no more.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests fail by panicking")]

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

fn run(args: &[&str]) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut c = Command::new(env!("CARGO_BIN_EXE_bondwitness"));
    c.current_dir(root).args(args).stdin(Stdio::null());
    c.output().expect("the program starts").stdout
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(bytes)))
}

/// The keywords that our schemas use. A key that a schema does not name is a complaint, so that none is left out.
fn check(schema: &Value, root: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let target = &root["$defs"][name.strip_prefix("#/$defs/").expect("a local reference")];
        assert!(target.is_object(), "{name}");
        return check(target, root, value, at, wrong);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let tries: Vec<Vec<String>> = any
            .iter()
            .map(|s| {
                let mut wrong = Vec::new();
                check(s, root, value, at, &mut wrong);
                wrong
            })
            .collect();
        if tries.iter().all(|t| !t.is_empty()) {
            wrong.extend(tries.into_iter().flatten());
        }
        return;
    }
    if let Some(known) = schema["enum"].as_array()
        && !known.contains(value)
    {
        wrong.push(format!("{at}: {value} is none of {known:?}"));
    }
    if !schema["const"].is_null() && schema["const"] != *value {
        wrong.push(format!("{at}: {value} is not {}", schema["const"]));
    }
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{at}: unknown type {other}"),
    };
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|t| is(t)) {
        wrong.push(format!("{at}: {value} is none of {types:?}"));
    }
    if let (Some(least), Some(n)) = (schema["minimum"].as_f64(), value.as_f64())
        && n < least
    {
        wrong.push(format!("{at}: {n} is less than {least}"));
    }
    if let Some(object) = value.as_object() {
        for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(key) {
                wrong.push(format!("{at}.{key} is missing"));
            }
        }
        for (key, value) in object {
            let below = format!("{at}.{key}");
            let named = &schema["properties"][key];
            if named.is_object() {
                check(named, root, value, &below, wrong);
            } else if schema["additionalProperties"].is_object() {
                check(&schema["additionalProperties"], root, value, &below, wrong);
            } else if schema["properties"].is_object() {
                wrong.push(format!("{below} is in no schema"));
            }
        }
    }
    if schema["items"].is_object() {
        for (i, value) in value.as_array().into_iter().flatten().enumerate() {
            check(&schema["items"], root, value, &format!("{at}[{i}]"), wrong);
        }
    }
}

/// Complaints about a document, by the schema that it names itself.
fn complaints(document: &Value) -> Vec<String> {
    let name = document["schema"].as_str().expect("it names its schema");
    let schema = json(&run(&["schema", name]));
    assert_eq!(schema["$id"], name);
    let mut wrong = Vec::new();
    check(&schema, &schema, document, name, &mut wrong);
    wrong
}

fn holds(bytes: &[u8]) {
    let wrong = complaints(&json(bytes));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_printed_is_in_its_schema() {
    for fixture in ["mlag-split", "healthy-fast", "carrier", "vlan-tc-on-bond"] {
        holds(&run(&["diagnose", "--json", "--from", &format!("fixtures/{fixture}")]));
    }
    for fixture in ["vlan-tc-on-bond", "vlan-member-queue-full", "vlan-not-allowed"] {
        holds(&run(&["txpath", "bond0.70", "--json", "--from", &format!("fixtures/{fixture}")]));
    }
    holds(&run(&["doctor", "--json"]));
}

#[test]
fn what_is_written_is_in_its_schema() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    run(&["verify", "--new-key", &at("key")]);
    run(&["collect", "--for", "0", "--redact", "--sign", &at("key"), "-o", &at("b.tar.zst")]);
    holds(&run(&["verify", "--json", &at("b.tar.zst")]));
    holds(&std::fs::read(at("b.tar.zst.map.json")).unwrap());
    let loaded = bondwitness_host::load::bundle(Path::new(&at("b.tar.zst")), &Default::default()).unwrap();
    let mut read = 0;
    for file in &loaded.files {
        if file.path.ends_with("/manifest.json") || file.path.ends_with("/case.json") {
            holds(&file.bytes);
            read += 1;
        }
    }
    assert_eq!(read, 2);
    std::fs::write(
        at("b.yaml"),
        "bypass:\n  - name: a0\n    vlan: 70\n    bond: bond0\n  - name: a1\n    vlan: 71\n    member: lo\n",
    )
    .unwrap();
    holds(&run(&["bypass", "plan", &at("b.yaml"), "--state", &at("state"), "--json"]));
    holds(bondwitness_core::plan::state::State::new("boot/net").write().as_bytes());
}

#[test]
fn the_schemas_say_what_is_wrong() {
    let good = json(&run(&["diagnose", "--json", "--from", "fixtures/mlag-split"]));
    let mut bad = good.clone();
    bad["verdict"]["side"] = "the intern".into();
    bad["verdict"].as_object_mut().unwrap().remove("grade");
    bad["surprise"] = true.into();
    assert_eq!(complaints(&good), Vec::<String>::new());
    assert_eq!(complaints(&bad).len(), 3, "{:?}", complaints(&bad));
    // All of them are there at once, too, and an unknown one is an error with the known ones.
    let all = json(&run(&["schema", "--all"]));
    assert!(all.as_object().unwrap().len() >= 9);
    for (name, schema) in all.as_object().unwrap() {
        assert_eq!(schema["$id"], format!("bondwitness/{name}/v1"));
    }
}
