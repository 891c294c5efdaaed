-- A data key a key, so that what is sealed for one can be made unreadable for good and nothing else with
-- it. Rows without a key are from before: they open what they sealed, and seal nothing more.

ALTER TABLE vault.data_keys ADD COLUMN key_id uuid;

DROP INDEX vault.data_keys_one_active;

CREATE UNIQUE INDEX data_keys_one_active ON vault.data_keys (key_id) WHERE active;

CREATE INDEX data_keys_by_workspace ON vault.data_keys (workspace_id);
