ALTER TABLE purchase DROP CONSTRAINT purchase_paid_worth_bound;

ALTER TABLE payment
    DROP CONSTRAINT payment_due_bound,
    DROP CONSTRAINT payment_authorized_bound,
    DROP CONSTRAINT payment_captured_bound,
    DROP CONSTRAINT payment_refunded_bound,
    DROP CONSTRAINT payment_refundable_bound,
    DROP CONSTRAINT payment_goodwill_bound,
    DROP CONSTRAINT payment_fee_bound;
