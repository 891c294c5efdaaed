//! Prints how many events a second are appended, by how many callers at once, on a server with
//! fsync on: `cargo run -p eventlog --release --example append_rate`.

use std::time::{Duration, Instant};

use eventlog::{
    Append, ChainMac, Database, DatabaseOptions, EventLog, EventLogOptions, Expected,
    LOG_MIGRATIONS, Metadata, NewEvent, StreamAppend, StreamId, migrate, verify_log,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use uuid::Uuid;

const ROLES: &str = include_str!("../../../deploy/roles.sql");
const RUN: Duration = Duration::from_secs(3);

fn chain() -> Result<ChainMac, Box<dyn std::error::Error>> {
    let keyed = Hmac::<sha2::Sha256>::new_from_slice(b"measured")?;
    Ok(ChainMac::new(move |text| {
        let mut mac = keyed.clone();
        mac.update(text);
        mac.finalize().into_bytes().into()
    }))
}

fn command(caller: u64, number: u64) -> Result<Append, eventlog::LogError> {
    let event = NewEvent {
        event_id: Uuid::from_u64_pair(caller, number),
        kind: "thing.happened".to_owned(),
        schema: 1,
        payload: vec![b'x'; 300],
    };
    let part = StreamAppend {
        stream: StreamId::new(format!("s-{caller}-{number}"))?,
        expected: Expected::NoStream,
        events: vec![event],
    };
    let metadata = Metadata { actor: "measure".to_owned(), ..Metadata::default() };
    Ok(Append { workspace_id: None, streams: vec![part], metadata, request: None })
}

/// Appends as this many callers, each with one command at a time. Returns events and latencies.
async fn measure(log: &EventLog, callers: u64, round: u64) -> (usize, Vec<Duration>) {
    let until = Instant::now() + RUN;
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let log = log.clone();
            tokio::spawn(async move {
                let mut took = Vec::new();
                while Instant::now() < until {
                    let number = round * 1_000_000 + took.len() as u64;
                    let begun = Instant::now();
                    let Ok(append) = command(caller, number) else {
                        break;
                    };
                    if let Err(error) = log.append(append).await {
                        eprintln!("{error}");
                        break;
                    }
                    took.push(begun.elapsed());
                }
                took
            })
        })
        .collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.unwrap_or_default());
    }
    took.sort_unstable();
    (took.len(), took)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = testkit::durable_server().await;
    let database = Database::new(&server.url(), DatabaseOptions::default())?;
    database.client().await?.batch_execute(ROLES).await?;
    migrate(&database, &[LOG_MIGRATIONS]).await?;
    let log = EventLog::open(&database, chain()?, EventLogOptions::default()).await?;
    println!("callers   events/s   p50       p99");
    for (round, callers) in (0..).zip([1, 8, 64, 256]) {
        let (events, took) = measure(&log, callers, round).await;
        let rate = events as f64 / RUN.as_secs_f64();
        let (p50, p99) = (took[took.len() / 2], took[took.len() * 99 / 100]);
        println!("{callers:7}   {rate:8.0}   {p50:<9.1?} {p99:.1?}");
    }
    let begun = Instant::now();
    let head = verify_log(&database, &chain()?, |_, _| {}).await?;
    let rate = head.position.get() as f64 / begun.elapsed().as_secs_f64();
    println!("verified {} events, {rate:.0}/s", head.position);
    Ok(())
}
