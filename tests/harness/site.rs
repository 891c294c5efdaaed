//! What several replicas of one deployment share: a migrated database, a key ring, an operator token.

use std::sync::Arc;

use keyward::config::{Config, Settings};
use keyward::operator::OperatorToken;
use tempfile::TempDir;
use testkit::TestDatabase;

use crate::{Identities, Server, Tables};

/// The role that the service runs as: a member of `keyward_writer` and nothing more.
pub const ROLE: &str = "keyward_e2e";

const ROLES: &str = include_str!("../../deploy/roles.sql");

/// A deployment that servers can be started in.
pub struct Site {
    /// Its database; migrated, and a log of its own.
    pub database: TestDatabase,
    /// Key ring and operator token.
    pub folder: TempDir,
    operator_token: String,
    identities: Arc<Identities>,
}

impl Site {
    /// A new deployment, 50 to 100 ms after the first.
    pub async fn new() -> Self {
        let database = testkit::database_from("keyward", prepare).await;
        // Copies of a template would be the same log, and the tokens of one good for all others.
        Tables::of(&database).run("UPDATE log.head SET log_id = gen_random_uuid()").await;
        let folder = TempDir::new().unwrap();
        keyward::storage::new_key_ring(&folder.path().join("keyring.toml")).unwrap();
        let token = folder.path().join("operator-token");
        OperatorToken::make(&token).unwrap();
        let operator_token = OperatorToken::load(&token).unwrap().expose().to_owned();
        let identities = Arc::new(Identities::write(folder.path()));
        Self { database, folder, operator_token, identities }
    }

    /// What the operator presents.
    #[must_use]
    pub fn operator_token(&self) -> &str {
        &self.operator_token
    }

    /// Its identity providers.
    #[must_use]
    pub const fn identities(&self) -> &Arc<Identities> {
        &self.identities
    }

    /// The database under the role of the service.
    #[must_use]
    pub fn url(&self) -> String {
        self.database.url_as(ROLE)
    }

    /// Looks into the tables, as a superuser.
    #[must_use]
    pub fn tables(&self) -> Tables {
        Tables::of(&self.database)
    }

    /// A configuration of a server here: port 0, no metrics, the longest lease, so that a busy machine
    /// does not make a test of something else fail. `url` is the database, or a proxy in front of it.
    #[must_use]
    pub fn config(&self, url: String) -> Config {
        self.config_with(url, Settings::default())
    }

    /// As [`Site::config`], with these settings besides.
    #[must_use]
    pub fn config_with(&self, url: String, settings: Settings) -> Config {
        let file = |name| Some(self.folder.path().join(name));
        config_of(Settings {
            database_url: Some(url.into()),
            keyring: file("keyring.toml"),
            operator_token_file: file("operator-token"),
            jwt_issuers: Some(Identities::table(self.folder.path())),
            ..settings
        })
    }

    /// A server here. Several are replicas.
    pub async fn start(&self) -> Server {
        Server::start_with(self.config(self.url()), self.operator_token()).await
    }

    /// A server here that reaches the database through `url`: that of a proxy.
    pub async fn start_at(&self, url: String) -> Server {
        Server::start_with(self.config(url), self.operator_token()).await
    }
}

fn config_of(settings: Settings) -> Config {
    let mut config = Config::resolve(Settings {
        listen: Some(([127, 0, 0, 1], 0).into()),
        no_metrics: Some(true),
        serving_threads: Some(1),
        pool_size: Some(4),
        lease_ms: Some(5_000),
        heartbeat_ms: Some(200),
        drain_ms: Some(1_000),
        ..settings
    })
    .unwrap();
    // The test server runs without fsync.
    config.trust_database = true;
    config
}

/// Makes an empty database, named by a superuser's URL, one that a deployment can be started on.
pub async fn prepare(url: &str) {
    let tables = Tables::at(url);
    tables.run(ROLES).await;
    tables
        .run(&format!(
            "DO $$ BEGIN CREATE ROLE {ROLE} LOGIN IN ROLE keyward_writer; \
             EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        ))
        .await;
    let config = config_of(Settings {
        database_url: Some(url.to_owned().into()),
        keyring: Some("unused".into()),
        operator_token_file: Some("unused".into()),
        ..Settings::default()
    });
    keyward::storage::migrate(&config).await.unwrap();
}
