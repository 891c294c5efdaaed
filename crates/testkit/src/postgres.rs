//! The one server of a test binary.
//!
//! It lives in a static and is bound to no runtime, because each test brings its own. Nobody stops
//! it: the watchdog does when the test binary ends, and removes the folder.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use pgserver::{Access, Binaries, BinarySearch, Durability, Options, Server};
use tokio_postgres::NoTls;

use crate::folder;

/// The server that the databases of this test binary live on.
#[derive(Debug)]
pub struct Postgres;

impl Postgres {
    /// The superuser's URL of a database. No password: the socket's folder is private.
    pub fn url(database: &str) -> String {
        Self::url_as("postgres", database)
    }

    /// The URL of a role on a database; every role gets in without a password.
    pub fn url_as(role: &str, database: &str) -> String {
        server().url_without_password(role, database)
    }

    /// The Unix socket.
    pub fn socket() -> PathBuf {
        server().socket()
    }

    /// The folder of the Unix socket.
    pub fn socket_folder() -> &'static Path {
        server().socket_folder()
    }
}

/// Starts the server on first use; the first one blocks its thread for about half a second.
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let mut options = options(folder::fleeting());
        options.durability = Durability::None;
        // Many small databases in memory: little log, little cache.
        let settings = [("max_wal_size", "256MB"), ("shared_buffers", "64MB")];
        options.settings.extend(owned(&settings));
        start(options)
    })
}

/// Options for a server of tests: in a folder that is removed at the end, open to every role.
pub(crate) fn options(folder: PathBuf) -> Options {
    let mut options = Options::new(folder);
    options.access = Access::Trust;
    options.temporary = true;
    options.settings = owned(&[("max_connections", "300")]);
    options
}

/// Starts a server.
pub(crate) fn start(options: Options) -> Server {
    let folder = options.folder.clone();
    match Binaries::find(&search()).map(|binaries| Server::start_blocking(&binaries, options)) {
        Ok(Ok(server)) => server,
        Ok(Err(error)) => {
            remove(&folder);
            panic!("Postgres for tests did not start: {error}");
        }
        Err(_) => {
            remove(&folder);
            panic!("tests need Postgres 15 or later; install it: apt-get install postgresql");
        }
    }
}

fn search() -> BinarySearch {
    let cache = pgserver::default_folders().cache;
    BinarySearch { configured: None, offline: true, cache }
}

fn remove(folder: &Path) {
    // The panic that follows matters more than an empty folder.
    let _ = std::fs::remove_dir_all(folder);
}

pub(crate) fn owned(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Runs statements, each on its own, over a connection of its own.
pub(crate) async fn run(url: &str, statements: &[&str]) {
    let (client, connection) = match tokio_postgres::connect(url, NoTls).await {
        Ok(both) => both,
        Err(error) => panic!("cannot connect to the Postgres for tests: {error}"),
    };
    let line = tokio::spawn(connection);
    for statement in statements {
        if let Err(error) = client.batch_execute(statement).await {
            panic!("the Postgres for tests refused `{statement}`: {error:?}");
        }
    }
    drop(client);
    // The server has seen the end of the connection before the next one clones this database.
    let _ = line.await;
}
