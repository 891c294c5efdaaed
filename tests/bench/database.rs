//! A deployment: a durable Postgres, Keyward's tables in it, its key ring and operator's token.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;

use testkit::{DurableServer, durable_server};
use tokio_postgres::{Client, NoTls};

use std::os::unix::process::CommandExt;

use crate::client::Caller;
use crate::machine::Cores;
use crate::server::Server;

const ROLES: &str = include_str!("../../deploy/roles.sql");

/// Everything that Keyward needs but itself.
pub struct Deployment {
    postgres: DurableServer,
    folder: tempfile::TempDir,
}

impl Deployment {
    /// A new one, with nothing in it.
    pub async fn new() -> Self {
        let postgres = durable_server().await;
        let folder = tempfile::tempdir().expect("a folder can be made");
        let deployment = Self { postgres, folder };
        let superuser = deployment.superuser().await;
        let login = "CREATE ROLE keyward LOGIN IN ROLE keyward_writer";
        for statement in [ROLES, login] {
            superuser.batch_execute(statement).await.expect("roles are made");
        }
        let migrator = deployment.postgres.url_as("keyward_migrator", "postgres");
        deployment.command(&["keyring", "new"]);
        deployment.command(&["operator-token", "new"]);
        deployment.command(&["migrate", "--database-url", &migrator]);
        deployment
    }

    fn command(&self, arguments: &[&str]) {
        let binary = std::env::current_exe().expect("this program has a path");
        let mut command = Command::new(binary);
        command.arg0("keyward").args(arguments).args(self.files());
        let output = command.output().expect("this binary can be started again");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "keyward {arguments:?}: {said}");
    }

    /// The flags that say where this deployment's files are.
    fn files(&self) -> [String; 3] {
        let at = |flag: &str, name: &str| {
            format!("--{flag}={}", self.folder.path().join(name).display())
        };
        [
            at("folder", ""),
            at("keyring", "keyring.toml"),
            at("operator-token-file", "operator-token"),
        ]
    }

    /// A connection with every right.
    pub async fn superuser(&self) -> Client {
        connect(&self.postgres.url()).await
    }

    /// Starts Keyward on `cores` with `more` flags, metrics on. It need not be ready yet.
    pub fn keyward(&self, cores: Cores, more: &[&str]) -> Server {
        let [listen, metrics] = free_addresses();
        let url = self.postgres.url_as("keyward", "postgres");
        let (at, metrics) = (listen.to_string(), metrics.to_string());
        let flags = ["serve", "--database-url", &url, "--listen", &at];
        let flags = flags.into_iter().chain(["--metrics-listen", &metrics, "--log", "warn"]);
        let flags = flags.chain(more.iter().copied()).map(str::to_owned);
        let flags: Vec<String> = flags.chain(self.files()).collect();
        Server::start("keyward", &flags, cores, Some(listen))
    }

    /// The operator, calling `server`.
    pub async fn operator(&self, server: &Server) -> Caller {
        let path: PathBuf = self.folder.path().join("operator-token");
        let token = std::fs::read_to_string(path).expect("the token was made");
        Caller::connect(server.address(), token.trim()).await
    }
}

/// A connection to Postgres.
pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("Postgres answers");
    tokio::spawn(connection);
    client
}

/// Addresses that were free a moment ago.
pub fn free_addresses() -> [SocketAddr; 2] {
    let listeners = [0; 2].map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("a bound listener has an address"))
}
