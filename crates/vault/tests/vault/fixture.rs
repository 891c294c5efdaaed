//! Rings and bindings that the tests share.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use domain::{Binding, CredentialKind, Env, Kid, WorkspaceId};
use tempfile::TempDir;
use uuid::Uuid;
use vault::{KeyRing, KeyRingError};

/// 32 bytes of 1, 2, 3, 4 in base64.
pub(crate) const KEYS: [&str; 4] = [
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
    "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",
    "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=",
    "BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ=",
];
/// 32 bytes of 5 in base64.
pub(crate) const ANOTHER_KEY: &str = "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=";

pub(crate) fn entry(table: &str, id: u32, key: &str, active: bool) -> String {
    format!("[[{table}]]\nid = {id}\nkey = \"{key}\"\nactive = {active}\n")
}

/// A ring whose keys are 32 bytes of 1, 2, 3, 4: pepper, kek, chain, page_token.
pub(crate) fn fixed_text() -> String {
    ["pepper", "kek", "chain", "page_token"]
        .iter()
        .zip(KEYS)
        .map(|(table, key)| entry(table, 1, key, true))
        .collect()
}

/// A folder with a file of this text and mode.
pub(crate) fn ring_file(text: &str, mode: u32) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keys.toml");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    (folder, path)
}

pub(crate) fn load(text: &str) -> Result<KeyRing, KeyRingError> {
    let (_folder, path) = ring_file(text, 0o600);
    KeyRing::load(&path)
}

pub(crate) fn fixed_ring() -> KeyRing {
    load(&fixed_text()).unwrap()
}

pub(crate) fn workspace() -> WorkspaceId {
    WorkspaceId::new(Uuid::from_u128(0x11))
}

pub(crate) fn binding() -> Binding {
    Binding {
        workspace: Some(workspace()),
        resource: Uuid::from_u128(0x22),
        kid: Kid::from_entropy([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        env: Env::Live,
        kind: CredentialKind::ApiKey,
    }
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
