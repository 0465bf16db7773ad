-- +goose NO TRANSACTION
-- +goose Up
-- Files of banks, the statements in them, and the lines. Owned by internal/office/bank. Each statement may be repeated.

-- A layout of CSV files, by their heading: people say once which column is what.
CREATE TABLE IF NOT EXISTS bank_layout (
    id        uuid PRIMARY KEY,
    entity_id uuid NOT NULL REFERENCES legal_entity (id),
    fingerprint text NOT NULL CHECK (fingerprint <> ''), -- of what the files of the layout have in common
    layout    jsonb NOT NULL,
    made_by   uuid REFERENCES staff (id), -- NULL: an operator
    made_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    replaced_at timestamptz, -- by a newer layout of the same heading
    UNIQUE (id, entity_id)
);
CREATE UNIQUE INDEX IF NOT EXISTS bank_layout_of_fingerprint ON bank_layout (entity_id, fingerprint) WHERE replaced_at IS NULL;

-- A file that a person looks at before it is stored, for a day: then it is deleted, as it is when it is stored, and by any erasure of the entity.
CREATE TABLE IF NOT EXISTS bank_upload (
    id          uuid PRIMARY KEY,
    entity_id   uuid NOT NULL,
    account_id  uuid NOT NULL,
    name        text NOT NULL,
    content     bytea NOT NULL,
    layout      jsonb, -- a layout that a person confirmed for this file
    uploaded_by uuid NOT NULL REFERENCES staff (id),
    uploaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (account_id, entity_id) REFERENCES bank_account (id, entity_id)
);
CREATE INDEX IF NOT EXISTS bank_upload_of_account ON bank_upload (account_id, uploaded_at);

-- A file is stored once for an account. Its bytes are not kept: its lines are.
CREATE TABLE IF NOT EXISTS bank_file (
    id         uuid PRIMARY KEY,
    entity_id  uuid NOT NULL REFERENCES legal_entity (id),
    account_id uuid NOT NULL,
    sha256     bytea NOT NULL CHECK (octet_length(sha256) = 32),
    format     text NOT NULL CHECK (format <> ''),
    bytes      bigint NOT NULL CHECK (bytes > 0),
    lines      integer NOT NULL CHECK (lines >= 0),  -- booked lines in the file
    added      integer NOT NULL CHECK (added >= 0),  -- of these, not known before
    warnings   jsonb NOT NULL DEFAULT '[]',          -- what did not balance or was missing, as it was shown before the file was stored
    stored_by  uuid REFERENCES staff (id), -- NULL: an operator
    stored_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (account_id, sha256),
    UNIQUE (id, entity_id, account_id),
    FOREIGN KEY (account_id, entity_id) REFERENCES bank_account (id, entity_id)
);

CREATE TABLE IF NOT EXISTS bank_statement (
    id         uuid PRIMARY KEY,
    entity_id  uuid NOT NULL,
    account_id uuid NOT NULL,
    file_id    uuid NOT NULL,
    n          integer NOT NULL CHECK (n > 0), -- in its file
    from_on    date NOT NULL,
    until_on   date NOT NULL, -- the last day
    opening    bigint, -- minor units, at the beginning of from_on; NULL: the file does not say
    closing    bigint, -- at the end of until_on
    UNIQUE (file_id, n),
    UNIQUE (id, entity_id, account_id),
    CHECK (from_on <= until_on),
    FOREIGN KEY (file_id, entity_id, account_id) REFERENCES bank_file (id, entity_id, account_id)
);
CREATE INDEX IF NOT EXISTS bank_statement_of_account ON bank_statement (account_id, until_on);

-- A booked line. Of equal lines (account, day, amount and text) there are as many as any one file had at most: nth counts them.
CREATE TABLE IF NOT EXISTS bank_line (
    id           uuid PRIMARY KEY,
    entity_id    uuid NOT NULL,
    account_id   uuid NOT NULL,
    statement_id uuid NOT NULL, -- in which it was seen first
    n            integer NOT NULL CHECK (n > 0), -- in its file
    booked_on    date NOT NULL,
    amount       bigint NOT NULL CHECK (amount <> 0), -- minor units; positive: money that came
    text         text NOT NULL, -- the bank's words, which may name a person; empty after an erasure
    text_hash    bytea NOT NULL CHECK (octet_length(text_hash) = 32), -- so that an erased line is known in a later file
    reference    text NOT NULL DEFAULT '', -- a check number, or the id that payer and payee see
    bank_ref     text NOT NULL DEFAULT '', -- the bank's own id (FITID): it is shown and decides nothing
    nth          integer NOT NULL CHECK (nth > 0),
    UNIQUE (account_id, booked_on, amount, text_hash, nth),
    UNIQUE (id, entity_id, account_id),
    FOREIGN KEY (statement_id, entity_id, account_id) REFERENCES bank_statement (id, entity_id, account_id),
    FOREIGN KEY (account_id, entity_id) REFERENCES bank_account (id, entity_id)
);
CREATE INDEX IF NOT EXISTS bank_line_by_day ON bank_line (account_id, booked_on, id);

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION bank_row_begins() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_TABLE_NAME = 'bank_upload' THEN
        NEW.uploaded_by := staff_of_session();
        NEW.uploaded_at := clock_timestamp();
    ELSIF TG_TABLE_NAME = 'bank_file' THEN
        NEW.stored_by := staff_of_session();
        NEW.stored_at := clock_timestamp();
    ELSE
        NEW.made_by := staff_of_session();
        NEW.made_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;

-- What waits may name whoever is erased: people upload it again.
CREATE OR REPLACE FUNCTION bank_uploads_are_erased() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM bank_upload u USING donor d WHERE d.id = NEW.donor_id AND u.entity_id = d.entity_id;
    RETURN NULL;
END $$;

-- A line changes only in that an erasure empties its words.
CREATE OR REPLACE FUNCTION bank_line_keeps() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.text <> '' OR NEW.reference <> '' OR (to_jsonb(OLD) - '{text,reference}'::text[]) IS DISTINCT FROM (to_jsonb(NEW) - '{text,reference}'::text[]) THEN
        RAISE EXCEPTION 'bank line % does not change', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_line_keeps';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION bank_layout_keeps() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.replaced_at IS NOT NULL OR (to_jsonb(OLD) - 'replaced_at') IS DISTINCT FROM (to_jsonb(NEW) - 'replaced_at') THEN
        RAISE EXCEPTION 'bank layout % does not change', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_layout_keeps';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE OR REPLACE TRIGGER begins BEFORE INSERT ON bank_upload FOR EACH ROW EXECUTE FUNCTION bank_row_begins();
CREATE OR REPLACE TRIGGER bank_uploads_are_erased AFTER UPDATE ON erasure_donor FOR EACH ROW
    WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION bank_uploads_are_erased();
CREATE OR REPLACE TRIGGER begins BEFORE INSERT ON bank_layout FOR EACH ROW EXECUTE FUNCTION bank_row_begins();
CREATE OR REPLACE TRIGGER keeps BEFORE UPDATE ON bank_layout FOR EACH ROW EXECUTE FUNCTION bank_layout_keeps();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON bank_layout FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE OR REPLACE TRIGGER begins BEFORE INSERT ON bank_file FOR EACH ROW EXECUTE FUNCTION bank_row_begins();
CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bank_file FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bank_statement FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE OR REPLACE TRIGGER keeps BEFORE UPDATE ON bank_line FOR EACH ROW EXECUTE FUNCTION bank_line_keeps();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON bank_line FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
DROP TRIGGER IF EXISTS requires_audit ON bank_file;
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON bank_file DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('bank_file', 'id');
DROP TRIGGER IF EXISTS requires_audit ON bank_layout;
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON bank_layout DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('bank_layout', 'id');

-- +goose Down
DROP TRIGGER IF EXISTS bank_uploads_are_erased ON erasure_donor;
DROP TABLE IF EXISTS bank_line, bank_statement, bank_file, bank_upload, bank_layout;
DROP FUNCTION IF EXISTS bank_uploads_are_erased, bank_layout_keeps, bank_line_keeps, bank_row_begins;
