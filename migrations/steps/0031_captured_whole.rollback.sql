DROP TRIGGER account_is_not_truncated ON account;

DROP TRIGGER event_is_not_truncated ON event;

DROP FUNCTION truncate_is_refused();

ALTER TABLE account
    ALTER COLUMN first_name SET STORAGE EXTENDED,
    ALTER COLUMN last_name SET STORAGE EXTENDED,
    ALTER COLUMN email SET STORAGE EXTENDED,
    ALTER COLUMN locale SET STORAGE EXTENDED;
