//! API keys and their credentials.

mod list;
mod project;
mod query;
mod row;
mod write;

pub use list::{KeyFilter, list};
pub use project::Keys;
pub use query::{get, of_credentials};
pub use row::KeyRow;

pub(crate) use row::{
    COLUMNS, CREDENTIAL_COLUMNS, SNAPSHOT_TYPES, TABLE, WIDTH, credential_of_row, domains,
    key_of_row,
};
