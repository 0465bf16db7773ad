-- +goose NO TRANSACTION
-- +goose Up
-- Imports of gifts from a spreadsheet. Owned by internal/office/giftimport. Each statement may be repeated: the tables refer to tables that servers write.
--
--   uploaded ── ordered ──▶ running: batch after batch ──▶ ended ── undoing ──▶ undone
--      │           └── a row cannot be posted: back, with the reason
--      └── discarded
CREATE TABLE IF NOT EXISTS gift_import (
    id           uuid PRIMARY KEY,
    entity_id    uuid NOT NULL,
    n            integer NOT NULL CHECK (n > 0), -- 1, 2, 3 … of the entity; the database's to say
    name         text NOT NULL CHECK (length(name) <= 200), -- of the file
    sha256       bytea NOT NULL CHECK (octet_length(sha256) = 32), -- of the file as it was sent
    content      bytea, -- its rows; NULL when it ended or was discarded
    fingerprint  bytea NOT NULL CHECK (octet_length(fingerprint) = 32), -- of its headings
    rows         integer NOT NULL CHECK (rows > 0),
    mapping      jsonb NOT NULL CHECK (jsonb_typeof(mapping) = 'object'), -- what each column is, and what rows have that have no column for it
    without_bad  boolean NOT NULL DEFAULT false, -- rows that cannot be read are left out
    posted       integer NOT NULL DEFAULT 0 CHECK (posted >= 0), -- gifts so far
    total        bigint NOT NULL DEFAULT 0, -- they come to so much, in minor units
    left_out     integer NOT NULL DEFAULT 0,
    problem      text CHECK (length(problem) <= 200), -- why it did not run; a phrase
    uploaded_by  uuid, -- a staff member: this and the times are the database's to say; NULL: an operator
    uploaded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    ordered_by   uuid,
    ordered_at   timestamptz,
    ended_at     timestamptz,
    discarded_at timestamptz,
    undo_by      uuid,
    undo_at      timestamptz,
    undone_at    timestamptz,
    UNIQUE (id, entity_id),
    UNIQUE (entity_id, n),
    CHECK (ended_at IS NULL OR ordered_at IS NOT NULL),
    CHECK (undo_at IS NULL OR ended_at IS NOT NULL),
    CHECK (undone_at IS NULL OR undo_at IS NOT NULL)
);
ALTER TABLE gift_import DROP CONSTRAINT IF EXISTS gift_import_entity_id_fkey, ADD CONSTRAINT gift_import_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity (id);
ALTER TABLE gift_import DROP CONSTRAINT IF EXISTS gift_import_uploaded_by_fkey, ADD CONSTRAINT gift_import_uploaded_by_fkey FOREIGN KEY (uploaded_by) REFERENCES staff (id);
ALTER TABLE gift_import DROP CONSTRAINT IF EXISTS gift_import_ordered_by_fkey, ADD CONSTRAINT gift_import_ordered_by_fkey FOREIGN KEY (ordered_by) REFERENCES staff (id);
ALTER TABLE gift_import DROP CONSTRAINT IF EXISTS gift_import_undo_by_fkey, ADD CONSTRAINT gift_import_undo_by_fkey FOREIGN KEY (undo_by) REFERENCES staff (id);
-- A file is imported once, unless that import was undone or never ran.
CREATE UNIQUE INDEX IF NOT EXISTS gift_import_once ON gift_import (entity_id, sha256) WHERE discarded_at IS NULL AND undone_at IS NULL;
CREATE INDEX IF NOT EXISTS gift_import_kept ON gift_import (uploaded_at) WHERE content IS NOT NULL;

-- What columns with these headings were the last time.
CREATE TABLE IF NOT EXISTS gift_import_mapping (
    entity_id   uuid NOT NULL,
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    mapping     jsonb NOT NULL CHECK (jsonb_typeof(mapping) = 'object'),
    PRIMARY KEY (entity_id, fingerprint)
);
ALTER TABLE gift_import_mapping DROP CONSTRAINT IF EXISTS gift_import_mapping_entity_id_fkey,
    ADD CONSTRAINT gift_import_mapping_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity (id);

-- The batches of an import: each has its rows of one day, at most 500.
CREATE TABLE IF NOT EXISTS gift_import_batch (
    batch_id  uuid PRIMARY KEY,
    entity_id uuid NOT NULL,
    import_id uuid NOT NULL
);
ALTER TABLE gift_import_batch DROP CONSTRAINT IF EXISTS gift_import_batch_batch_id_entity_id_fkey,
    ADD CONSTRAINT gift_import_batch_batch_id_entity_id_fkey FOREIGN KEY (batch_id, entity_id) REFERENCES gift_batch (id, entity_id);
ALTER TABLE gift_import_batch DROP CONSTRAINT IF EXISTS gift_import_batch_import_id_entity_id_fkey,
    ADD CONSTRAINT gift_import_batch_import_id_entity_id_fkey FOREIGN KEY (import_id, entity_id) REFERENCES gift_import (id, entity_id);
CREATE INDEX IF NOT EXISTS gift_import_batch_of_import ON gift_import_batch (import_id);

-- +goose StatementBegin
-- gift_import_runs reports whether the transaction is of an import of the entity that a person of its finance ordered, who still is one, or an
-- operator, and that has not ended; or of one that is being undone. The job that runs it has no staff session.
CREATE OR REPLACE FUNCTION gift_import_runs(of_entity uuid) RETURNS boolean STABLE SECURITY DEFINER LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM gift_import i WHERE i.id::text = current_setting('konbit.gift_import', true) AND i.entity_id = of_entity
        AND (i.ordered_at IS NOT NULL AND i.ended_at IS NULL AND (i.ordered_by IS NULL OR staff_has_role(i.ordered_by, '{finance}', i.entity_id, NULL))
          OR i.undo_at IS NOT NULL AND i.undone_at IS NULL AND (i.undo_by IS NULL OR staff_has_role(i.undo_by, '{finance}', i.entity_id, NULL))))
$$;

-- may_type_batches as before (migration 00150); without a session also the job of an import that a person ordered.
CREATE OR REPLACE FUNCTION may_type_batches(roles text[], of_entity uuid, of_organisation uuid) RETURNS boolean LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN staff_of_session() IS NULL THEN is_owner() OR gift_import_runs(of_entity) ELSE staff_has_role(staff_of_session(), roles, of_entity, of_organisation) END
$$;

CREATE OR REPLACE FUNCTION refuse_import(rule text, message text) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '%', message USING ERRCODE = 'check_violation', CONSTRAINT = rule;
END $$;

-- gift_import_begins says who uploads a file, when, and the import's number.
CREATE OR REPLACE FUNCTION gift_import_begins() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT may_type_batches('{entry,finance}', NEW.entity_id, NULL) THEN
        PERFORM refuse_import('gift_import_person', 'gifts are imported by people who type batches');
    END IF;
    IF num_nonnulls(NEW.ordered_at, NEW.ended_at, NEW.discarded_at, NEW.undo_at, NEW.undone_at) > 0 OR NEW.posted <> 0 THEN
        PERFORM refuse_import('gift_import_keeps', 'an import begins with a file');
    END IF;
    NEW.uploaded_by := staff_of_session();
    NEW.uploaded_at := clock_timestamp();
    PERFORM pg_advisory_xact_lock(hashtextextended('gift_import ' || NEW.entity_id, 0));
    NEW.n := coalesce((SELECT max(i.n) FROM gift_import i WHERE i.entity_id = NEW.entity_id), 0) + 1;
    RETURN NEW;
END $$;

-- gift_import_changes lets an import go its way. People order it and undo it, of the entity's finance; its job goes on.
CREATE OR REPLACE FUNCTION gift_import_changes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    who uuid := staff_of_session();
BEGIN
    IF current_setting('konbit.erasing', true) = 'yes' AND OLD.ordered_at IS NULL AND NEW.content IS NULL AND NEW.discarded_at IS NOT NULL
       AND (to_jsonb(OLD) - '{content,discarded_at}'::text[]) = (to_jsonb(NEW) - '{content,discarded_at}'::text[]) THEN
        NEW.discarded_at := clock_timestamp();
        RETURN NEW;
    END IF;
    IF (to_jsonb(OLD) - '{content,mapping,without_bad,posted,total,left_out,problem,ordered_by,ordered_at,ended_at,discarded_at,undo_by,undo_at,undone_at}'::text[])
       IS DISTINCT FROM (to_jsonb(NEW) - '{content,mapping,without_bad,posted,total,left_out,problem,ordered_by,ordered_at,ended_at,discarded_at,undo_by,undo_at,undone_at}'::text[])
       OR OLD.discarded_at IS NOT NULL OR OLD.undone_at IS NOT NULL OR NEW.content IS NOT NULL AND NEW.content IS DISTINCT FROM OLD.content
       OR OLD.ended_at IS NOT NULL AND NEW.ended_at IS NULL OR OLD.undo_at IS NOT NULL AND NEW.undo_at IS NULL AND NEW.problem IS NULL
       OR OLD.ordered_at IS NOT NULL AND (OLD.mapping, OLD.without_bad) IS DISTINCT FROM (NEW.mapping, NEW.without_bad)
       OR OLD.posted > 0 AND (NEW.discarded_at IS NOT NULL OR NEW.ordered_at IS NULL) OR NEW.discarded_at IS NOT NULL AND NEW.ordered_at IS NOT NULL THEN
        PERFORM refuse_import('gift_import_keeps', 'an import does not change so');
    END IF;
    IF NOT may_type_batches('{entry,finance}', NEW.entity_id, NULL) THEN
        PERFORM refuse_import('gift_import_person', 'gifts are imported by people who type batches');
    END IF;
    IF OLD.ordered_at IS NULL AND NEW.ordered_at IS NOT NULL THEN
        IF who IS NULL AND NOT is_owner() OR NOT may_type_batches('{finance}', NEW.entity_id, NULL) THEN
            PERFORM refuse_import('gift_import_poster', 'imports are ordered by the finance of the legal entity');
        END IF;
        NEW.ordered_by := who;
        NEW.ordered_at := clock_timestamp();
    ELSIF NEW.ordered_at IS NULL THEN
        NEW.ordered_by := NULL;
    ELSE
        NEW.ordered_by := OLD.ordered_by;
    END IF;
    IF OLD.undo_at IS NULL AND NEW.undo_at IS NOT NULL THEN
        IF who IS NULL AND NOT is_owner() AND OLD.ended_at IS NOT NULL OR NOT may_type_batches('{finance}', NEW.entity_id, NULL) THEN
            PERFORM refuse_import('gift_import_poster', 'imports are undone by the finance of the legal entity');
        END IF;
        NEW.undo_by := coalesce(who, OLD.ordered_by); -- the job undoes what it could not end
        NEW.undo_at := clock_timestamp();
    ELSIF NEW.undo_at IS NULL THEN
        NEW.undo_by := NULL;
    ELSE
        NEW.undo_by := OLD.undo_by;
    END IF;
    NEW.ended_at     := CASE WHEN NEW.ended_at IS NOT NULL THEN coalesce(OLD.ended_at, clock_timestamp()) END;
    NEW.discarded_at := CASE WHEN NEW.discarded_at IS NOT NULL THEN clock_timestamp() END;
    NEW.undone_at    := CASE WHEN NEW.undone_at IS NOT NULL THEN clock_timestamp() END;
    RETURN NEW;
END $$;

-- An erasure discards the files of the entity that wait: they may name the donor.
CREATE OR REPLACE FUNCTION gift_imports_are_erased() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before text := coalesce(current_setting('konbit.erasing', true), '');
BEGIN
    PERFORM set_config('konbit.erasing', 'yes', true);
    UPDATE gift_import i SET content = NULL, discarded_at = now() FROM donor d
     WHERE d.id = NEW.donor_id AND i.entity_id = d.entity_id AND i.ordered_at IS NULL AND i.discarded_at IS NULL;
    PERFORM set_config('konbit.erasing', before, true);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE OR REPLACE TRIGGER gift_imports_are_erased AFTER UPDATE ON erasure_donor FOR EACH ROW
    WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION gift_imports_are_erased();
-- The job of an import has no session: its entries in the audit log are the program's. Who may change a batch is decided by may_type_batches.
DROP TRIGGER IF EXISTS requires_audit ON gift_batch;
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE ON gift_batch DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('gift_batch', 'id', 'anyone');
CREATE OR REPLACE TRIGGER begins BEFORE INSERT ON gift_import FOR EACH ROW EXECUTE FUNCTION gift_import_begins();
CREATE OR REPLACE TRIGGER changes BEFORE UPDATE ON gift_import FOR EACH ROW EXECUTE FUNCTION gift_import_changes();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON gift_import FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gift_import_batch FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- Donors by email and name, and gifts by number, as an import looks for them.
CREATE OR REPLACE VIEW gift_import_donor WITH (security_invoker = true) AS
SELECT d.id, d.entity_id, d.kind, d.email, lower(CASE WHEN d.organisation_name <> '' THEN d.organisation_name ELSE trim(concat_ws(' ', d.first_name, d.last_name)) END) AS name,
       coalesce(nullif(d.postal_code, ''), (SELECT t.postal_code FROM donation g JOIN donation_contact t ON t.donation_id = g.id
           WHERE g.donor_id = d.id AND t.postal_code <> '' ORDER BY g.charged_at DESC NULLS LAST LIMIT 1), '') AS postal_code
  FROM donor d;
CREATE OR REPLACE VIEW gift_import_gift WITH (security_invoker = true) AS
SELECT o.id AS gift_id, o.entity_id, o.number, o.paid, o.batch_id, g.donor_id, g.public_ref, coalesce(b.received_on, g.tax_date) AS received_on
  FROM offline_gift o JOIN donation g ON g.id = o.donation_id LEFT JOIN gift_batch b ON b.id = o.batch_id;
-- Rows of an import's batches, by the id of their form; and gifts that were undone.
CREATE OR REPLACE VIEW gift_import_row WITH (security_invoker = true) AS
SELECT b.import_id, r.submission FROM gift_import_batch b JOIN gift_batch_row r ON r.batch_id = b.batch_id;
CREATE OR REPLACE VIEW payment_change_of_void WITH (security_invoker = true) AS
SELECT h.payment_id FROM payment_change h WHERE h.kind = 'dispute lost' AND h.object_id = 'void ' || h.payment_id;

-- +goose Down
DROP VIEW IF EXISTS payment_change_of_void, gift_import_row, gift_import_gift, gift_import_donor;
DROP TRIGGER IF EXISTS gift_imports_are_erased ON erasure_donor;
DROP TRIGGER IF EXISTS requires_audit ON gift_batch;
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE ON gift_batch DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('gift_batch', 'id');
DROP TABLE IF EXISTS gift_import_batch, gift_import_mapping, gift_import;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION may_type_batches(roles text[], of_entity uuid, of_organisation uuid) RETURNS boolean LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN staff_of_session() IS NULL THEN is_owner() ELSE staff_has_role(staff_of_session(), roles, of_entity, of_organisation) END
$$;
-- +goose StatementEnd
DROP FUNCTION IF EXISTS gift_imports_are_erased, gift_import_changes, gift_import_begins, refuse_import, gift_import_runs;
