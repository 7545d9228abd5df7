-- What is authorized and can be refunded, the provider's fee, when the state began, and who ordered which refund and why.
ALTER TABLE payment
    ADD COLUMN authorized numeric NOT NULL DEFAULT 0,
    ADD COLUMN refundable numeric NOT NULL DEFAULT 0,
    ADD COLUMN goodwill numeric NOT NULL DEFAULT 0,
    ADD COLUMN fee numeric NOT NULL DEFAULT 0,
    ADD COLUMN refunds jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN since timestamptz NOT NULL DEFAULT now();
