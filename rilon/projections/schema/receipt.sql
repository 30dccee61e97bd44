-- A peer has stored every line of ours up to a position: rilon.projections.deliveries.Receipt
CREATE TABLE views.next_receipt (
  stream uuid NOT NULL,
  n bigint NOT NULL,
  through bigint NOT NULL,
  at timestamptz NOT NULL
);

ALTER TABLE views.next_receipt ADD PRIMARY KEY (stream, n);
CREATE INDEX ON views.next_receipt (stream, at, n); -- how far a link was at some instant
