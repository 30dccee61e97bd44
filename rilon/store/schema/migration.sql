-- What has been applied to this database. Made together with the first migration, in its transaction.
CREATE SCHEMA rilon;
CREATE TABLE rilon.migration (
  number integer PRIMARY KEY,
  name text NOT NULL,
  checksum bytea NOT NULL, -- SHA-256 of the file
  applied_at timestamptz NOT NULL DEFAULT now()
);
