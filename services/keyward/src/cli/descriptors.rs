//! `keyward descriptors`: the `FileDescriptorSet` of the API as this release has it, for a file that a
//! transcoder such as Envoy's or a client such as grpcurl reads.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use super::Failure;

pub(super) fn run() -> Result<ExitCode, Failure> {
    let mut out = std::io::stdout();
    if out.is_terminal() {
        return Err(
            "descriptors are binary: write them to a file, keyward descriptors > keyward.pb".into(),
        );
    }
    out.write_all(api::DESCRIPTORS)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
