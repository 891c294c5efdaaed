-- The number of a verifier's heartbeat, counted by the verifier: one that was given up and arrives behind a
-- later one changes nothing.

ALTER TABLE log.verifiers ADD COLUMN beat bigint NOT NULL DEFAULT 0;
