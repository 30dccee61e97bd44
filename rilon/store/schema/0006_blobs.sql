-- Ciphertext by slot, stored before the event that needs it; without a key in keywraps it goes when its lease ends.
CREATE TABLE rilon.blobs (
  slot bytea PRIMARY KEY CHECK (octet_length(slot) = 32),
  ciphertext bytea NOT NULL,
  leased_until timestamptz NOT NULL
);
ALTER TABLE rilon.blobs ALTER COLUMN ciphertext SET STORAGE EXTERNAL; -- ciphertext does not compress
