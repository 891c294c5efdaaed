-- How credentials are used: written in batches by every node, from what it has coalesced in memory.
-- Outside the log: nothing here is part of the history, and a crash may lose some seconds of it.
-- Addresses and user agents are personal data; deleting rows here forgets them, and breaks nothing.

CREATE SCHEMA usage;

-- One row a credential that a verdict was given on.
CREATE TABLE usage.credentials (
    key_id               uuid        NOT NULL,
    kid                  bytea       NOT NULL CHECK (octet_length(kid) = 12),
    workspace_id         uuid        NOT NULL,
    -- The last accepted use. Null: every verdict so far was a denial.
    last_used_at         timestamptz,
    last_used_ip         inet,
    -- Up to 512 bytes.
    last_used_user_agent text,
    -- Verdicts since the beginning.
    accepted             bigint      NOT NULL,
    denied               bigint      NOT NULL,
    PRIMARY KEY (key_id, kid)
) WITH (fillfactor = 80);

-- Verdicts by hour, kept for 90 days.
CREATE TABLE usage.hours (
    key_id  uuid        NOT NULL,
    hour    timestamptz NOT NULL,
    kid     bytea       NOT NULL,
    -- 0: accepted; else the number of the wire's Denial.
    verdict smallint    NOT NULL,
    count   bigint      NOT NULL,
    PRIMARY KEY (key_id, hour, kid, verdict)
) WITH (fillfactor = 80);

-- For deleting what is old. Rows come nearly in the order of time, so that ranges will do.
CREATE INDEX hours_by_time ON usage.hours USING brin (hour) WITH (pages_per_range = 32);

GRANT USAGE ON SCHEMA usage TO keyward_writer;
GRANT SELECT, INSERT, UPDATE ON usage.credentials TO keyward_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON usage.hours TO keyward_writer;
