//! RevokeApiKeys: many keys, one append, one wait.

use api::v1::{self as wire, Decision, Denial, RevocationReason};
use harness::{Refused, Server, Tenant};

fn request(tenant: &Tenant) -> wire::RevokeApiKeysRequest {
    wire::RevokeApiKeysRequest {
        workspace_id: tenant.id.clone(),
        reason: RevocationReason::OwnerLeft.into(),
        ..wire::RevokeApiKeysRequest::default()
    }
}

async fn revoke(
    tenant: &Tenant,
    request: wire::RevokeApiKeysRequest,
) -> wire::RevokeApiKeysResponse {
    tenant.client.clone().keys.revoke_api_keys(request).await.unwrap().into_inner()
}

async fn owned(
    tenant: &Tenant,
    name: &str,
    user: &str,
    env: wire::Environment,
) -> (String, String) {
    let principal = Some(wire::owner::Principal::UserId(user.to_owned()));
    let owner = Some(wire::Owner { principal, ..wire::Owner::default() });
    let asked = wire::CreateApiKeyRequest { owner, env: env.into(), ..tenant.key(name) };
    let made = tenant.create(asked).await;
    (made.api_key.unwrap().key_id, made.secret)
}

#[tokio::test]
async fn the_keys_of_one_owner_end_and_those_of_others_live_on() {
    let server = Server::shared().await;
    let tenant = server.workspace("leavers").await;
    let live = wire::Environment::Live;
    let mut hers = Vec::new();
    for n in 0..5 {
        hers.push(owned(&tenant, &format!("hers {n}"), "grace", live).await);
    }
    let other = owned(&tenant, "his", "alan", live).await;
    let owner = wire::revoke_api_keys_request::Owner::OwnerUserId("grace".to_owned());
    let asked = wire::RevokeApiKeysRequest { owner: Some(owner), ..request(&tenant) };

    let dry = wire::RevokeApiKeysRequest { dry_run: true, ..asked.clone() };
    let events = server.tables().events_of(&tenant.id).await;
    let counted = revoke(&tenant, dry).await;
    assert_eq!((counted.revoked_count, counted.more, &counted.barrier), (5, false, &None));
    assert_eq!(server.tables().events_of(&tenant.id).await, events, "a dry run writes nothing");

    let answer = revoke(&tenant, asked.clone()).await;
    for (_, secret) in &hers {
        assert_eq!(tenant.verify(secret).await.denial(), Denial::Revoked);
    }
    assert_eq!(tenant.verify(&other.1).await.decision(), Decision::Accepted);
    assert!(answer.barrier.unwrap().confirmed >= 1, "one wait for all");
    assert_eq!((answer.revoked_count, answer.key_ids.clone()), (5, counted.key_ids));
    let mut ids: Vec<_> = hers.into_iter().map(|(id, _)| id).collect();
    ids.sort();
    assert_eq!(answer.key_ids, ids);

    let again = revoke(&tenant, asked).await;
    assert_eq!((again.revoked_count, again.key_ids.len()), (0, 0));
}

#[tokio::test]
async fn filters_are_combined_and_disabled_and_deleted_keys_end_as_well() {
    let server = Server::shared().await;
    let mut tenant = server.workspace("filters").await;
    let (live, test) = (wire::Environment::Live, wire::Environment::Test);
    let a = owned(&tenant, "batch-a", "u", test).await;
    let b = owned(&tenant, "batch-b", "u", live).await;
    let c = owned(&tenant, "other", "u", test).await;
    let d = owned(&tenant, "batch-d", "u", test).await;
    tenant.client.keys.disable_api_key(tenant.disable(&a.0)).await.unwrap();
    tenant.client.keys.delete_api_key(tenant.delete(&d.0)).await.unwrap();
    let asked = wire::RevokeApiKeysRequest {
        name_prefix: "batch-".to_owned(),
        env: test.into(),
        ..request(&tenant)
    };
    let mut expected = [a.0, d.0];
    expected.sort();
    assert_eq!(revoke(&tenant, asked).await.key_ids, expected);
    for (_, secret) in [b, c.clone()] {
        assert_eq!(tenant.verify(&secret).await.decision(), Decision::Accepted);
    }
    let by_id = wire::RevokeApiKeysRequest { key_ids: vec![c.0.clone()], ..request(&tenant) };
    assert_eq!(revoke(&tenant, by_id).await.key_ids, [c.0]);
}

#[tokio::test]
async fn five_hundred_end_at_once_with_all_their_words_and_more_are_named() {
    let server = Server::start().await;
    let tenant = server.workspace("many").await;
    let create = |n: usize| tenant.create_key(["even", "odd"][n % 2]);
    for part in 0..11 {
        let part = (part * 100..).take(100).map(create);
        futures_util::future::join_all(part).await;
    }
    let asked = wire::RevokeApiKeysRequest {
        name_prefix: "even".to_owned(),
        reason_text: "\u{1f511}".repeat(1_024),
        ..request(&tenant)
    };
    let first = revoke(&tenant, asked.clone()).await;
    assert_eq!((first.revoked_count, first.more), (500, true));
    let second = revoke(&tenant, asked).await;
    assert_eq!((second.revoked_count, second.more), (50, false));
    let odd = wire::RevokeApiKeysRequest {
        name_prefix: "odd".to_owned(),
        dry_run: true,
        ..request(&tenant)
    };
    let counted = revoke(&tenant, odd).await;
    assert_eq!((counted.revoked_count, counted.more), (500, true));
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_before_and_ends_no_others() {
    let server = Server::shared().await;
    let tenant = server.workspace("again").await;
    tenant.create_key("batch 1").await;
    let asked = wire::RevokeApiKeysRequest {
        name_prefix: "batch".to_owned(),
        request_id: "revoke-many-0123456789".to_owned(),
        wait: wire::BarrierWait::None.into(),
        ..request(&tenant)
    };
    let first = revoke(&tenant, asked.clone()).await;
    let later = tenant.create_key("batch 2").await;
    assert_eq!(revoke(&tenant, asked).await, first);
    assert_eq!(tenant.verify(&later.secret).await.decision(), Decision::Accepted);
    let none = wire::RevokeApiKeysRequest {
        name_prefix: "nobody".to_owned(),
        request_id: "revoke-none-0123456789".to_owned(),
        ..request(&tenant)
    };
    let nothing = revoke(&tenant, none.clone()).await;
    assert_eq!((nothing.revoked_count, &nothing.barrier), (0, &None));
    tenant.create_key("nobody").await;
    assert_eq!(revoke(&tenant, none).await.revoked_count, 1, "what found nothing is not kept");
}

#[tokio::test]
async fn all_keys_of_a_workspace_are_never_ended_by_leaving_the_filter_out() {
    let server = Server::shared().await;
    let mut tenant = server.workspace("careful").await;
    let made = tenant.create_key("careful").await;
    let refusal = tenant.client.keys.revoke_api_keys(request(&tenant)).await.refused();
    assert!(refusal.is_field("name_prefix"), "{refusal:?}");
    let prefix = "careful".to_owned();
    let unreasoned =
        wire::RevokeApiKeysRequest { name_prefix: prefix.clone(), reason: 0, ..request(&tenant) };
    let refusal = tenant.client.keys.revoke_api_keys(unreasoned).await.refused();
    assert!(refusal.is_field("reason"), "{refusal:?}");
    let wordless = wire::RevokeApiKeysRequest {
        name_prefix: prefix,
        reason: RevocationReason::Other.into(),
        ..request(&tenant)
    };
    let refusal = tenant.client.keys.revoke_api_keys(wordless).await.refused();
    assert!(refusal.is_field("reason_text"), "{refusal:?}");
    assert_eq!(tenant.verify(&made.secret).await.decision(), Decision::Accepted);
}
