//! Which keys a list shows.

use domain::api_key::{ApiKey, Settings, Status};
use domain::{Env, Principal};
use jiff::{SignedDuration, Timestamp};
use readmodel::keys::{KeyFilter, list};
use readmodel::{Order, PageRequest};

use crate::setup::{World, world};
use crate::story::{at, deleted, disabled, key_created, key_id, plain, revoked, workspace_id};

fn all() -> KeyFilter {
    KeyFilter { include_dead: true, ..KeyFilter::of(workspace_id(1)) }
}

async fn keys(world: &World, filter: &KeyFilter, now: Timestamp) -> Vec<ApiKey> {
    let page = PageRequest::first(1_000, Order::ById);
    let page = list(&*world.reader, filter, now, &page).await.unwrap();
    assert_eq!(page.next, None);
    page.rows.into_iter().map(|row| row.key).collect()
}

async fn names(world: &World, filter: &KeyFilter) -> Vec<String> {
    let keys = keys(world, filter, at(0)).await;
    keys.iter().map(|key| key.settings.name.as_str().to_owned()).collect()
}

fn env(name: &str, env: Env) -> Settings {
    Settings { env, ..plain(name) }
}

fn owned(name: &str, principal: Principal) -> Settings {
    let mut settings = plain(name);
    settings.owner.principal = Some(principal);
    settings
}

fn lasting(name: &str, from: Option<i64>, to: Option<i64>) -> Settings {
    Settings { not_before: from.map(at), expires_at: to.map(at), ..plain(name) }
}

#[tokio::test]
async fn a_workspace_sees_its_own_keys_only() {
    let world = world().await;
    world.given([key_created(1, 1, plain("mine"), 0), key_created(2, 2, plain("theirs"), 0)]).await;
    assert_eq!(names(&world, &all()).await, ["mine"]);
    let foreign = KeyFilter { key_ids: vec![key_id(2)], ..all() };
    assert_eq!(names(&world, &foreign).await, [""; 0]);
    let nobody = KeyFilter::of(workspace_id(3));
    assert_eq!(names(&world, &nobody).await, [""; 0]);
}

#[tokio::test]
async fn a_list_by_id_shows_those_that_exist() {
    let world = world().await;
    let created = (1..=3).map(|number| key_created(1, number, plain(&format!("{number}")), 0));
    world.given(created).await;
    let filter = KeyFilter { key_ids: vec![key_id(3), key_id(9), key_id(1), key_id(3)], ..all() };
    assert_eq!(names(&world, &filter).await, ["1", "3"]);
}

#[tokio::test]
async fn a_list_by_env_shows_that_env() {
    let world = world().await;
    world
        .given([
            key_created(1, 1, env("live", Env::Live), 0),
            key_created(1, 2, env("test", Env::Test), 0),
        ])
        .await;
    let of = |envs: &[Env]| KeyFilter { envs: envs.to_vec(), ..all() };
    assert_eq!(names(&world, &of(&[Env::Live])).await, ["live"]);
    assert_eq!(names(&world, &of(&[Env::Test])).await, ["test"]);
    assert_eq!(names(&world, &of(&[Env::Test, Env::Live])).await, ["live", "test"]);
}

#[tokio::test]
async fn a_list_by_owner_tells_users_from_service_accounts() {
    let world = world().await;
    world
        .given([
            key_created(1, 1, owned("user", Principal::User("bo".into())), 0),
            key_created(1, 2, owned("program", Principal::ServiceAccount("bo".into())), 0),
            key_created(1, 3, plain("nobody"), 0),
        ])
        .await;
    let of = |principal| KeyFilter { principal: Some(principal), ..all() };
    assert_eq!(names(&world, &of(Principal::User("bo".into()))).await, ["user"]);
    assert_eq!(names(&world, &of(Principal::ServiceAccount("bo".into()))).await, ["program"]);
    assert_eq!(names(&world, &of(Principal::User("b".into()))).await, [""; 0]);
}

#[tokio::test]
async fn no_character_of_a_name_prefix_is_special() {
    let world = world().await;
    let all_names =
        ["100% sure", "1000 sure", "a_b", "axb", "a\\b", "a\\\\b", "Abc", "'; --", "äö"];
    let created = (1..).zip(all_names).map(|(number, name)| key_created(1, number, plain(name), 0));
    world.given(created).await;
    let prefixes = [
        "", "100", "100%", "%", "_", "a_", "a", "a\\", "a\\\\", "a\\_", "\\", "A", "'", "ä", "axb",
        "axbx", "\0",
    ];
    for prefix in prefixes {
        let filter = KeyFilter { name_prefix: Some(prefix.to_owned()), ..all() };
        let expected: Vec<&str> =
            all_names.into_iter().filter(|name| name.starts_with(prefix)).collect();
        assert_eq!(names(&world, &filter).await, expected, "{prefix:?}");
    }
}

#[tokio::test]
async fn expiring_before_means_strictly_before_and_never_the_endless() {
    let world = world().await;
    world
        .given([
            key_created(1, 1, lasting("soon", None, Some(10)), 0),
            key_created(1, 2, lasting("later", None, Some(11)), 0),
            key_created(1, 3, plain("never"), 0),
        ])
        .await;
    let before = |moment| KeyFilter { expiring_before: Some(moment), ..all() };
    let tick = SignedDuration::from_micros(1);
    assert_eq!(names(&world, &before(at(10))).await, [""; 0]);
    assert_eq!(names(&world, &before(at(10) + tick)).await, ["soon"]);
    assert_eq!(names(&world, &before(at(12))).await, ["soon", "later"]);
}

#[tokio::test]
async fn all_conditions_hold_together() {
    let world = world().await;
    let both = Settings { env: Env::Test, ..plain("pay a") };
    world
        .given([
            key_created(1, 1, both, 0),
            key_created(1, 2, plain("pay b"), 0),
            key_created(1, 3, env("read", Env::Test), 0),
        ])
        .await;
    let filter = KeyFilter {
        envs: vec![Env::Test],
        name_prefix: Some("pay".to_owned()),
        statuses: vec![Status::Active],
        ..all()
    };
    assert_eq!(names(&world, &filter).await, ["pay a"]);
}

const STATUSES: [Status; 5] =
    [Status::Revoked, Status::Disabled, Status::NotYetValid, Status::Expired, Status::Active];

/// Keys with every mixture of beginning, end, switch and revocation.
async fn mixtures(world: &World) {
    let mut facts = Vec::new();
    let moments = [None, Some(-10), Some(0), Some(10)];
    let windows = moments.iter().flat_map(|from| moments.iter().map(move |to| (*from, *to)));
    for (window, (from, to)) in (0..).zip(windows) {
        for fate in 0..4 {
            let number = window * 4 + fate;
            facts.push(key_created(1, number, lasting(&format!("{number}"), from, to), 0));
            if fate & 1 == 1 {
                facts.push(disabled(1, number, 1));
            }
            if fate & 2 == 2 {
                facts.push(revoked(1, number, 2));
            }
        }
    }
    world.given(facts).await;
}

#[tokio::test]
async fn a_status_is_as_the_domain_says_at_every_moment() {
    let world = world().await;
    mixtures(&world).await;
    let tick = SignedDuration::from_micros(1);
    let moments = [-10, 0, 10].map(|second| [at(second) - tick, at(second), at(second) + tick]);
    for now in moments.into_iter().flatten() {
        let everything = keys(&world, &all(), now).await;
        assert_eq!(everything.len(), 64);
        for status in STATUSES {
            let filter = KeyFilter { statuses: vec![status], ..KeyFilter::of(workspace_id(1)) };
            let expected: Vec<_> =
                everything.iter().filter(|key| key.status(now) == status).cloned().collect();
            assert_eq!(keys(&world, &filter, now).await, expected, "{status:?} at {now}");
        }
    }
}

#[tokio::test]
async fn the_dead_are_listed_on_request_or_when_their_state_is_named() {
    let world = world().await;
    world
        .given([
            key_created(1, 1, plain("active"), 0),
            key_created(1, 2, plain("revoked"), 0),
            revoked(1, 2, 0),
            key_created(1, 3, lasting("expired", None, Some(-1)), 0),
            key_created(1, 4, plain("disabled"), 0),
            disabled(1, 4, 0),
            key_created(1, 5, lasting("not yet", Some(5), None), 0),
        ])
        .await;
    let living = KeyFilter::of(workspace_id(1));
    assert_eq!(names(&world, &living).await, ["active", "disabled", "not yet"]);
    let five = ["active", "revoked", "expired", "disabled", "not yet"];
    assert_eq!(names(&world, &all()).await, five);
    let dead = KeyFilter { statuses: vec![Status::Revoked, Status::Expired], ..living };
    assert_eq!(names(&world, &dead).await, ["revoked", "expired"]);
    let both = KeyFilter { include_dead: true, ..dead };
    assert_eq!(names(&world, &both).await, ["revoked", "expired"]);
}

#[tokio::test]
async fn a_deleted_key_is_hidden_unless_deleted_ones_are_asked_for() {
    let world = world().await;
    world
        .given([
            key_created(1, 1, plain("here"), 0),
            key_created(1, 2, plain("gone"), 0),
            deleted(1, 2, 1),
        ])
        .await;
    assert_eq!(names(&world, &all()).await, ["here"]);
    let named = KeyFilter { key_ids: vec![key_id(2)], ..all() };
    assert_eq!(names(&world, &named).await, [""; 0]);
    let too = KeyFilter { include_deleted: true, ..KeyFilter::of(workspace_id(1)) };
    assert_eq!(names(&world, &too).await, ["here", "gone"]);
}
