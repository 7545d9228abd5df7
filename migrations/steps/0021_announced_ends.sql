-- Events that an earlier version announced are announced once more, with the end that the sale of each ticket type has
-- at the latest: that of the event. The ledger would sell them after their end. Nobody gets a mail for it.
CREATE FUNCTION pg_temp.announced_moment(written text) RETURNS timestamptz LANGUAGE sql AS $$
    SELECT CASE WHEN pg_input_is_valid(written, 'timestamptz') THEN written::timestamptz END
$$;

DO $$
BEGIN
    PERFORM 1 FROM event WHERE status NOT IN ('CANCELED', 'DONE') ORDER BY id FOR UPDATE;

    CREATE TEMPORARY TABLE announced ON COMMIT DROP AS
    SELECT event.id, event.version + 1 AS version, newest.payload, (
        SELECT jsonb_agg(
            CASE WHEN pg_temp.announced_moment(type ->> 'saleEndsAt') <= event.ends_at THEN type
                ELSE type || jsonb_build_object('saleEndsAt', newest.payload #> '{definition,endsAt}')
            END ORDER BY place
        )
        FROM jsonb_array_elements(newest.payload #> '{definition,ticketTypes}') WITH ORDINALITY AS given (type, place)
    ) AS types
    FROM event CROSS JOIN LATERAL (
        SELECT payload FROM event_outbox
        WHERE aggregate_id = event.id AND jsonb_typeof(payload #> '{definition,ticketTypes}') = 'array'
        ORDER BY version DESC LIMIT 1
    ) AS newest
    WHERE status NOT IN ('CANCELED', 'DONE') AND is_moment(ends_at) AND event.version < 4611686018427387904;

    DELETE FROM announced WHERE types = payload #> '{definition,ticketTypes}';

    UPDATE event SET version = announced.version FROM announced WHERE event.id = announced.id;

    INSERT INTO event_outbox (id, aggregate_id, event_type, version, payload)
    SELECT gen_random_uuid(), id, 'event-defined', version, jsonb_set(
        jsonb_set(payload, '{version}', to_jsonb(version)), '{definition,ticketTypes}', types
    )
    FROM announced;

    DELETE FROM event_outbox USING announced
    WHERE event_outbox.aggregate_id = announced.id AND event_outbox.version < announced.version;
END
$$;
