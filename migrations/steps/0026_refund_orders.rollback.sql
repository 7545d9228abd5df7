ALTER TABLE payment
    DROP COLUMN authorized,
    DROP COLUMN refundable,
    DROP COLUMN goodwill,
    DROP COLUMN fee,
    DROP COLUMN refunds,
    DROP COLUMN since;
