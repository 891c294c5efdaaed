//! What changes of the e-mail and of the webhook configuration have in common.
//!
//! A secret is put before the rest is changed, which may need it, and taken away after it. A failure in
//! between leaves what came before it done, and the same request again does the rest. So that it is no wrong
//! member that fails in between, the rest is asked about first, under an etag that no configuration has.

use api::v1::{
    Config, DeleteConfigSecretRequest, ErrorReason, PutConfigSecretRequest, UpdateConfigRequest,
};
use http::StatusCode;
use prost_types::FieldMask;

use super::body::request_id;
use super::holder::Holder;
use crate::call::Call;
use crate::refusal::Refusal;

/// The etag of no configuration: one that there is has had an event.
const NEVER: &str = "\"0\"";

/// What is to be different.
#[derive(Default)]
pub(super) struct Changes {
    /// New values.
    pub(super) config: Config,
    /// The fields that get them.
    pub(super) paths: Vec<&'static str>,
    /// A new secret; an empty one is none from now on.
    pub(super) secret: Option<String>,
}

/// Where the secret of a configuration is: of the service, and of the product.
pub(super) struct Secret {
    pub(super) field: &'static str,
    pub(super) member: &'static str,
}

impl Changes {
    /// Notes that a field gets its value of `config`.
    pub(super) fn set(&mut self, path: &'static str) {
        self.paths.push(path);
    }

    /// Makes the changes; answers with the configuration then.
    ///
    /// # Errors
    /// There are none, or the service refuses.
    pub(super) async fn make(
        self,
        call: &Call,
        holder: &Holder,
        secret: &Secret,
    ) -> Result<Config, Refusal> {
        let asked = Asked { call, holder, secret, request_id: request_id(call)? };
        let mut now = None;
        let Self { config, paths, secret: new } = self;
        let (put, delete) = match new {
            Some(text) if text.is_empty() => (None, true),
            put => (put, false),
        };
        if let Some(text) = put {
            if !paths.is_empty() {
                asked.would_take(&config, &paths).await?;
            }
            now = Some(asked.put(text).await?);
        }
        if !paths.is_empty() {
            now = Some(asked.update(config, &paths, String::new()).await?);
        }
        if delete {
            now = Some(asked.delete().await?);
        }
        now.ok_or_else(|| {
            let message = "At least one field must be provided for update";
            Refusal::of_http(StatusCode::BAD_REQUEST, ErrorReason::FieldInvalid, message)
        })
    }
}

struct Asked<'c> {
    call: &'c Call,
    holder: &'c Holder,
    secret: &'c Secret,
    request_id: String,
}

impl Asked<'_> {
    /// The idempotency key of one of several requests to the service.
    fn part(&self, name: &str) -> String {
        match self.request_id.as_str() {
            "" => String::new(),
            request_id => format!("{request_id}/{name}"),
        }
    }

    /// Refuses what would be refused with the secret there.
    async fn would_take(&self, config: &Config, paths: &[&'static str]) -> Result<(), Refusal> {
        let asked = self.update(config.clone(), paths, NEVER.to_owned()).await;
        let Err(refusal) = asked else { return Ok(()) };
        let lacks_secret = refusal.violation().is_some_and(|(path, _)| path == self.secret.member);
        if lacks_secret || refusal.reason() == ErrorReason::EtagMismatch.as_reason() {
            return Ok(());
        }
        Err(refusal)
    }

    async fn update(
        &self,
        config: Config,
        paths: &[&'static str],
        etag: String,
    ) -> Result<Config, Refusal> {
        let (workspace_id, key_id) = self.holder.names();
        let request_id = if etag.is_empty() { self.part("fields") } else { String::new() };
        let message = UpdateConfigRequest {
            workspace_id,
            key_id,
            config: Some(config),
            update_mask: Some(FieldMask { paths: paths.iter().map(|&path| path.into()).collect() }),
            etag,
            request_id,
            ..UpdateConfigRequest::default()
        };
        let request = self.holder.request(self.call, message);
        let updated = self.call.keys().update_config(request).await;
        let answer = updated.map_err(|status| named(status.into(), self.secret))?.into_inner();
        answer.config.ok_or_else(Refusal::internal)
    }

    async fn put(&self, text: String) -> Result<Config, Refusal> {
        let (workspace_id, key_id) = self.holder.names();
        let message = PutConfigSecretRequest {
            workspace_id,
            key_id,
            field: self.secret.field.to_owned(),
            secret: text,
            request_id: self.part("secret"),
            ..PutConfigSecretRequest::default()
        };
        let request = self.holder.request(self.call, message);
        let put = self.call.keys().put_config_secret(request).await;
        let answer = put.map_err(|status| named(status.into(), self.secret))?.into_inner();
        answer.config.ok_or_else(Refusal::internal)
    }

    async fn delete(&self) -> Result<Config, Refusal> {
        let (workspace_id, key_id) = self.holder.names();
        let message = DeleteConfigSecretRequest {
            workspace_id,
            key_id,
            field: self.secret.field.to_owned(),
            request_id: self.part("secret"),
            ..DeleteConfigSecretRequest::default()
        };
        let request = self.holder.request(self.call, message);
        let deleted = self.call.keys().delete_config_secret(request).await;
        let answer = deleted.map_err(|status| named(status.into(), self.secret))?.into_inner();
        answer.config.ok_or_else(Refusal::internal)
    }
}

/// The service calls every secret the same, and says by which of its RPCs it is put.
fn named(refusal: Refusal, secret: &Secret) -> Refusal {
    match refusal.service_violation() {
        Some(("secret" | "field", rule)) => Refusal::field(secret.member, rule),
        Some((path, _)) if path.strip_prefix("config.") == Some(secret.field) => {
            Refusal::field(secret.member, "is required when the service is enabled")
        }
        Some(_) | None => refusal,
    }
}
