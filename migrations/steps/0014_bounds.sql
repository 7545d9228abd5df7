-- What the API would never write, SQL can't write either: no time without a year at some place on earth, no tag that is
-- NULL, no zone that nobody knows, nothing that makes a row larger than a record of Kafka. Rows that are there already
-- stay as they are (NOT VALID); the next step says which of them are odd.
CREATE FUNCTION tags_are_told(tags text[]) RETURNS boolean IMMUTABLE LANGUAGE sql AS $$
    SELECT coalesce(array_ndims(tags), 1) = 1
       AND coalesce(bool_and(tag IS NOT NULL AND char_length(tag) BETWEEN 1 AND 50), true)
    FROM unnest(tags) AS tag
$$;

-- IMMUTABLE as far as a row is concerned: zones come and are renamed, but hardly ever go.
CREATE FUNCTION is_time_zone(name text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
    PERFORM timestamptz 'epoch' AT TIME ZONE name;
    RETURN name ~ '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$';
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN false;
END
$$;

CREATE FUNCTION is_moment(at timestamptz) RETURNS boolean IMMUTABLE LANGUAGE sql AS $$
    SELECT at >= timestamptz '1970-01-01 00:00Z' AND at < timestamptz '9999-01-01 00:00Z'
$$;

ALTER TABLE account
    ADD CONSTRAINT account_birth_date_bound CHECK (birth_date < DATE '9999-01-01') NOT VALID,
    ADD CONSTRAINT account_roles_bound CHECK (cardinality(roles) <= 3 AND coalesce(array_ndims(roles), 1) = 1) NOT VALID,
    ADD CONSTRAINT account_version_bound CHECK (version <= 4611686018427387904) NOT VALID,
    ADD CONSTRAINT account_created_at_bound CHECK (is_moment(created_at)) NOT VALID,
    ADD CONSTRAINT account_updated_at_bound CHECK (is_moment(updated_at)) NOT VALID;

-- With all at its limit, in characters that JSON escapes, a record of an event has less than 512 KiB, which every
-- consumer reads.
ALTER TABLE event
    ADD CONSTRAINT event_tags_bound CHECK (tags_are_told(tags)) NOT VALID,
    ADD CONSTRAINT event_starts_at_bound CHECK (is_moment(starts_at)) NOT VALID,
    ADD CONSTRAINT event_ends_at_bound CHECK (is_moment(ends_at)) NOT VALID,
    ADD CONSTRAINT event_time_zone_bound CHECK (is_time_zone(time_zone)) NOT VALID,
    ADD CONSTRAINT event_organizer_name_bound CHECK (char_length(organizer_name) <= 201) NOT VALID,
    ADD CONSTRAINT event_offers_bound
        CHECK (jsonb_typeof(offers) = 'array' AND octet_length(offers::text) <= 280000) NOT VALID,
    ADD CONSTRAINT event_stock_bound
        CHECK (jsonb_typeof(stock) = 'object' AND octet_length(stock::text) <= 50000) NOT VALID,
    ADD CONSTRAINT event_version_bound CHECK (version <= 4611686018427387904) NOT VALID,
    ADD CONSTRAINT event_created_at_bound CHECK (is_moment(created_at)) NOT VALID,
    ADD CONSTRAINT event_updated_at_bound CHECK (is_moment(updated_at)) NOT VALID;

ALTER TABLE ticket_type
    ADD CONSTRAINT ticket_type_sale_starts_at_bound CHECK (is_moment(sale_starts_at)) NOT VALID,
    ADD CONSTRAINT ticket_type_sale_ends_at_bound CHECK (is_moment(sale_ends_at)) NOT VALID,
    ADD CONSTRAINT ticket_type_version_bound CHECK (version <= 4611686018427387904) NOT VALID,
    ADD CONSTRAINT ticket_type_created_at_bound CHECK (is_moment(created_at)) NOT VALID,
    ADD CONSTRAINT ticket_type_updated_at_bound CHECK (is_moment(updated_at)) NOT VALID;

-- The topic of any other aggregate type is not there.
ALTER TABLE event_outbox
    ADD CONSTRAINT event_outbox_aggregate_type_bound CHECK (aggregate_type = 'event_status') NOT VALID,
    ADD CONSTRAINT event_outbox_event_type_bound CHECK (char_length(event_type) BETWEEN 1 AND 100) NOT VALID,
    ADD CONSTRAINT event_outbox_payload_bound
        CHECK (jsonb_typeof(payload) = 'object' AND octet_length(payload::text) <= 400000) NOT VALID,
    ADD CONSTRAINT event_outbox_version_bound CHECK (version <= 4611686018427387904) NOT VALID,
    ADD CONSTRAINT event_outbox_created_at_bound CHECK (is_moment(created_at)) NOT VALID;

ALTER TABLE heartbeat
    ADD CONSTRAINT heartbeat_connector_bound CHECK (char_length(connector) BETWEEN 1 AND 200) NOT VALID,
    ADD CONSTRAINT heartbeat_at_bound CHECK (is_moment(at)) NOT VALID;

ALTER TABLE purchase
    ADD CONSTRAINT purchase_reason_bound CHECK (char_length(reason) <= 200) NOT VALID,
    ADD CONSTRAINT purchase_figures_bound
        CHECK (jsonb_typeof(figures) = 'object' AND octet_length(figures::text) <= 10000) NOT VALID,
    ADD CONSTRAINT purchase_lines_bound
        CHECK (jsonb_typeof(lines) = 'array' AND octet_length(lines::text) <= 2000000) NOT VALID,
    ADD CONSTRAINT purchase_total_bound CHECK (total >= 0 AND total < 10000000000000000) NOT VALID,
    ADD CONSTRAINT purchase_currency_bound CHECK (currency ~ '^[A-Z]{3}$') NOT VALID,
    ADD CONSTRAINT purchase_deadline_bound CHECK (is_moment(deadline)) NOT VALID,
    ADD CONSTRAINT purchase_at_bound CHECK (is_moment(at)) NOT VALID,
    ADD CONSTRAINT purchase_made_at_bound CHECK (is_moment(made_at)) NOT VALID;

ALTER TABLE notification
    ADD CONSTRAINT notification_kind_bound CHECK (char_length(kind) BETWEEN 1 AND 100) NOT VALID,
    ADD CONSTRAINT notification_requested_at_bound CHECK (is_moment(requested_at)) NOT VALID,
    ADD CONSTRAINT notification_at_bound CHECK (is_moment(at)) NOT VALID;

ALTER TABLE credential ADD CONSTRAINT credential_changed_at_bound CHECK (is_moment(changed_at)) NOT VALID;

ALTER TABLE revocation
    ADD CONSTRAINT revocation_version_bound CHECK (version <= 4611686018427387904) NOT VALID,
    ADD CONSTRAINT revocation_at_bound CHECK (is_moment(at)) NOT VALID;

ALTER TABLE confirmation
    ADD CONSTRAINT confirmation_account_bound
        CHECK (jsonb_typeof(account) = 'object' AND octet_length(account::text) <= 10000) NOT VALID,
    ADD CONSTRAINT confirmation_created_at_bound CHECK (is_moment(created_at)) NOT VALID;
