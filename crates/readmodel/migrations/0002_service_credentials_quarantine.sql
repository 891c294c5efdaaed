-- Service credentials that have an event the projection `workspaces` could not read: what it shows of
-- them may be stale. They belong to no workspace that could be quarantined for them.
CREATE TABLE readmodel.service_credentials_quarantine (
    service_credential_id text   PRIMARY KEY,
    position              bigint NOT NULL,
    reason                text   NOT NULL
);

GRANT SELECT ON readmodel.service_credentials_quarantine TO keyward_writer, keyward_reader;
GRANT INSERT, UPDATE, DELETE ON readmodel.service_credentials_quarantine TO keyward_writer;
