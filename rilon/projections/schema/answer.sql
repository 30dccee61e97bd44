-- What a peer answered about an item of ours: rilon.projections.deliveries.Answer
CREATE TABLE views.next_answer (
  stream uuid NOT NULL,
  n bigint NOT NULL,
  peer text NOT NULL,
  manifest bytea NOT NULL,
  kind text NOT NULL,
  position bigint NOT NULL,
  text bytea NOT NULL,
  at timestamptz NOT NULL
);

ALTER TABLE views.next_answer ADD PRIMARY KEY (stream, n);
CREATE INDEX ON views.next_answer (manifest); -- all about one version of an item
