//! The service through the wire: one module per RPC, in it one per outcome, and one module per promise.
//!
//! Deliberately not here: the rules themselves, which are specified beside the deciders, and whatever
//! needs a second program: the service's own tests start the real binary.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod asks;

mod audit_list_events;
mod audit_log;
mod audit_verify_at;
mod audit_watch_events;
mod auth_token_calls;
mod batch_verify_keys;
mod create_api_key;
mod create_workspace;
mod deadlines;
mod delete_api_key;
mod delete_config_secret;
mod disable_api_key;
mod enable_api_key;
mod erase_subject;
mod get_api_key;
mod get_config;
mod get_key_usage;
mod get_workspace;
mod import_api_keys;
mod issue_auth_token;
mod jwt_corpus;
mod jwt_https;
mod jwt_rotation;
mod jwt_users;
mod large;
mod list_api_keys;
mod list_auth_tokens;
mod put_config_secret;
mod reset_auth_token;
mod reset_workspace_token;
mod resume_workspace;
mod reveal_config_secret;
mod revoke_api_key;
mod revoke_api_keys;
mod revoke_auth_token;
mod rotate_api_key;
mod service_credentials;
mod service_identities;
mod suspend_workspace;
mod update_api_key;
mod update_config;
mod verify_key;

mod bad_input;
mod barrier;
mod callers;
mod clocks;
mod environments;
mod ext_authz;
mod failover;
mod follow_standby;
mod freshness;
mod guesses;
mod malformed;
mod outage;
mod overload;
mod quarantine;
mod reads_see_writes;
mod reasons;
mod replay;
mod request_id;
mod secrets_at_rest;
mod tenancy;
mod usage;
