//! Plans for bypass interfaces: every guard rail beside its near twin that is none, and the reconciler against a model of
//! a kernel on which others work too, and on which it is killed at any call.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod guard_rails;
mod kernel;
mod model;
