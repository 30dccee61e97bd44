-- A version of an item of ours: rilon.projections.times.Posted
CREATE TABLE views.next_posted (
  stream uuid NOT NULL,
  n bigint NOT NULL,
  item uuid NOT NULL,
  manifest bytea NOT NULL,
  urgency text NOT NULL,
  at timestamptz NOT NULL
);

ALTER TABLE views.next_posted ADD PRIMARY KEY (stream, n);
CREATE INDEX ON views.next_posted (at); -- those of some months
