-- A line to a node that is about no item of ours: rilon.projections.contact.Spoken
CREATE TABLE views.next_spoken (
  stream uuid NOT NULL,
  n bigint NOT NULL,
  at timestamptz NOT NULL
);

ALTER TABLE views.next_spoken ADD PRIMARY KEY (stream, n);
