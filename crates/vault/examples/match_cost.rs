//! Prints what one check of a secret costs, in nanoseconds: `cargo run -p vault --release --example
//! match_cost`. The figures belong in a note, not in a test.

use std::hint::black_box;
use std::time::Instant;

use domain::{Binding, CredentialKind, Env, Kid, PepperId, WorkspaceId};
use vault::KeyRing;

const ROUNDS: u32 = 1_000_000;

/// The median of 9 rounds, in nanoseconds a call.
fn nanoseconds(mut call: impl FnMut() -> bool) -> f64 {
    let mut rounds: Vec<f64> = (0..9)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..ROUNDS {
                black_box(call());
            }
            start.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[4]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let ring = KeyRing::load_or_generate(&folder.path().join("keys.toml"))?;
    let peppers = ring.peppers();
    let binding = Binding {
        workspace: Some(WorkspaceId::new(uuid::Uuid::from_u128(1))),
        resource: uuid::Uuid::from_u128(2),
        kid: Kid::from_entropy([3; 12]),
        env: Env::Live,
        kind: CredentialKind::ApiKey,
    };
    let secret = [b'7'; 43];
    let (pepper, digest) = peppers.digest(&binding, &secret);
    let mut other = digest;
    other.0[0] ^= 1;
    let ask = |pepper, digest| {
        peppers.matches(black_box(&binding), black_box(&secret), black_box(pepper), digest)
    };
    println!("match           {:6.1} ns", nanoseconds(|| ask(pepper, &digest)));
    println!("no match        {:6.1} ns", nanoseconds(|| ask(pepper, &other)));
    println!("unknown pepper  {:6.1} ns", nanoseconds(|| ask(PepperId(9), &digest)));
    Ok(())
}
