-- +goose Up
-- Rules that only Go kept, as rules of the database.

-- Absolute bounds of dates. They are constants: a bound by the database's clock would refuse facts when that clock is wrong.
ALTER TABLE journal_entry ADD CONSTRAINT journal_entry_dates CHECK (fact_date >= '2000-01-01' AND entry_date < '2100-01-01') NOT VALID;
-- Migration 00079 validates it: the scan must not hold the lock of this migration.

-- Memo accounts have codes from 9000 on. In every entry they balance among themselves, fund by fund.
ALTER TABLE account ADD CONSTRAINT account_memo CHECK ((kind = 'memo') = (code >= '9000'));
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION journal_entry_is_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lines integer;
    uneven bigint;
BEGIN
    SELECT coalesce(sum(f.lines), 0), count(*) FILTER (WHERE f.total <> 0 OR f.memo <> 0)
      INTO lines, uneven
      FROM (SELECT count(*) AS lines, sum(p.amount) AS total, coalesce(sum(p.amount) FILTER (WHERE p.account_code >= '9000'), 0) AS memo
              FROM public.posting p WHERE p.entry_id = NEW.id GROUP BY p.fund_id) f;
    IF lines <> NEW.line_count THEN
        RAISE EXCEPTION 'journal entry % states % lines and has %', NEW.id, NEW.line_count, lines
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_entry_lines_complete';
    END IF;
    IF uneven > 0 THEN
        RAISE EXCEPTION 'journal entry % does not balance in % fund(s)', NEW.id, uneven
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_entry_balances_per_fund';
    END IF;
    RETURN NULL;
END $$;

-- The columns of a settled donation on which its tax year and its receipt depend do not change. payment, receipt and designation are
-- insert-only.
CREATE FUNCTION settled_gift_is_frozen() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'donation % is settled: its dates, amount, donor and charge do not change', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'settled_gift_is_frozen';
END $$;
-- +goose StatementEnd
CREATE TRIGGER settled_gift_is_frozen BEFORE UPDATE ON donation FOR EACH ROW
    WHEN (OLD.status = 'settled' AND (OLD.entity_id IS DISTINCT FROM NEW.entity_id OR OLD.organisation_id IS DISTINCT FROM NEW.organisation_id
        OR OLD.donor_id IS DISTINCT FROM NEW.donor_id OR OLD.amount IS DISTINCT FROM NEW.amount
        OR OLD.covered IS DISTINCT FROM NEW.covered OR OLD.currency IS DISTINCT FROM NEW.currency
        OR OLD.created_at IS DISTINCT FROM NEW.created_at OR OLD.settled_at IS DISTINCT FROM NEW.settled_at
        OR OLD.tax_date IS DISTINCT FROM NEW.tax_date OR OLD.charged_at IS DISTINCT FROM NEW.charged_at
        OR OLD.charge_id IS DISTINCT FROM NEW.charge_id OR OLD.payment_intent_id IS DISTINCT FROM NEW.payment_intent_id))
    EXECUTE FUNCTION settled_gift_is_frozen();

-- History of the facts of a legal entity that documents state. Only the owner changes legal_entity (konbit apply); triggers write here.
CREATE TABLE entity_fact (
    entity_id  uuid NOT NULL REFERENCES legal_entity (id),
    since      timestamptz NOT NULL, -- the facts are true from this time
    legal_name text NOT NULL,
    ein        text NOT NULL,
    timezone   text,  -- NULL: this row was derived from receipts
    address    jsonb,
    changed_by text NOT NULL DEFAULT session_user,
    n          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
);
CREATE INDEX entity_fact_newest ON entity_fact (entity_id, since);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entity_fact FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
-- +goose StatementBegin
CREATE FUNCTION entity_fact_is_kept() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO entity_fact (entity_id, since, legal_name, ein, timezone, address)
    VALUES (NEW.id, CASE TG_OP WHEN 'INSERT' THEN NEW.created_at ELSE NEW.updated_at END, NEW.legal_name, NEW.ein, NEW.timezone, NEW.address);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER entity_fact_begins AFTER INSERT ON legal_entity FOR EACH ROW EXECUTE FUNCTION entity_fact_is_kept();
CREATE TRIGGER entity_fact_changes AFTER UPDATE ON legal_entity FOR EACH ROW
    WHEN (OLD.legal_name IS DISTINCT FROM NEW.legal_name OR OLD.ein IS DISTINCT FROM NEW.ein
        OR OLD.timezone IS DISTINCT FROM NEW.timezone OR OLD.address IS DISTINCT FROM NEW.address)
    EXECUTE FUNCTION entity_fact_is_kept();
-- The history before this migration is derived from the issued receipts.
INSERT INTO entity_fact (entity_id, since, legal_name, ein)
SELECT entity_id, min(issued_at), facts ->> 'legal_name', facts ->> 'ein' FROM receipt GROUP BY entity_id, facts ->> 'legal_name', facts ->> 'ein' ORDER BY 2;
INSERT INTO entity_fact (entity_id, since, legal_name, ein, timezone, address)
SELECT e.id, greatest(e.updated_at, (SELECT max(f.since) FROM entity_fact f WHERE f.entity_id = e.id)), legal_name, ein, timezone, address FROM legal_entity e;

-- A16. A receipt whose legal name or EIN was not the entity's when it was issued, or in the day before: a server may read a change late.
CREATE VIEW check_receipt_facts AS
WITH stated AS MATERIALIZED (
    SELECT entity_id, legal_name, ein,
           CASE WHEN lag(since) OVER history IS NULL THEN '-infinity' ELSE since - interval '1 minute' END AS begins,
           coalesce(lead(since) OVER history, 'infinity') + interval '1 day' AS ends
      FROM entity_fact WINDOW history AS (PARTITION BY entity_id ORDER BY since, n)
)
SELECT 'A16' AS checker, r.entity_id, r.id::text AS subject, 'its legal name or EIN was not the entity''s when it was issued' AS detail, r.issued_at AS since
  FROM receipt r
 WHERE NOT EXISTS (SELECT FROM stated s WHERE s.entity_id = r.entity_id AND s.legal_name = r.facts ->> 'legal_name' AND s.ein = r.facts ->> 'ein'
                      AND r.issued_at BETWEEN s.begins AND s.ends);

-- A14. A fund whose net assets with restrictions are below zero. Facts are never refused, so this is a checker and no constraint.
CREATE VIEW check_restricted_below_zero AS
WITH below AS (
    SELECT p.entity_id, p.fund_id, -sum(p.amount) AS has FROM posting p JOIN account a ON a.code = p.account_code AND a.class = 'with'
     GROUP BY p.entity_id, p.fund_id HAVING sum(p.amount) > 0
)
SELECT 'A14' AS checker, b.entity_id, b.fund_id::text AS subject,
       'fund ' || f.code || ' has ' || b.has || ' of net assets with restrictions, in minor units' AS detail,
       (SELECT max(e.recorded_at) FROM posting p JOIN journal_entry e ON e.id = p.entry_id WHERE p.fund_id = b.fund_id) AS since
  FROM below b JOIN fund f ON f.id = b.fund_id;

-- +goose Down
DROP VIEW check_restricted_below_zero, check_receipt_facts;
DROP TRIGGER entity_fact_changes ON legal_entity;
DROP TRIGGER entity_fact_begins ON legal_entity;
DROP FUNCTION entity_fact_is_kept;
DROP TABLE entity_fact;
DROP TRIGGER settled_gift_is_frozen ON donation;
DROP FUNCTION settled_gift_is_frozen;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION journal_entry_is_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lines integer;
    uneven bigint;
BEGIN
    SELECT coalesce(sum(f.lines), 0), count(*) FILTER (WHERE f.total <> 0)
      INTO lines, uneven
      FROM (SELECT count(*) AS lines, sum(p.amount) AS total
              FROM public.posting p WHERE p.entry_id = NEW.id GROUP BY p.fund_id) f;
    IF lines <> NEW.line_count THEN
        RAISE EXCEPTION 'journal entry % states % lines and has %', NEW.id, NEW.line_count, lines
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_entry_lines_complete';
    END IF;
    IF uneven > 0 THEN
        RAISE EXCEPTION 'journal entry % does not balance in % fund(s)', NEW.id, uneven
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_entry_balances_per_fund';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
ALTER TABLE account DROP CONSTRAINT account_memo;
ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_dates;
