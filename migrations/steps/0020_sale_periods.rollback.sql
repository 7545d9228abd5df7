CREATE OR REPLACE FUNCTION event_learns_offers() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid;
BEGIN
    FOREACH changed IN ARRAY array_remove(ARRAY[OLD.event_id, NEW.event_id], NULL) LOOP
        PERFORM 1 FROM event WHERE id = changed FOR UPDATE;
        UPDATE event SET offers = now_offered.types
        FROM (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'id', id, 'name', name, 'price', price::text, 'currency', currency, 'quantity', quantity
            ) ORDER BY position, id), '[]') AS types
            FROM ticket_type WHERE event_id = changed
        ) AS now_offered
        WHERE event.id = changed AND event.offers <> now_offered.types;
    END LOOP;
    RETURN NULL;
END
$$;

COMMENT ON COLUMN event.offers IS 'its ticket types in their order: id, name, price, currency, quantity';

DROP FUNCTION offers_of(uuid);
DROP FUNCTION moment_ms(timestamptz);
