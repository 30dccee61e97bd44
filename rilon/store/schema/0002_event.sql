-- The log. Gapless: position = Merkle leaf index + 1 = commit order.
CREATE TABLE rilon.event (
  position bigint PRIMARY KEY CHECK (position > 0),
  originator_id uuid NOT NULL,
  originator_version bigint NOT NULL CHECK (originator_version >= 0),
  topic text NOT NULL,
  leaf bytea NOT NULL CHECK (octet_length(leaf) = 32),
  state bytea NOT NULL,
  UNIQUE (originator_id, originator_version) -- the expected version of every append
);
ALTER TABLE rilon.event ALTER COLUMN leaf SET STORAGE PLAIN;
ALTER TABLE rilon.event ALTER COLUMN state SET STORAGE EXTERNAL; -- salted and sealed bytes do not compress
