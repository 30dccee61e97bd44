-- How a node stands from here on: rilon.projections.contact.Turn
CREATE TABLE views.next_turn (
  stream uuid NOT NULL,
  n bigint NOT NULL,
  state text NOT NULL,
  at timestamptz NOT NULL
);

ALTER TABLE views.next_turn ADD PRIMARY KEY (stream, n);
