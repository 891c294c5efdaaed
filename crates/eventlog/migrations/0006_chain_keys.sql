-- Under which chain key an event's MAC was made, so that the key can be rotated. Null: under the first
-- one, that with the lowest id of the key ring, as is everything that older builds write.
ALTER TABLE log.events
    ADD COLUMN chain_key integer CHECK (chain_key BETWEEN 1 AND 65535);
