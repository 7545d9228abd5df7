-- The search knows when tickets are on sale: offers get the sale periods, in milliseconds since 1970.
CREATE FUNCTION moment_ms(at timestamptz) RETURNS bigint IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE WHEN is_moment(at) THEN round(extract(epoch FROM at) * 1000)::bigint END
$$;

CREATE FUNCTION offers_of(event uuid) RETURNS jsonb STABLE LANGUAGE sql AS $$
    SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'id', id, 'name', name, 'price', price::text, 'currency', currency, 'quantity', quantity,
        'sale_starts_ms', moment_ms(sale_starts_at), 'sale_ends_ms', moment_ms(sale_ends_at)
    )) ORDER BY position, id), '[]')
    FROM ticket_type WHERE event_id = event
$$;

CREATE OR REPLACE FUNCTION event_learns_offers() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid;
BEGIN
    FOREACH changed IN ARRAY array_remove(ARRAY[OLD.event_id, NEW.event_id], NULL) LOOP
        PERFORM 1 FROM event WHERE id = changed FOR UPDATE;
        UPDATE event SET offers = offers_of(changed) WHERE id = changed AND offers <> offers_of(changed);
    END LOOP;
    RETURN NULL;
END
$$;

COMMENT ON COLUMN event.offers IS
    'its ticket types in their order: id, name, price, currency, quantity, sale_starts_ms and sale_ends_ms if they have them';

-- In the order of the keys, as everybody who locks many events does.
DO $$
BEGIN
    PERFORM 1 FROM event
    WHERE id IN (SELECT event_id FROM ticket_type WHERE num_nonnulls(sale_starts_at, sale_ends_at) > 0)
    ORDER BY id FOR UPDATE;
    UPDATE event SET offers = offers_of(id)
    WHERE id IN (SELECT event_id FROM ticket_type WHERE num_nonnulls(sale_starts_at, sale_ends_at) > 0);
END
$$;
