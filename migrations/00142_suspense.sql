-- +goose NO TRANSACTION
-- +goose Up
-- The constraints that migration 00140 added without reading the rows.
ALTER TABLE finance_task VALIDATE CONSTRAINT finance_task_closed_by_fkey;
ALTER TABLE payment VALIDATE CONSTRAINT payment_method_check;

-- Amounts in suspense (1090), and how two persons resolve them. Owned by internal/office/suspense. Each statement may be repeated.

-- What is in suspense, by subject: a charge, or a balance transaction of none. A positive amount is money that came, a negative one money that
-- left. Zero: it was resolved, or cleared itself.
CREATE OR REPLACE VIEW suspense_posting WITH (security_invoker = true) AS
SELECT p.entity_id, coalesce(e.dimensions ->> 'suspense', e.dimensions ->> 'charge', b.changed_charge, e.source_id) AS subject, p.fund_id, p.currency,
       -p.amount AS amount, p.serial, p.n, e.entry_date, e.source, e.source_id, e.kind
  FROM posting p
  JOIN journal_entry e ON e.id = p.entry_id
  LEFT JOIN balance_transaction b ON b.entity_id = e.entity_id AND b.id = e.source_id AND e.source = 'stripe balance transaction'
 WHERE p.account_code = '1090';
CREATE OR REPLACE VIEW suspense_row WITH (security_invoker = true) AS
SELECT s.entity_id, s.subject, s.currency, sum(s.amount)::bigint AS amount, min(s.entry_date) AS since, min(s.serial) AS serial, count(*) AS entries,
       EXISTS (SELECT FROM pending_charge c WHERE c.entity_id = s.entity_id AND c.charge_id = s.subject AND c.cleared_at IS NULL) AS clears_itself
  FROM suspense_posting s GROUP BY s.entity_id, s.subject, s.currency;

-- Money that moved between funds while it was in Stripe clearing (1010). Payouts are divided by what their members left in each fund, and no member
-- has this: the next payout carries it. What one source moved comes to zero. Owned by internal/processor/payout.
CREATE TABLE IF NOT EXISTS clearing_move (
    entity_id  uuid NOT NULL REFERENCES legal_entity (id),
    source_id  text NOT NULL CHECK (source_id <> ''), -- of the entry that moved it
    fund_id    uuid NOT NULL,
    amount     bigint NOT NULL CHECK (amount <> 0), -- minor units; positive: to the fund
    carried_by text CHECK (carried_by <> ''), -- the balance transaction of a payout
    PRIMARY KEY (entity_id, source_id, fund_id),
    FOREIGN KEY (fund_id, entity_id) REFERENCES fund (id, entity_id)
);
CREATE INDEX IF NOT EXISTS clearing_move_waits ON clearing_move (entity_id) WHERE carried_by IS NULL;

-- A resolution: the whole amount of a subject is booked to an account of operations, or is a gift, or goes back to who paid. It executes a request
-- that another person approved. The gift was recorded with the request; it has the donor, the funds and the amount. What goes back leaves suspense
-- when the processor has made the refund.
CREATE TABLE IF NOT EXISTS suspense_resolution (
    id           uuid PRIMARY KEY,
    entity_id    uuid NOT NULL REFERENCES legal_entity (id),
    subject      text NOT NULL CHECK (subject <> ''),
    amount       bigint NOT NULL CHECK (amount <> 0), -- minor units, as in suspense_row
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    account_code text REFERENCES account (code),
    donation_id  uuid UNIQUE,
    refunded     boolean NOT NULL DEFAULT false,
    reason       text NOT NULL CHECK (reason <> '' AND length(reason) <= 500), -- names no donor: it is part of what is approved
    request_id   uuid NOT NULL UNIQUE,
    request_hash bytea NOT NULL,
    resolved_by  uuid NOT NULL REFERENCES staff (id),
    resolved_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (request_id, request_hash) REFERENCES approval_request (id, hash),
    FOREIGN KEY (donation_id, entity_id) REFERENCES donation (id, entity_id),
    CHECK (num_nonnulls(account_code, donation_id) + refunded::integer = 1)
);
CREATE INDEX IF NOT EXISTS suspense_resolution_of_subject ON suspense_resolution (entity_id, subject);

-- +goose StatementBegin
-- What is approved, and executed.
CREATE OR REPLACE FUNCTION suspense_body(entity uuid, subject text, amount bigint, currency text, account text, gift uuid, refunded boolean, reason text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT concat_ws(E'\n', 'suspense', 'entity ' || $1, 'subject ' || $2, 'amount ' || $3 || ' ' || $4, 'account ' || $5, 'gift ' || $6, CASE WHEN $7 THEN 'refund' END, 'reason ' || $8)
$$;

-- In which account the money of a subject is, and when it came: as its payment says; what has none is at Stripe since its first movement.
CREATE OR REPLACE FUNCTION suspense_origin(of_entity uuid, subject text) RETURNS TABLE (account text, received_at timestamptz) STABLE LANGUAGE sql AS $$
    SELECT o.account, o.received_at FROM (
        SELECT 1 AS n, p.asset_account AS account, p.received_at FROM payment p
         WHERE p.entity_id = $1 AND p.status = 'suspense' AND (p.charge_ref = $2 OR p.id::text = $2)
        UNION ALL
        SELECT 2, '1010', b.created_at FROM balance_transaction b WHERE b.entity_id = $1 AND b.id = $2) o
     ORDER BY o.n LIMIT 1
$$;

-- A resolution is of the amount that is in suspense now, and of what was approved. Who and when are the database's.
CREATE OR REPLACE FUNCTION suspense_resolution_begins() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('suspense_resolution'), hashtext(NEW.entity_id || NEW.subject));
    NEW.resolved_by := staff_of_session();
    NEW.resolved_at := clock_timestamp();
    IF NEW.resolved_by IS NULL THEN
        PERFORM refuse_approval('approval_has_session', 'there is no staff session');
    ELSIF NOT EXISTS (SELECT FROM approval_request r WHERE r.id = NEW.request_id AND r.subject = NEW.id::text
                         AND r.body = suspense_body(NEW.entity_id, NEW.subject, NEW.amount, NEW.currency, NEW.account_code, NEW.donation_id, NEW.refunded, NEW.reason)) THEN
        PERFORM refuse_approval('suspense_as_approved', 'this is not what was approved');
    ELSIF NOT EXISTS (SELECT FROM suspense_row s WHERE s.entity_id = NEW.entity_id AND s.subject = NEW.subject AND s.currency = NEW.currency
                         AND s.amount = NEW.amount AND NOT s.clears_itself) THEN
        PERFORM refuse_approval('suspense_amount', 'this amount is not in suspense, or clears itself');
    ELSIF EXISTS (SELECT FROM suspense_resolution r WHERE r.entity_id = NEW.entity_id AND r.subject = NEW.subject AND r.refunded
                     AND r.resolved_at > NEW.resolved_at - interval '7 days') THEN
        PERFORM refuse_approval('suspense_refund_waits', 'a refund of this was ordered less than a week ago');
    ELSIF NEW.refunded AND NOT EXISTS (SELECT FROM payment p WHERE p.entity_id = NEW.entity_id AND p.processor = 'stripe' AND p.charge_ref = NEW.subject
                                          AND p.status = 'suspense' AND p.amount = NEW.amount AND p.currency = NEW.currency) THEN
        PERFORM refuse_approval('suspense_refund', 'only a whole charge in suspense goes back');
    ELSIF NEW.account_code IS NOT NULL AND NOT EXISTS (SELECT FROM account a WHERE a.code = NEW.account_code AND a.kind IN ('revenue', 'expense')) THEN
        PERFORM refuse_approval('suspense_account', 'suspense is resolved to an account of revenue or expense');
    ELSIF NEW.donation_id IS NOT NULL AND NOT EXISTS (SELECT FROM donation d WHERE d.id = NEW.donation_id AND d.entity_id = NEW.entity_id AND d.source = 'office'
                                                         AND d.status = 'started' AND d.amount = NEW.amount AND d.currency = NEW.currency) THEN
        PERFORM refuse_approval('suspense_gift', 'the gift is another one, or is paid already');
    END IF;
    RETURN NEW;
END $$;

-- At commit, a resolution is booked as it says, once; a gift is settled by it.
CREATE OR REPLACE FUNCTION suspense_resolution_is_booked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.refunded THEN
        RETURN NULL; -- the processor's fact is booked when it is there
    END IF;
    IF (SELECT array_agg(p.account_code || ' ' || p.amount || ' ' || f.code ORDER BY p.account_code) FROM journal_entry e JOIN posting p ON p.entry_id = e.id JOIN fund f ON f.id = p.fund_id
         WHERE e.source = 'suspense resolution' AND e.source_id = NEW.id::text AND e.entity_id = NEW.entity_id AND e.dimensions ->> 'suspense' = NEW.subject)
       IS DISTINCT FROM (SELECT array_agg(l ORDER BY l) FROM unnest(ARRAY['1090 ' || NEW.amount || ' operations',
              coalesce(NEW.account_code, (SELECT m.account FROM suspense_origin(NEW.entity_id, NEW.subject) m)) || ' ' || -NEW.amount || ' operations']) l)
       OR NEW.donation_id IS NOT NULL AND NOT EXISTS (SELECT FROM payment p WHERE p.id = NEW.id AND p.donation_id = NEW.donation_id AND p.status = 'settled'
              AND p.method = 'suspense' AND p.amount = NEW.amount AND p.currency = NEW.currency AND p.asset_account = (SELECT m.account FROM suspense_origin(NEW.entity_id, NEW.subject) m)) THEN
        RAISE EXCEPTION 'suspense resolution % is not booked as it says', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'suspense_is_booked';
    END IF;
    RETURN NULL;
END $$;

-- A payment comes out of suspense by a resolution alone.
CREATE OR REPLACE FUNCTION payment_out_of_suspense() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM suspense_resolution r WHERE r.id = NEW.id AND r.entity_id = NEW.entity_id AND r.donation_id = NEW.donation_id) THEN
        RAISE EXCEPTION 'payment % comes out of suspense without a resolution', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'suspense_has_cause';
    END IF;
    RETURN NULL;
END $$;

-- What one source moves between funds comes to zero; a payout carries it once.
CREATE OR REPLACE FUNCTION clearing_move_is_even() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (SELECT sum(m.amount) FROM clearing_move m WHERE m.entity_id = NEW.entity_id AND m.source_id = NEW.source_id) <> 0 THEN
        RAISE EXCEPTION 'what % moves between funds does not come to zero', NEW.source_id USING ERRCODE = 'check_violation', CONSTRAINT = 'clearing_move_is_even';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION clearing_move_is_carried_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.entity_id, OLD.source_id, OLD.fund_id, OLD.amount) IS DISTINCT FROM (NEW.entity_id, NEW.source_id, NEW.fund_id, NEW.amount) OR OLD.carried_by IS NOT NULL THEN
        RAISE EXCEPTION 'what % moved between funds is carried once', OLD.source_id USING ERRCODE = 'check_violation', CONSTRAINT = 'clearing_move_is_carried_once';
    END IF;
    RETURN NEW;
END $$;

-- Money leaves suspense by a fact of the processor, or by a resolution: an entry of any other source has no posting there.
CREATE OR REPLACE FUNCTION suspense_has_cause() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM journal_entry e WHERE e.id = NEW.entry_id AND CASE e.source
           WHEN 'suspense resolution' THEN EXISTS (SELECT FROM suspense_resolution r WHERE r.id::text = e.source_id AND r.entity_id = e.entity_id AND e.kind = 'resolved')
           WHEN 'stripe payment intent' THEN NEW.amount < 0
           WHEN 'payment' THEN NEW.amount < 0
           ELSE e.source = 'stripe balance transaction' AND EXISTS (SELECT FROM balance_transaction b WHERE b.id = e.source_id AND b.entity_id = e.entity_id) END) THEN
        RAISE EXCEPTION 'entry % takes money out of suspense without a cause', NEW.entry_id USING ERRCODE = 'check_violation', CONSTRAINT = 'suspense_has_cause';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE OR REPLACE TRIGGER clearing_move_is_carried_once BEFORE UPDATE ON clearing_move FOR EACH ROW EXECUTE FUNCTION clearing_move_is_carried_once();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON clearing_move FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
DROP TRIGGER IF EXISTS clearing_move_is_even ON clearing_move;
CREATE CONSTRAINT TRIGGER clearing_move_is_even AFTER INSERT ON clearing_move DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION clearing_move_is_even();
DROP TRIGGER IF EXISTS payment_out_of_suspense ON payment;
CREATE CONSTRAINT TRIGGER payment_out_of_suspense AFTER INSERT ON payment DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.method = 'suspense') EXECUTE FUNCTION payment_out_of_suspense();
CREATE OR REPLACE TRIGGER sees_every_commit BEFORE INSERT ON suspense_resolution FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE OR REPLACE TRIGGER suspense_resolution_begins BEFORE INSERT ON suspense_resolution FOR EACH ROW EXECUTE FUNCTION suspense_resolution_begins();
CREATE OR REPLACE TRIGGER requires_approval AFTER INSERT ON suspense_resolution FOR EACH ROW EXECUTE FUNCTION requires_approval('suspense', 'id');
CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON suspense_resolution FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
DROP TRIGGER IF EXISTS suspense_resolution_is_booked ON suspense_resolution;
CREATE CONSTRAINT TRIGGER suspense_resolution_is_booked AFTER INSERT ON suspense_resolution DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION suspense_resolution_is_booked();
DROP TRIGGER IF EXISTS requires_audit ON suspense_resolution;
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON suspense_resolution DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('suspense_resolution', 'id', 'resolved_by');
DROP TRIGGER IF EXISTS suspense_has_cause ON posting;
CREATE CONSTRAINT TRIGGER suspense_has_cause AFTER INSERT ON posting DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.account_code = '1090') EXECUTE FUNCTION suspense_has_cause();

-- +goose Down
DROP TRIGGER payment_out_of_suspense ON payment;
DROP TRIGGER suspense_has_cause ON posting;
DROP TABLE suspense_resolution, clearing_move;
DROP FUNCTION payment_out_of_suspense, clearing_move_is_even, clearing_move_is_carried_once, suspense_origin, suspense_has_cause, suspense_resolution_is_booked, suspense_resolution_begins, suspense_body;
DROP VIEW suspense_row, suspense_posting;
