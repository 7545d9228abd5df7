-- The exporter and operators look for payments that wait for the ledger or their provider.
CREATE INDEX payment_unfinished ON payment (state, since)
    WHERE state IN ('confirming', 'capturing', 'revoking', 'refunding', 'voiding');
