-- The event log: one dense, append-only, tamper-evident sequence of facts.

-- One row. The lock on it orders all appends; `mac` stays empty until the first writer, which knows
-- the chain key, sets the genesis MAC.
CREATE TABLE log.head (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    log_id   uuid    NOT NULL,
    epoch    integer NOT NULL,
    position bigint  NOT NULL CHECK (position >= 0),
    mac      bytea   NOT NULL
);
INSERT INTO log.head (log_id, epoch, position, mac) VALUES (gen_random_uuid(), 1, 0, '');

-- Payload and metadata are bytea, not json: the MAC covers the exact bytes.
CREATE TABLE log.events (
    position     bigint      PRIMARY KEY CHECK (position > 0),
    stream       text        NOT NULL,
    revision     bigint      NOT NULL CHECK (revision > 0),
    event_id     uuid        NOT NULL,
    kind         text        NOT NULL,
    schema       integer     NOT NULL,
    workspace_id text,
    payload      bytea       NOT NULL,
    metadata     bytea       NOT NULL,
    recorded_at  timestamptz NOT NULL,
    mac          bytea       NOT NULL CHECK (octet_length(mac) = 32),
    CONSTRAINT events_stream_revision_key UNIQUE (stream, revision),
    CONSTRAINT events_event_id_key UNIQUE (event_id)
);

CREATE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'log.events is append-only: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER events_row_append_only
    BEFORE UPDATE OR DELETE ON log.events
    FOR EACH ROW EXECUTE FUNCTION log.refuse_change();
-- The statement triggers also speak when no row matches.
CREATE TRIGGER events_statement_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON log.events
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

-- Idempotency of clients' requests, written in the append's transaction.
CREATE TABLE log.requests (
    workspace      text        NOT NULL,
    caller         text        NOT NULL,
    rpc            text        NOT NULL,
    request_id     text        NOT NULL,
    content_digest bytea       NOT NULL CHECK (octet_length(content_digest) = 32),
    position       bigint      NOT NULL,
    sealed_reply   bytea,
    expires_at     timestamptz NOT NULL,
    PRIMARY KEY (workspace, caller, rpc, request_id)
);
CREATE INDEX requests_expires_at_idx ON log.requests (expires_at);

-- Heartbeats, updated in place five times a second and verifier: room on the page keeps them HOT.
CREATE TABLE log.verifiers (
    verifier_id      text        PRIMARY KEY,
    applied_position bigint      NOT NULL,
    beat_at          timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE log.checkpoints (
    name       text        PRIMARY KEY,
    position   bigint      NOT NULL CHECK (position >= 0),
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 50);

GRANT USAGE ON SCHEMA log TO keyward_writer, keyward_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA log TO keyward_writer, keyward_reader;
REVOKE SELECT ON log.requests FROM keyward_reader;
GRANT INSERT ON log.events TO keyward_writer;
GRANT UPDATE (position, mac) ON log.head TO keyward_writer;
GRANT INSERT, UPDATE, DELETE ON log.requests, log.verifiers, log.checkpoints TO keyward_writer;
