//! CreateApiKey against one `INSERT` a transaction into a table of the same rows, in the same
//! Postgres, by as many callers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio_postgres::{Client, Statement};

use crate::Scale;
use crate::client::Caller;
use crate::database::Deployment;
use crate::machine::Cores;
use crate::table::Table;

/// Connections to Keyward over which callers are spread.
const CONNECTIONS: usize = 4;

/// The row of an event without its place in a log: the sides store the same bytes.
const TABLE: &str = "CREATE SCHEMA bench; CREATE TABLE bench.rows (
    position bigserial PRIMARY KEY, stream text NOT NULL, revision bigint NOT NULL,
    event_id uuid NOT NULL, kind text NOT NULL, schema integer NOT NULL, workspace_id text,
    payload bytea NOT NULL, metadata bytea NOT NULL, recorded_at timestamptz NOT NULL,
    mac bytea NOT NULL)";
const SAMPLE: &str =
    "SELECT payload, metadata FROM log.events WHERE kind = 'api_key.created' LIMIT 1";
const INSERT: &str =
    "INSERT INTO bench.rows (stream, revision, event_id, kind, schema, workspace_id,
    payload, metadata, recorded_at, mac)
    VALUES ('key-' || $1, 1, gen_random_uuid(), 'api_key.created', 1, $1, $2, $3, now(),
        sha256($2))";

/// Measures with 1, 8, 64 and 256 callers.
pub async fn run(deployment: &Deployment, scale: Scale, table: &mut Table) {
    let server = deployment.keyward(Cores::All, &[]);
    let operator = deployment.operator(&server).await;
    operator.ready().await;
    let (workspace, token) = operator.create_workspace().await;
    let mut callers = Vec::new();
    for _ in 0..CONNECTIONS {
        callers.push(Caller::connect(server.address(), &token).await);
    }
    callers[0].create_key(&workspace, 0).await;
    let superuser = deployment.superuser().await;
    superuser.batch_execute(TABLE).await.expect("a table to write to");
    let row = superuser.query_one(SAMPLE, &[]).await.expect("a key was made");
    let sample = Arc::new((workspace.clone(), row.get::<_, Vec<u8>>(0), row.get::<_, Vec<u8>>(1)));
    let time = Duration::from_millis(scale.millis);
    for count in [1, 8, 64, 256] {
        let mut connections = Vec::new();
        for _ in 0..count {
            let client = deployment.superuser().await;
            let insert = client.prepare(INSERT).await.expect("the statement is right");
            connections.push(Arc::new((client, insert)));
        }
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..scale.rounds {
            let work = |at: usize| {
                let caller = callers[at % CONNECTIONS].clone();
                let workspace = workspace.clone();
                move |number| {
                    let (caller, workspace) = (caller.clone(), workspace.clone());
                    async move { drop(caller.create_key(&workspace, number).await) }
                }
            };
            ours.push(rate(count, time, work).await);
            let work = |at: usize| {
                let (connection, sample) = (Arc::clone(&connections[at]), Arc::clone(&sample));
                move |_| insert(Arc::clone(&connection), Arc::clone(&sample))
            };
            theirs.push(rate(count, time, work).await);
        }
        if count == 1 {
            let micros = |rates: &[f64]| rates.iter().map(|rate| 1e6 / rate).collect::<Vec<_>>();
            let what = "CreateApiKey / INSERT, 1 caller, latency";
            table.compare(what, &micros(&ours), &micros(&theirs), "us", "<= 2.5");
        } else {
            let what = format!("CreateApiKey / INSERT, {count} callers");
            let target = if count >= 64 { ">= 2" } else { "" };
            table.compare(&what, &ours, &theirs, "/s", target);
        }
    }
    server.stop();
}

async fn insert(connection: Arc<(Client, Statement)>, sample: Arc<(String, Vec<u8>, Vec<u8>)>) {
    let (client, statement) = &*connection;
    let (workspace, payload, metadata) = &*sample;
    client.execute(statement, &[workspace, payload, metadata]).await.expect("a row is inserted");
}

/// How often a second `count` callers do the work that `of` gives each of them, over and over.
async fn rate<Work, Done>(count: usize, time: Duration, of: impl Fn(usize) -> Work) -> f64
where
    Work: Fn(usize) -> Done + Send + 'static,
    Done: Future<Output = ()> + Send,
{
    let done = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let callers: Vec<_> = (0..count)
        .map(|at| {
            let (work, done) = (of(at), Arc::clone(&done));
            tokio::spawn(async move {
                while began.elapsed() < time {
                    work(done.fetch_add(1, Ordering::Relaxed)).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("a caller does not panic");
    }
    done.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
}

/// Makes `count` keys by `callers` at once; answers their secrets.
pub async fn keys(caller: &Caller, workspace: &str, count: usize, callers: usize) -> Vec<String> {
    let next = Arc::new(AtomicUsize::new(0));
    let making: Vec<_> = (0..callers)
        .map(|_| {
            let (caller, next) = (caller.clone(), Arc::clone(&next));
            let workspace = workspace.to_owned();
            tokio::spawn(async move {
                let mut made = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return made;
                    }
                    made.push(caller.create_key(&workspace, number).await.0);
                }
            })
        })
        .collect();
    let mut secrets = Vec::with_capacity(count);
    for made in making {
        secrets.extend(made.await.expect("making a key does not panic"));
    }
    secrets
}
