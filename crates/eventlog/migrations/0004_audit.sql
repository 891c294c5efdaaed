-- The events of one workspace in the order of the log, from any place in it: for the audit's lists, which
-- read so many rows of it and no more.
CREATE INDEX events_workspace_position_idx ON log.events (workspace_id, position);
