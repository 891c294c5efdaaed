-- What a write that waits for all verifiers has to know of each: how long one heartbeat may give it the
-- right to answer, and whether it may hold that right at all. A verifier of an older build says neither;
-- the longest lease is assumed then.
ALTER TABLE log.verifiers
    ADD COLUMN lease_ms integer NOT NULL DEFAULT 5000 CHECK (lease_ms BETWEEN 1 AND 5000),
    ADD COLUMN answers  boolean NOT NULL DEFAULT true;
