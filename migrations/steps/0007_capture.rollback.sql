DROP PUBLICATION turnstile_outbox;

DROP PUBLICATION turnstile_account;

DROP PUBLICATION turnstile_event;

DO $$
DECLARE
    role_name text := current_setting('turnstile.cdc_role');
BEGIN
    EXECUTE format('REVOKE ALL ON event, event_outbox, account, heartbeat FROM %I', role_name);
    EXECUTE format('REVOKE SELECT (id, first_name, last_name, email, locale) ON account FROM %I', role_name);
    EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM %I', current_schema(), role_name);
END
$$;
