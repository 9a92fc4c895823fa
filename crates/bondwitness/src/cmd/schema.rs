//! `bondwitness schema`: the JSON Schemas of everything that is printed or stored.

use super::Helped;
use crate::cli::Schema;
use anyhow::Result;
use bondwitness_core::report::json_v1;
use serde_json::{Map, Value};

/// Names and texts, the one of verdicts first.
const SCHEMAS: [(&str, &str); 9] = [
    ("verdict", json_v1::JSON_SCHEMA),
    ("bypass", include_str!("../../schemas/bypass.schema.json")),
    ("bypass-state", include_str!("../../schemas/bypass-state.schema.json")),
    ("collection", include_str!("../../schemas/collection.schema.json")),
    ("doctor", include_str!("../../schemas/doctor.schema.json")),
    ("manifest", include_str!("../../schemas/manifest.schema.json")),
    ("redaction-map", include_str!("../../schemas/redaction-map.schema.json")),
    ("txpath", include_str!("../../schemas/txpath.schema.json")),
    ("verify", include_str!("../../schemas/verify.schema.json")),
];

pub(super) fn run(args: &Schema) -> Result<u8> {
    if args.all {
        let all = SCHEMAS
            .iter()
            .map(|(name, text)| Ok(((*name).to_owned(), serde_json::from_str(text)?)))
            .collect::<Result<Map<String, Value>>>()?;
        super::print(&format!("{:#}\n", Value::Object(all)))?;
        return Ok(0);
    }
    // As the value of `schema` has it, too: bondwitness/doctor/v1.
    let name = args.name.trim_start_matches("bondwitness/").trim_end_matches("/v1");
    let Some((_, text)) = SCHEMAS.iter().find(|(n, _)| *n == name) else {
        let known: Vec<&str> = SCHEMAS.iter().map(|(n, _)| *n).collect();
        return Err(Helped::new(
            format!("cannot print the schema {}: there is none", args.name),
            format!("there are: {}", known.join(", ")),
        )
        .code(2)
        .into());
    };
    super::print(text)?;
    Ok(0)
}
