CREATE TABLE rilon.pieces (
  slot bytea NOT NULL REFERENCES rilon.awaited ON DELETE CASCADE,
  start integer NOT NULL CHECK (start >= 0),
  piece bytea NOT NULL,
  PRIMARY KEY (slot, start)
);
ALTER TABLE rilon.pieces ALTER COLUMN piece SET STORAGE EXTERNAL; -- ciphertext does not compress
