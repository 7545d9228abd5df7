-- A captured row says itself which of its states is the newer one. The position in the log doesn't, where a connector
-- reads the whole table: the row has the position of the reading then, and a change that a transaction made before it and
-- committed after it looked older, and was refused for ever.
--
-- A revision is a position in the log, too, from just before its change was written there, with the row locked: above the
-- row's earlier changes, and not above its own. So it continues what consumers know of rows by their positions. Rows that
-- are there already have the position of this step.
LOCK TABLE event, account IN ACCESS EXCLUSIVE MODE;

DO $$
DECLARE
    name text;
    now_at bigint := (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint;
BEGIN
    FOREACH name IN ARRAY ARRAY['event', 'account'] LOOP
        EXECUTE format('ALTER TABLE %I ADD COLUMN revision bigint NOT NULL DEFAULT %s', name, now_at);
        EXECUTE format('ALTER TABLE %I ALTER COLUMN revision SET DEFAULT 0', name);
        EXECUTE format('COMMENT ON COLUMN %I.revision IS %L', name, 'grows with every change of the row; set by a trigger');
    END LOOP;
END
$$;

-- A server whose positions begin anew, after a restore, continues the row's own. A negative one asks for the position
-- alone: `turnstile restored` does so once the log is beyond all that is known.
CREATE FUNCTION revision_is_raised() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_at bigint := (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint;
BEGIN
    NEW.revision := CASE WHEN TG_OP = 'INSERT' OR NEW.revision < 0 THEN now_at ELSE greatest(now_at, OLD.revision + 1) END;
    RETURN NEW;
END
$$;

-- The last of their kind, by their names: the row is locked, and whatever these wait for is over.
CREATE TRIGGER revision_is_raised
    BEFORE INSERT OR UPDATE ON event FOR EACH ROW EXECUTE FUNCTION revision_is_raised();

CREATE TRIGGER revision_is_raised
    BEFORE INSERT OR UPDATE ON account FOR EACH ROW EXECUTE FUNCTION revision_is_raised();

ALTER PUBLICATION turnstile_account
    SET TABLE account (id, first_name, last_name, email, locale, revision), heartbeat;

-- So a deletion tells the last revision, too: where positions begin anew, its position may be below it.
CREATE UNIQUE INDEX account_identity ON account (id, revision);

ALTER TABLE account REPLICA IDENTITY USING INDEX account_identity;

DO $$
BEGIN
    EXECUTE format('GRANT SELECT (revision) ON account TO %I', current_setting('turnstile.cdc_role'));
END
$$;
