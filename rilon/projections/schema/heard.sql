-- A day on which lines came from a node: rilon.projections.contact.Heard
CREATE TABLE views.next_heard (
  stream uuid NOT NULL,
  n bigint NOT NULL,
  at timestamptz NOT NULL
);

ALTER TABLE views.next_heard ADD PRIMARY KEY (stream, n);
