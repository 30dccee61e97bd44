-- An officer of this node, without a name: rilon.projections.officers.Enrolled
CREATE TABLE views.next_officer (
  stream uuid NOT NULL,
  n bigint NOT NULL,
  agency text NOT NULL,
  desk text NOT NULL,
  roles text[] NOT NULL,
  active boolean NOT NULL,
  has_key boolean NOT NULL,
  at timestamptz NOT NULL,
  offers_key boolean NOT NULL,
  confirmed text[] NOT NULL,
  tokens text[] NOT NULL,
  token_ends timestamptz[] NOT NULL,
  stands_in_for text[] NOT NULL,
  stand_in_ends timestamptz[] NOT NULL
);

ALTER TABLE views.next_officer ADD PRIMARY KEY (stream, n);
