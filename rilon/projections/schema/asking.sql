-- What people were asked to decide about an item of ours: rilon.projections.times.Asking
CREATE TABLE views.next_asking (
  stream uuid NOT NULL,
  n bigint NOT NULL,
  manifest bytea NOT NULL,
  asked_at timestamptz[] NOT NULL,
  asked_for bytea[] NOT NULL,
  ended_at timestamptz[] NOT NULL,
  ended text[] NOT NULL,
  over_at timestamptz
);

ALTER TABLE views.next_asking ADD PRIMARY KEY (stream, n);
