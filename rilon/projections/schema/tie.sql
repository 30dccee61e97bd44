-- What ties an item to others: rilon.projections.ties.Tie
CREATE TABLE views.next_tie (
  stream uuid NOT NULL,
  n bigint NOT NULL,
  kind text NOT NULL,
  others uuid[] NOT NULL,
  parties text[] NOT NULL,
  at timestamptz NOT NULL
);

ALTER TABLE views.next_tie ADD PRIMARY KEY (stream, n);
CREATE INDEX ON views.next_tie USING gin (others) WHERE others <> '{}'; -- what is made of an item
