-- What waits for a signature or a review: rilon.projections.approvals.Approval
CREATE TABLE views.next_approval (
  stream uuid NOT NULL,
  n bigint NOT NULL,
  item uuid NOT NULL,
  author text NOT NULL,
  manifest bytea NOT NULL,
  position bigint NOT NULL,
  state text NOT NULL,
  since timestamptz NOT NULL,
  draft bytea,
  cells text[] NOT NULL,
  needed bigint NOT NULL,
  signed text[] NOT NULL,
  review_since timestamptz,
  reviews bigint NOT NULL,
  asked bytea[] NOT NULL
);

ALTER TABLE views.next_approval ADD PRIMARY KEY (stream, n);
-- the queue is short
CREATE INDEX ON views.next_approval (position)
  WHERE state = 'waiting' OR review_since IS NOT NULL OR asked <> '{}';
