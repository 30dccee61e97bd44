-- How far each follower outside the views has come: its effect up to here is durable.
CREATE TABLE rilon.positions (
  name text PRIMARY KEY,
  position bigint NOT NULL CHECK (position >= 0)
) WITH (fillfactor = 50);
