-- What one grant gives its readers: rilon.projections.board.Edition
CREATE TABLE views.next_edition (
  stream uuid NOT NULL,
  n bigint NOT NULL,
  position bigint NOT NULL,
  version bigint NOT NULL,
  manifest bytea NOT NULL,
  kind text NOT NULL,
  urgency text NOT NULL,
  tlp text NOT NULL,
  pap text NOT NULL,
  caveats text[] NOT NULL,
  basis text NOT NULL,
  readers text[] NOT NULL,
  purposes text[] NOT NULL,
  sensitivities text[] NOT NULL,
  onward text NOT NULL,
  court text NOT NULL,
  until timestamptz NOT NULL,
  review_at timestamptz NOT NULL,
  at timestamptz NOT NULL,
  added text[] NOT NULL
);

ALTER TABLE views.next_edition ADD PRIMARY KEY (stream, n);
CREATE UNIQUE INDEX ON views.next_edition (position); -- pages of the board
