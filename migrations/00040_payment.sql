-- +goose Up
-- A donation is not a card payment. This file adds what later files and the program need, and takes locks for a moment only;
-- 00041 fills it with what was paid before.
--
-- For one release, the program of the release before runs on this schema too, beside the new one. It writes and reads the columns
-- payment_intent_id, charge_id and charged_at of donation, and knows no payment:
--   * what it settles or books to suspense, the triggers named previous_release_* write to payment;
--   * of donations that the new program settles it reads those three columns, so the new program still writes them, in the UPDATE
--     of the status, where they cost nothing: no index is on them any more.
-- Only the new program writes donors without an e-mail address and payments without a processor, and no page does so in this release.
-- The next release drops the triggers, the three columns, and the rights on them.

-- Package ledger: accounts of gifts of stock and in kind.
INSERT INTO account (code, name, kind, class) VALUES
    ('1300', 'Securities', 'asset', NULL),
    ('4200', 'Contributions-in-kind-without-restrictions', 'revenue', 'without'),
    ('4210', 'Contributions-in-kind-with-restrictions', 'revenue', 'with'),
    ('5300', 'Gifts-in-kind-used', 'expense', 'without');

-- Package donor: a donor may have no e-mail address, and may be an organisation. UNIQUE (entity_id, email) holds between those with one.
ALTER TABLE donor
    ALTER COLUMN email DROP NOT NULL,
    ADD COLUMN kind text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'organisation')),
    ADD COLUMN organisation_name text NOT NULL DEFAULT '',
    ADD CONSTRAINT donor_organisation_name CHECK (kind = 'organisation' OR organisation_name = '');

-- Package donation: where a donation comes from, its plan, and the day that decides its receipt's year.
-- source is NULL only while a row of the previous release is being inserted: see previous_release_donation.
ALTER TABLE donation
    ADD COLUMN source text DEFAULT 'form' CHECK (source IN ('form', 'plan', 'office', 'import')),
    ADD COLUMN plan_id uuid REFERENCES plan (id) DEFERRABLE INITIALLY DEFERRED,
    ADD COLUMN tax_date date,
    ALTER COLUMN form_id DROP NOT NULL,
    ALTER COLUMN form_hash DROP NOT NULL,
    ALTER COLUMN checkout_expires_at SET DEFAULT now(), -- the previous release cannot read a NULL there
    DROP CONSTRAINT donation_check,                     -- a settled donation has an intent and a charge
    ADD CONSTRAINT donation_settled CHECK (status <> 'settled' OR settled_at IS NOT NULL AND tax_date IS NOT NULL) NOT VALID;
ALTER TABLE donation ALTER COLUMN source DROP DEFAULT;
ALTER TABLE donation_contact ADD COLUMN organisation_name text NOT NULL DEFAULT '';

-- Package payment: each booked payment, once. A card payment and a bank debit come through a processor and have a charge there.
CREATE TABLE payment (
    id            uuid PRIMARY KEY,
    entity_id     uuid NOT NULL REFERENCES legal_entity (id),
    donation_id   uuid, -- NULL: in suspense, and no donation's
    method        text NOT NULL CHECK (method IN ('card', 'bank_debit', 'check', 'cash', 'bank_transfer', 'stock', 'donor_advised_fund', 'in_kind')),
    processor     text CHECK (processor IN ('stripe')),
    charge_ref    text,
    intent_ref    text,
    asset_account text NOT NULL CHECK (asset_account IN ('1010', '1050', '1100', '1300', '5300')),
    amount        bigint NOT NULL CHECK (amount > 0),
    currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    received_at   timestamptz NOT NULL,
    status        text NOT NULL CHECK (status IN ('settled', 'suspense')),
    created_at    timestamptz NOT NULL,
    CONSTRAINT payment_one_per_charge UNIQUE (entity_id, processor, charge_ref),
    FOREIGN KEY (donation_id, entity_id) REFERENCES donation (id, entity_id),
    CHECK ((processor IS NOT NULL) = (method IN ('card', 'bank_debit'))),
    CHECK (num_nulls(processor, charge_ref, intent_ref) IN (0, 3)),
    CHECK (donation_id IS NOT NULL OR status = 'suspense')
);
-- At most one payment settles a donation; a second one goes to suspense.
CREATE UNIQUE INDEX payment_one_settled ON payment (donation_id) WHERE status = 'settled';
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- A charge is one payment's: what these three held is held by payment. Each cost an index entry at every settling.
DROP INDEX donation_by_payment_intent, donation_by_charge;

-- What the previous release inserts has no source: an instalment is one whose form is itself.
-- +goose StatementBegin
CREATE FUNCTION previous_release_donation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.source := CASE WHEN NEW.form_id = NEW.id THEN 'plan' ELSE 'form' END;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER previous_release_donation BEFORE INSERT ON donation
    FOR EACH ROW WHEN (NEW.source IS NULL) EXECUTE FUNCTION previous_release_donation();

-- A donation that gets a charge and no tax_date was paid by the previous release.
-- +goose StatementBegin
CREATE FUNCTION previous_release_paid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.tax_date := (NEW.charged_at AT TIME ZONE (SELECT e.timezone FROM public.legal_entity e WHERE e.id = NEW.entity_id))::date;
    IF NEW.status = 'settled' THEN
        INSERT INTO public.payment (id, entity_id, donation_id, method, processor, charge_ref, intent_ref, asset_account, amount, currency,
                                    received_at, status, created_at)
        VALUES (gen_random_uuid(), NEW.entity_id, NEW.id,
                CASE WHEN EXISTS (SELECT FROM public.donation_step s WHERE s.donation_id = NEW.id AND s.status = 'processing' AND s.cause <> 'form')
                     THEN 'bank_debit' ELSE 'card' END, -- as 00041 has it
                'stripe', NEW.charge_id, NEW.payment_intent_id, '1010', NEW.amount, NEW.currency, NEW.charged_at, 'settled', NEW.settled_at)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER previous_release_paid BEFORE UPDATE ON donation
    FOR EACH ROW WHEN (NEW.charge_id IS NOT NULL AND NEW.tax_date IS NULL) EXECUTE FUNCTION previous_release_paid();

-- The plan of an instalment that the previous release writes is known when the invoice gets its donation.
-- +goose StatementBegin
CREATE FUNCTION previous_release_instalment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE public.donation SET plan_id = NEW.plan_id WHERE id = NEW.donation_id AND plan_id IS NULL;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER previous_release_instalment AFTER UPDATE OF donation_id ON instalment
    FOR EACH ROW WHEN (NEW.donation_id IS NOT NULL AND OLD.donation_id IS NULL) EXECUTE FUNCTION previous_release_instalment();

-- A payment in suspense has a task, which says what was charged. The amount is written with all digits of its currency's minor unit.
-- A donation that has the charge needs review because of this payment.
-- +goose StatementBegin
CREATE FUNCTION suspended_payment(task finance_task) RETURNS void LANGUAGE sql AS $$
    INSERT INTO public.payment (id, entity_id, donation_id, method, processor, charge_ref, intent_ref, asset_account, amount, currency,
                                received_at, status, created_at)
    SELECT gen_random_uuid(), task.entity_id,
           (SELECT d.id FROM public.donation d WHERE d.id = (task.detail ->> 'donation')::uuid AND d.entity_id = task.entity_id
               AND d.charge_id = task.detail ->> 'charge' AND d.status = 'held'),
           'card', 'stripe', task.detail ->> 'charge', task.subject, '1010', replace(task.detail ->> 'amount', '.', '')::bigint,
           task.detail ->> 'currency', task.opened_at, 'suspense', task.opened_at
     WHERE task.detail ->> 'charge' IS NOT NULL
    ON CONFLICT DO NOTHING
$$;
CREATE FUNCTION previous_release_suspended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.suspended_payment(NEW);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER previous_release_suspended AFTER INSERT ON finance_task
    FOR EACH ROW WHEN (NEW.kind IN ('payment_differs_from_gift', 'payment_in_other_currency', 'payment_without_gift', 'payment_of_another_entity',
        'gift_paid_twice', 'replaced_gift_paid', 'purged_gift_paid', 'payment_beyond_plan', 'payment_after_plan_ended'))
    EXECUTE FUNCTION previous_release_suspended();

-- The server's role needs the right before grants.sql gives it: the program of the release before writes through these triggers at once.
-- +goose StatementBegin
DO $$
DECLARE
    role name;
BEGIN
    FOR role IN SELECT DISTINCT g.grantee FROM information_schema.role_table_grants g
        WHERE g.table_schema = 'public' AND g.table_name = 'donation' AND g.privilege_type = 'INSERT' AND g.grantee <> current_user LOOP
        EXECUTE format('GRANT SELECT, INSERT ON payment TO %I', role);
    END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER previous_release_suspended ON finance_task;
DROP TRIGGER previous_release_instalment ON instalment;
DROP TRIGGER previous_release_paid ON donation;
DROP TRIGGER previous_release_donation ON donation;
DROP FUNCTION previous_release_suspended, suspended_payment, previous_release_instalment, previous_release_paid, previous_release_donation;
-- A schema of the previous release has no room for a donation that was not paid by card; such rows make this fail, as they should.
UPDATE donation SET form_id = id, form_hash = sha256(convert_to('instalment ' || id, 'UTF8')) WHERE form_id IS NULL AND source = 'plan';
DROP TABLE payment;
CREATE UNIQUE INDEX donation_by_payment_intent ON donation (entity_id, payment_intent_id) WHERE payment_intent_id IS NOT NULL;
CREATE UNIQUE INDEX donation_by_charge ON donation (entity_id, charge_id) WHERE charge_id IS NOT NULL;
ALTER TABLE donation_contact DROP COLUMN organisation_name;
ALTER TABLE donation
    DROP CONSTRAINT donation_settled,
    ADD CONSTRAINT donation_check CHECK (status <> 'settled' OR num_nulls(payment_intent_id, charge_id, charged_at, settled_at) = 0),
    ALTER COLUMN checkout_expires_at DROP DEFAULT,
    ALTER COLUMN form_hash SET NOT NULL,
    ALTER COLUMN form_id SET NOT NULL,
    DROP COLUMN tax_date, DROP COLUMN plan_id, DROP COLUMN source;
ALTER TABLE donor DROP COLUMN organisation_name, DROP COLUMN kind, ALTER COLUMN email SET NOT NULL;
DELETE FROM account WHERE code IN ('1300', '4200', '4210', '5300');
