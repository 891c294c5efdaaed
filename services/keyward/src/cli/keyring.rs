//! `keyward keyring`: makes the ring of a deployment and rotates its keys while the nodes run. Works on
//! this machine's file; to bring it to the nodes is the operator's, and they notice by themselves. Shows
//! ids, never a key.
//!
//! What the database can tell is asked wherever it is named: whether every living node has a key before it
//! is made the active one, and what is still under a key before it is taken out.

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use eventlog::Database;
use vault::{KeyPurpose, KeyRing, RingEdit, RingKey};

use super::Failure;
use super::output::{Progress, line};
use crate::config::{Config, DatabaseChoice};
use crate::keyring::{known, rewrap, uses};
use crate::storage;

#[derive(Debug, Subcommand)]
pub(super) enum KeyringCommand {
    /// Make a new key ring in the file that --keyring names; or, with a purpose, add a key to it,
    /// inactive, with the next id
    New {
        /// What the key is for
        #[arg(value_enum)]
        purpose: Option<Purpose>,
    },
    /// Make new values under this key from now on; every node must have it before
    Activate {
        /// What the key is for
        #[arg(value_enum)]
        purpose: Purpose,
        /// Its id
        id: u16,
        /// Do so although living nodes lack the key: they answer nothing until they have it
        #[arg(long)]
        force: bool,
    },
    /// Wrap every data key under the active KEK; may be stopped and run again, while nodes run
    Rewrap,
    /// Take a key out of the ring; refused while anything is under it
    Retire {
        /// What the key is for
        #[arg(value_enum)]
        purpose: Purpose,
        /// Its id
        id: u16,
    },
    /// Show ids, which ones are active, and what is under each
    List,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Purpose {
    /// Digests of credentials
    Pepper,
    /// Wrapping of data keys
    Kek,
    /// The MACs that link the log's events
    Chain,
    /// Page tokens and kept replies
    #[value(name = "page_token", alias = "page-token")]
    PageToken,
}

impl From<Purpose> for KeyPurpose {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Pepper => Self::Pepper,
            Purpose::Kek => Self::Kek,
            Purpose::Chain => Self::Chain,
            Purpose::PageToken => Self::PageToken,
        }
    }
}

pub(super) async fn run(config: &Config, command: KeyringCommand) -> Result<ExitCode, Failure> {
    match command {
        KeyringCommand::New { purpose: None } => make(config)?,
        KeyringCommand::New { purpose: Some(purpose) } => add(config, purpose.into()).await?,
        KeyringCommand::Activate { purpose, id, force } => {
            activate(config, purpose.into(), id, force).await?;
        }
        KeyringCommand::Rewrap => return with_database(config, Task::Rewrap).await,
        KeyringCommand::Retire { purpose, id } => {
            on_file(config)?;
            return with_database(config, Task::Retire(purpose.into(), id)).await;
        }
        KeyringCommand::List => list(config).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses what changes the file where there is none.
fn on_file(config: &Config) -> Result<(), Failure> {
    if config.keyring_command.is_some() {
        return Err(
            "works on a file only: with --keyring-command, change the ring where it is kept".into(),
        );
    }
    Ok(())
}

fn make(config: &Config) -> Result<(), Failure> {
    on_file(config)?;
    storage::new_key_ring(&config.keyring)?;
    let path = config.keyring.display();
    Ok(line(&format!("made {path}: every node needs this file; without it no key verifies"))?)
}

async fn add(config: &Config, purpose: KeyPurpose) -> Result<(), Failure> {
    on_file(config)?;
    let ring = storage::present_key_ring(config)?;
    let used = match storage::open_if_there(config).await? {
        Some(storage) => known::last_id(&storage.database, purpose).await?,
        None => 0,
    };
    let id = ring.next_id(purpose, used)?;
    KeyRing::edit_file(&config.keyring, RingEdit::Add(purpose, id))?;
    let path = config.keyring.display();
    line(&format!(
        "added {purpose} {id} to {path}, inactive: give every node this file, then `keyward keyring activate {purpose} {id}`"
    ))?;
    Ok(())
}

async fn activate(
    config: &Config,
    purpose: KeyPurpose,
    id: u16,
    force: bool,
) -> Result<(), Failure> {
    on_file(config)?;
    find(&storage::present_key_ring(config)?, purpose, id)?;
    let told = match storage::open_if_there(config).await? {
        Some(storage) => {
            let without = known::nodes_without(&storage.database, purpose, id).await?;
            if without > 0 && !force {
                return Err(format!(
                    "{without} living nodes don't have {purpose} {id} yet: give every node the file and wait until keyward_keyring_newest_id says so there, or --force"
                )
                .into());
            }
            ""
        }
        None => " (no database was asked: every node must have had the key before)",
    };
    KeyRing::edit_file(&config.keyring, RingEdit::Activate(purpose, id))?;
    let path = config.keyring.display();
    line(&format!("{purpose} {id} is active in {path}: give every node this file{told}"))?;
    Ok(())
}

fn find(ring: &KeyRing, purpose: KeyPurpose, id: u16) -> Result<RingKey, Failure> {
    let found = ring.keys().iter().find(|key| key.purpose == purpose && key.id == id);
    found.copied().ok_or_else(|| format!("the key ring has no {purpose} {id}").into())
}

/// What can't be done without the database.
enum Task {
    Rewrap,
    Retire(KeyPurpose, u16),
}

async fn with_database(config: &Config, task: Task) -> Result<ExitCode, Failure> {
    let mut storage = storage::open_for_command(config).await?;
    let managed = storage.managed.take();
    let done = match task {
        Task::Rewrap => rewrap_all(config, &storage.database).await,
        Task::Retire(purpose, id) => retire(config, &storage.database, purpose, id).await,
    };
    if let Some(managed) = managed {
        managed.stop().await;
    }
    done
}

async fn rewrap_all(config: &Config, database: &Database) -> Result<ExitCode, Failure> {
    let ring = storage::present_key_ring(config)?;
    storage::check_key_ring(database, &ring).await?;
    let kek = ring.keks().active_id();
    let without = known::nodes_without(database, KeyPurpose::Kek, kek).await?;
    if without > 0 {
        return Err(format!(
            "{without} living nodes don't have kek {kek} yet, and could not open what it wraps: give every node the key ring first"
        )
        .into());
    }
    let mut progress = Progress::new("rewrap", "data keys");
    let rewrapped = rewrap::rewrap(database, ring.keks(), |done, all| progress.at(done, all)).await;
    progress.end();
    let rewrapped = rewrapped?;
    line(&format!(
        "{} of {} data keys wrapped anew under kek {kek}",
        rewrapped.done, rewrapped.looked_at
    ))?;
    if rewrapped.unreadable > 0 {
        return Err(format!(
            "{} data keys don't open under any KEK of the ring and were left as they are",
            rewrapped.unreadable
        )
        .into());
    }
    Ok(ExitCode::SUCCESS)
}

async fn retire(
    config: &Config,
    database: &Database,
    purpose: KeyPurpose,
    id: u16,
) -> Result<ExitCode, Failure> {
    let ring = storage::present_key_ring(config)?;
    KeyRing::may_edit(&config.keyring, RingEdit::Remove(purpose, id))?;
    storage::check_key_ring(database, &ring).await?;
    let using = known::nodes_using(database, purpose, id).await?;
    if using > 0 {
        return Err(format!(
            "{using} living nodes still make new values under {purpose} {id}: give every node the key ring in which another one is active"
        )
        .into());
    }
    let uses = uses::of(database, purpose, id).await?;
    if uses.count > 0 {
        return Err(format!(
            "{purpose} {id} is in use: {} {}; {}",
            uses.count, uses.what, uses.remedy
        )
        .into());
    }
    // First there: a ring without the key is refused until the database knows.
    known::retire(database, purpose, id).await?;
    KeyRing::edit_file(&config.keyring, RingEdit::Remove(purpose, id))?;
    let lost = match purpose {
        KeyPurpose::PageToken => "; page tokens under it are void, and lists begin anew",
        KeyPurpose::Pepper | KeyPurpose::Kek | KeyPurpose::Chain => "",
    };
    let path = config.keyring.display();
    line(&format!("{purpose} {id} is out of {path}: give every node this file{lost}"))?;
    Ok(ExitCode::SUCCESS)
}

async fn list(config: &Config) -> Result<(), Failure> {
    let ring = storage::present_key_ring(config)?;
    let storage = storage::open_if_there(config).await?;
    for key in ring.keys() {
        let mut text = format!("{:<10} {:>5}  {}", key.purpose.as_str(), key.id, state(*key));
        if let Some(storage) = &storage {
            let uses = uses::of(&storage.database, key.purpose, key.id).await?;
            let without = known::nodes_without(&storage.database, key.purpose, key.id).await?;
            text.push_str(&format!("  {} {}", uses.count, uses.what));
            if without > 0 {
                text.push_str(&format!("; {without} living nodes don't have it"));
            }
        }
        line(&text)?;
    }
    if storage.is_none() && matches!(config.database, DatabaseChoice::Managed { .. }) {
        line("no database was asked what is in use: none is named, and no private one is running")?;
    }
    Ok(())
}

const fn state(key: RingKey) -> &'static str {
    if key.active { "active  " } else { "inactive" }
}
