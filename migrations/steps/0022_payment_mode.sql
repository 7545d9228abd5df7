-- How an event is paid, and what the sales projection says of payments.
ALTER TABLE event ADD COLUMN payment text NOT NULL DEFAULT 'none'
    CONSTRAINT event_payment_mode CHECK (payment IN ('none', 'online'));
ALTER TABLE purchase ADD COLUMN paid_worth numeric, ADD COLUMN payment_reference text;

COMMENT ON COLUMN event.payment IS 'none, or online: what has a price is held until it is paid';
COMMENT ON COLUMN purchase.paid_worth IS 'what a purchase that is paid online is worth; while it is held, what must be paid';
