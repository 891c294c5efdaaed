-- Tables folded from the log. Nothing here is the only copy of anything: `keyward rebuild` makes
-- each of them anew.
--
-- Every row carries the stream's revision (its etag) and the position of the last event in it, by
-- which every write is guarded. There are no foreign keys: projections go at their own pace, and a
-- rebuild fills one projection's tables beside the old ones.

CREATE SCHEMA IF NOT EXISTS readmodel;

-- Projection `keys`.
CREATE TABLE readmodel.keys (
    key_id          uuid        PRIMARY KEY,
    workspace_id    uuid        NOT NULL,
    name            text        NOT NULL,
    env             text        NOT NULL,
    principal_kind  text,
    principal_id    text,
    -- Version byte, data key id, then nonce, ciphertext and tag.
    owner_email     bytea,
    description     text        NOT NULL,
    scopes          text[]      NOT NULL,
    -- NULL: from anywhere. Empty: from nowhere.
    ip_allowlist    text[],
    domains         text[]      NOT NULL,
    allow_localhost boolean     NOT NULL,
    not_before      timestamptz,
    expires_at      timestamptz,
    metadata        jsonb       NOT NULL,
    created_by      text        NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    disabled_at     timestamptz,
    revoked_at      timestamptz,
    revoked_by      text,
    revoked_reason  text,
    revoked_text    text,
    revision        bigint      NOT NULL,
    position        bigint      NOT NULL
);
CREATE INDEX keys_newest_idx ON readmodel.keys (workspace_id, created_at DESC, key_id DESC);
CREATE INDEX keys_id_idx ON readmodel.keys (workspace_id, key_id);
CREATE INDEX keys_env_idx ON readmodel.keys (workspace_id, env, created_at DESC, key_id DESC);
CREATE INDEX keys_principal_idx ON readmodel.keys (workspace_id, principal_id, principal_kind)
    WHERE principal_id IS NOT NULL;
CREATE INDEX keys_name_idx ON readmodel.keys (workspace_id, name text_pattern_ops);
CREATE INDEX keys_expiry_idx ON readmodel.keys (workspace_id, expires_at)
    WHERE expires_at IS NOT NULL;

CREATE TABLE readmodel.credentials (
    kid          bytea       PRIMARY KEY,
    key_id       uuid        NOT NULL,
    workspace_id uuid        NOT NULL,
    generation   integer     NOT NULL,
    pepper       integer     NOT NULL,
    algorithm    text        NOT NULL,
    digest       bytea       NOT NULL,
    created_at   timestamptz NOT NULL,
    not_after    timestamptz,
    position     bigint      NOT NULL
);
CREATE INDEX credentials_key_idx ON readmodel.credentials (key_id, generation);

-- Workspaces that have an event this projection could not read: what it shows of them may be stale.
CREATE TABLE readmodel.keys_quarantine (
    workspace_id text   PRIMARY KEY,
    position     bigint NOT NULL,
    reason       text   NOT NULL
);

-- Projection `configs`.
CREATE TABLE readmodel.configs (
    key_id       uuid        PRIMARY KEY,
    workspace_id uuid        NOT NULL,
    -- `json`, not `jsonb`, which would write numbers anew.
    settings     json        NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    revision     bigint      NOT NULL,
    position     bigint      NOT NULL
);

CREATE TABLE readmodel.configs_quarantine (LIKE readmodel.keys_quarantine INCLUDING ALL);

-- Projection `workspaces`.
CREATE TABLE readmodel.workspaces (
    workspace_id     uuid        PRIMARY KEY,
    name             text        NOT NULL,
    created_by       text        NOT NULL,
    token_kid        bytea       NOT NULL,
    token_pepper     integer     NOT NULL,
    token_algorithm  text        NOT NULL,
    token_digest     bytea       NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    suspended_at     timestamptz,
    suspended_reason text,
    revision         bigint      NOT NULL,
    position         bigint      NOT NULL
);

CREATE TABLE readmodel.service_credentials (
    service_credential_id uuid        PRIMARY KEY,
    name                  text        NOT NULL,
    created_by            text        NOT NULL,
    permissions           text[]      NOT NULL,
    -- Empty: every workspace.
    workspaces            uuid[]      NOT NULL,
    -- Empty: both.
    envs                  text[]      NOT NULL,
    kid                   bytea       NOT NULL,
    pepper                integer     NOT NULL,
    algorithm             text        NOT NULL,
    digest                bytea       NOT NULL,
    created_at            timestamptz NOT NULL,
    revoked_at            timestamptz,
    revision              bigint      NOT NULL,
    position              bigint      NOT NULL
);
CREATE INDEX service_credentials_newest_idx
    ON readmodel.service_credentials (created_at DESC, service_credential_id DESC);

CREATE TABLE readmodel.workspaces_quarantine (LIKE readmodel.keys_quarantine INCLUDING ALL);

GRANT USAGE ON SCHEMA readmodel TO keyward_writer, keyward_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA readmodel TO keyward_writer, keyward_reader;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA readmodel TO keyward_writer;
