-- A line about an item of ours to one recipient: rilon.projections.deliveries.Sent
CREATE TABLE views.next_sent (
  stream uuid NOT NULL,
  n bigint NOT NULL,
  recipient text NOT NULL,
  disclosure uuid NOT NULL,
  kind text NOT NULL,
  manifest bytea NOT NULL,
  sensitivities text[] NOT NULL,
  at timestamptz NOT NULL,
  code text NOT NULL,
  refused_at timestamptz,
  returned boolean NOT NULL
);

ALTER TABLE views.next_sent ADD PRIMARY KEY (stream, n);
CREATE INDEX ON views.next_sent (disclosure); -- the deliveries of an item
