//! How long the verifier's warm start and a rebuild take: `warm_start [keys] [events]`.
//!
//! Rows of keys come from `generate_series`, events from the domain. Prints figures, asserts nothing.

use std::time::Instant;

use domain::api_key::{ApiKeyEvent, Created, Settings};
use domain::{
    CredentialRecord, Description, DigestAlgorithm, DomainRules, Env, Event, KeyId, Kid, Labels,
    Name, Owner, PepperId, Principal, ScopeSet, SecretDigest, WorkspaceId,
};
use eventlog::{
    Append, ChainMac, Checkpoints, Database, DatabaseOptions, EventLog, EventLogOptions, Expected,
    LOG_MIGRATIONS, Metadata, NewEvent, StreamAppend, StreamId, migrate, rebuild,
};
use readmodel::{keys::Keys, snapshot};
use uuid::Uuid;

type Failure = Box<dyn std::error::Error>;

const FILL: &str = "\
    INSERT INTO readmodel.keys SELECT \
        (lpad(to_hex(1750000000000 + n), 12, '0') || '7000' || substr(md5(n::text), 1, 16))::uuid, \
        md5((n % 1000)::text)::uuid, 'key number ' || n, \
        CASE n % 4 WHEN 0 THEN 'test' ELSE 'live' END, 'user', 'user-' || n % 5000, \
        decode(repeat(md5(n::text), 3), 'hex'), 'made for measuring', \
        ARRAY['payment:read', 'read', 'read-write'], \
        CASE n % 10 WHEN 0 THEN ARRAY['10.0.0.0/8', '192.0.2.7'] END, '{}', false, NULL, \
        CASE n % 2 WHEN 0 THEN now() + interval '1 year' END, \
        CASE n % 5 WHEN 0 THEN '{\"team\": \"payments\"}' ELSE '{}' END::jsonb, \
        'workspace_token:1', now(), now(), NULL, NULL, NULL, NULL, NULL, 1, n \
        FROM generate_series(1, $1::bigint) AS n";
const FILL_CREDENTIALS: &str = "\
    INSERT INTO readmodel.credentials SELECT \
        decode(substr(md5('kid' || position), 1, 24), 'hex'), key_id, workspace_id, 1, 1, \
        'hmac-sha256', decode(repeat(md5(position::text), 2), 'hex'), now(), NULL, position \
        FROM readmodel.keys";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u32>());
    let keys = arguments.next().transpose()?.unwrap_or(1_000_000);
    let events = arguments.next().transpose()?.unwrap_or(100_000);

    let test = testkit::database().await;
    let database = Database::new(test.url(), DatabaseOptions::default())?;
    let roles = include_str!("../../../deploy/roles.sql");
    database.client().await?.batch_execute(roles).await?;
    migrate(&database, &[LOG_MIGRATIONS, readmodel::migrations()]).await?;
    measure_load(&database, keys).await?;
    measure_rebuild(&database, events).await
}

async fn measure_load(database: &Database, keys: u32) -> Result<(), Failure> {
    let mut connection = database.connect("measure", &[("statement_timeout", "0")]).await?;
    connection.execute(FILL, &[&i64::from(keys)]).await?;
    connection.execute(FILL_CREDENTIALS, &[]).await?;
    connection.batch_execute("VACUUM ANALYZE").await?;
    for turn in 1..=3 {
        let (begun, mut credentials) = (Instant::now(), 0);
        let read =
            snapshot::load(&mut connection, drop, drop, |key| credentials += key.credentials.len())
                .await?;
        let (count, took) = (read.key_count, begun.elapsed());
        println!("load {turn}: {count} keys, {credentials} credentials in {took:.2?}");
    }
    Ok(())
}

async fn measure_rebuild(database: &Database, events: u32) -> Result<(), Failure> {
    // No real MAC: the chain's cost is the log's affair.
    let chain = ChainMac::new(|_| [0; 32]);
    let log = EventLog::open(database, chain.clone(), EventLogOptions::default()).await?;
    for batch in 0..events.div_ceil(1_000) {
        let numbers = batch * 1_000..(batch * 1_000 + 1_000).min(events);
        let streams = numbers.map(created).collect::<Result<Vec<_>, Failure>>()?;
        let metadata = Metadata { actor: "measure".to_owned(), ..Metadata::default() };
        let workspace_id = Some(workspace().to_string());
        log.append(Append { workspace_id, streams, metadata, request: None }).await?;
    }
    let begun = Instant::now();
    rebuild(database, &chain, &Keys, &Checkpoints::new(database), |_, _| {}).await?;
    let took = begun.elapsed();
    let rate = f64::from(events) / took.as_secs_f64();
    println!("rebuild: {events} events in {took:.2?}, {rate:.0}/s");
    Ok(())
}

const fn workspace() -> WorkspaceId {
    WorkspaceId::new(Uuid::from_u128(1))
}

fn created(number: u32) -> Result<StreamAppend, Failure> {
    let key_id = KeyId::new(Uuid::from_u128(u128::from(number) << 64));
    let mut kid = [0; 12];
    kid[..4].copy_from_slice(&number.reverse_bits().to_be_bytes());
    let settings = Settings {
        name: Name::new(format!("key number {number}"))?,
        env: Env::Live,
        owner: Owner { principal: Some(Principal::user("user-1")?), email: None },
        description: Description::new("made for measuring")?,
        scopes: ScopeSet::new(["read".parse()?, "payment:read".parse()?])?,
        ip_allowlist: None,
        domains: DomainRules::default(),
        not_before: None,
        expires_at: None,
        metadata: Labels::default(),
    };
    let event = Event::ApiKey(ApiKeyEvent::Created(Box::new(Created {
        key_id,
        workspace_id: workspace(),
        created_by: "workspace_token:1".to_owned(),
        settings,
        credential: CredentialRecord {
            kid: Kid::from_entropy(kid),
            pepper: PepperId(1),
            algorithm: DigestAlgorithm::HmacSha256,
            digest: SecretDigest([7; 32]),
        },
        at: "2025-06-01T00:00:00Z".parse()?,
    })));
    Ok(StreamAppend {
        stream: StreamId::new(event.stream())?,
        expected: Expected::NoStream,
        events: vec![NewEvent {
            event_id: Uuid::from_u128(u128::from(number)),
            kind: event.kind().to_owned(),
            schema: event.schema(),
            payload: event.encode(),
        }],
    })
}
