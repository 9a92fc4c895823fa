//! `bondwitness explain`.

use super::Helped;
use crate::cli::Explain;
use anyhow::{Result, bail};
use bondwitness_core::checks::{self, CHECKS};
use serde_json::json;

pub(super) fn run(args: &Explain) -> Result<u8> {
    let Some(id) = &args.check else {
        let text = if args.json {
            format!(
                "{:#}\n",
                json!(
                    CHECKS
                        .iter()
                        .map(|c| json!({"id": c.id, "title": c.title, "requirements": c.requirements}))
                        .collect::<Vec<_>>()
                )
            )
        } else {
            CHECKS.iter().map(|c| format!("{:<26} {}\n", c.id, c.title)).collect()
        };
        super::print(&text)?;
        return Ok(0);
    };
    let Some(check) = checks::find(id) else {
        let near: Vec<&str> = CHECKS
            .iter()
            .map(|c| c.id)
            .filter(|c| c.split('-').any(|w| w.len() > 3 && id.contains(w)))
            .take(5)
            .collect();
        bail!(
            Helped::new(
                format!("cannot explain {id}: there is no such check"),
                if near.is_empty() {
                    "`bondwitness explain` lists all checks".to_owned()
                } else {
                    format!("did you mean: {}", near.join(", "))
                },
            )
            .code(2)
        );
    };
    let page = checks::page(check);
    let text = if args.json {
        format!(
            "{:#}\n",
            json!({"id": check.id, "title": check.title, "requirements": check.requirements, "page": page})
        )
    } else {
        page
    };
    super::print(&text)?;
    Ok(0)
}
