-- Keys can be deleted, which hides them, and their credentials can be ended by what happened and not
-- only by the clock.

ALTER TABLE readmodel.keys ADD COLUMN deleted_at timestamptz;
ALTER TABLE readmodel.credentials ADD COLUMN ended boolean NOT NULL DEFAULT false;
