//! An asker: asks one replica, one question after the other, for keys that are or were, and for secrets
//! that nobody has created.

use std::sync::Arc;
use std::time::Duration;

use domain::{Brand, CredentialKind, Env, Kid, SecretText};
use tokio::time::sleep;

use super::World;
use crate::client::{Question, ask};
use crate::history::Secret;

/// Asks until the load ends.
pub(super) async fn ask_on(world: Arc<World>, replica: usize, mut chance: fastrand::Rng) {
    let mut client = world.clients[replica].clone();
    while !world.over() {
        let workspace = usize::from(chance.u8(0..6) == 0);
        let question = question(&world, workspace, &mut chance);
        let asker = &world.workspaces[workspace];
        ask(&mut client, replica, asker, question, &world.recorder).await;
        sleep(Duration::from_millis(chance.u64(1..8))).await;
    }
}

fn question(world: &World, workspace: usize, chance: &mut fastrand::Rng) -> Question {
    let known = world.some_known(workspace, chance);
    let token = world.token();
    let at_least = (chance.u8(0..8) == 0 && !token.is_empty()).then_some(token);
    match known {
        Some(known) if chance.u8(0..5) > 0 => {
            Question { secret: Secret::Of(known.index), text: known.secret, at_least }
        }
        // The name of a key, with another secret.
        Some(known) if chance.bool() => {
            let kid = known.secret.split('_').nth(2).and_then(|kid| kid.parse().ok());
            Question { secret: Secret::Never, text: never(chance, kid), at_least }
        }
        Some(_) | None => Question { secret: Secret::Never, text: never(chance, None), at_least },
    }
}

/// A well-formed secret that nobody has created, under this name or any.
fn never(chance: &mut fastrand::Rng, kid: Option<Kid>) -> String {
    let (mut name, mut secret) = ([0; 12], [0; 32]);
    chance.fill(&mut name);
    chance.fill(&mut secret);
    let kid = kid.unwrap_or_else(|| Kid::from_entropy(name));
    let secret = domain::Secret::from_entropy(&secret);
    SecretText::new(&Brand::default(), CredentialKind::ApiKey, Env::Live, kid, &secret)
        .expose()
        .to_owned()
}
