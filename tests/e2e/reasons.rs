//! Every reason of `error_reason.proto` is met by a test that is named here, or says why it is not.

use std::path::Path;

use api::v1::ErrorReason;

/// Where a reason is met.
enum Met {
    /// In this file of this folder, by this test.
    Here(&'static str, &'static str),
    /// Not in this program; why.
    Elsewhere(&'static str),
}

use Met::{Elsewhere, Here};

const REASONS: &[(ErrorReason, Met)] = &[
    (ErrorReason::Unspecified, Elsewhere("never sent")),
    (
        ErrorReason::FieldInvalid,
        Here("bad_input.rs", "every_field_of_create_api_key_is_refused_by_its_path_and_rule"),
    ),
    (
        ErrorReason::PageTokenInvalid,
        Here("list_api_keys.rs", "a_page_token_is_good_for_its_own_list_and_unchanged_only"),
    ),
    (
        ErrorReason::MessageTooLarge,
        Here(
            "malformed.rs",
            "a_message_of_65_kib_is_too_large_where_no_list_of_addresses_is_taken",
        ),
    ),
    (ErrorReason::MessageMalformed, Here("malformed.rs", "text_that_is_not_utf_8_is_malformed")),
    (
        ErrorReason::ConsistencyTokenForeignLog,
        Here("reads_see_writes.rs", "a_token_of_another_log_is_refused_by_every_read"),
    ),
    (
        ErrorReason::CredentialMissing,
        Here("callers.rs", "a_call_without_a_credential_is_unauthenticated"),
    ),
    (
        ErrorReason::CredentialInvalid,
        Here("callers.rs", "whatever_is_no_bearer_token_of_ours_is_invalid"),
    ),
    (ErrorReason::TwoCredentials, Here("callers.rs", "two_credentials_are_one_too_many")),
    (
        ErrorReason::PermissionDenied,
        Here("callers.rs", "every_caller_may_do_what_the_table_says_and_no_more"),
    ),
    (
        ErrorReason::WorkspaceNotFound,
        Here("get_workspace.rs", "the_operator_is_told_when_there_is_none"),
    ),
    (ErrorReason::ApiKeyNotFound, Here("get_api_key.rs", "a_key_that_was_never_made_is_not_found")),
    (
        ErrorReason::ConfigNotFound,
        Here("get_config.rs", "a_key_that_was_never_made_has_no_configuration"),
    ),
    (
        ErrorReason::ServiceCredentialNotFound,
        Here("service_credentials.rs", "what_was_never_made_cannot_be_revoked_or_bound_to"),
    ),
    (
        ErrorReason::ConfigSecretNotFound,
        Here("reveal_config_secret.rs", "a_secret_that_is_not_there_is_not_found"),
    ),
    (
        ErrorReason::SubjectErased,
        Here("reveal_config_secret.rs", "a_secret_whose_data_key_is_gone_is_gone_for_good"),
    ),
    (
        ErrorReason::AuthTokenNotFound,
        Here("revoke_auth_token.rs", "a_token_that_is_not_of_this_key_cannot_be_revoked"),
    ),
    (
        ErrorReason::TooManyAuthTokens,
        Here("issue_auth_token.rs", "a_key_has_at_most_twenty_live_tokens"),
    ),
    (
        ErrorReason::RequestIdReused,
        Here("request_id.rs", "other_content_under_the_same_request_id_is_refused"),
    ),
    (
        ErrorReason::RequestAlreadyAnswered,
        Here("request_id.rs", "after_ten_minutes_the_secrets_are_gone_and_the_key_is_named"),
    ),
    (ErrorReason::ApiKeyRevoked, Here("enable_api_key.rs", "a_revoked_key_stays_revoked")),
    (
        ErrorReason::WorkspaceSuspended,
        Here("create_api_key.rs", "a_suspended_workspace_gets_no_new_keys_until_it_is_resumed"),
    ),
    (ErrorReason::ApiKeyDeleted, Here("delete_api_key.rs", "a_deleted_key_takes_no_other_change")),
    (
        ErrorReason::RotationGraceRunning,
        Here("rotate_api_key.rs", "a_second_rotation_inside_the_grace_needs_force"),
    ),
    (
        ErrorReason::ApiKeyExpired,
        Here("rotate_api_key.rs", "a_revoked_deleted_or_expired_key_cannot_be_rotated"),
    ),
    (
        ErrorReason::UndeleteWindowOver,
        Here("delete_api_key.rs", "after_thirty_days_there_is_no_way_back"),
    ),
    (
        ErrorReason::ApiKeyAlreadyImported,
        Here("import_api_keys.rs", "a_key_is_imported_once_in_a_deployment"),
    ),
    (
        ErrorReason::ServiceIdentityTaken,
        Here("service_identities.rs", "one_identity_is_one_live_service_credential"),
    ),
    (
        ErrorReason::EtagMismatch,
        Here("disable_api_key.rs", "a_stale_etag_changes_nothing_and_the_fresh_one_does"),
    ),
    (
        ErrorReason::ConcurrentChange,
        Elsewhere("needs eight lost races in a row; the log's contract tests show the conflict"),
    ),
    (ErrorReason::StartingUp, Elsewhere("the tests of VerifyKey's freshness")),
    (ErrorReason::StalenessBoundExceeded, Elsewhere("the tests of VerifyKey's freshness")),
    (
        ErrorReason::ConsistencyTokenNotReached,
        Here(
            "reads_see_writes.rs",
            "a_token_that_the_log_has_not_reached_is_not_waited_for_in_vain",
        ),
    ),
    (
        ErrorReason::ProjectionLagging,
        Here(
            "reads_see_writes.rs",
            "a_read_model_that_stands_still_is_not_read_as_if_it_were_fresh",
        ),
    ),
    (ErrorReason::DatabaseUnavailable, Elsewhere("the tests of an outage")),
    (ErrorReason::CommitOutcomeUnknown, Elsewhere("the log's contract tests cut a commit")),
    (ErrorReason::Overloaded, Here("overload.rs", "a_burst_beyond_the_limit_is_shed")),
    (
        ErrorReason::ShuttingDown,
        Elsewhere("the service's own tests drain the real binary under calls"),
    ),
    (
        ErrorReason::DeadlineExceeded,
        Here("malformed.rs", "a_deadline_that_cannot_be_kept_is_exceeded"),
    ),
    (
        ErrorReason::LogUnsound,
        Elsewhere("a write between a loss and its discovery; the log's contract tests show it"),
    ),
    (
        ErrorReason::LargeMessagesExhausted,
        Elsewhere("the service's own tests fill the room of the real binary"),
    ),
    (
        ErrorReason::WatchesExhausted,
        Here("audit_watch_events.rs", "a_server_holds_so_many_streams_and_no_more"),
    ),
    (
        ErrorReason::GuessesExhausted,
        Here("guesses.rs", "past_its_limit_a_caller_learns_nothing_of_guesses_and_all_of_keys"),
    ),
    (
        ErrorReason::IdentityProviderUnavailable,
        Here("jwt_rotation.rs", "without_keys_nothing_is_said_of_a_token"),
    ),
    (
        ErrorReason::ServiceUnreachable,
        Elsewhere("the gateway's alone: tests/gateway/readiness.rs stops the service"),
    ),
    (
        ErrorReason::AddressLimited,
        Elsewhere("the gateway's alone: tests/gateway/limits.rs asks too much from an address"),
    ),
    (ErrorReason::Internal, Elsewhere("a fault of ours; every other test would fail on it")),
    (ErrorReason::MethodUnknown, Here("malformed.rs", "a_method_that_is_not_there_is_unknown")),
];

#[test]
fn every_reason_is_in_the_list_once() {
    let declared: Vec<_> = (0..1_000).filter_map(|n| ErrorReason::try_from(n).ok()).collect();
    let mut listed: Vec<_> = REASONS.iter().map(|(reason, _)| *reason).collect();
    listed.sort_by_key(|&reason| i32::from(reason));
    assert_eq!(listed, declared);
}

#[test]
fn every_test_of_the_list_is_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e");
    for (reason, met) in REASONS {
        match met {
            Here(file, test) => {
                let text = std::fs::read_to_string(folder.join(file)).unwrap();
                assert!(text.contains(&format!("async fn {test}()")), "{reason:?}: {test}");
                let variant = format!("ErrorReason::{reason:?}");
                let field = *reason == ErrorReason::FieldInvalid;
                assert!(field || text.contains(&variant), "{file} never names {variant}");
            }
            Elsewhere(why) => assert!(!why.is_empty()),
        }
    }
}
