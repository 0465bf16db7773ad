-- +goose NO TRANSACTION
-- +goose Up
-- What is owed to donors (2300) since a refund by card failed, or the refund of a gift without a processor was ordered, and how it is repaid. Owned by
-- internal/office/repayment. Each statement may be repeated: the tables refer to tables that servers write.
--
--   made ──▶ on the bank's statement: 2300 / 1100
--    └── withdrawn, without a live match: it is owed again
CREATE TABLE IF NOT EXISTS repayment (
    id           uuid PRIMARY KEY,
    entity_id    uuid NOT NULL,
    n            integer NOT NULL CHECK (n > 0), -- 1, 2, 3 … of the entity; the database's to say
    payment_id   uuid NOT NULL,
    donation_id  uuid NOT NULL, -- this and currency are the payment's: repayment_begins sets them
    currency     text NOT NULL,
    amount       bigint NOT NULL CHECK (amount > 0), -- minor units
    method       text NOT NULL CHECK (method IN ('check', 'transfer', 'returned')), -- returned: the gift's own check came back, so the donor has it
    number       text NOT NULL DEFAULT '' CHECK (length(number) <= 40), -- of the check, or the bank's reference
    paid_on      date NOT NULL,
    account_id   uuid, -- the bank account that pays
    submission   uuid NOT NULL UNIQUE, -- of the form: sent again, it is the same repayment
    made_by      uuid, -- a staff member: this and the times are the database's to say; NULL: an operator
    made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_in  xid8 NOT NULL DEFAULT pg_current_xact_id(),
    withdrawn_by uuid,
    withdrawn_at timestamptz,
    UNIQUE (id, entity_id),
    UNIQUE (entity_id, n),
    CHECK ((method = 'returned') = (account_id IS NULL)),
    CHECK (method = 'returned' OR btrim(number) <> '')
);
ALTER TABLE repayment DROP CONSTRAINT IF EXISTS repayment_entity_id_fkey, ADD CONSTRAINT repayment_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity (id);
ALTER TABLE repayment DROP CONSTRAINT IF EXISTS repayment_payment_id_fkey, ADD CONSTRAINT repayment_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payment (id);
ALTER TABLE repayment DROP CONSTRAINT IF EXISTS repayment_donation_id_entity_id_fkey,
    ADD CONSTRAINT repayment_donation_id_entity_id_fkey FOREIGN KEY (donation_id, entity_id) REFERENCES donation (id, entity_id);
ALTER TABLE repayment DROP CONSTRAINT IF EXISTS repayment_account_id_entity_id_fkey,
    ADD CONSTRAINT repayment_account_id_entity_id_fkey FOREIGN KEY (account_id, entity_id) REFERENCES bank_account (id, entity_id);
ALTER TABLE repayment DROP CONSTRAINT IF EXISTS repayment_made_by_fkey, ADD CONSTRAINT repayment_made_by_fkey FOREIGN KEY (made_by) REFERENCES staff (id);
ALTER TABLE repayment DROP CONSTRAINT IF EXISTS repayment_withdrawn_by_fkey, ADD CONSTRAINT repayment_withdrawn_by_fkey FOREIGN KEY (withdrawn_by) REFERENCES staff (id);
CREATE INDEX IF NOT EXISTS repayment_of_payment ON repayment (payment_id);
CREATE INDEX IF NOT EXISTS repayment_of_account ON repayment (account_id, n) WHERE withdrawn_at IS NULL;

CREATE TABLE IF NOT EXISTS repayment_part (
    repayment_id uuid NOT NULL,
    entity_id    uuid NOT NULL,
    fund_id      uuid NOT NULL,
    amount       bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (repayment_id, fund_id),
    FOREIGN KEY (repayment_id, entity_id) REFERENCES repayment (id, entity_id)
);
ALTER TABLE repayment_part DROP CONSTRAINT IF EXISTS repayment_part_fund_id_entity_id_fkey,
    ADD CONSTRAINT repayment_part_fund_id_entity_id_fkey FOREIGN KEY (fund_id, entity_id) REFERENCES fund (id, entity_id);

-- +goose StatementBegin
-- payment_position, which servers use now, reads both tables: who reads changes of payments reads them.
DO $$
DECLARE
    who text;
BEGIN
    FOR who IN SELECT DISTINCT g.grantee FROM information_schema.role_table_grants g
                WHERE g.table_schema = 'public' AND g.table_name = 'payment_change' AND g.privilege_type = 'SELECT' AND g.grantee <> current_user LOOP
        EXECUTE format('GRANT SELECT ON repayment, repayment_part TO %I', who);
    END LOOP;
END $$;

-- As before (migration 00130); of what is owed since a refund by card failed, what was repaid is gone.
CREATE OR REPLACE FUNCTION payment_position(of_payment uuid) RETURNS TABLE (fund_id uuid, gift bigint, fee bigint, sponsor_fee bigint, remaining bigint,
    refunded bigint, fee_back bigint, sponsor_fee_back bigint, owed bigint, stated bigint) STABLE LANGUAGE sql AS $$
    SELECT c.fund_id, c.gift, c.fee, c.sponsor_fee, c.gift - coalesce(g.gone, 0), coalesce(g.refunded, 0), coalesce(g.fee, 0), coalesce(g.sponsor_fee, 0),
           greatest(coalesce(g.owed, 0) - coalesce((SELECT sum(p.amount) FROM repayment r JOIN repayment_part p ON p.repayment_id = r.id
               WHERE r.payment_id = $1 AND r.withdrawn_at IS NULL AND p.fund_id = c.fund_id), 0), 0)::bigint,
           c.gift - coalesce(g.refunded, 0) - coalesce(g.lost, 0)
      FROM payment_share c
      LEFT JOIN (SELECT s.fund_id, sum(s.fee)::bigint AS fee, sum(s.sponsor_fee)::bigint AS sponsor_fee,
                        coalesce(sum(s.amount) FILTER (WHERE s.kind = 'refund'), 0)::bigint AS refunded,
                        coalesce(sum(s.amount) FILTER (WHERE s.kind = 'dispute lost' AND NOT EXISTS (
                            SELECT FROM payment_change w WHERE w.object_id = s.object_id AND w.entity_id = s.entity_id AND w.kind = 'dispute won')), 0)::bigint AS lost,
                        sum(CASE s.kind WHEN 'refund' THEN s.amount WHEN 'dispute withdrawn' THEN s.amount
                                        WHEN 'dispute won' THEN -s.amount ELSE 0 END)::bigint AS gone,
                        sum(CASE s.kind WHEN 'refund failed' THEN s.amount + s.owed WHEN 'refund' THEN -s.owed WHEN 'dispute withdrawn' THEN -s.owed
                                        WHEN 'dispute won' THEN s.owed ELSE 0 END)::bigint AS owed
                   FROM payment_change h
                   JOIN payment_change_share s ON s.object_id = h.object_id AND s.kind = h.kind AND s.entity_id = h.entity_id
                  WHERE h.payment_id = $1 GROUP BY s.fund_id) g ON g.fund_id = c.fund_id
     WHERE c.payment_id = $1 AND c.gift > 0
$$;

-- What is owed of a payment by fund, and has no repayment: by card, since a refund failed; without a processor, what was ordered. What a restricted
-- fund could not pay, operations owes.
CREATE OR REPLACE FUNCTION payment_owed(of_payment uuid) RETURNS TABLE (fund_id uuid, amount bigint) STABLE LANGUAGE sql AS $$
    SELECT s.fund_id, s.owed FROM payment p CROSS JOIN LATERAL payment_position(p.id) s WHERE p.id = $1 AND p.processor IS NOT NULL AND s.owed > 0
    UNION ALL
    SELECT q.fund_id, sum(q.amount)::bigint FROM (
        SELECT s.fund_id, s.amount - s.absorbed AS amount FROM payment p JOIN payment_change h ON h.payment_id = p.id AND h.kind = 'refund'
          JOIN payment_change_share s ON s.object_id = h.object_id AND s.kind = h.kind AND s.entity_id = h.entity_id WHERE p.id = $1 AND p.processor IS NULL
        UNION ALL
        SELECT o.id, s.absorbed FROM payment p JOIN payment_change h ON h.payment_id = p.id AND h.kind = 'refund'
          JOIN payment_change_share s ON s.object_id = h.object_id AND s.kind = h.kind AND s.entity_id = h.entity_id
          JOIN fund o ON o.entity_id = p.entity_id AND o.organisation_id IS NULL WHERE p.id = $1 AND p.processor IS NULL
        UNION ALL
        SELECT t.fund_id, -t.amount FROM payment p JOIN repayment r ON r.payment_id = p.id AND r.withdrawn_at IS NULL
          JOIN repayment_part t ON t.repayment_id = r.id WHERE p.id = $1 AND p.processor IS NULL) q
     GROUP BY q.fund_id HAVING sum(q.amount) <> 0
$$;

CREATE OR REPLACE FUNCTION refuse_repayment(rule text, message text) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '%', message USING ERRCODE = 'check_violation', CONSTRAINT = rule;
END $$;

-- A repayment is of a settled payment of the entity, one after the other of a payment; who and when are the session's and the database's.
CREATE OR REPLACE FUNCTION repayment_begins() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    p payment;
BEGIN
    SELECT * INTO p FROM payment WHERE id = NEW.payment_id AND entity_id = NEW.entity_id AND status = 'settled' FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse_repayment('repayment_payment', 'payment ' || NEW.payment_id || ' is no settled payment of the entity');
    END IF;
    IF NOT may_type_batches('{finance}', NEW.entity_id, NULL) THEN
        PERFORM refuse_repayment('repayment_person', 'what is owed is repaid by the finance of its legal entity');
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('repayment ' || NEW.entity_id, 0));
    NEW.n           := coalesce((SELECT max(r.n) FROM repayment r WHERE r.entity_id = NEW.entity_id), 0) + 1;
    NEW.donation_id := p.donation_id;
    NEW.currency    := p.currency;
    NEW.made_by     := staff_of_session();
    NEW.made_at     := clock_timestamp();
    NEW.recorded_in := pg_current_xact_id();
    NEW.withdrawn_at := NULL;
    NEW.withdrawn_by := NULL;
    RETURN NEW;
END $$;

-- At commit: a repayment's parts come to it, and no fund repays more than it owes.
CREATE OR REPLACE FUNCTION repayment_is_whole() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.amount IS DISTINCT FROM (SELECT sum(p.amount) FROM repayment_part p WHERE p.repayment_id = NEW.id) THEN
        PERFORM refuse_repayment('repayment_parts', 'the parts of repayment ' || NEW.n || ' do not come to it');
    END IF;
    IF EXISTS (SELECT FROM payment_owed(NEW.payment_id) o WHERE o.amount < 0) OR EXISTS (
       SELECT FROM (SELECT t.fund_id, sum(t.amount) AS amount FROM repayment r JOIN repayment_part t ON t.repayment_id = r.id
                     WHERE r.payment_id = NEW.payment_id AND r.withdrawn_at IS NULL GROUP BY t.fund_id) r
        WHERE r.amount > coalesce((SELECT sum(CASE s.kind WHEN 'refund failed' THEN s.amount + s.owed WHEN 'refund' THEN -s.owed WHEN 'dispute withdrawn' THEN -s.owed
                                                          WHEN 'dispute won' THEN s.owed ELSE 0 END)
                                     FROM payment_change h JOIN payment_change_share s ON s.object_id = h.object_id AND s.kind = h.kind AND s.entity_id = h.entity_id
                                    WHERE h.payment_id = NEW.payment_id AND s.fund_id = r.fund_id), 0)
          AND EXISTS (SELECT FROM payment p WHERE p.id = NEW.payment_id AND p.processor IS NOT NULL)) THEN
        PERFORM refuse_repayment('repayment_ceiling', 'repayment ' || NEW.n || ' is of more than is owed');
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION repayment_part_begins() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM repayment r WHERE r.id = NEW.repayment_id AND r.recorded_in = pg_current_xact_id()) THEN
        PERFORM refuse_repayment('repayment_part_begins', 'the parts of a repayment are written with it');
    END IF;
    RETURN NEW;
END $$;

-- A repayment is withdrawn once, and not while a line of the bank has it.
CREATE OR REPLACE FUNCTION repayment_keeps() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.withdrawn_at IS NOT NULL OR NEW.withdrawn_at IS NULL
       OR (to_jsonb(OLD) - '{withdrawn_at,withdrawn_by}'::text[]) IS DISTINCT FROM (to_jsonb(NEW) - '{withdrawn_at,withdrawn_by}'::text[]) THEN
        PERFORM refuse_repayment('repayment_keeps', 'a repayment is withdrawn once, and does not change otherwise');
    END IF;
    IF NOT may_type_batches('{finance}', NEW.entity_id, NULL) THEN
        PERFORM refuse_repayment('repayment_person', 'what is owed is repaid by the finance of its legal entity');
    END IF;
    IF EXISTS (SELECT FROM bank_cleared c WHERE c.entity_id = OLD.entity_id AND c.kind = 'refund' AND c.ref = OLD.n::text) THEN
        PERFORM refuse_repayment('repayment_is_matched', 'repayment ' || OLD.n || ' is on the bank''s statement');
    END IF;
    NEW.withdrawn_at := clock_timestamp();
    NEW.withdrawn_by := staff_of_session();
    RETURN NEW;
END $$;

-- At commit, a live item of a match that is a repayment is one of this account that was not withdrawn, and comes to the amount.
CREATE OR REPLACE FUNCTION repayment_match_problem(i bank_match_item) RETURNS text STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN i.kind = 'refund' AND NOT i.undone AND NOT EXISTS (
        SELECT FROM repayment r WHERE r.entity_id = i.entity_id AND r.n::text = i.ref AND r.account_id = i.account_id AND r.withdrawn_at IS NULL
           AND i.booked AND i.amount = -r.amount) THEN 'repayment_match_holds' END
$$;
CREATE OR REPLACE FUNCTION repayment_match_holds() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    now_is bank_match_item;
BEGIN
    SELECT * INTO now_is FROM bank_match_item i WHERE i.match_id = NEW.match_id AND i.n = NEW.n;
    IF repayment_match_problem(now_is) IS NOT NULL THEN
        PERFORM refuse_repayment('repayment_match_holds', 'item refund:' || NEW.ref || ' of match ' || NEW.match_id || ' does not hold');
    END IF;
    RETURN NULL;
END $$;

-- As before (migration 00132); a payment by check, cash or transfer is refunded too. Nobody sends that to a processor: it is owed from the moment
-- it is booked, in the same transaction, under the order's id.
CREATE OR REPLACE FUNCTION refund_order_begins() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    p payment;
BEGIN
    SELECT * INTO p FROM payment WHERE id = NEW.payment_id AND entity_id = NEW.entity_id AND status = 'settled'
       AND (processor IS NOT NULL OR method IN ('check', 'cash', 'bank_transfer', 'donor_advised_fund')) FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payment % of entity % is not a settled payment by a processor, check, cash or transfer', NEW.payment_id, NEW.entity_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_order_payment';
    END IF;
    IF staff_of_session() IS NULL OR NOT staff_has_role(staff_of_session(), '{finance}', NEW.entity_id, NULL)
       OR NEW.request_id IS NULL AND (NEW.requested_by <> staff_of_session() OR NOT staff_money_factor_is_fresh(NEW.entity_id)) THEN
        RAISE EXCEPTION 'a refund is ordered by a person of finance who used a second factor' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'refund_order_person';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('refund_order'), hashtext(staff_person_of(NEW.requested_by)::text)); -- the limit counts what a human orders
    NEW.ordered_by  := staff_of_session();
    NEW.donation_id := p.donation_id;
    NEW.charge_ref  := coalesce(p.charge_ref, '');
    NEW.currency    := p.currency;
    NEW.ordered_at  := clock_timestamp();
    NEW.changed_at  := NEW.ordered_at;
    NEW.recorded_in := pg_current_xact_id();
    NEW.state       := CASE WHEN p.processor IS NULL THEN 'succeeded' ELSE 'ordered' END;
    NEW.tries       := CASE WHEN p.processor IS NULL THEN 1 ELSE 0 END;
    NEW.stripe_refund_id := CASE WHEN p.processor IS NULL THEN NEW.id::text END;
    NEW.factor := NULL;
    NEW.signed := NULL;
    NEW.assertion := NULL;
    IF NEW.request_id IS NULL THEN
        SELECT f.kind, f.act, f.assertion INTO NEW.factor, NEW.signed, NEW.assertion FROM staff_factor() f;
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

CREATE OR REPLACE TRIGGER begins BEFORE INSERT ON repayment FOR EACH ROW EXECUTE FUNCTION repayment_begins();
CREATE OR REPLACE TRIGGER keeps BEFORE UPDATE ON repayment FOR EACH ROW EXECUTE FUNCTION repayment_keeps();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON repayment FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE OR REPLACE TRIGGER begins BEFORE INSERT ON repayment_part FOR EACH ROW EXECUTE FUNCTION repayment_part_begins();
CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON repayment_part FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE OR REPLACE TRIGGER sees_every_commit BEFORE INSERT ON repayment FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
DROP TRIGGER IF EXISTS repayment_is_whole ON repayment;
CREATE CONSTRAINT TRIGGER repayment_is_whole AFTER INSERT ON repayment DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION repayment_is_whole();
DROP TRIGGER IF EXISTS requires_audit ON repayment;
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE ON repayment DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('repayment', 'id');
DROP TRIGGER IF EXISTS repayment_match_holds ON bank_match_item;
CREATE CONSTRAINT TRIGGER repayment_match_holds AFTER INSERT OR UPDATE ON bank_match_item DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind = 'refund') EXECUTE FUNCTION repayment_match_holds();

-- Payments of which something is owed, or was: since a refund by card failed, or an order of a payment without a processor.
CREATE OR REPLACE VIEW owed_payment WITH (security_invoker = true) AS
SELECT h.entity_id, h.payment_id, max(h.at) AS since FROM payment_change h JOIN payment p ON p.id = h.payment_id AND p.status = 'settled'
 WHERE h.kind = 'refund failed' GROUP BY h.entity_id, h.payment_id
UNION ALL
SELECT o.entity_id, o.payment_id, max(h.at) FROM refund_order o JOIN payment_change h ON h.object_id = o.stripe_refund_id AND h.kind = 'refund' AND h.entity_id = o.entity_id
 WHERE o.charge_ref = '' GROUP BY o.entity_id, o.payment_id;

-- What is owed, by payment, with the gift and who gave it.
CREATE OR REPLACE VIEW owed_row WITH (security_invoker = true) AS
SELECT w.entity_id, w.payment_id, w.since, p.method, p.currency, s.amount, g.id AS donation_id, g.public_ref, g.organisation_id,
       coalesce(nullif(d.organisation_name, ''), trim(concat_ws(' ', d.first_name, d.last_name))) AS donor
  FROM owed_payment w
  JOIN payment p ON p.id = w.payment_id
  JOIN donation g ON g.id = p.donation_id
  JOIN donor d ON d.id = g.donor_id
 CROSS JOIN LATERAL (SELECT sum(o.amount)::bigint AS amount FROM payment_owed(p.id) o) s
 WHERE s.amount > 0;

-- Repayments with their gift, account and match.
CREATE OR REPLACE VIEW repayment_row WITH (security_invoker = true) AS
SELECT r.id, r.entity_id, r.n, r.payment_id, r.donation_id, r.currency, r.amount, r.method, r.number, r.paid_on, r.account_id, a.slug AS account, r.submission, r.made_by,
       r.made_at, r.withdrawn_at, m.id AS match_id, m.on_date AS booked_on, g.public_ref, g.organisation_id,
       coalesce(nullif(d.organisation_name, ''), trim(concat_ws(' ', d.first_name, d.last_name))) AS donor
  FROM repayment r
  JOIN donation g ON g.id = r.donation_id
  JOIN donor d ON d.id = g.donor_id
  LEFT JOIN bank_account a ON a.id = r.account_id
  LEFT JOIN bank_cleared c ON c.entity_id = r.entity_id AND c.kind = 'refund' AND c.ref = r.n::text
  LEFT JOIN bank_match m ON m.id = c.match_id;

-- Checker A31: a repayment on a statement is what its match says.
CREATE OR REPLACE VIEW check_repayment_differs AS
SELECT 'A31'::text AS checker, i.entity_id, i.kind || ':' || i.ref AS subject, 'this item of a bank match breaks the rule ' || repayment_match_problem(i) AS detail, m.matched_at AS since
  FROM bank_match_item i JOIN bank_match m ON m.id = i.match_id WHERE i.kind = 'refund' AND repayment_match_problem(i) IS NOT NULL;

-- +goose Down
DROP VIEW IF EXISTS check_repayment_differs, repayment_row, owed_row, owed_payment;
DROP TRIGGER IF EXISTS repayment_match_holds ON bank_match_item;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION payment_position(of_payment uuid) RETURNS TABLE (fund_id uuid, gift bigint, fee bigint, sponsor_fee bigint, remaining bigint,
    refunded bigint, fee_back bigint, sponsor_fee_back bigint, owed bigint, stated bigint) STABLE LANGUAGE sql AS $$
    SELECT c.fund_id, c.gift, c.fee, c.sponsor_fee, c.gift - coalesce(g.gone, 0), coalesce(g.refunded, 0), coalesce(g.fee, 0), coalesce(g.sponsor_fee, 0),
           coalesce(g.owed, 0), c.gift - coalesce(g.refunded, 0) - coalesce(g.lost, 0)
      FROM payment_share c
      LEFT JOIN (SELECT s.fund_id, sum(s.fee)::bigint AS fee, sum(s.sponsor_fee)::bigint AS sponsor_fee,
                        coalesce(sum(s.amount) FILTER (WHERE s.kind = 'refund'), 0)::bigint AS refunded,
                        coalesce(sum(s.amount) FILTER (WHERE s.kind = 'dispute lost' AND NOT EXISTS (
                            SELECT FROM payment_change w WHERE w.object_id = s.object_id AND w.entity_id = s.entity_id AND w.kind = 'dispute won')), 0)::bigint AS lost,
                        sum(CASE s.kind WHEN 'refund' THEN s.amount WHEN 'dispute withdrawn' THEN s.amount
                                        WHEN 'dispute won' THEN -s.amount ELSE 0 END)::bigint AS gone,
                        sum(CASE s.kind WHEN 'refund failed' THEN s.amount + s.owed WHEN 'refund' THEN -s.owed WHEN 'dispute withdrawn' THEN -s.owed
                                        WHEN 'dispute won' THEN s.owed ELSE 0 END)::bigint AS owed
                   FROM payment_change h
                   JOIN payment_change_share s ON s.object_id = h.object_id AND s.kind = h.kind AND s.entity_id = h.entity_id
                  WHERE h.payment_id = $1 GROUP BY s.fund_id) g ON g.fund_id = c.fund_id
     WHERE c.payment_id = $1 AND c.gift > 0
$$;
CREATE OR REPLACE FUNCTION refund_order_begins() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    p payment;
BEGIN
    SELECT * INTO p FROM payment WHERE id = NEW.payment_id AND entity_id = NEW.entity_id AND status = 'settled' AND processor IS NOT NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payment % of entity % is not a settled payment by a processor', NEW.payment_id, NEW.entity_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_order_payment';
    END IF;
    IF staff_of_session() IS NULL OR NOT staff_has_role(staff_of_session(), '{finance}', NEW.entity_id, NULL)
       OR NEW.request_id IS NULL AND (NEW.requested_by <> staff_of_session() OR NOT staff_money_factor_is_fresh(NEW.entity_id)) THEN
        RAISE EXCEPTION 'a refund is ordered by a person of finance who used a second factor' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'refund_order_person';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('refund_order'), hashtext(staff_person_of(NEW.requested_by)::text)); -- the limit counts what a human orders
    NEW.ordered_by  := staff_of_session();
    NEW.donation_id := p.donation_id;
    NEW.charge_ref  := p.charge_ref;
    NEW.currency    := p.currency;
    NEW.ordered_at  := clock_timestamp();
    NEW.changed_at  := NEW.ordered_at;
    NEW.recorded_in := pg_current_xact_id();
    NEW.state       := 'ordered';
    NEW.tries       := 0;
    NEW.stripe_refund_id := NULL;
    NEW.factor := NULL;
    NEW.signed := NULL;
    NEW.assertion := NULL;
    IF NEW.request_id IS NULL THEN
        SELECT f.kind, f.act, f.assertion INTO NEW.factor, NEW.signed, NEW.assertion FROM staff_factor() f;
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
DROP FUNCTION IF EXISTS repayment_match_holds, repayment_match_problem;
DROP FUNCTION IF EXISTS payment_owed;
DROP TABLE IF EXISTS repayment_part, repayment;
DROP FUNCTION IF EXISTS repayment_part_begins, repayment_is_whole, repayment_keeps, repayment_begins, refuse_repayment;
