-- How far the views are: every table holds the effect of exactly the events up to here. rilon.projections.runner
CREATE TABLE IF NOT EXISTS views.progress (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  position bigint NOT NULL CHECK (position >= 0),
  format bytea NOT NULL -- of the views that are there; another program's are rebuilt, never read
) WITH (fillfactor = 10); -- room on the page, so that the row's next version stays there (HOT)
INSERT INTO views.progress (position, format) VALUES (0, '') ON CONFLICT DO NOTHING;
