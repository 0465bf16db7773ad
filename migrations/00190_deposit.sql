-- +goose NO TRANSACTION
-- +goose Up
-- Deposits: checks and cash that go to the bank together. Owned by internal/office/deposit. Each statement may be repeated: the tables refer to tables
-- that servers write.
--
--   item:     waits in 1050 ── ticked ──▶ in an open deposit ──▶ in a closed one, for good
--                 │     ◀── unticked ──
--                 └── left: its gift was voided, and the check went back
--   deposit:  open ── closed (account, day) ──▶ matched with its line of the bank: 1100 / 1050 fund by fund
--              │  ◀── opened again, without a live match
--              └── removed, without items
CREATE TABLE IF NOT EXISTS deposit (
    id           uuid PRIMARY KEY,
    entity_id    uuid NOT NULL,
    n            integer NOT NULL CHECK (n > 0), -- 1, 2, 3 … of the entity; the database's to say
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    submission   uuid NOT NULL UNIQUE, -- of the form: sent again, it is the same deposit
    account_id   uuid, -- the bank account to which it goes, and the day; NULL until it is closed
    deposited_on date,
    created_by   uuid, -- a staff member: this and the times are the database's to say; NULL: an operator
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_by    uuid,
    closed_at    timestamptz,
    removed_at   timestamptz, -- put away without an item
    UNIQUE (entity_id, n),
    UNIQUE (id, entity_id, currency),
    CHECK (num_nulls(account_id, deposited_on, closed_at) IN (0, 3)),
    CHECK (closed_at IS NULL OR removed_at IS NULL)
);
ALTER TABLE deposit DROP CONSTRAINT IF EXISTS deposit_entity_id_fkey, ADD CONSTRAINT deposit_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity (id);
ALTER TABLE deposit DROP CONSTRAINT IF EXISTS deposit_account_id_entity_id_fkey,
    ADD CONSTRAINT deposit_account_id_entity_id_fkey FOREIGN KEY (account_id, entity_id) REFERENCES bank_account (id, entity_id);
ALTER TABLE deposit DROP CONSTRAINT IF EXISTS deposit_created_by_fkey, ADD CONSTRAINT deposit_created_by_fkey FOREIGN KEY (created_by) REFERENCES staff (id);
ALTER TABLE deposit DROP CONSTRAINT IF EXISTS deposit_closed_by_fkey, ADD CONSTRAINT deposit_closed_by_fkey FOREIGN KEY (closed_by) REFERENCES staff (id);

-- A gift by check or cash. Its key says that a gift is in at most one deposit.
CREATE TABLE IF NOT EXISTS deposit_item (
    gift_id    uuid PRIMARY KEY,
    entity_id  uuid NOT NULL,
    amount     bigint NOT NULL CHECK (amount > 0), -- minor units, the whole check: with the value of what was given in return
    currency   text NOT NULL,
    method     text NOT NULL CHECK (method IN ('check', 'cash')),
    deposit_id uuid, -- NULL: it waits
    left_at    timestamptz, -- it is deposited by nobody
    CHECK (deposit_id IS NULL OR left_at IS NULL)
);
ALTER TABLE deposit_item DROP CONSTRAINT IF EXISTS deposit_item_gift_id_entity_id_fkey,
    ADD CONSTRAINT deposit_item_gift_id_entity_id_fkey FOREIGN KEY (gift_id, entity_id) REFERENCES offline_gift (id, entity_id);
ALTER TABLE deposit_item DROP CONSTRAINT IF EXISTS deposit_item_deposit_id_entity_id_currency_fkey,
    ADD CONSTRAINT deposit_item_deposit_id_entity_id_currency_fkey FOREIGN KEY (deposit_id, entity_id, currency) REFERENCES deposit (id, entity_id, currency);
CREATE INDEX IF NOT EXISTS deposit_item_waiting ON deposit_item (entity_id, currency) WHERE deposit_id IS NULL AND left_at IS NULL;
CREATE INDEX IF NOT EXISTS deposit_item_of_deposit ON deposit_item (deposit_id) WHERE deposit_id IS NOT NULL;

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refuse_deposit(rule text, message text) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '%', message USING ERRCODE = 'check_violation', CONSTRAINT = rule;
END $$;

-- A gift by check or cash waits to be deposited.
CREATE OR REPLACE FUNCTION offline_gift_waits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO deposit_item (gift_id, entity_id, amount, currency, method) VALUES (NEW.id, NEW.entity_id, NEW.paid, NEW.currency, NEW.method);
    RETURN NULL;
END $$;

-- deposit_begins says who begins a deposit, when, and its number: a person of the entity's finance.
CREATE OR REPLACE FUNCTION deposit_begins() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    NEW.created_by := staff_of_session();
    NEW.created_at := clock_timestamp();
    NEW.closed_by  := NULL;
    IF NEW.closed_at IS NOT NULL OR NEW.removed_at IS NOT NULL THEN
        PERFORM refuse_deposit('deposit_keeps', 'a deposit begins open');
    END IF;
    IF NOT may_type_batches('{finance}', NEW.entity_id, NULL) THEN
        PERFORM refuse_deposit('deposit_person', 'a deposit is made by the finance of its legal entity');
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('deposit ' || NEW.entity_id, 0));
    NEW.n := coalesce((SELECT max(d.n) FROM deposit d WHERE d.entity_id = NEW.entity_id), 0) + 1;
    RETURN NEW;
END $$;

-- deposit_is_matched reports whether a line of the bank has a deposit.
CREATE OR REPLACE FUNCTION deposit_is_matched(d deposit) RETURNS boolean STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM bank_cleared c WHERE c.entity_id = d.entity_id AND c.kind = 'deposit' AND c.ref = d.n::text)
$$;

-- deposit_changes lets a deposit be closed with its items, opened again without a live match, and put away without items.
CREATE OR REPLACE FUNCTION deposit_changes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    has integer := (SELECT count(*) FROM deposit_item i WHERE i.deposit_id = OLD.id);
BEGIN
    IF OLD.removed_at IS NOT NULL OR (NEW.id, NEW.entity_id, NEW.n, NEW.currency, NEW.submission, NEW.created_at) IS DISTINCT FROM
           (OLD.id, OLD.entity_id, OLD.n, OLD.currency, OLD.submission, OLD.created_at) OR NEW.created_by IS DISTINCT FROM OLD.created_by THEN
        PERFORM refuse_deposit('deposit_keeps', 'a deposit keeps what it is');
    END IF;
    IF NOT may_type_batches('{finance}', NEW.entity_id, NULL) THEN
        PERFORM refuse_deposit('deposit_person', 'a deposit is made by the finance of its legal entity');
    END IF;
    IF OLD.closed_at IS NOT NULL AND deposit_is_matched(OLD) THEN
        PERFORM refuse_deposit('deposit_is_matched', 'deposit ' || OLD.n || ' is on the bank''s statement');
    END IF;
    IF NEW.closed_at IS NOT NULL THEN
        IF OLD.closed_at IS NOT NULL THEN
            PERFORM refuse_deposit('deposit_is_closed', 'deposit ' || OLD.n || ' is closed');
        END IF;
        IF has = 0 THEN
            PERFORM refuse_deposit('deposit_has_items', 'deposit ' || OLD.n || ' has no item');
        END IF;
        IF NEW.currency IS DISTINCT FROM (SELECT a.currency FROM bank_account a WHERE a.id = NEW.account_id) THEN
            PERFORM refuse_deposit('deposit_account', 'the account has another currency');
        END IF;
        NEW.closed_by := staff_of_session();
        NEW.closed_at := clock_timestamp();
    ELSE
        NEW.closed_by := NULL;
    END IF;
    IF NEW.removed_at IS NOT NULL THEN
        IF has > 0 THEN
            PERFORM refuse_deposit('deposit_has_items', 'deposit ' || OLD.n || ' has items');
        END IF;
        NEW.removed_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;

-- An item goes in and out of open deposits only. It leaves while it waits.
CREATE OR REPLACE FUNCTION deposit_item_changes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (to_jsonb(OLD) - '{deposit_id,left_at}'::text[]) IS DISTINCT FROM (to_jsonb(NEW) - '{deposit_id,left_at}'::text[]) OR OLD.left_at IS NOT NULL
       OR OLD.deposit_id IS NOT NULL AND NEW.deposit_id IS NOT NULL AND OLD.deposit_id <> NEW.deposit_id THEN
        PERFORM refuse_deposit('deposit_item_keeps', 'an item keeps what it is, and is in one deposit');
    END IF;
    IF NEW.left_at IS NOT NULL THEN
        NEW.left_at := clock_timestamp();
    END IF;
    IF NEW.deposit_id IS NOT NULL OR OLD.deposit_id IS NOT NULL THEN
        IF NOT may_type_batches('{finance}', NEW.entity_id, NULL) THEN
            PERFORM refuse_deposit('deposit_person', 'a deposit is made by the finance of its legal entity');
        END IF;
        PERFORM FROM deposit d WHERE d.id = coalesce(NEW.deposit_id, OLD.deposit_id) AND d.closed_at IS NULL AND d.removed_at IS NULL FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            PERFORM refuse_deposit('deposit_is_closed', 'the deposit is closed or removed');
        END IF;
    END IF;
    RETURN NEW;
END $$;

-- deposit_match_problem returns which rule a live item of a match breaks that is a deposit or a returned check; NULL if none.
--
--   deposit   it is closed, for this account, and comes to the amount. Undone: none of its checks is matched as returned
--   returned  its check is in a deposit that this account has, and comes to the amount
CREATE OR REPLACE FUNCTION deposit_match_problem(i bank_match_item) RETURNS text STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT CASE
      WHEN i.kind = 'deposit' AND i.undone AND EXISTS (
           SELECT FROM deposit d JOIN deposit_item t ON t.deposit_id = d.id JOIN offline_gift o ON o.id = t.gift_id JOIN donation g ON g.id = o.donation_id
             JOIN bank_cleared c ON c.entity_id = g.entity_id AND c.kind = 'returned' AND c.ref = g.public_ref
            WHERE d.entity_id = i.entity_id AND d.n::text = i.ref AND NOT deposit_is_matched(d)) THEN 'deposit_has_returned'
      WHEN i.kind = 'deposit' AND NOT i.undone AND NOT EXISTS (
           SELECT FROM deposit d WHERE d.entity_id = i.entity_id AND d.n::text = i.ref AND d.closed_at IS NOT NULL AND d.account_id = i.account_id AND i.booked
              AND i.amount = (SELECT sum(t.amount) FROM deposit_item t WHERE t.deposit_id = d.id)) THEN 'deposit_match_holds'
      WHEN i.kind = 'returned' AND NOT i.undone AND NOT EXISTS (
           SELECT FROM donation g JOIN offline_gift o ON o.donation_id = g.id JOIN deposit_item t ON t.gift_id = o.id JOIN deposit d ON d.id = t.deposit_id
            WHERE g.public_ref = i.ref AND g.entity_id = i.entity_id AND t.method = 'check' AND d.account_id = i.account_id AND deposit_is_matched(d)
              AND i.booked AND i.amount = -t.amount) THEN 'returned_match_holds'
    END
$$;
CREATE OR REPLACE FUNCTION deposit_match_holds() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    now_is  bank_match_item;
    problem text;
BEGIN
    SELECT * INTO now_is FROM bank_match_item i WHERE i.match_id = NEW.match_id AND i.n = NEW.n; -- as it is at commit
    problem := deposit_match_problem(now_is);
    IF problem IS NOT NULL THEN
        PERFORM refuse_deposit(problem, 'item ' || NEW.kind || ':' || NEW.ref || ' of match ' || NEW.match_id || ' does not hold');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE OR REPLACE TRIGGER waits_to_be_deposited AFTER INSERT ON offline_gift FOR EACH ROW
    WHEN (NEW.method IN ('check', 'cash') AND NEW.donation_id IS NOT NULL) EXECUTE FUNCTION offline_gift_waits();
INSERT INTO deposit_item (gift_id, entity_id, amount, currency, method)
SELECT o.id, o.entity_id, o.paid, o.currency, o.method FROM offline_gift o WHERE o.method IN ('check', 'cash') AND o.donation_id IS NOT NULL
    ON CONFLICT DO NOTHING;
CREATE OR REPLACE TRIGGER begins BEFORE INSERT ON deposit FOR EACH ROW EXECUTE FUNCTION deposit_begins();
CREATE OR REPLACE TRIGGER changes BEFORE UPDATE ON deposit FOR EACH ROW EXECUTE FUNCTION deposit_changes();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON deposit FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
DROP TRIGGER IF EXISTS requires_audit ON deposit;
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE ON deposit DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('deposit', 'id');
CREATE OR REPLACE TRIGGER changes BEFORE UPDATE ON deposit_item FOR EACH ROW EXECUTE FUNCTION deposit_item_changes();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON deposit_item FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
DROP TRIGGER IF EXISTS deposit_match_holds ON bank_match_item;
CREATE CONSTRAINT TRIGGER deposit_match_holds AFTER INSERT OR UPDATE ON bank_match_item DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind IN ('deposit', 'returned')) EXECUTE FUNCTION deposit_match_holds();

-- Deposits with what they come to and their match.
CREATE OR REPLACE VIEW deposit_row WITH (security_invoker = true) AS
SELECT d.id, d.entity_id, d.n, d.currency, d.account_id, a.slug AS account, d.deposited_on, d.created_by, d.created_at, d.closed_by, d.closed_at,
       s.checks, s.checks_amount, s.cash, s.cash_amount, m.id AS match_id, m.on_date AS booked_on
  FROM deposit d
  LEFT JOIN bank_account a ON a.id = d.account_id
  LEFT JOIN bank_cleared c ON c.entity_id = d.entity_id AND c.kind = 'deposit' AND c.ref = d.n::text
  LEFT JOIN bank_match m ON m.id = c.match_id
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE i.method = 'check') AS checks, coalesce(sum(i.amount) FILTER (WHERE i.method = 'check'), 0)::bigint AS checks_amount,
              count(*) FILTER (WHERE i.method = 'cash') AS cash, coalesce(sum(i.amount) FILTER (WHERE i.method = 'cash'), 0)::bigint AS cash_amount
         FROM deposit_item i WHERE i.deposit_id = d.id) s
 WHERE d.removed_at IS NULL;

-- Items with their gift and who gave it.
CREATE OR REPLACE VIEW deposit_line WITH (security_invoker = true) AS
SELECT i.gift_id, i.entity_id, i.deposit_id, i.amount, i.currency, i.method, o.number, g.public_ref, g.organisation_id, g.tax_date,
       coalesce(b.received_on, g.tax_date) AS received_on, b.n AS batch, coalesce(o.row_n, 0) AS row_n,
       coalesce(nullif(p.organisation_name, ''), trim(concat_ws(' ', p.first_name, p.last_name))) AS payer,
       r.match_id AS returned_by
  FROM deposit_item i
  JOIN offline_gift o ON o.id = i.gift_id
  JOIN donation g ON g.id = o.donation_id
  JOIN donor p ON p.id = g.donor_id
  LEFT JOIN gift_batch b ON b.id = o.batch_id
  LEFT JOIN bank_cleared r ON r.entity_id = g.entity_id AND r.kind = 'returned' AND r.ref = g.public_ref
 WHERE i.left_at IS NULL;

-- The refunds of a gift, as the books name them, and what a check has of a gift besides.
CREATE OR REPLACE VIEW deposit_refund WITH (security_invoker = true) AS
SELECT h.payment_id, h.object_id FROM payment_change h JOIN payment p ON p.id = h.payment_id WHERE h.kind = 'refund' AND p.processor IS NULL;
CREATE OR REPLACE VIEW deposit_gift WITH (security_invoker = true) AS
SELECT o.id, o.in_return_value FROM offline_gift o;

-- A4. As before (migration 00048); of a payment without a processor, what a bank took back is as often stored as matched, and a gift that was undone has no
-- entry that stands.
CREATE OR REPLACE VIEW check_not_booked_once AS
SELECT 'A4' AS checker, p.entity_id, p.donation_id::text AS subject, count(e.id) || ' entries book payment ' || p.id AS detail, p.created_at AS since
  FROM payment p
  LEFT JOIN journal_entry e ON e.source_id = coalesce(p.intent_ref, p.id::text) AND e.kind = 'payment' AND e.entity_id = p.entity_id
   AND e.source = CASE WHEN p.processor IS NULL THEN 'payment' ELSE 'stripe payment intent' END
 WHERE p.status = 'settled' GROUP BY p.id HAVING count(e.id) <> 1
UNION ALL
SELECT 'A4', b.entity_id, b.id, count(e.id) || ' movements booked of ' || b.type || ' ' || b.source_id, b.booked_at
  FROM balance_transaction b
  JOIN books k ON k.entity_id = b.entity_id AND k.currency = b.currency
  LEFT JOIN journal_entry e ON e.source_id = b.id AND e.kind = 'movement' AND e.source = 'stripe balance transaction' AND e.entity_id = b.entity_id
 WHERE b.net <> 0 AND (b.type NOT IN ('charge', 'payment') OR b.source_id = '')
   AND NOT EXISTS (SELECT FROM pending_movement m WHERE m.entity_id = b.entity_id AND m.transaction_id = b.id AND m.cleared_at IS NULL)
 GROUP BY b.entity_id, b.id HAVING count(e.id) <> 1
UNION ALL
SELECT 'A4', c.entity_id, c.object_id, 'no movement is kept of the ' || c.kind || ' about ' || coalesce(p.charge_ref, p.id::text), c.at
  FROM payment_change c JOIN payment p ON p.id = c.payment_id
 WHERE p.processor IS NOT NULL AND c.kind <> 'dispute lost' AND NOT EXISTS (
       SELECT FROM balance_transaction b WHERE b.entity_id = c.entity_id AND b.source_id = c.object_id
          AND sign(b.net) = CASE WHEN c.kind IN ('refund', 'dispute withdrawn') THEN -1 ELSE 1 END)
UNION ALL
SELECT 'A4', c.entity_id, c.object_id, count(e.id) || ' refunds booked of payment ' || c.payment_id, c.at
  FROM payment_change c
  JOIN payment p ON p.id = c.payment_id AND p.processor IS NULL
  LEFT JOIN journal_entry e ON e.source_id = c.object_id AND e.kind = 'movement' AND e.source = 'refund order' AND e.entity_id = c.entity_id
 WHERE c.kind NOT LIKE 'dispute %' GROUP BY c.entity_id, c.object_id, c.kind HAVING count(e.id) <> 1
UNION ALL
SELECT 'A4', c.entity_id, c.object_id, count(e.id) || ' losses booked of the dispute about ' || p.charge_ref, c.at
  FROM payment_change c
  JOIN payment p ON p.id = c.payment_id AND p.processor IS NOT NULL
  LEFT JOIN journal_entry e ON e.source_id = c.object_id AND e.kind = 'lost' AND e.source = 'stripe dispute' AND e.entity_id = c.entity_id
 WHERE c.kind = 'dispute lost' GROUP BY c.entity_id, c.object_id, c.kind, p.charge_ref HAVING count(e.id) <> 1
UNION ALL
SELECT 'A4', c.entity_id, c.payment_id::text, sum(CASE c.kind WHEN 'dispute lost' THEN 1 WHEN 'dispute won' THEN -1 ELSE 0 END) || ' returns of this check are stored, and the bank has others', max(c.at)
  FROM payment_change c JOIN payment p ON p.id = c.payment_id AND p.processor IS NULL
 WHERE c.object_id LIKE 'check %' GROUP BY c.entity_id, c.payment_id, p.donation_id
HAVING sum(CASE c.kind WHEN 'dispute lost' THEN 1 WHEN 'dispute won' THEN -1 ELSE 0 END) <> (
       SELECT count(*) FROM donation g JOIN bank_match_item i ON i.entity_id = g.entity_id AND i.kind = 'returned' AND i.ref = g.public_ref AND NOT i.undone WHERE g.id = p.donation_id)
UNION ALL
SELECT 'A4', c.entity_id, c.payment_id::text, 'this gift was undone, and an entry of it stands', c.at
  FROM payment_change c
 WHERE c.object_id = 'void ' || c.payment_id AND c.kind = 'dispute lost' AND EXISTS (
       SELECT FROM journal_entry e WHERE e.entity_id = c.entity_id AND e.source = 'payment' AND e.source_id = c.payment_id::text AND e.reverses IS NULL
          AND NOT EXISTS (SELECT FROM journal_entry r WHERE r.reverses = e.id));

-- Checker A30: a deposit on a statement, and a returned check, are what their match says.
CREATE OR REPLACE VIEW check_deposit_differs AS
SELECT 'A30'::text AS checker, i.entity_id, i.kind || ':' || i.ref AS subject, 'this item of a bank match breaks the rule ' || deposit_match_problem(i) AS detail, m.matched_at AS since
  FROM bank_match_item i JOIN bank_match m ON m.id = i.match_id
 WHERE i.kind IN ('deposit', 'returned') AND deposit_match_problem(i) IS NOT NULL;

-- +goose Down
CREATE OR REPLACE VIEW check_not_booked_once AS
SELECT 'A4' AS checker, p.entity_id, p.donation_id::text AS subject, count(e.id) || ' entries book payment ' || p.id AS detail, p.created_at AS since
  FROM payment p
  LEFT JOIN journal_entry e ON e.source_id = coalesce(p.intent_ref, p.id::text) AND e.kind = 'payment' AND e.entity_id = p.entity_id
   AND e.source = CASE WHEN p.processor IS NULL THEN 'payment' ELSE 'stripe payment intent' END
 WHERE p.status = 'settled' GROUP BY p.id HAVING count(e.id) <> 1
UNION ALL
SELECT 'A4', b.entity_id, b.id, count(e.id) || ' movements booked of ' || b.type || ' ' || b.source_id, b.booked_at
  FROM balance_transaction b
  JOIN books k ON k.entity_id = b.entity_id AND k.currency = b.currency
  LEFT JOIN journal_entry e ON e.source_id = b.id AND e.kind = 'movement' AND e.source = 'stripe balance transaction' AND e.entity_id = b.entity_id
 WHERE b.net <> 0 AND (b.type NOT IN ('charge', 'payment') OR b.source_id = '')
   AND NOT EXISTS (SELECT FROM pending_movement m WHERE m.entity_id = b.entity_id AND m.transaction_id = b.id AND m.cleared_at IS NULL)
 GROUP BY b.entity_id, b.id HAVING count(e.id) <> 1
UNION ALL
SELECT 'A4', c.entity_id, c.object_id, 'no movement is kept of the ' || c.kind || ' about ' || coalesce(p.charge_ref, p.id::text), c.at
  FROM payment_change c JOIN payment p ON p.id = c.payment_id
 WHERE p.processor IS NOT NULL AND c.kind <> 'dispute lost' AND NOT EXISTS (
       SELECT FROM balance_transaction b WHERE b.entity_id = c.entity_id AND b.source_id = c.object_id
          AND sign(b.net) = CASE WHEN c.kind IN ('refund', 'dispute withdrawn') THEN -1 ELSE 1 END)
UNION ALL
SELECT 'A4', c.entity_id, c.object_id, count(e.id) || ' refunds booked of payment ' || c.payment_id, c.at
  FROM payment_change c
  JOIN payment p ON p.id = c.payment_id AND p.processor IS NULL
  LEFT JOIN journal_entry e ON e.source_id = c.object_id AND e.kind = 'movement' AND e.source = 'refund order' AND e.entity_id = c.entity_id
 GROUP BY c.entity_id, c.object_id, c.kind HAVING count(e.id) <> 1
UNION ALL
SELECT 'A4', c.entity_id, c.object_id, count(e.id) || ' losses booked of the dispute about ' || p.charge_ref, c.at
  FROM payment_change c
  JOIN payment p ON p.id = c.payment_id
  LEFT JOIN journal_entry e ON e.source_id = c.object_id AND e.kind = 'lost' AND e.source = 'stripe dispute' AND e.entity_id = c.entity_id
 WHERE c.kind = 'dispute lost' GROUP BY c.entity_id, c.object_id, c.kind, p.charge_ref HAVING count(e.id) <> 1;
DROP VIEW IF EXISTS check_deposit_differs, deposit_gift, deposit_refund, deposit_line, deposit_row;
DROP TRIGGER IF EXISTS waits_to_be_deposited ON offline_gift;
DROP TRIGGER IF EXISTS deposit_match_holds ON bank_match_item;
DROP FUNCTION IF EXISTS deposit_match_holds, deposit_match_problem;
DROP FUNCTION IF EXISTS deposit_is_matched, offline_gift_waits;
DROP TABLE IF EXISTS deposit_item, deposit;
DROP FUNCTION IF EXISTS deposit_item_changes, deposit_changes, deposit_begins, refuse_deposit;
