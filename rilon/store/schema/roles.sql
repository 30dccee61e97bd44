-- Who may do what. Runs after the migrations, again at every start; the names carry the prefix in rilon.role_prefix.
--   owner      whoever runs this: migrations
--   app        appends to the log, keeps ciphertext and wrapped keys, never changes an event
--   projector  owns the views, reads the log
--   auditor    reads
DO $$
DECLARE
  prefix CONSTANT text := current_setting('rilon.role_prefix');
  app CONSTANT text := prefix || '_app';
  projector CONSTANT text := prefix || '_projector';
  auditor CONSTANT text := prefix || '_auditor';
  one text;
  password text;
BEGIN
  FOREACH one IN ARRAY ARRAY['app', 'projector', 'auditor'] LOOP
    password := nullif(current_setting('rilon.password_' || one, true), '');
    one := prefix || '_' || one;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = one) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', one);
    END IF;
    IF password IS NOT NULL THEN
      EXECUTE format('ALTER ROLE %I PASSWORD %L', one, password);
    END IF;
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA rilon FROM %I', one);
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), one);
    EXECUTE format('GRANT USAGE ON SCHEMA rilon, views TO %I', one);
    EXECUTE format('GRANT SELECT ON rilon.migration, rilon.log_head, rilon.event, rilon.positions, rilon.keks TO %I', one);
  END LOOP;

  EXECUTE format('GRANT INSERT ON rilon.event TO %I', app);
  EXECUTE format('GRANT UPDATE (size, root, peaks) ON rilon.log_head TO %I', app);
  EXECUTE format('GRANT SELECT, INSERT, DELETE ON rilon.blobs, rilon.keywraps TO %I', app);
  EXECUTE format('GRANT UPDATE (leased_until) ON rilon.blobs TO %I', app);
  EXECUTE format('GRANT SELECT, INSERT, DELETE ON rilon.awaited, rilon.pieces TO %I', app);
  EXECUTE format('GRANT UPDATE (have, total) ON rilon.awaited TO %I', app);
  EXECUTE format('GRANT UPDATE (kek, wrapped) ON rilon.keywraps TO %I', app);
  EXECUTE format('GRANT INSERT, DELETE ON rilon.keks TO %I', app);
  EXECUTE format('GRANT INSERT, UPDATE (position) ON rilon.positions TO %I', app);

  EXECUTE format('GRANT SELECT, INSERT, DELETE ON rilon.link_out TO %I', app);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON rilon.links TO %I', app);
  EXECUTE format('GRANT SELECT, INSERT, DELETE, UPDATE (due, message, tries) ON rilon.outbox TO %I', app);

  EXECUTE format('GRANT SELECT (slot, kek) ON rilon.keywraps TO %I', projector);
  EXECUTE format('GRANT %I TO CURRENT_USER', projector);
  EXECUTE format('ALTER SCHEMA views OWNER TO %I', projector);
  EXECUTE format('GRANT CREATE ON SCHEMA views TO %I', projector);
  EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA views TO %I, %I', app, auditor);
  EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA views GRANT SELECT ON TABLES TO %I, %I',
                 projector, app, auditor);

  EXECUTE format('GRANT SELECT ON rilon.blobs, rilon.keywraps, rilon.awaited, rilon.link_out, rilon.links TO %I', auditor);

  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  REVOKE ALL ON SCHEMA public FROM PUBLIC;
END
$$;
