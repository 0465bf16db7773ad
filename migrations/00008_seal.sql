-- +goose Up
-- Room ledger: the order of entries, their seals, and balances as of a seal.

-- Serials tell entries apart in time: whoever holds one drew it after his transaction had its id (CASE
-- looks at its condition first), so once every transaction that had an id has ended, no entry can still come
-- up below the serials seen by then. A sequence goes on where it was after dump and restore; transaction ids do not.
CREATE SEQUENCE journal_entry_serial AS bigint;
ALTER TABLE journal_entry ADD COLUMN serial bigint;
ALTER TABLE posting ADD COLUMN serial bigint;

ALTER TABLE journal_entry DISABLE TRIGGER insert_only;
ALTER TABLE posting DISABLE TRIGGER insert_only;
UPDATE journal_entry e SET serial = o.serial
  FROM (SELECT id, row_number() OVER (ORDER BY recorded_by, id) AS serial FROM journal_entry) o WHERE o.id = e.id;
UPDATE posting p SET serial = e.serial FROM journal_entry e WHERE e.id = p.entry_id;
SELECT setval('journal_entry_serial', (SELECT count(*) + 1 FROM journal_entry), false);
ALTER TABLE journal_entry ENABLE TRIGGER insert_only;
ALTER TABLE posting ENABLE TRIGGER insert_only;

ALTER TABLE journal_entry ALTER COLUMN serial SET NOT NULL,
    ALTER COLUMN serial SET DEFAULT CASE WHEN pg_current_xact_id() IS NOT NULL THEN nextval('journal_entry_serial') END,
    ADD CONSTRAINT journal_entry_serial_key UNIQUE (serial);
ALTER SEQUENCE journal_entry_serial OWNED BY journal_entry.serial;

-- A posting carries its entry's serial, as it carries its line count, so that the newest postings of a fund are found
-- in one stretch of one index, which takes the place of the one it had.
ALTER TABLE posting ALTER COLUMN serial SET NOT NULL, DROP CONSTRAINT posting_entry_id_entity_id_currency_line_count_fkey;
ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_id_entity_id_currency_line_count_key,
    ADD CONSTRAINT journal_entry_lines_key UNIQUE (id, entity_id, currency, line_count, serial);
ALTER TABLE posting ADD CONSTRAINT posting_of_entry FOREIGN KEY (entry_id, entity_id, currency, line_count, serial)
    REFERENCES journal_entry (id, entity_id, currency, line_count, serial);
DROP INDEX posting_by_fund;
CREATE INDEX posting_by_fund ON posting (fund_id, serial) INCLUDE (account_code, amount);

-- One chain per entity. No foreign key leads to the entry: its check would write every entry a second time. Verify
-- holds the two together.
CREATE TABLE ledger_seal (
    entity_id uuid NOT NULL REFERENCES books (entity_id),
    n         bigint NOT NULL CHECK (n > 0),
    entry_id  uuid NOT NULL,
    serial    bigint NOT NULL UNIQUE,
    hash      bytea NOT NULL CHECK (octet_length(hash) = 32),
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity_id, n)
);

-- The balance of each account that a fund had used when its entity's entry n was sealed.
CREATE TABLE ledger_snapshot (
    entity_id    uuid NOT NULL,
    fund_id      uuid NOT NULL,
    n            bigint NOT NULL,
    account_code text NOT NULL REFERENCES account (code),
    amount       bigint NOT NULL,
    PRIMARY KEY (fund_id, n, account_code),
    FOREIGN KEY (entity_id, n) REFERENCES ledger_seal (entity_id, n),
    FOREIGN KEY (fund_id, entity_id) REFERENCES fund (id, entity_id)
);

-- The head of a chain on a day, as the auditors were told it.
CREATE TABLE ledger_head (
    id            uuid PRIMARY KEY,
    entity_id     uuid NOT NULL,
    day           date NOT NULL,
    n             bigint NOT NULL,
    hash          bytea NOT NULL CHECK (octet_length(hash) = 32),
    trial_balance bigint NOT NULL,
    kept_at       timestamptz NOT NULL,
    UNIQUE (entity_id, day),
    FOREIGN KEY (entity_id, n) REFERENCES ledger_seal (entity_id, n)
);

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seal
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_snapshot
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_head
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- +goose Down
DROP TABLE ledger_head, ledger_snapshot, ledger_seal;
ALTER TABLE posting DROP CONSTRAINT posting_of_entry, DROP COLUMN serial;
ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_lines_key, DROP COLUMN serial,
    ADD CONSTRAINT journal_entry_id_entity_id_currency_line_count_key UNIQUE (id, entity_id, currency, line_count);
ALTER TABLE posting ADD FOREIGN KEY (entry_id, entity_id, currency, line_count) REFERENCES journal_entry (id, entity_id, currency, line_count);
CREATE INDEX posting_by_fund ON posting (fund_id, account_code) INCLUDE (amount);
