-- Ciphertexts that were granted to us and come in pieces. docs/spec/links.md, "Large ciphertexts"
CREATE TABLE rilon.awaited (
  slot bytea PRIMARY KEY CHECK (octet_length(slot) = 32),
  peer text NOT NULL,
  rank smallint NOT NULL, -- urgent first
  item bytea NOT NULL CHECK (octet_length(item) = 16),
  manifest bytea NOT NULL CHECK (octet_length(manifest) = 32),
  place smallint NOT NULL,
  digest bytea NOT NULL CHECK (octet_length(digest) = 32),
  have integer NOT NULL DEFAULT 0,
  total integer NOT NULL DEFAULT 0, -- 0: not told yet
  asked_at timestamptz NOT NULL DEFAULT now(),
  leased_until timestamptz NOT NULL -- without a key in keywraps it goes when this is over
);
