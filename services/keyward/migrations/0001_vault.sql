-- What the vault needs beside the log. Nothing here is part of the history: a data key can be
-- deleted, and with it everything that it seals becomes unreadable, while the log stays whole.

CREATE SCHEMA vault;

-- One data key (DEK) a workspace, wrapped by a key-encryption key that is never in the database.
CREATE TABLE vault.data_keys (
    dek_id       uuid        PRIMARY KEY,
    workspace_id uuid        NOT NULL,
    kek          integer     NOT NULL,
    wrapped      bytea       NOT NULL,
    active       boolean     NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX data_keys_one_active ON vault.data_keys (workspace_id) WHERE active;

-- What each key of the key ring makes of a fixed text: a ring with another key refuses to start.
CREATE TABLE vault.key_checks (
    purpose text    NOT NULL,
    id      integer NOT NULL,
    value   bytea   NOT NULL,
    PRIMARY KEY (purpose, id)
);

GRANT USAGE ON SCHEMA vault TO keyward_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON vault.data_keys TO keyward_writer;
GRANT SELECT, INSERT ON vault.key_checks TO keyward_writer;
