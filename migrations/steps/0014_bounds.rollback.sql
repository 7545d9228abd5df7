DO $$
DECLARE
    bound record;
BEGIN
    FOR bound IN
        SELECT conrelid::regclass AS name, conname FROM pg_constraint
        WHERE contype = 'c' AND conname LIKE '%\_bound' AND connamespace = current_schema()::regnamespace
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', bound.name, bound.conname);
    END LOOP;
END
$$;

DROP FUNCTION is_moment(timestamptz);

DROP FUNCTION is_time_zone(text);

DROP FUNCTION tags_are_told(text[]);
