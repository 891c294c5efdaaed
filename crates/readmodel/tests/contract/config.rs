//! Configurations, with what is shown of their keys.

use readmodel::config::{Configs, get};
use readmodel::workspaces::Workspaces;

use crate::setup::world;
use crate::story::{
    at, config_created, config_settings, full, jwt_requirement, key_created, key_id, sealed,
    secret_put, secret_revealed, workspace_id,
};

#[tokio::test]
async fn a_configuration_comes_back_the_same_with_its_keys_owner_and_domains() {
    let world = world().await;
    world.given([key_created(1, 1, full("one"), 0), config_created(1, 1, 5)]).await;
    let row = get(&*world.reader, workspace_id(1), key_id(1)).await.unwrap().unwrap();
    assert_eq!(row.config.settings, config_settings());
    // Equal numbers may be spelt differently; here the spelling counts too.
    let text = |settings| serde_json::to_string(settings).unwrap();
    assert_eq!(text(&row.config.settings), text(&config_settings()));
    assert_eq!((row.config.created_at, row.config.updated_at), (at(5), at(5)));
    assert_eq!(row.owner_email, Some(sealed(9)));
    assert_eq!(row.domains, full("one").domains);
    assert_eq!(row.revision, 1);
}

#[tokio::test]
async fn changes_are_folded_into_the_row_and_who_was_shown_a_secret_is_not() {
    let world = world().await;
    world.given([key_created(1, 1, full("one"), 0), config_created(1, 1, 5)]).await;
    world.given([secret_put(1, 1, "anthropic", 6), jwt_requirement(1, 1, false, 7)]).await;
    world.given([secret_revealed(1, 1, 8)]).await;
    let row = get(&*world.reader, workspace_id(1), key_id(1)).await.unwrap().unwrap();
    let names: Vec<_> =
        row.config.settings.ai_models.keys().map(|provider| provider.as_str()).collect();
    assert_eq!(names, ["anthropic", "openai"]);
    assert!(!row.config.settings.require_jwt_token);
    assert_eq!(row.config.settings.email, config_settings().email);
    assert_eq!((row.config.created_at, row.config.updated_at), (at(5), at(7)));
    assert_eq!(row.revision, 3);
}

#[tokio::test]
async fn a_configuration_of_another_workspace_is_none() {
    let world = world().await;
    world.given([key_created(1, 1, full("one"), 0), config_created(1, 1, 5)]).await;
    assert_eq!(get(&*world.reader, workspace_id(2), key_id(1)).await.unwrap(), None);
    assert_eq!(get(&*world.reader, workspace_id(1), key_id(2)).await.unwrap(), None);
}

#[tokio::test]
async fn a_configuration_is_shown_only_once_its_key_is_known_too() {
    let world = world().await;
    world.record([key_created(1, 1, full("one"), 0), config_created(1, 1, 5)]).await;
    world.runner(Configs, 10).catch_up().await.unwrap();
    world.runner(Workspaces, 10).catch_up().await.unwrap();
    assert_eq!(get(&*world.reader, workspace_id(1), key_id(1)).await.unwrap(), None);
    world.project().await;
    assert!(get(&*world.reader, workspace_id(1), key_id(1)).await.unwrap().is_some());
}
