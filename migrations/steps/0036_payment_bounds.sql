-- One payment of NaN, which to PostgreSQL is above any number, kept every sum of payments from being told. No amount that
-- the role payments reads is beyond these bounds. Rows that are there already stay as they are (NOT VALID); the next step
-- says which of them are odd.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['due', 'authorized', 'captured', 'refunded', 'refundable', 'goodwill', 'fee'] LOOP
        EXECUTE format('ALTER TABLE payment ADD CONSTRAINT payment_%s_bound CHECK (abs(%1$I) <= 1e18) NOT VALID', name);
    END LOOP;
END
$$;

ALTER TABLE purchase ADD CONSTRAINT purchase_paid_worth_bound CHECK (paid_worth >= 0 AND paid_worth < 1e17) NOT VALID;
