-- +goose NO TRANSACTION
-- +goose Up
-- What migrations 00040 to 00060 kept for the program before the refit, for one release: triggers that wrote each gift's form and payment page
-- twice, and payments, payouts and shares for a program that did not know their tables. A server of that program does not run on this schema; one
-- of the release after it does, because it neither reads nor writes what goes.
--
-- Each statement is a transaction of its own and does nothing the second time, so that no lock on one table waits for another while servers run.
-- The order: checkout_of_donation no longer copies the old columns, then nobody fills them, then they go.

-- A donation that is expired or failed ends its checkout, so that its form may begin another; one that is paid late begins it again.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION checkout_of_donation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE checkout c SET ended = NEW.status IN ('expired', 'failed') WHERE c.donation_id = NEW.id AND c.ended <> (NEW.status IN ('expired', 'failed'));
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE OR REPLACE TRIGGER checkout_of_donation AFTER UPDATE ON donation
    FOR EACH ROW WHEN (NEW.source = 'form' AND (NEW.status IN ('expired', 'failed')) <> (OLD.status IN ('expired', 'failed')))
    EXECUTE FUNCTION checkout_of_donation();
DROP TRIGGER IF EXISTS previous_release_page ON checkout;
DROP TRIGGER IF EXISTS previous_release_columns ON donation;
DROP TRIGGER IF EXISTS previous_release_donation ON donation;
DROP TRIGGER IF EXISTS previous_release_paid ON donation;
DROP TRIGGER IF EXISTS previous_release_instalment ON instalment;
DROP TRIGGER IF EXISTS previous_release_suspended ON finance_task;
DROP TRIGGER IF EXISTS previous_release_payout ON balance_transaction;
DROP VIEW IF EXISTS charge_share, charge_change, charge_change_share;
DROP FUNCTION IF EXISTS previous_release_page, previous_release_columns, previous_release_donation, previous_release_paid, previous_release_instalment,
    previous_release_suspended, suspended_payment, previous_release_payout, previous_release_share, previous_release_change;
DROP INDEX CONCURRENTLY IF EXISTS donation_one_live_per_form;
ALTER TABLE donation DROP COLUMN IF EXISTS form_id, DROP COLUMN IF EXISTS form_hash, DROP COLUMN IF EXISTS checkout_try, DROP COLUMN IF EXISTS checkout_expires_at,
    DROP COLUMN IF EXISTS checkout_session_id, DROP COLUMN IF EXISTS checkout_url;

-- +goose Down
-- The columns are filled before the triggers keep them so.
ALTER TABLE donation ADD COLUMN form_id uuid, ADD COLUMN form_hash bytea CONSTRAINT donation_form_hash_check CHECK (octet_length(form_hash) = 32),
    ADD COLUMN checkout_try smallint NOT NULL DEFAULT 1 CONSTRAINT donation_checkout_try_check CHECK (checkout_try BETWEEN 1 AND 9),
    ADD COLUMN checkout_expires_at timestamptz NOT NULL DEFAULT now(), ADD COLUMN checkout_session_id text, ADD COLUMN checkout_url text,
    ADD CONSTRAINT donation_check1 CHECK (num_nulls(checkout_session_id, checkout_url) IN (0, 2));
UPDATE donation d SET form_id = c.form_id, form_hash = c.form_hash, checkout_try = c.try, checkout_session_id = c.session_id,
       checkout_url = c.session_url, checkout_expires_at = c.expires_at
  FROM checkout c WHERE c.donation_id = d.id;
CREATE UNIQUE INDEX donation_one_live_per_form ON donation (form_id) WHERE status IN ('started', 'processing', 'settled', 'held');
CREATE VIEW charge_share AS
SELECT p.charge_ref AS charge_id, s.entity_id, s.fund_id, s.gift, s.fee, s.sponsor_fee AS sponsor
  FROM payment_share s JOIN payment p ON p.id = s.payment_id AND p.entity_id = s.entity_id AND p.processor = 'stripe';
CREATE VIEW charge_change AS
SELECT h.entity_id, h.object_id, h.kind, p.charge_ref AS charge_id, h.amount, h.at
  FROM payment_change h JOIN payment p ON p.id = h.payment_id AND p.entity_id = h.entity_id AND p.processor = 'stripe';
CREATE VIEW charge_change_share AS -- PostgreSQL inserts through it by itself
SELECT entity_id, object_id, kind, fund_id, amount, fee, sponsor_fee AS sponsor, absorbed AS borne FROM payment_change_share;
ALTER VIEW charge_change_share ALTER COLUMN borne SET DEFAULT 0;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION previous_release_donation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.source := CASE WHEN NEW.form_id = NEW.id THEN 'plan' ELSE 'form' END;
    IF NEW.source = 'form' THEN
        INSERT INTO public.checkout (donation_id, form_id, form_hash, try, session_id, session_url, expires_at, ended)
        VALUES (NEW.id, NEW.form_id, NEW.form_hash, NEW.checkout_try, NEW.checkout_session_id, NEW.checkout_url, NEW.checkout_expires_at,
                NEW.status IN ('expired', 'failed'))
        ON CONFLICT (form_id) WHERE NOT ended DO NOTHING; -- the donation's own INSERT says the same
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION previous_release_columns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT c.form_id, c.form_hash, c.try, c.session_id, c.session_url, c.expires_at
      INTO NEW.form_id, NEW.form_hash, NEW.checkout_try, NEW.checkout_session_id, NEW.checkout_url, NEW.checkout_expires_at
      FROM public.checkout c WHERE c.donation_id = NEW.id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'donation % has no checkout', NEW.id USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'donation_has_checkout';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION checkout_of_donation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO checkout AS c (donation_id, form_id, form_hash, try, session_id, session_url, expires_at, ended)
    VALUES (NEW.id, NEW.form_id, NEW.form_hash, NEW.checkout_try, NEW.checkout_session_id, NEW.checkout_url, NEW.checkout_expires_at,
            NEW.status IN ('expired', 'failed'))
    ON CONFLICT (donation_id) DO UPDATE
       SET try = EXCLUDED.try, session_id = EXCLUDED.session_id, session_url = EXCLUDED.session_url, expires_at = EXCLUDED.expires_at, ended = EXCLUDED.ended
     WHERE (c.try, c.session_id, c.session_url, c.expires_at, c.ended)
           IS DISTINCT FROM (EXCLUDED.try, EXCLUDED.session_id, EXCLUDED.session_url, EXCLUDED.expires_at, EXCLUDED.ended);
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION previous_release_page() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE donation d SET checkout_try = NEW.try, checkout_session_id = NEW.session_id, checkout_url = NEW.session_url, checkout_expires_at = NEW.expires_at
     WHERE d.id = NEW.donation_id AND (d.checkout_try, d.checkout_session_id, d.checkout_url, d.checkout_expires_at)
           IS DISTINCT FROM (NEW.try, NEW.session_id, NEW.session_url, NEW.expires_at);
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION previous_release_paid() RETURNS trigger LANGUAGE plpgsql AS $$
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
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION previous_release_instalment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE public.donation d SET plan_id = NEW.plan_id FROM public.plan p
     WHERE d.id = NEW.donation_id AND d.plan_id IS NULL AND p.id = NEW.plan_id AND p.donor_id = d.donor_id AND p.entity_id = d.entity_id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION suspended_payment(task finance_task) RETURNS void LANGUAGE sql AS $$
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
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION previous_release_suspended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.suspended_payment(NEW);
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION previous_release_payout() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.type <> 'payout' THEN
        UPDATE public.payout SET status = CASE NEW.type WHEN 'payout_cancel' THEN 'canceled' ELSE 'failed' END
         WHERE entity_id = NEW.entity_id AND processor = 'stripe' AND payout_ref = NEW.source_id;
        RETURN NULL;
    END IF;
    INSERT INTO public.payout (id, entity_id, processor, payout_ref, amount, currency, arrival_on, status, created_at)
    VALUES (gen_random_uuid(), NEW.entity_id, 'stripe', NEW.source_id, -NEW.net, NEW.currency, (NEW.available_on AT TIME ZONE 'UTC')::date, 'in_transit', NEW.created_at)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION previous_release_share() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO public.payment_share (payment_id, entity_id, fund_id, gift, fee, sponsor_fee)
    VALUES (public.payment_of_charge(NEW.entity_id, NEW.charge_id), NEW.entity_id, NEW.fund_id, NEW.gift, NEW.fee, NEW.sponsor);
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION previous_release_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO public.payment_change (entity_id, object_id, kind, payment_id, amount, at)
    VALUES (NEW.entity_id, NEW.object_id, NEW.kind, public.payment_of_charge(NEW.entity_id, NEW.charge_id), NEW.amount, NEW.at);
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER previous_release_donation BEFORE INSERT ON donation
    FOR EACH ROW WHEN (NEW.source IS NULL) EXECUTE FUNCTION previous_release_donation();
CREATE TRIGGER previous_release_columns BEFORE INSERT ON donation
    FOR EACH ROW WHEN (NEW.source = 'form' AND NEW.form_id IS NULL) EXECUTE FUNCTION previous_release_columns();
CREATE OR REPLACE TRIGGER checkout_of_donation AFTER UPDATE ON donation
    FOR EACH ROW WHEN (NEW.source = 'form' AND NEW.form_id IS NOT NULL AND (
        (NEW.status IN ('expired', 'failed')) <> (OLD.status IN ('expired', 'failed'))
        OR NEW.checkout_try IS DISTINCT FROM OLD.checkout_try OR NEW.checkout_session_id IS DISTINCT FROM OLD.checkout_session_id
        OR NEW.checkout_url IS DISTINCT FROM OLD.checkout_url OR NEW.checkout_expires_at IS DISTINCT FROM OLD.checkout_expires_at))
    EXECUTE FUNCTION checkout_of_donation();
CREATE TRIGGER previous_release_page AFTER UPDATE ON checkout
    FOR EACH ROW WHEN (NEW.try IS DISTINCT FROM OLD.try OR NEW.session_id IS DISTINCT FROM OLD.session_id
        OR NEW.session_url IS DISTINCT FROM OLD.session_url OR NEW.expires_at IS DISTINCT FROM OLD.expires_at)
    EXECUTE FUNCTION previous_release_page();
CREATE TRIGGER previous_release_paid BEFORE UPDATE ON donation
    FOR EACH ROW WHEN (NEW.charge_id IS NOT NULL AND NEW.tax_date IS NULL) EXECUTE FUNCTION previous_release_paid();
CREATE TRIGGER previous_release_instalment AFTER UPDATE OF donation_id ON instalment
    FOR EACH ROW WHEN (NEW.donation_id IS NOT NULL AND OLD.donation_id IS NULL) EXECUTE FUNCTION previous_release_instalment();
CREATE TRIGGER previous_release_suspended AFTER INSERT ON finance_task
    FOR EACH ROW WHEN (NEW.kind IN ('payment_differs_from_gift', 'payment_in_other_currency', 'payment_without_gift', 'payment_of_another_entity',
        'gift_paid_twice', 'replaced_gift_paid', 'purged_gift_paid', 'payment_beyond_plan', 'payment_after_plan_ended'))
    EXECUTE FUNCTION previous_release_suspended();
CREATE TRIGGER previous_release_payout AFTER INSERT ON balance_transaction
    FOR EACH ROW WHEN (NEW.type IN ('payout', 'payout_failure', 'payout_cancel') AND NEW.source_id <> '') EXECUTE FUNCTION previous_release_payout();
CREATE TRIGGER previous_release_share INSTEAD OF INSERT ON charge_share FOR EACH ROW EXECUTE FUNCTION previous_release_share();
CREATE TRIGGER previous_release_change INSTEAD OF INSERT ON charge_change FOR EACH ROW EXECUTE FUNCTION previous_release_change();
