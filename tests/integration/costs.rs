//! Tokens and costs, from the wire to the answers: what a person pays for, as archonctl estimates it.
//!
//! Numbers of tokens are those of tiktoken 0.14.0 for Python, encoding `o200k_base`: `{"message":"…"}` of the texts below,
//! and `Echo: …`.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::support::{
    Daemon, Everything, Legacy, archonctl, eventually, json, new_data_dir, sessions_until,
};
