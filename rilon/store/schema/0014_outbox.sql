-- Notices on their way to people outside the pages: whom, about which event, by which way; no address, no content.
CREATE TABLE rilon.outbox (
  officer uuid NOT NULL,
  position bigint NOT NULL CHECK (position > 0),
  way text NOT NULL,
  about text NOT NULL,
  urgency text,
  due timestamptz NOT NULL,
  message uuid,
  tries integer NOT NULL DEFAULT 0,
  PRIMARY KEY (officer, way, position)
) WITH (fillfactor = 50);
CREATE INDEX outbox_due ON rilon.outbox (way, due);
CREATE INDEX outbox_message ON rilon.outbox (message) WHERE message IS NOT NULL;
