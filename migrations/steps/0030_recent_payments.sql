-- Operators sum the money of the payments that changed lately. Rows are written as their payments change, so a small
-- index of ranges is enough, and updates of a row need not write to it.
CREATE INDEX payment_at ON payment USING brin (at) WITH (pages_per_range = 16, autosummarize = on);
