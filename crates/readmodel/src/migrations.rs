//! The files that make the tables. Applying them is the migrator's work.

use eventlog::{Migration, MigrationSet};

/// The tables of this crate, in schema `readmodel`. Goes after the log's own set.
#[must_use]
pub const fn migrations() -> MigrationSet {
    MigrationSet {
        component: "readmodel",
        files: &[
            Migration {
                name: "0001_readmodel.sql",
                sql: include_str!("../migrations/0001_readmodel.sql"),
            },
            Migration {
                name: "0002_service_credentials_quarantine.sql",
                sql: include_str!("../migrations/0002_service_credentials_quarantine.sql"),
            },
            Migration {
                name: "0003_key_lifecycle.sql",
                sql: include_str!("../migrations/0003_key_lifecycle.sql"),
            },
            Migration {
                name: "0004_service_identities.sql",
                sql: include_str!("../migrations/0004_service_identities.sql"),
            },
        ],
    }
}
