//! RevealConfigSecret: one secret in clear, to the service that uses it, and written down before.

use api::v1::{self as wire, ErrorReason};
use harness::{Client, Refused, Server, Tenant};

const SECRET: &str = "sk-a-secret-of-a-providerXyZ";

async fn key_with(tenant: &Tenant, field: &str, secret: &str) -> String {
    let key_id = tenant.create_key("key").await.api_key.unwrap().key_id;
    put(tenant, &key_id, field, secret).await;
    key_id
}

async fn put(tenant: &Tenant, key_id: &str, field: &str, secret: &str) {
    let request = tenant.put_secret(key_id, field, secret);
    tenant.client.clone().keys.put_config_secret(request).await.unwrap();
}

async fn service(server: &Server, tenant: &Tenant) -> Client {
    server.bearer(&server.service(&[wire::Permission::Reveal], &[tenant]).await)
}

/// What it is shown, or why not.
async fn shown(
    client: &Client,
    request: wire::RevealConfigSecretRequest,
) -> Result<String, ErrorReason> {
    match client.keys.clone().reveal_config_secret(request).await {
        Ok(answer) => Ok(answer.into_inner().secret),
        failed => Err(failed.refused().reason),
    }
}

mod accepted {
    use super::*;

    #[tokio::test]
    async fn each_secret_comes_back_as_it_was_put_last() {
        let server = Server::shared().await;
        let tenant = server.workspace("shown").await;
        let service = service(&server, &tenant).await;
        let key_id = tenant
            .create(crate::create_api_key::everything(&tenant, server.clock.now().as_second()))
            .await;
        let key_id = key_id.api_key.unwrap().key_id;
        let made = crate::create_api_key::everything(&tenant, server.clock.now().as_second());
        let reveal = async |field| shown(&service, tenant.reveal(&key_id, field)).await;
        // Those that came with the key are at the same places.
        assert_eq!(reveal("email.api_key").await, Ok(made.email.unwrap().api_key));
        assert_eq!(reveal("webhook.auth_token").await, Ok(made.webhook.unwrap().auth_token));
        for field in ["email.api_key", "webhook.auth_token", "ai_models.openai", "ai_models.other"]
        {
            for secret in [format!("first-of-{field}"), format!("second-of-{field}")] {
                put(&tenant, &key_id, field, &secret).await;
                assert_eq!(reveal(field).await, Ok(secret));
            }
        }
        assert_eq!(reveal("ai_models.openai").await.unwrap(), "second-of-ai_models.openai");
    }

    #[tokio::test]
    async fn each_answer_is_an_event_and_the_configuration_stays_as_it_was() {
        let server = Server::shared().await;
        let tenant = server.workspace("audit").await;
        let service = service(&server, &tenant).await;
        let key_id = key_with(&tenant, "ai_models.openai", SECRET).await;
        let before = tenant.read_config(&key_id).await;
        for reason in ["", "nightly summary"] {
            let request = wire::RevealConfigSecretRequest {
                reason_text: reason.to_owned(),
                ..tenant.reveal(&key_id, "ai_models.openai")
            };
            assert_eq!(shown(&service, request).await.as_deref(), Ok(SECRET));
        }
        let request = wire::ListEventsRequest { key_id: key_id.clone(), ..tenant.events() };
        let mut events = tenant.all_events(request).await;
        events.retain(|event| event.kind == "config.secret_revealed");
        events.sort_by_key(|event| event.position);
        let told: Vec<_> = events
            .iter()
            .map(|event| {
                assert!(event.actor.starts_with("service:svc_"), "{event:?}");
                assert_eq!((&event.key_id, event.caller_address.is_empty()), (&key_id, false));
                let fields = &event.payload.as_ref().unwrap().fields;
                let text = |name: &str| match &fields[name].kind {
                    Some(prost_types::value::Kind::StringValue(text)) => text.clone(),
                    other => panic!("{name}: {other:?}"),
                };
                (text("field"), text("reason"))
            })
            .collect();
        let field = || "ai_models.openai".to_owned();
        assert_eq!(told, [(field(), String::new()), (field(), "nightly summary".to_owned())]);
        assert!(!format!("{events:?}").contains(SECRET));
        assert_eq!(tenant.read_config(&key_id).await, before);
        let etag = before.etag.clone();
        let update = wire::UpdateConfigRequest {
            etag,
            ..tenant.update_config(
                &key_id,
                &["require_jwt_token"],
                wire::Config { require_jwt_token: true, ..before },
            )
        };
        tenant.client.clone().keys.update_config(update).await.unwrap();
    }

    #[tokio::test]
    async fn a_key_that_is_switched_off_keeps_its_secrets() {
        let server = Server::shared().await;
        let tenant = server.workspace("off").await;
        let service = service(&server, &tenant).await;
        let key_id = key_with(&tenant, "email.api_key", SECRET).await;
        let mut keys = tenant.client.clone().keys;
        keys.disable_api_key(tenant.disable(&key_id)).await.unwrap();
        let request = tenant.reveal(&key_id, "email.api_key");
        assert_eq!(shown(&service, request).await.as_deref(), Ok(SECRET));
    }
}

mod refused {
    use super::*;

    #[tokio::test]
    async fn a_secret_that_is_not_there_is_not_found() {
        let server = Server::shared().await;
        let tenant = server.workspace("nothing").await;
        let service = service(&server, &tenant).await;
        let key_id = key_with(&tenant, "ai_models.openai", SECRET).await;
        for field in ["email.api_key", "webhook.auth_token", "ai_models.other"] {
            let request = tenant.reveal(&key_id, field);
            let refused = service.keys.clone().reveal_config_secret(request).await.refused();
            assert_eq!(refused.reason, ErrorReason::ConfigSecretNotFound);
            assert_eq!(refused.resource.unwrap().1, format!("{key_id}/{field}"));
        }
        let kinds = tenant.kinds_of(&key_id).await;
        assert!(!kinds.contains(&"config.secret_revealed".to_owned()), "{kinds:?}");
    }

    #[tokio::test]
    async fn a_secret_whose_data_key_is_gone_is_gone_for_good() {
        let server = Server::start().await;
        let tenant = server.workspace("erased").await;
        let key_id = key_with(&tenant, "ai_models.openai", SECRET).await;
        server.tables().run("DELETE FROM vault.data_keys").await;
        // Another node, which has never opened it.
        let replica = server.replica().await;
        let service = service(&replica, &tenant).await;
        let request = tenant.reveal(&key_id, "ai_models.openai");
        assert_eq!(shown(&service, request).await, Err(ErrorReason::SubjectErased));
        let kinds = replica.tenant(&tenant).kinds_of(&key_id).await;
        assert!(!kinds.contains(&"config.secret_revealed".to_owned()), "{kinds:?}");
    }

    #[tokio::test]
    async fn the_secrets_of_a_revoked_or_deleted_key_are_shown_to_nobody() {
        let server = Server::shared().await;
        let tenant = server.workspace("dead").await;
        let service = service(&server, &tenant).await;
        let revoked = key_with(&tenant, "ai_models.openai", SECRET).await;
        let deleted = key_with(&tenant, "ai_models.openai", SECRET).await;
        tenant.revoke_key(&revoked).await;
        tenant.client.clone().keys.delete_api_key(tenant.delete(&deleted)).await.unwrap();
        for (id, reason) in
            [(revoked, ErrorReason::ApiKeyRevoked), (deleted, ErrorReason::ApiKeyDeleted)]
        {
            let request = tenant.reveal(&id, "ai_models.openai");
            assert_eq!(shown(&service, request).await, Err(reason));
        }
    }

    #[tokio::test]
    async fn what_can_not_be_written_down_is_not_shown() {
        let server = Server::start().await;
        let tenant = server.workspace("unrecorded").await;
        let service = service(&server, &tenant).await;
        let key_id = key_with(&tenant, "ai_models.openai", SECRET).await;
        let request = tenant.reveal(&key_id, "ai_models.openai");
        assert_eq!(shown(&service, request.clone()).await.as_deref(), Ok(SECRET));
        let refuse = "CREATE FUNCTION log.refuse() RETURNS trigger LANGUAGE plpgsql AS \
            $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = 'disk_full'; END $$; \
            CREATE TRIGGER refuse BEFORE INSERT ON log.events \
            FOR EACH ROW EXECUTE FUNCTION log.refuse()";
        server.tables().run(refuse).await;
        let refused = service.keys.clone().reveal_config_secret(request).await.refused();
        assert_eq!(refused.reason, ErrorReason::DatabaseUnavailable);
        assert!(!format!("{refused:?}").contains(SECRET));
    }
}
