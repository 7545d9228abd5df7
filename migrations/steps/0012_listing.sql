-- What a search shows of an event stands in the event's own row, kept there by triggers: so one change record,
-- with one place in the log, tells all of it, whoever wrote it.
ALTER TABLE event
    ADD COLUMN organizer_name text  NOT NULL DEFAULT '',
    ADD COLUMN offers         jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN stock          jsonb NOT NULL DEFAULT '{}';

COMMENT ON COLUMN event.offers IS 'its ticket types in their order: id, name, price, currency, quantity';
COMMENT ON COLUMN event.stock IS 'projection of the ledger, by ticket type: [position in the log, held, sold]';

-- The event's lock comes first: whoever changes ticket types of the same event is then seen, or waits for us.
CREATE FUNCTION event_learns_offers() RETURNS trigger LANGUAGE plpgsql AS $$
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

-- At the end of the transaction, so that an event made with many types is told once.
CREATE CONSTRAINT TRIGGER ticket_type_is_offered
    AFTER INSERT OR UPDATE OR DELETE ON ticket_type
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION event_learns_offers();

-- The share lock lets a change of the name wait for us, or us for it: neither can miss the other.
CREATE FUNCTION event_learns_organizer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT first_name || ' ' || last_name INTO NEW.organizer_name
    FROM account WHERE id = NEW.organizer_id FOR SHARE;
    NEW.organizer_name := coalesce(NEW.organizer_name, '');
    RETURN NEW;
END
$$;

CREATE TRIGGER event_is_organized
    BEFORE INSERT ON event
    FOR EACH ROW EXECUTE FUNCTION event_learns_organizer();

CREATE TRIGGER event_is_organized_anew
    BEFORE UPDATE ON event
    FOR EACH ROW WHEN (OLD.organizer_id <> NEW.organizer_id) EXECUTE FUNCTION event_learns_organizer();

-- In the order of the keys, as everybody who locks many events does.
CREATE FUNCTION events_learn_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM event WHERE organizer_id = NEW.id ORDER BY id FOR UPDATE;
    UPDATE event SET organizer_name = NEW.first_name || ' ' || NEW.last_name
    WHERE organizer_id = NEW.id AND organizer_name <> NEW.first_name || ' ' || NEW.last_name;
    RETURN NULL;
END
$$;

CREATE TRIGGER account_is_renamed
    AFTER UPDATE OF first_name, last_name ON account
    FOR EACH ROW EXECUTE FUNCTION events_learn_name();

UPDATE event
SET organizer_name = account.first_name || ' ' || account.last_name,
    offers = (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'id', id, 'name', name, 'price', price::text, 'currency', currency, 'quantity', quantity
        ) ORDER BY position, id), '[]')
        FROM ticket_type WHERE event_id = event.id
    )
FROM account WHERE account.id = event.organizer_id;
