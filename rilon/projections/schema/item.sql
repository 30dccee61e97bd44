-- An item, whoever looks: rilon.projections.board.Item
CREATE TABLE views.next_item (
  stream uuid NOT NULL,
  n bigint NOT NULL,
  item uuid NOT NULL,
  origin text NOT NULL,
  state text NOT NULL,
  superseded bytea[] NOT NULL,
  acknowledged bytea[] NOT NULL,
  known_to text[] NOT NULL
);

ALTER TABLE views.next_item ADD PRIMARY KEY (stream, n);
