-- Key-encryption keys that exist: ids only, the keys are in the keyring outside. docs/spec/keys.md
CREATE TABLE rilon.keks (
  kek bytea PRIMARY KEY CHECK (octet_length(kek) = 16),
  bucket integer NOT NULL CHECK (bucket BETWEEN 0 AND 255)
);
