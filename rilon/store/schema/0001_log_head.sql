-- The log's head: one row, compared and swapped by every append. docs/spec/log.md
CREATE TABLE rilon.log_head (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  size bigint NOT NULL CHECK (size >= 0),
  root bytea NOT NULL CHECK (octet_length(root) = 32), -- RFC 9162
  peaks bytea NOT NULL, -- hashes of the complete subtrees, largest first: appending reads no event
  log_id bytea NOT NULL CHECK (octet_length(log_id) = 16) -- random; a restored log gets another
) WITH (fillfactor = 10); -- room on the page, so that the row's next version stays there (HOT)
