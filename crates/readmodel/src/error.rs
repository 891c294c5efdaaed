//! What can go wrong when tables are read. "There is none" is an answer, not an error.

use std::error::Error;

/// What was underneath.
pub type Cause = Box<dyn Error + Send + Sync + 'static>;

/// A failure to read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database does not answer, or refuses to.
    #[error("the read model is unavailable")]
    Unavailable(#[from] tokio_postgres::Error),
    /// A checkpoint can't be read.
    #[error("the checkpoints of the read model can't be read")]
    Checkpoint(#[from] eventlog::LogError),
    /// A row is not of the shape that projections write. A rebuild mends it.
    #[error("a row of `{table}` can't be read")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// What is wrong with the row.
        #[source]
        cause: Cause,
    },
    /// The cursor is of a list in another order, or none of ours.
    #[error("the cursor does not belong to this list")]
    ForeignCursor,
}

impl ReadError {
    /// A row of `table` that can't be read.
    pub(crate) fn corrupt(table: &'static str, cause: impl Into<Cause>) -> Self {
        Self::Corrupt { table, cause: cause.into() }
    }
}
