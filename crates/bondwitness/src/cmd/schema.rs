//! `bondwitness schema`.

use anyhow::Result;

pub(super) fn run() -> Result<u8> {
    super::print(bondwitness_core::report::json_v1::JSON_SCHEMA)?;
    Ok(0)
}
