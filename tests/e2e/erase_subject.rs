//! EraseSubject: what was sealed opens nowhere any more, and the log still proves itself.

use api::v1::erase_subject_request::Subject;
use api::v1::{self as wire, ErrorReason};
use harness::{Refused, Server, Tenant};

fn erase(tenant: &Tenant, subject: Subject) -> wire::EraseSubjectRequest {
    wire::EraseSubjectRequest {
        workspace_id: tenant.id.clone(),
        subject: Some(subject),
        ..Default::default()
    }
}

async fn erased(tenant: &Tenant, subject: Subject) -> wire::EraseSubjectResponse {
    let request = erase(tenant, subject);
    tenant.client.clone().workspaces.erase_subject(request).await.unwrap().into_inner()
}

/// A key of an owner with an address, a mail service and a webhook that have secrets.
async fn owned(tenant: &Tenant, user: &str, email: &str) -> String {
    let principal = Some(wire::owner::Principal::UserId(user.to_owned()));
    let request = wire::CreateApiKeyRequest {
        owner: Some(wire::Owner { owner_email: email.to_owned(), principal }),
        email: Some(wire::EmailServiceSettings {
            from_email: format!("from-{email}"),
            ..Default::default()
        }),
        ..tenant.key(user)
    };
    tenant.create(request).await.api_key.unwrap().key_id
}

/// The addresses that key and configuration show.
async fn shown(tenant: &Tenant, key_id: &str) -> (String, String, String) {
    let owner = tenant.read_key(key_id).await.owner.unwrap_or_default();
    let config = tenant.client.clone().keys.get_config(tenant.config(key_id)).await.unwrap();
    let config = config.into_inner().config.unwrap();
    (owner.owner_email, config.owner_email, config.email.unwrap_or_default().from_email)
}

fn addresses(of: &str) -> (String, String, String) {
    (of.to_owned(), of.to_owned(), format!("from-{of}"))
}

async fn log_is_sound(server: &Server) {
    let request = wire::VerifyLogRequest { max_events: 100_000, ..Default::default() };
    let checked = server.operator.clone().audit.verify_log(request).await.unwrap().into_inner();
    assert!(checked.sound, "{checked:?}");
}

#[tokio::test]
async fn what_was_sealed_for_a_user_is_gone_on_every_replica_and_nobody_elses() {
    let first = Server::start().await;
    let second = first.replica().await;
    let tenant = first.workspace("forgets").await;
    let there = second.tenant(&tenant);
    let gone = owned(&tenant, "jane", "jane@a.example").await;
    let stays = owned(&tenant, "joe", "joe@a.example").await;
    // Both replicas have the data keys in memory.
    for at in [&tenant, &there] {
        assert_eq!(shown(at, &gone).await, addresses("jane@a.example"));
        assert_eq!(shown(at, &stays).await, addresses("joe@a.example"));
    }
    let answer = erased(&tenant, Subject::OwnerUserId("jane".to_owned())).await;
    assert_eq!((answer.erased_key_count, &answer.key_ids[..]), (1, &[gone.clone()][..]));
    assert!(!answer.more && answer.barrier.unwrap().confirmed == 2);
    for at in [&tenant, &there] {
        assert_eq!(shown(at, &gone).await, Default::default());
        assert_eq!(shown(at, &stays).await, addresses("joe@a.example"));
    }
    log_is_sound(&first).await;
}

#[tokio::test]
async fn secrets_and_their_masks_are_gone_with_the_subject() {
    let server = Server::shared().await;
    let tenant = server.workspace("masks").await;
    let request = wire::CreateApiKeyRequest {
        webhook: Some(wire::WebhookServiceSettings {
            auth_token: "a-token-of-the-webhook-1234".to_owned(),
            ..Default::default()
        }),
        ..tenant.key("masks")
    };
    let key = tenant.create(request).await.api_key.unwrap().key_id;
    let mask = async || {
        let config = tenant.client.clone().keys.get_config(tenant.config(&key)).await.unwrap();
        config.into_inner().config.unwrap().webhook.unwrap_or_default().auth_token_mask
    };
    assert_ne!(mask().await, "");
    let service = server.bearer(&server.service(&[wire::Permission::Reveal], &[]).await);
    let reveal = wire::RevealConfigSecretRequest {
        workspace_id: tenant.id.clone(),
        key_id: key.clone(),
        field: "webhook.auth_token".to_owned(),
        ..Default::default()
    };
    service.clone().keys.reveal_config_secret(reveal.clone()).await.unwrap();
    erased(&tenant, Subject::KeyId(key.clone())).await;
    assert_eq!(mask().await, "");
    let refusal = service.keys.clone().reveal_config_secret(reveal).await.refused();
    assert_eq!(refusal.reason, ErrorReason::ConfigSecretNotFound);
}

#[tokio::test]
async fn an_erased_data_key_is_in_no_table() {
    let server = Server::start().await;
    let tenant = server.workspace("tables").await;
    let (gone, stays) =
        (owned(&tenant, "a", "a@a.example").await, owned(&tenant, "b", "b@b.b").await);
    let rows = async || {
        let sql = "SELECT count(*) FROM vault.data_keys";
        server.tables().row(sql, &[]).await.get::<_, i64>(0)
    };
    assert_eq!(rows().await, 2);
    erased(&tenant, Subject::KeyId(gone)).await;
    assert_eq!(rows().await, 1);
    assert_eq!(shown(&tenant, &stays).await, addresses("b@b.b"));
}

#[tokio::test]
async fn a_subject_is_found_by_its_address_in_any_case_and_among_the_dead() {
    let server = Server::shared().await;
    let mut tenant = server.workspace("addresses").await;
    let dead = owned(&tenant, "a", "Jane@a.example").await;
    tenant.client.keys.revoke_api_key(tenant.revoke(&dead)).await.unwrap();
    let deleted = owned(&tenant, "b", "jane@a.example").await;
    tenant.client.keys.delete_api_key(tenant.delete(&deleted)).await.unwrap();
    owned(&tenant, "c", "joe@a.example").await;
    let answer = erased(&tenant, Subject::OwnerEmail("JANE@A.example".to_owned())).await;
    let mut expected = vec![dead, deleted];
    expected.sort();
    assert_eq!(answer.key_ids, expected);
}

#[tokio::test]
async fn a_dry_run_counts_and_erases_nothing() {
    let server = Server::shared().await;
    let tenant = server.workspace("dry").await;
    let key = owned(&tenant, "a", "a@a.example").await;
    let events = server.tables().events_of(&tenant.id).await;
    let request = wire::EraseSubjectRequest {
        dry_run: true,
        ..erase(&tenant, Subject::WholeWorkspace(true))
    };
    let answer = tenant.client.clone().workspaces.erase_subject(request).await.unwrap();
    assert_eq!(answer.into_inner().erased_key_count, 1);
    assert_eq!(server.tables().events_of(&tenant.id).await, events);
    assert_eq!(shown(&tenant, &key).await, addresses("a@a.example"));
}

#[tokio::test]
async fn a_whole_workspace_goes_in_steps_of_500_keys() {
    let server = Server::start().await;
    let tenant = server.workspace("whole").await;
    let item = |number: usize| wire::ImportApiKeysItem {
        raw: format!("an-old-key-of-another-system-{number}"),
        api_key: Some(wire::ApiKey {
            name: "old".to_owned(),
            owner: Some(wire::Owner {
                owner_email: format!("{number}@a.example"),
                principal: None,
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let request = wire::ImportApiKeysRequest {
        workspace_id: tenant.id.clone(),
        items: (0..501).map(item).collect(),
        ..Default::default()
    };
    tenant.client.clone().keys.import_api_keys(request).await.unwrap();
    let first = erased(&tenant, Subject::WholeWorkspace(true)).await;
    assert_eq!((first.erased_key_count, first.more), (500, true));
    let request = wire::EraseSubjectRequest {
        after_key_id: first.key_ids.last().unwrap().clone(),
        ..erase(&tenant, Subject::WholeWorkspace(true))
    };
    let rest = tenant.client.clone().workspaces.erase_subject(request).await.unwrap().into_inner();
    assert_eq!((rest.erased_key_count, rest.more), (1, false));
    let left = "SELECT count(*) FROM vault.data_keys";
    assert_eq!(server.tables().row(left, &[]).await.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn an_erased_key_goes_on_verifying_and_takes_a_new_address() {
    let server = Server::shared().await;
    let mut tenant = server.workspace("goes on").await;
    let made = tenant.create_key("goes on").await;
    let key = made.api_key.unwrap();
    let answer = erased(&tenant, Subject::KeyId(key.key_id.clone())).await;
    assert!(tenant.verify(&made.secret).await.decision() == wire::Decision::Accepted);
    let owner = wire::Owner { owner_email: "new@a.example".to_owned(), principal: None };
    let with = wire::ApiKey { owner: Some(owner), ..Default::default() };
    let update = tenant.update(&key.key_id, &["owner.owner_email"], with);
    tenant.client.keys.update_api_key(update).await.unwrap();
    assert_eq!(shown(&tenant, &key.key_id).await.0, "new@a.example");
    let seen = tenant.all_events(tenant.events()).await;
    let kinds: Vec<_> = seen.iter().map(|event| event.kind.as_str()).collect();
    assert!(kinds.contains(&"api_key.subject_erased"), "{kinds:?}");
    assert!(!answer.consistency_token.is_empty());
}

#[tokio::test]
async fn a_repeated_request_answers_as_before_and_another_under_its_id_erases_nothing() {
    let server = Server::shared().await;
    let tenant = server.workspace("again").await;
    let (a, b) =
        (owned(&tenant, "a", "a@a.example").await, owned(&tenant, "b", "b@b.example").await);
    let ask = async |key: &str| {
        let request = wire::EraseSubjectRequest {
            request_id: "the-same-request-id".to_owned(),
            ..erase(&tenant, Subject::KeyId(key.to_owned()))
        };
        tenant.client.clone().workspaces.erase_subject(request).await
    };
    let first = ask(&a).await.unwrap().into_inner();
    assert_eq!(ask(&a).await.unwrap().into_inner().key_ids, first.key_ids);
    let refusal = ask(&b).await.refused();
    assert_eq!(refusal.reason, ErrorReason::RequestIdReused);
    assert_eq!(shown(&tenant, &b).await, addresses("b@b.example"));
}

#[tokio::test]
async fn what_is_kept_beside_the_log_goes_with_it() {
    let server = Server::start().await;
    let tenant = server.workspace("beside").await;
    let request = wire::CreateApiKeyRequest {
        request_id: "an-answer-that-is-kept".to_owned(),
        ..tenant.key("kept")
    };
    let key = tenant.create(request).await.api_key.unwrap().key_id;
    let kept = "SELECT count(*) FROM log.requests WHERE sealed_reply IS NOT NULL";
    assert_eq!(server.tables().row(kept, &[]).await.get::<_, i64>(0), 1);
    tenant.read_key(&key).await;
    let uuid = "SELECT key_id FROM readmodel.keys";
    let uuid: uuid::Uuid = server.tables().row(uuid, &[]).await.get(0);
    server
        .tables()
        .run(&format!(
            "INSERT INTO usage.credentials SELECT '{uuid}', decode(repeat('00', 12), 'hex'), \
             workspace_id, now(), '10.0.0.1', 'curl', 1, 0 FROM readmodel.keys"
        ))
        .await;
    erased(&tenant, Subject::KeyId(key)).await;
    assert_eq!(server.tables().row(kept, &[]).await.get::<_, i64>(0), 0);
    let places = "SELECT count(last_used_ip) + count(last_used_user_agent), count(last_used_at) \
                  FROM usage.credentials";
    let places = server.tables().row(places, &[]).await;
    assert_eq!((places.get::<_, i64>(0), places.get::<_, i64>(1)), (0, 1));
}

#[tokio::test]
async fn a_subject_must_be_named_and_be_there() {
    let server = Server::shared().await;
    let (tenant, other) = (server.workspace("named").await, server.workspace("other").await);
    let foreign = owned(&other, "a", "a@a.example").await;
    let ask =
        async |request| tenant.client.clone().workspaces.erase_subject(request).await.refused();
    let none = wire::EraseSubjectRequest { workspace_id: tenant.id.clone(), ..Default::default() };
    assert_eq!(ask(none).await.field, "subject");
    let not_true = erase(&tenant, Subject::WholeWorkspace(false));
    assert_eq!(ask(not_true).await.field, "whole_workspace");
    let nonsense = erase(&tenant, Subject::OwnerEmail("nonsense".to_owned()));
    assert_eq!(ask(nonsense).await.field, "owner_email");
    let missing = crate::asks::missing(&foreign);
    for key in [&foreign, &missing] {
        let refusal = ask(erase(&tenant, Subject::KeyId(key.clone()))).await;
        assert_eq!(refusal.reason, ErrorReason::ApiKeyNotFound);
    }
    assert_eq!(shown(&other, &foreign).await, addresses("a@a.example"));
}
