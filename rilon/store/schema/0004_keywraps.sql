-- Section keys, sealed under a key-encryption key. The reference makes a writer fail that comes after its key has gone.
CREATE TABLE rilon.keywraps (
  slot bytea PRIMARY KEY CHECK (octet_length(slot) = 32),
  kek bytea NOT NULL REFERENCES rilon.keks,
  wrapped bytea NOT NULL
);
