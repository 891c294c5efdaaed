-- What nodes and commands know of each other's key rings: ids, never a key.

-- Since when new values may have been made under a key: a ring without it is refused from then on, until
-- the key is retired. Those from before this table counts as in use.
ALTER TABLE vault.key_checks
    ADD COLUMN active_since timestamptz,
    ADD COLUMN retired_at   timestamptz;
UPDATE vault.key_checks SET active_since = clock_timestamp();

-- Which keys each node has, as purpose and id (`kek 2`), and which of them are active there. A node is
-- alive if it has a fresh heartbeat in log.verifiers.
CREATE TABLE vault.keyring_nodes (
    node_id   text        PRIMARY KEY,
    keys      text[]      NOT NULL,
    active    text[]      NOT NULL,
    loaded_at timestamptz NOT NULL
);

GRANT UPDATE ON vault.key_checks TO keyward_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON vault.keyring_nodes TO keyward_writer;
