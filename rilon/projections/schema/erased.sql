-- A holder's receipt that keys of a version are gone there: rilon.projections.deliveries.Erased
CREATE TABLE views.next_erased (
  stream uuid NOT NULL,
  n bigint NOT NULL,
  peer text NOT NULL,
  manifest bytea NOT NULL,
  sensitivities text[] NOT NULL,
  counts bigint[] NOT NULL,
  closed_at timestamptz NOT NULL,
  destroyed_at timestamptz
);

ALTER TABLE views.next_erased ADD PRIMARY KEY (stream, n);
