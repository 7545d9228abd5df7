-- An event that is deleted by SQL is announced a last time, as CANCELED, like one that the API deletes: the ledger went on
-- selling it to everybody but the API. One with purchases stays, by the API's rule: its buyers would have tickets of an
-- event that is nowhere.
CREATE FUNCTION event_announces_its_end() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last record;
    next bigint;
BEGIN
    SELECT version, payload, traceparent INTO last FROM event_outbox
    WHERE aggregate_id = OLD.id AND part = 0 ORDER BY version DESC LIMIT 1;
    IF NOT FOUND OR last.version > OLD.version THEN  -- the ledger was never told of it, or was told by the API
        RETURN OLD;
    END IF;
    IF EXISTS (SELECT FROM purchase WHERE event_id = OLD.id AND status <> 'rejected') THEN
        RAISE restrict_violation USING MESSAGE = format('event %s has purchases: cancel it instead', OLD.id);
    END IF;
    next := OLD.version + 1;
    INSERT INTO event_outbox (id, aggregate_id, event_type, version, payload, traceparent)
    VALUES (
        gen_random_uuid(), OLD.id, 'event-defined', next,
        jsonb_set(jsonb_set(last.payload, '{version}', to_jsonb(next)), '{definition,status}', '"CANCELED"'),
        last.traceparent
    );
    DELETE FROM event_outbox
    WHERE aggregate_id = OLD.id AND version < next
      AND (part = 0 OR version IS DISTINCT FROM (last.payload -> 'definition' ->> 'plan')::bigint);
    RETURN OLD;
END
$$;

CREATE TRIGGER event_announces_its_end BEFORE DELETE ON event FOR EACH ROW EXECUTE FUNCTION event_announces_its_end();
