-- Replies that are still sealed, by the end of their time: clearing them reads nothing that was cleared
-- before. What is forgotten altogether is found by requests_expires_at_idx.
CREATE INDEX requests_sealed_idx ON log.requests (expires_at) WHERE sealed_reply IS NOT NULL;
