-- +goose Up
-- Room ledger: the books. Entries and their postings are written once.
--
-- A posting carries its entry's line count, so the foreign key and the check (n <= line_count)
-- leave exactly line_count places; the deferred trigger on the entry counts them at commit.
-- No line fits in afterwards, not even a balanced pair, not even after dump and restore.

CREATE TABLE account (
    code  text PRIMARY KEY CHECK (code ~ '^[0-9]{4}$'),
    name  text NOT NULL UNIQUE CHECK (name ~ '^[A-Z0-9][A-Za-z0-9-]*$'),
    kind  text NOT NULL CHECK (kind IN ('asset', 'liability', 'net_assets', 'revenue', 'expense', 'memo')),
    class text CHECK (class IN ('without', 'with'))
);

INSERT INTO account (code, name, kind, class) VALUES
    ('1010', 'Stripe-clearing', 'asset', NULL),
    ('1015', 'Payouts-in-transit', 'asset', NULL),
    ('1020', 'Disputed-funds-withheld', 'asset', NULL),
    ('1050', 'Undeposited-checks', 'asset', NULL),
    ('1090', 'Suspense', 'asset', NULL),
    ('1100', 'Bank', 'asset', NULL),
    ('1200', 'Pledges-receivable', 'asset', NULL),
    ('2100', 'Grants-payable', 'liability', NULL),
    ('2150', 'Refundable-advances', 'liability', NULL),
    ('2200', 'Due-to-alliance-members', 'liability', NULL),
    ('2300', 'Refunds-payable', 'liability', NULL),
    ('3000', 'Opening-net-assets-without-restrictions', 'net_assets', 'without'),
    ('3010', 'Opening-net-assets-with-restrictions', 'net_assets', 'with'),
    ('3900', 'Transfers-between-funds', 'net_assets', 'without'),
    ('4000', 'Contributions-without-restrictions', 'revenue', 'without'),
    ('4100', 'Contributions-with-restrictions', 'revenue', 'with'),
    ('4800', 'Refunds-without-restrictions', 'revenue', 'without'),
    ('4805', 'Refunds-with-restrictions', 'revenue', 'with'),
    ('4810', 'Chargebacks-without-restrictions', 'revenue', 'without'),
    ('4815', 'Chargebacks-with-restrictions', 'revenue', 'with'),
    ('4900', 'Released-from-restriction-with-side', 'revenue', 'with'),
    ('4910', 'Released-from-restriction-without-side', 'revenue', 'without'),
    ('5100', 'Processing-fees', 'expense', 'without'),
    ('5110', 'Dispute-fees', 'expense', 'without'),
    ('5200', 'Bank-and-wire-fees', 'expense', 'without'),
    ('6100', 'Grants-domestic', 'expense', 'without'),
    ('6200', 'Grants-foreign', 'expense', 'without'),
    ('6900', 'Grant-recoveries', 'expense', 'without'),
    ('7100', 'Foreign-exchange-gain-or-loss', 'expense', 'without'),
    ('9100', 'Encumbrances', 'memo', NULL),
    ('9200', 'Reserve-for-encumbrances', 'memo', NULL);

CREATE TABLE books (
    entity_id      uuid PRIMARY KEY REFERENCES legal_entity (id),
    currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    closed_through date,
    UNIQUE (entity_id, currency)
);

CREATE TABLE journal_entry (
    id          uuid PRIMARY KEY,
    entity_id   uuid NOT NULL,
    currency    text NOT NULL,
    entry_date  date NOT NULL,
    fact_date   date NOT NULL,
    source      text NOT NULL CHECK (source <> ''),
    source_id   text NOT NULL CHECK (source_id <> ''),
    kind        text NOT NULL CHECK (kind <> ''),
    fact_hash   bytea NOT NULL CHECK (octet_length(fact_hash) = 32),
    line_count  smallint NOT NULL CHECK (line_count BETWEEN 2 AND 2000),
    reverses    uuid UNIQUE REFERENCES journal_entry (id),
    dimensions  jsonb NOT NULL DEFAULT '{}',
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT journal_entry_key UNIQUE (source_id, kind, source, entity_id),
    UNIQUE (id, entity_id, currency, line_count),
    FOREIGN KEY (entity_id, currency) REFERENCES books (entity_id, currency),
    CHECK (entry_date >= fact_date)
);
-- No index but those on id may begin with entity_id: while the table has no statistics, the check of posting's
-- foreign key would take it for as good as the unique one and read all entries of the entity for every line.
CREATE INDEX journal_entry_by_date ON journal_entry (entry_date, entity_id);

CREATE TABLE posting (
    entry_id         uuid NOT NULL,
    n                smallint NOT NULL,
    entity_id        uuid NOT NULL,
    currency         text NOT NULL,
    line_count       smallint NOT NULL,
    account_code     text NOT NULL REFERENCES account (code),
    fund_id          uuid NOT NULL,
    amount           bigint NOT NULL CHECK (amount <> 0),
    dimensions       jsonb,
    foreign_currency text CHECK (foreign_currency ~ '^[A-Z]{3}$'),
    foreign_amount   bigint,
    rate             numeric(24, 12) CHECK (rate > 0),
    PRIMARY KEY (entry_id, n),
    CHECK (n BETWEEN 1 AND line_count),
    CHECK (num_nulls(foreign_currency, foreign_amount, rate) IN (0, 3)),
    FOREIGN KEY (entry_id, entity_id, currency, line_count) REFERENCES journal_entry (id, entity_id, currency, line_count),
    FOREIGN KEY (fund_id, entity_id) REFERENCES fund (id, entity_id)
);
CREATE INDEX posting_by_fund ON posting (fund_id, account_code) INCLUDE (amount);

-- What waits for a person in finance: a fact that was booked to suspense, and why.
CREATE TABLE finance_task (
    id        uuid PRIMARY KEY,
    entity_id uuid NOT NULL REFERENCES legal_entity (id),
    kind      text NOT NULL,
    subject   text NOT NULL,
    detail    jsonb NOT NULL DEFAULT '{}',
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    UNIQUE (entity_id, kind, subject)
);

-- +goose StatementBegin
CREATE FUNCTION journal_entry_is_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE CONSTRAINT TRIGGER journal_entry_is_sealed AFTER INSERT ON journal_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION journal_entry_is_sealed();

-- The trigger fires after the entry's foreign key has locked the row of books FOR KEY SHARE. Whoever closes a period
-- locks that row FOR UPDATE first: entries before it are waited for, entries behind it see the new end. Only
-- read committed sees it; an older snapshot would still find the period open.
-- +goose StatementBegin
CREATE FUNCTION journal_entry_in_open_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'entries are posted in read committed transactions'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_entry_in_open_period';
    END IF;
    IF EXISTS (SELECT 1 FROM public.books b WHERE b.entity_id = NEW.entity_id AND NEW.entry_date <= b.closed_through) THEN
        RAISE EXCEPTION 'the period of % is closed', NEW.entry_date
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_entry_in_open_period';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER journal_entry_in_open_period AFTER INSERT ON journal_entry
    FOR EACH ROW EXECUTE FUNCTION journal_entry_in_open_period();

-- Privileges already refuse the server's role; this refuses everybody else who forgets.
-- +goose StatementBegin
CREATE FUNCTION insert_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: rows there are written once', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
-- +goose StatementEnd
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_entry
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON posting
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- +goose Down
DROP TABLE finance_task, posting, journal_entry, books, account;
DROP FUNCTION journal_entry_is_sealed, journal_entry_in_open_period, insert_only;
