-- +goose NO TRANSACTION
-- +goose Up
-- Bank accounts, and what was in them when the books began. Owned by internal/office/bank. Each statement may be repeated.

INSERT INTO account (code, name, kind, class) VALUES
    ('4300', 'Interest-and-other-income', 'revenue', 'without'),
    ('6500', 'Spending-program', 'expense', 'without'),
    ('6600', 'Spending-management', 'expense', 'without'),
    ('6700', 'Spending-fundraising', 'expense', 'without'),
    ('7200', 'Gain-or-loss-on-securities', 'expense', 'without')
    ON CONFLICT DO NOTHING;

-- The declarative file says which accounts there are. The slug is the dimension "bank" of postings on 1100, and never changes.
CREATE TABLE IF NOT EXISTS bank_account (
    id         uuid PRIMARY KEY,
    entity_id  uuid NOT NULL REFERENCES legal_entity (id),
    slug       text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 40 AND slug <> 'stripe'),
    name       text NOT NULL CHECK (name <> ''),
    last4      text NOT NULL CHECK (last4 ~ '^[0-9]{4}$'), -- of its number; the whole number is stored nowhere
    currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    holds      text NOT NULL CHECK (holds IN ('all', 'gifts')), -- all: every line is booked; gifts: other lines are set aside
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (id, entity_id),
    UNIQUE (slug, entity_id),
    FOREIGN KEY (entity_id, currency) REFERENCES books (entity_id, currency)
);

-- What was in an account at the end of a day, which another person approved. An opening executes one request, whose text says what it books.
CREATE TABLE IF NOT EXISTS bank_opening (
    id           uuid PRIMARY KEY,
    entity_id    uuid NOT NULL REFERENCES legal_entity (id),
    account_id   uuid NOT NULL,
    on_date      date NOT NULL,
    amount       bigint NOT NULL, -- minor units: the sum of the parts
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    request_id   uuid NOT NULL UNIQUE,
    request_hash bytea NOT NULL,
    opened_by    uuid NOT NULL REFERENCES staff (id),
    opened_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (id, entity_id, account_id, on_date),
    FOREIGN KEY (account_id, entity_id) REFERENCES bank_account (id, entity_id),
    FOREIGN KEY (request_id, request_hash) REFERENCES approval_request (id, hash),
    FOREIGN KEY (request_id, entity_id) REFERENCES approval_request (id, entity_id)
);
CREATE TABLE IF NOT EXISTS bank_opening_part (
    opening_id uuid NOT NULL,
    entity_id  uuid NOT NULL,
    account_id uuid NOT NULL,
    on_date    date NOT NULL,
    fund_id    uuid NOT NULL,
    amount     bigint NOT NULL CHECK (amount <> 0), -- minor units
    PRIMARY KEY (opening_id, fund_id),
    UNIQUE (entity_id, on_date, account_id, fund_id),
    FOREIGN KEY (opening_id, entity_id, account_id, on_date) REFERENCES bank_opening (id, entity_id, account_id, on_date),
    FOREIGN KEY (fund_id, entity_id) REFERENCES fund (id, entity_id)
);

-- +goose StatementBegin
-- Who and when are the session's and the database's.
CREATE OR REPLACE FUNCTION bank_opening_begins() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.opened_by := staff_of_session();
    NEW.opened_at := clock_timestamp();
    IF NEW.opened_by IS NULL THEN
        PERFORM refuse_approval('approval_has_session', 'there is no staff session');
    END IF;
    RETURN NEW;
END $$;

-- At commit an opening is what was approved, and is booked so: 1100 / 3000 or 3010 in each fund.
CREATE OR REPLACE FUNCTION bank_opening_is_booked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    o        bank_opening;
    the_slug text;
    parts    text;
BEGIN
    SELECT * INTO o FROM bank_opening WHERE id = (to_jsonb(NEW) ->> TG_ARGV[0])::uuid;
    the_slug := (SELECT slug FROM bank_account WHERE id = o.account_id);
    parts := (SELECT string_agg('fund ' || f.code || ' ' || p.amount, E'\n' ORDER BY f.code COLLATE "C") FROM bank_opening_part p JOIN fund f ON f.id = p.fund_id WHERE p.opening_id = o.id);
    IF o.amount IS DISTINCT FROM (SELECT sum(p.amount) FROM bank_opening_part p WHERE p.opening_id = o.id)
       OR NOT EXISTS (SELECT FROM approval_request r WHERE r.id = o.request_id AND r.subject = o.id::text
              AND r.body = concat_ws(E'\n', 'opening', 'entity ' || o.entity_id, 'account ' || the_slug, 'day ' || o.on_date, 'amount ' || o.amount || ' ' || o.currency, parts)) THEN
        RAISE EXCEPTION 'opening % is not what was approved', o.id USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_opening_as_approved';
    END IF;
    IF (SELECT array_agg(p.account_code || ' ' || p.amount || ' ' || p.fund_id || coalesce(' ' || (p.dimensions ->> 'bank'), '') ORDER BY p.account_code, p.fund_id)
          FROM journal_entry e JOIN posting p ON p.entry_id = e.id WHERE e.source_id = o.id::text AND e.kind = 'opening' AND e.source = 'bank opening' AND e.entity_id = o.entity_id)
       IS DISTINCT FROM
       (SELECT array_agg(l.line ORDER BY l.code, l.fund_id) FROM bank_opening_part p JOIN fund f ON f.id = p.fund_id
         CROSS JOIN LATERAL (VALUES ('1100', p.fund_id, '1100 ' || p.amount || ' ' || p.fund_id || ' ' || the_slug),
             (CASE f.restriction WHEN 'none' THEN '3000' ELSE '3010' END, p.fund_id, CASE f.restriction WHEN 'none' THEN '3000 ' ELSE '3010 ' END || -p.amount || ' ' || p.fund_id)) l (code, fund_id, line)
         WHERE p.opening_id = o.id) THEN
        RAISE EXCEPTION 'opening % is not booked as it says', o.id USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_opening_is_booked';
    END IF;
    RETURN NULL;
END $$;

-- A posting on 1100 names an account of its entity by the dimension bank, and one for an opening has its opening.
CREATE OR REPLACE FUNCTION bank_posting_has_account() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM bank_account a WHERE a.slug = NEW.dimensions ->> 'bank' AND a.entity_id = NEW.entity_id) THEN
        RAISE EXCEPTION 'entry % is of a bank account that its entity does not have', NEW.entry_id USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_posting_has_account';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION bank_entry_has_opening() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM bank_opening o WHERE o.id::text = NEW.source_id AND o.entity_id = NEW.entity_id AND NEW.kind = 'opening') THEN
        RAISE EXCEPTION 'entry % opens an account without an opening', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_entry_has_opening';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE OR REPLACE TRIGGER bank_opening_begins BEFORE INSERT ON bank_opening FOR EACH ROW EXECUTE FUNCTION bank_opening_begins();
CREATE OR REPLACE TRIGGER requires_approval AFTER INSERT ON bank_opening FOR EACH ROW EXECUTE FUNCTION requires_approval('opening', 'id');
CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bank_opening FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bank_opening_part FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE OR REPLACE TRIGGER sees_every_commit BEFORE INSERT ON bank_opening FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
DROP TRIGGER IF EXISTS bank_opening_is_booked ON bank_opening;
CREATE CONSTRAINT TRIGGER bank_opening_is_booked AFTER INSERT ON bank_opening DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION bank_opening_is_booked('id');
DROP TRIGGER IF EXISTS bank_opening_is_booked ON bank_opening_part;
CREATE CONSTRAINT TRIGGER bank_opening_is_booked AFTER INSERT ON bank_opening_part DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION bank_opening_is_booked('opening_id');
DROP TRIGGER IF EXISTS requires_audit ON bank_opening;
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON bank_opening DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('bank_opening', 'id', 'opened_by');
DROP TRIGGER IF EXISTS bank_posting_has_account ON posting;
CREATE CONSTRAINT TRIGGER bank_posting_has_account AFTER INSERT ON posting DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.account_code = '1100' AND NEW.dimensions ? 'bank') EXECUTE FUNCTION bank_posting_has_account();
DROP TRIGGER IF EXISTS bank_entry_has_opening ON journal_entry;
CREATE CONSTRAINT TRIGGER bank_entry_has_opening AFTER INSERT ON journal_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.source = 'bank opening') EXECUTE FUNCTION bank_entry_has_opening();

-- +goose Down
DROP TRIGGER IF EXISTS bank_entry_has_opening ON journal_entry;
DROP TRIGGER IF EXISTS bank_posting_has_account ON posting;
DROP TABLE IF EXISTS bank_opening_part, bank_opening, bank_account;
DROP FUNCTION IF EXISTS bank_entry_has_opening, bank_posting_has_account, bank_opening_is_booked, bank_opening_begins;
DELETE FROM account WHERE code IN ('4300', '6500', '6600', '6700', '7200');
