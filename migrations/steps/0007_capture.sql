-- What change data capture may see: three publications, and a role that reads no more than they hold.
-- The publications are made here so that the connectors need not own the tables.
CREATE PUBLICATION turnstile_event FOR TABLE event, heartbeat WITH (publish = 'insert, update, delete');

CREATE PUBLICATION turnstile_account
    FOR TABLE account (id, first_name, last_name, email, locale), heartbeat
    WITH (publish = 'insert, update, delete');

CREATE PUBLICATION turnstile_outbox FOR TABLE event_outbox, heartbeat WITH (publish = 'insert, update, delete');

-- The role is made by the server's own setup, which is the superuser's; its name is a setting.
DO $$
DECLARE
    role_name text := current_setting('turnstile.cdc_role');
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), role_name);
    EXECUTE format('GRANT SELECT ON event, event_outbox TO %I', role_name);
    EXECUTE format('GRANT SELECT (id, first_name, last_name, email, locale) ON account TO %I', role_name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON heartbeat TO %I', role_name);
END
$$;
