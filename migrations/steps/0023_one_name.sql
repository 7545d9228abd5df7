-- Some people have one name, which is the first one here.
ALTER TABLE account
    DROP CONSTRAINT account_last_name_check,
    ADD CONSTRAINT account_last_name_check CHECK (char_length(last_name) <= 100);
