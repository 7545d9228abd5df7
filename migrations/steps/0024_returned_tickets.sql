-- How many tickets of a purchase were given back, where others are left.
ALTER TABLE purchase ADD COLUMN returned integer NOT NULL DEFAULT 0 CHECK (returned >= 0);
