-- +goose Up
-- Package settlement: shares and changes of a payment instead of a charge, so that a check has them too. 00046 makes the
-- tables and copies into them what is written meanwhile, 00047 copies what was written before, and 00048 puts views of the
-- old names in the old tables' place. No step holds a lock for longer than a moment, except 00048 while it swaps.

-- How a booked payment is divided over funds, once its fees are known, in minor units. What a fund has of the payment in
-- the payment's asset account is gift - fee - sponsor_fee. A payment in suspense has no gift in any fund. No foreign key
-- to payment: it would cost a lookup for each gift, and the row is written in the transaction that reads the payment.
CREATE TABLE payment_share (
    payment_id  uuid NOT NULL,
    entity_id   uuid NOT NULL,
    fund_id     uuid NOT NULL,
    gift        bigint NOT NULL CHECK (gift >= 0),
    fee         bigint NOT NULL,
    sponsor_fee bigint NOT NULL, -- negative in operations, which receives it
    PRIMARY KEY (payment_id, fund_id),
    FOREIGN KEY (fund_id, entity_id) REFERENCES fund (id, entity_id)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_share
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- What happened to a payment afterwards, each once, and fund by fund.
CREATE TABLE payment_change (
    entity_id  uuid NOT NULL REFERENCES legal_entity (id),
    object_id  text NOT NULL, -- the id of the refund or dispute at the processor, or of the refund order
    kind       text NOT NULL CHECK (kind IN ('refund', 'refund failed', 'dispute withdrawn', 'dispute won', 'dispute lost')),
    payment_id uuid NOT NULL REFERENCES payment (id),
    amount     bigint NOT NULL CHECK (amount > 0),
    at         timestamptz NOT NULL,
    PRIMARY KEY (object_id, kind, entity_id)
);
CREATE INDEX payment_change_by_payment ON payment_change (payment_id);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_change
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE payment_change_share (
    entity_id   uuid NOT NULL,
    object_id   text NOT NULL,
    kind        text NOT NULL,
    fund_id     uuid NOT NULL,
    amount      bigint NOT NULL CHECK (amount >= 0),
    fee         bigint NOT NULL, -- given back by operations
    sponsor_fee bigint NOT NULL, -- given back by operations
    absorbed    bigint NOT NULL DEFAULT 0 CHECK (absorbed BETWEEN 0 AND amount), -- paid by operations in a restricted fund's place
    PRIMARY KEY (object_id, kind, entity_id, fund_id),
    FOREIGN KEY (object_id, kind, entity_id) REFERENCES payment_change (object_id, kind, entity_id),
    FOREIGN KEY (fund_id, entity_id) REFERENCES fund (id, entity_id)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_change_share
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- The payment of a charge. A charge that is booked and has no payment gets one in suspense, from its balance transaction.
-- +goose StatementBegin
CREATE FUNCTION payment_of_charge(of_entity uuid, charge text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    found uuid := (SELECT id FROM public.payment WHERE entity_id = of_entity AND processor = 'stripe' AND charge_ref = charge);
BEGIN
    IF found IS NULL THEN
        INSERT INTO public.payment (id, entity_id, method, processor, charge_ref, intent_ref, asset_account, amount, currency, received_at, status, created_at)
        SELECT gen_random_uuid(), b.entity_id, 'card', 'stripe', b.source_id, b.source_id, '1010', b.amount, b.currency, b.created_at, 'suspense', b.booked_at
          FROM public.balance_transaction b
         WHERE b.entity_id = of_entity AND b.source_id = charge AND b.type IN ('charge', 'payment') LIMIT 1
        ON CONFLICT DO NOTHING
        RETURNING id INTO found;
    END IF;
    RETURN found;
END $$;
CREATE FUNCTION previous_release_share() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO public.payment_share (payment_id, entity_id, fund_id, gift, fee, sponsor_fee)
    VALUES (public.payment_of_charge(NEW.entity_id, NEW.charge_id), NEW.entity_id, NEW.fund_id, NEW.gift, NEW.fee, NEW.sponsor);
    RETURN NEW;
END $$;
CREATE FUNCTION previous_release_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO public.payment_change (entity_id, object_id, kind, payment_id, amount, at)
    VALUES (NEW.entity_id, NEW.object_id, NEW.kind, public.payment_of_charge(NEW.entity_id, NEW.charge_id), NEW.amount, NEW.at);
    RETURN NEW;
END $$;
CREATE FUNCTION previous_release_change_share() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN -- the change of before 00046 is not copied yet when its share is written by a transaction that began before
    INSERT INTO public.payment_change (entity_id, object_id, kind, payment_id, amount, at)
    SELECT h.entity_id, h.object_id, h.kind, public.payment_of_charge(h.entity_id, h.charge_id), h.amount, h.at
      FROM public.charge_change h WHERE (h.object_id, h.kind, h.entity_id) = (NEW.object_id, NEW.kind, NEW.entity_id)
    ON CONFLICT DO NOTHING;
    INSERT INTO public.payment_change_share (entity_id, object_id, kind, fund_id, amount, fee, sponsor_fee, absorbed)
    VALUES (NEW.entity_id, NEW.object_id, NEW.kind, NEW.fund_id, NEW.amount, NEW.fee, NEW.sponsor, NEW.borne);
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER previous_release_share AFTER INSERT ON charge_share FOR EACH ROW EXECUTE FUNCTION previous_release_share();
CREATE TRIGGER previous_release_change AFTER INSERT ON charge_change FOR EACH ROW EXECUTE FUNCTION previous_release_change();
CREATE TRIGGER previous_release_change_share AFTER INSERT ON charge_change_share FOR EACH ROW EXECUTE FUNCTION previous_release_change_share();

-- +goose Down
DROP TRIGGER previous_release_share ON charge_share;
DROP TRIGGER previous_release_change ON charge_change;
DROP TRIGGER previous_release_change_share ON charge_change_share;
DROP FUNCTION previous_release_share, previous_release_change, previous_release_change_share, payment_of_charge;
DROP TABLE payment_change_share, payment_change, payment_share;
