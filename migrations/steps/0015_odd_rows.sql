-- Rows that the bounds would refuse today are named, each by its key and the constraint, and nothing is changed. A
-- bound that all rows keep is marked as valid. No lock is taken that reading or writing would wait for.
DO $$
DECLARE
    bound record;
    found record;
BEGIN
    FOR bound IN
        SELECT conrelid::regclass AS name, conname, pg_get_expr(conbin, conrelid) AS rule, (
            SELECT string_agg(format('left(%I::text, 80)', attname), ' || ''.'' || ' ORDER BY attnum)
            FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
            WHERE indrelid = conrelid AND indisprimary
        ) AS key
        FROM pg_constraint
        WHERE contype = 'c' AND NOT convalidated AND conname LIKE '%\_bound'
          AND connamespace = current_schema()::regnamespace
        ORDER BY 1, 2
    LOOP
        EXECUTE format(
            'SELECT count(*) AS rows, string_agg(key, '', '') FILTER (WHERE number <= 20) AS keys '
            'FROM (SELECT %s AS key, row_number() OVER () AS number FROM %s WHERE NOT (%s)) AS odd',
            bound.key, bound.name, bound.rule
        ) INTO found;
        IF found.rows = 0 THEN
            EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', bound.name, bound.conname);
        ELSE
            RAISE WARNING 'table %: % rows break %, mend them by SQL, then VALIDATE it: %',
                bound.name, found.rows, bound.conname, found.keys;
        END IF;
    END LOOP;
END
$$;
