-- Stock, purchases and an outbox. One call sells: one round trip, one transaction, one flush of the log.
CREATE TABLE ticket_type (
    id uuid PRIMARY KEY,
    event uuid NOT NULL,
    name text NOT NULL,
    price numeric(14, 4) NOT NULL,
    currency text NOT NULL,
    available integer NOT NULL CHECK (available >= 0)
) WITH (fillfactor = 20);  -- room on the page, so that a hot row's versions stay there and are pruned in passing

CREATE TABLE purchase (
    id uuid PRIMARY KEY,
    account uuid NOT NULL,
    event uuid NOT NULL,
    ticket_type uuid NOT NULL,
    quantity integer NOT NULL,
    price numeric(14, 4) NOT NULL,
    codes text[] NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    aggregate uuid NOT NULL,
    payload jsonb NOT NULL
);

-- The same id again gets the first answer, or 'reused' where it stood for something else. The stock is taken last,
-- so that its row is locked for little more than the flush.
CREATE FUNCTION sell(new_id uuid, buyer uuid, of_event uuid, kind uuid, wanted integer, new_codes text[])
RETURNS TABLE (said text, type_name text, paid numeric, in_currency text, given text[]) LANGUAGE plpgsql AS $$
DECLARE
    shelf ticket_type;
    known purchase;
BEGIN
    SELECT * INTO shelf FROM ticket_type WHERE id = kind AND event = of_event;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown-ticket-type', NULL::text, NULL::numeric, NULL::text, NULL::text[];
        RETURN;
    END IF;
    IF shelf.available >= wanted THEN
        INSERT INTO purchase (id, account, event, ticket_type, quantity, price, codes)
        VALUES (new_id, buyer, of_event, kind, wanted, shelf.price, new_codes) ON CONFLICT (id) DO NOTHING;
        IF FOUND THEN
            INSERT INTO outbox (aggregate, payload) VALUES (new_id, jsonb_build_object(
                'purchase', new_id, 'account', buyer, 'event', of_event, 'ticketType', kind, 'name', shelf.name,
                'quantity', wanted, 'price', shelf.price, 'currency', shelf.currency, 'codes', new_codes));
            UPDATE ticket_type SET available = available - wanted WHERE id = kind AND available >= wanted;
            IF NOT FOUND THEN
                RAISE EXCEPTION USING ERRCODE = 'TS001', MESSAGE = 'sold out';
            END IF;
            RETURN QUERY SELECT 'confirmed', shelf.name, shelf.price, shelf.currency, new_codes;
            RETURN;
        END IF;
    END IF;
    SELECT * INTO known FROM purchase WHERE id = new_id;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'sold-out', NULL::text, NULL::numeric, NULL::text, NULL::text[];
    ELSIF (known.account, known.event, known.ticket_type, known.quantity) = (buyer, of_event, kind, wanted) THEN
        RETURN QUERY SELECT 'confirmed', shelf.name, known.price, shelf.currency, known.codes;
    ELSE
        RETURN QUERY SELECT 'idempotency-key-reused', NULL::text, NULL::numeric, NULL::text, NULL::text[];
    END IF;
END $$;
