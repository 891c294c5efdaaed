//! `keyward verify-log`: walks the whole log and checks order, density, MACs and head.

use std::process::ExitCode;

use eventlog::{LogError, Position};

use super::Failure;
use super::output::{Progress, fail, line};
use crate::config::Config;
use crate::storage;

/// The exit code for a log that is not sound.
const UNSOUND: u8 = 3;

pub(super) async fn run(config: &Config) -> Result<ExitCode, Failure> {
    let storage = storage::open_for_command(config).await?;
    let chain = storage::chain_mac(&storage::key_ring(config)?);
    let mut progress = Progress::new("verify-log", "events");
    let show = |done: Position, head: Position| progress.at(done.get(), head.get());
    let verified = eventlog::verify_log(&storage.owner, &chain, show).await;
    progress.end();
    if let Some(managed) = storage.managed {
        managed.stop().await;
    }
    match verified {
        Ok(head) => {
            let mac: String = head.mac.iter().map(|byte| format!("{byte:02x}")).collect();
            line(&format!("sound: {} events, log {}, head MAC {mac}", head.position, head.log_id))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error @ LogError::Corrupt { .. }) => {
            fail(&error);
            Ok(ExitCode::from(UNSOUND))
        }
        Err(error) => Err(error.into()),
    }
}
