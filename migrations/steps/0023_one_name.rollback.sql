ALTER TABLE account
    DROP CONSTRAINT account_last_name_check,
    ADD CONSTRAINT account_last_name_check CHECK (char_length(last_name) BETWEEN 1 AND 100) NOT VALID;
