-- +goose Up
-- From here on the program reads and writes the payment's tables. Views and triggers under the old names serve the program
-- of the release before: drop them in the next release.

-- A4. As before; and a refund of a payment without a processor has exactly one entry of its order.
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

-- A6. As before; what was returned is found by the donation's payment.
CREATE OR REPLACE VIEW check_gift_without_receipt AS
WITH gone AS (
    SELECT h.payment_id, sum(h.amount) AS amount FROM payment_change h
     WHERE h.kind = 'refund' OR h.kind = 'dispute lost' AND NOT EXISTS (
           SELECT FROM payment_change w WHERE w.object_id = h.object_id AND w.entity_id = h.entity_id AND w.kind = 'dispute won')
     GROUP BY h.payment_id
), standing AS (
    SELECT r.donation_id, count(*) AS n FROM receipt r
     WHERE NOT EXISTS (SELECT FROM receipt_void v WHERE v.receipt_id = r.id) GROUP BY r.donation_id
)
SELECT 'A6' AS checker, d.entity_id, d.id::text AS subject,
       coalesce(s.n, 0) || ' receipts stand of a gift of which ' || d.amount - coalesce(g.amount, 0) || ' of ' || d.amount || ' is left' AS detail,
       d.settled_at AS since
  FROM donation d
  LEFT JOIN standing s ON s.donation_id = d.id
  LEFT JOIN payment p ON p.donation_id = d.id AND p.status = 'settled'
  LEFT JOIN gone g ON g.payment_id = p.id
 WHERE d.status = 'settled' AND coalesce(s.n, 0) <> CASE WHEN d.amount > coalesce(g.amount, 0) THEN 1 ELSE 0 END;

DROP TRIGGER previous_release_share ON charge_share;
DROP TRIGGER previous_release_change ON charge_change;
DROP TRIGGER previous_release_change_share ON charge_change_share;
DROP FUNCTION previous_release_share, previous_release_change, previous_release_change_share;
ALTER TABLE charge_share RENAME TO previous_charge_share; -- its rights are copied below
DROP TABLE charge_change_share, charge_change;

CREATE VIEW charge_share AS
SELECT p.charge_ref AS charge_id, s.entity_id, s.fund_id, s.gift, s.fee, s.sponsor_fee AS sponsor
  FROM payment_share s JOIN payment p ON p.id = s.payment_id AND p.entity_id = s.entity_id AND p.processor = 'stripe';
CREATE VIEW charge_change AS
SELECT h.entity_id, h.object_id, h.kind, p.charge_ref AS charge_id, h.amount, h.at
  FROM payment_change h JOIN payment p ON p.id = h.payment_id AND p.entity_id = h.entity_id AND p.processor = 'stripe';
CREATE VIEW charge_change_share AS -- PostgreSQL inserts through it by itself
SELECT entity_id, object_id, kind, fund_id, amount, fee, sponsor_fee AS sponsor, absorbed AS borne FROM payment_change_share;
ALTER VIEW charge_change_share ALTER COLUMN borne SET DEFAULT 0;
-- The program of the release before goes on without waiting for grants.sql.
-- +goose StatementBegin
DO $$
DECLARE
    role name;
BEGIN
    FOR role IN SELECT DISTINCT g.grantee FROM information_schema.role_table_grants g
        WHERE g.table_schema = 'public' AND g.table_name = 'previous_charge_share' AND g.privilege_type = 'INSERT' AND g.grantee <> current_user LOOP
        EXECUTE format('GRANT SELECT, INSERT ON charge_share, charge_change, charge_change_share TO %I', role);
    END LOOP;
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
-- +goose StatementEnd
DROP TABLE previous_charge_share;
CREATE TRIGGER previous_release_share INSTEAD OF INSERT ON charge_share FOR EACH ROW EXECUTE FUNCTION previous_release_share();
CREATE TRIGGER previous_release_change INSTEAD OF INSERT ON charge_change FOR EACH ROW EXECUTE FUNCTION previous_release_change();

-- +goose Down
DROP VIEW charge_share, charge_change, charge_change_share;
DROP FUNCTION previous_release_share, previous_release_change;
CREATE TABLE charge_share (
    charge_id text NOT NULL,
    entity_id uuid NOT NULL,
    fund_id   uuid NOT NULL,
    gift      bigint NOT NULL CHECK (gift >= 0),
    fee       bigint NOT NULL,
    sponsor   bigint NOT NULL,
    PRIMARY KEY (charge_id, entity_id, fund_id),
    FOREIGN KEY (fund_id, entity_id) REFERENCES fund (id, entity_id)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON charge_share
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- What happened to a charge afterwards, each once, and fund by fund. A refund also gives back the refunded
-- part's share of the fees, so that the fund stands as if that part had never come.
CREATE TABLE charge_change (
    entity_id uuid NOT NULL REFERENCES legal_entity (id),
    object_id text NOT NULL, -- the refund's or dispute's
    kind      text NOT NULL CHECK (kind IN ('refund', 'refund failed', 'dispute withdrawn', 'dispute won', 'dispute lost')),
    charge_id text NOT NULL,
    amount    bigint NOT NULL CHECK (amount > 0),
    at        timestamptz NOT NULL,
    PRIMARY KEY (object_id, kind, entity_id)
);
CREATE INDEX charge_change_by_charge ON charge_change (charge_id, entity_id);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON charge_change
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE charge_change_share (
    entity_id uuid NOT NULL,
    object_id text NOT NULL,
    kind      text NOT NULL,
    fund_id   uuid NOT NULL,
    amount    bigint NOT NULL CHECK (amount >= 0),
    fee       bigint NOT NULL,
    sponsor   bigint NOT NULL,
    PRIMARY KEY (object_id, kind, entity_id, fund_id),
    FOREIGN KEY (object_id, kind, entity_id) REFERENCES charge_change (object_id, kind, entity_id),
    FOREIGN KEY (fund_id, entity_id) REFERENCES fund (id, entity_id)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON charge_change_share
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
ALTER TABLE charge_change_share ADD COLUMN borne bigint NOT NULL DEFAULT 0 CHECK (borne BETWEEN 0 AND amount);
-- A payment without a processor has no charge; such rows make this fail, as they should.
INSERT INTO charge_share SELECT p.charge_ref, s.entity_id, s.fund_id, s.gift, s.fee, s.sponsor_fee FROM payment_share s JOIN payment p ON p.id = s.payment_id;
INSERT INTO charge_change SELECT h.entity_id, h.object_id, h.kind, p.charge_ref, h.amount, h.at FROM payment_change h JOIN payment p ON p.id = h.payment_id;
INSERT INTO charge_change_share SELECT entity_id, object_id, kind, fund_id, amount, fee, sponsor_fee, absorbed FROM payment_change_share;

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
SELECT 'A4', c.entity_id, c.object_id, 'no movement is kept of the ' || c.kind || ' about ' || c.charge_id, c.at
  FROM charge_change c
 WHERE c.kind <> 'dispute lost' AND NOT EXISTS (
       SELECT FROM balance_transaction b WHERE b.entity_id = c.entity_id AND b.source_id = c.object_id
          AND sign(b.net) = CASE WHEN c.kind IN ('refund', 'dispute withdrawn') THEN -1 ELSE 1 END)
UNION ALL
SELECT 'A4', c.entity_id, c.object_id, count(e.id) || ' losses booked of the dispute about ' || c.charge_id, c.at
  FROM charge_change c
  LEFT JOIN journal_entry e ON e.source_id = c.object_id AND e.kind = 'lost' AND e.source = 'stripe dispute' AND e.entity_id = c.entity_id
 WHERE c.kind = 'dispute lost' GROUP BY c.entity_id, c.object_id, c.kind HAVING count(e.id) <> 1;

CREATE OR REPLACE VIEW check_gift_without_receipt AS
WITH gone AS (
    SELECT h.entity_id, h.charge_id, sum(h.amount) AS amount FROM charge_change h
     WHERE h.kind = 'refund' OR h.kind = 'dispute lost' AND NOT EXISTS (
           SELECT FROM charge_change w WHERE w.object_id = h.object_id AND w.entity_id = h.entity_id AND w.kind = 'dispute won')
     GROUP BY h.entity_id, h.charge_id
), standing AS (
    SELECT r.donation_id, count(*) AS n FROM receipt r
     WHERE NOT EXISTS (SELECT FROM receipt_void v WHERE v.receipt_id = r.id) GROUP BY r.donation_id
)
SELECT 'A6' AS checker, d.entity_id, d.id::text AS subject,
       coalesce(s.n, 0) || ' receipts stand of a gift of which ' || d.amount - coalesce(g.amount, 0) || ' of ' || d.amount || ' is left' AS detail,
       d.settled_at AS since
  FROM donation d
  LEFT JOIN standing s ON s.donation_id = d.id
  LEFT JOIN payment p ON p.donation_id = d.id AND p.status = 'settled'
  LEFT JOIN gone g ON g.entity_id = p.entity_id AND g.charge_id = p.charge_ref
 WHERE d.status = 'settled' AND coalesce(s.n, 0) <> CASE WHEN d.amount > coalesce(g.amount, 0) THEN 1 ELSE 0 END;

-- +goose StatementBegin
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
