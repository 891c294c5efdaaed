//! Builds read models anew from the log, beside the live ones, while servers go on.

use eventlog::{ChainMac, Checkpoints, Database, Position, Projection, RebuildError};

/// A read model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadModel {
    /// Keys and their credentials.
    Keys,
    /// Configurations.
    Configs,
    /// Workspaces and service credentials.
    Workspaces,
}

impl ReadModel {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Keys, Self::Configs, Self::Workspaces];

    /// The name of its projection.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Keys => readmodel::keys::Keys.name(),
            Self::Configs => readmodel::config::Configs.name(),
            Self::Workspaces => readmodel::workspaces::Workspaces.name(),
        }
    }

    /// Folds the whole log into new tables and switches to them; `progress` is told (done, head).
    /// Answers with the position that the new tables stand at.
    ///
    /// # Errors
    /// See [`RebuildError`]; the live tables are as they were.
    pub async fn rebuild(
        self,
        database: &Database,
        chain: &ChainMac,
        progress: impl FnMut(Position, Position),
    ) -> Result<Position, RebuildError> {
        let at = &Checkpoints::new(database);
        match self {
            Self::Keys => {
                eventlog::rebuild(database, chain, &readmodel::keys::Keys, at, progress).await
            }
            Self::Configs => {
                eventlog::rebuild(database, chain, &readmodel::config::Configs, at, progress).await
            }
            Self::Workspaces => {
                let projection = &readmodel::workspaces::Workspaces;
                eventlog::rebuild(database, chain, projection, at, progress).await
            }
        }
    }
}
