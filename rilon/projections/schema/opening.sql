-- An opening of a section by an officer of this node: rilon.projections.openings.Opened
CREATE TABLE views.next_opening (
  stream uuid NOT NULL,
  n bigint NOT NULL,
  officer text NOT NULL,
  sensitivity text NOT NULL,
  purpose text NOT NULL,
  at timestamptz NOT NULL
);

ALTER TABLE views.next_opening ADD PRIMARY KEY (stream, n);
CREATE INDEX ON views.next_opening (at); -- the openings of some days
