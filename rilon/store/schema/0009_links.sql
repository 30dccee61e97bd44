-- Read out of the log by the courier, and made again from it when lost. docs/spec/links.md
-- Entry n for a peer: the position of its event, and the link's chain after it.
CREATE TABLE rilon.link_out (
  peer text NOT NULL,
  n bigint NOT NULL CHECK (n > 0),
  position bigint NOT NULL,
  head bytea NOT NULL CHECK (octet_length(head) = 32),
  PRIMARY KEY (peer, n)
);
-- How each link stands; only the program that wrote them reads the facts.
CREATE TABLE rilon.links (
  peer text PRIMARY KEY,
  facts bytea NOT NULL
) WITH (fillfactor = 50);
