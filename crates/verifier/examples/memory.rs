//! What a million keys weigh and how long an answer takes: `cargo run --release -p verifier --example
//! memory [keys]`. The secret's check is left out, so what is timed is parsing, finding and judging.
//!
//! Memory is what the system says this program has resident (Linux).
#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a measurement, not a part of the service"
)]

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use domain::api_key::{ApiKeyEvent, Created, Disabled, Enabled, Settings};
use domain::verdict::{Question, Verdict};
use domain::workspace::WorkspaceEvent;
use domain::{
    Brand, CredentialKind, CredentialRecord, Description, DigestAlgorithm, DomainRules, Env, Event,
    KeyId, Kid, Labels, Name, Owner, PepperId, ScopeSet, Secret, SecretDigest, SecretText,
    WorkspaceId, workspace,
};
use jiff::Timestamp;
use uuid::Uuid;
use verifier::{EnvSet, Query, Tenant, Verifier};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const WORKSPACES: u64 = 1_000;
const ASKED: u64 = 200_000;
const WRITES_PER_SECOND: u32 = 10_000;

fn main() {
    let keys: u64 = std::env::args().nth(1).map_or(1_000_000, |keys| keys.parse().unwrap());
    let verifier = Verifier::new(Brand::default());
    (0..WORKSPACES).for_each(|n| verifier.apply(&workspace_created(n)));
    let (before, begun) = (resident(), Instant::now());
    let mut slowest = Duration::ZERO;
    let mut applying = Duration::ZERO;
    for n in 0..keys {
        let event = created(n);
        let begun = Instant::now();
        verifier.apply(&event);
        let took = begun.elapsed();
        applying += took;
        slowest = slowest.max(took);
    }
    println!(
        "{keys} keys: {:.1} bytes each; filled in {:.2?}, {:.2?} of it in the index, slowest {slowest:.2?}",
        (resident() - before) as f64 / keys as f64,
        begun.elapsed(),
        applying,
    );
    let texts: Vec<String> = (0..ASKED).map(|n| text(mix(n) % keys)).collect();
    let unknown: Vec<String> = (0..ASKED).map(|n| text(keys + mix(n) % keys)).collect();
    let known = timed(&verifier, &texts);
    report("known keys", &known);
    report("unknown keys", &timed(&verifier, &unknown));
    let (stop, written) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| write(&verifier, keys, &stop, &written));
        let begun = Instant::now();
        let rounds = timed(&verifier, &texts);
        let rate = written.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64();
        // Before anything is printed: if that fails, the writer must not go on for ever.
        stop.store(true, Ordering::Relaxed);
        report("known keys beside a writer", &rounds);
        let ratio = known[4] / rounds[4];
        println!("  ratio {ratio:.3} at {rate:.0} writes a second");
    });
    println!(
        "after {} changes: {:.1} bytes each, the asked texts among them",
        written.load(Ordering::Relaxed),
        (resident() - before) as f64 / keys as f64,
    );
}

/// Nine rounds over all texts, in nanoseconds a verdict, fastest first.
fn timed(verifier: &Verifier, texts: &[String]) -> [f64; 9] {
    let mut rounds = [0.0; 9];
    for round in &mut rounds {
        let begun = Instant::now();
        let passed = texts.iter().filter(|text| passes(verifier, text)).count();
        black_box(passed);
        *round = begun.elapsed().as_secs_f64() * 1e9 / texts.len() as f64;
    }
    rounds.sort_by(f64::total_cmp);
    rounds
}

fn report(what: &str, rounds: &[f64; 9]) {
    let [fastest, .., slowest] = rounds;
    println!("{what}: {:.0} ns a verdict ({fastest:.0} to {slowest:.0})", rounds[4]);
}

fn passes(verifier: &Verifier, text: &str) -> bool {
    let query = Query {
        key: text,
        tenant: Tenant::Any,
        workspace_id: None,
        envs: EnvSet::BOTH,
        expected_key_id: None,
        question: Question {
            earliest: now().into(),
            latest: now().into(),
            client_ip: None,
            origin: None,
            all_of: &["orders:read"],
            any_of: &[],
        },
    };
    let yes = |_: &_, _: &_, _, _: &_| true;
    verifier.verify(&query, yes, |answer| {
        black_box(answer.key.map(|key| key.name.len()));
        answer.verdict == Ok(Verdict::Accepted)
    })
}

/// Switches keys off and on in bursts of a millisecond's worth.
fn write(verifier: &Verifier, keys: u64, stop: &AtomicBool, written: &AtomicUsize) {
    let begun = Instant::now();
    for burst in 1.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        for _ in 0..WRITES_PER_SECOND / 1_000 {
            let turn = written.fetch_add(1, Ordering::Relaxed) as u64;
            let (key_id, at) = (key_id(mix(turn / 2) % keys), now());
            verifier.apply(&Event::ApiKey(if turn.is_multiple_of(2) {
                ApiKeyEvent::Disabled(Disabled { key_id, at })
            } else {
                ApiKeyEvent::Enabled(Enabled { key_id, at })
            }));
        }
        thread::sleep(Duration::from_millis(burst).saturating_sub(begun.elapsed()));
    }
}

/// A number that looks drawn, the same at every run.
fn mix(n: u64) -> u64 {
    let mut x = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn key_id(n: u64) -> KeyId {
    KeyId::new(Uuid::from_u64_pair(n, mix(n)))
}

fn workspace_id(n: u64) -> WorkspaceId {
    WorkspaceId::new(Uuid::from_u64_pair(7, n % WORKSPACES))
}

fn kid(n: u64) -> Kid {
    let mut bits = [0; 12];
    bits[..8].copy_from_slice(&mix(n).to_be_bytes());
    bits[8..].copy_from_slice(&(n as u32).to_be_bytes());
    Kid::from_entropy(bits)
}

fn text(n: u64) -> String {
    let secret = Secret::from_entropy(&[(n % 251) as u8; 32]);
    let kind = CredentialKind::ApiKey;
    SecretText::new(&Brand::default(), kind, Env::Live, kid(n), &secret).expose().to_owned()
}

fn record(kid: Kid, n: u64) -> CredentialRecord {
    let mut digest = [1; 32];
    digest[..8].copy_from_slice(&mix(n).to_be_bytes());
    CredentialRecord {
        kid,
        pepper: PepperId(1),
        algorithm: DigestAlgorithm::HmacSha256,
        digest: SecretDigest(digest),
    }
}

fn workspace_created(n: u64) -> Event {
    Event::Workspace(WorkspaceEvent::Created(workspace::Created {
        workspace_id: workspace_id(n),
        created_by: "measurement".to_owned(),
        name: Name::new("a workspace").unwrap(),
        token: record(kid(u64::MAX - n), n),
        at: now(),
    }))
}

fn created(n: u64) -> Event {
    let third = ["orders:write", "payments:read", "refunds:read"];
    let mut scopes = vec!["orders:read", "customers:read"];
    scopes.extend(third.get((n % 4) as usize));
    Event::ApiKey(ApiKeyEvent::Created(Box::new(Created {
        key_id: key_id(n),
        workspace_id: workspace_id(n),
        created_by: "measurement".to_owned(),
        settings: Settings {
            name: Name::new(format!("checkout key {n:07}")).unwrap(),
            env: Env::Live,
            owner: Owner::default(),
            description: Description::new("what it is for, in words").unwrap(),
            scopes: ScopeSet::new(scopes.into_iter().map(|code| code.parse().unwrap())).unwrap(),
            ip_allowlist: None,
            domains: DomainRules::default(),
            not_before: None,
            expires_at: Some(Timestamp::from_second(1_900_000_000).unwrap()),
            metadata: Labels::default(),
        },
        credential: record(kid(n), n),
        at: now(),
    })))
}

/// Resident bytes of this program.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
