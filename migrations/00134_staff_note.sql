-- +goose NO TRANSACTION
-- +goose Up
-- Notes of staff on gifts, donors, payouts and tasks. Owned by internal/office/note. Each statement may be repeated: the table refers to tables that
-- servers write. Nobody changes or deletes a note; an erasure empties those on the donor, on their gifts, and on tasks about these.
CREATE TABLE IF NOT EXISTS staff_note (
    id              uuid PRIMARY KEY, -- of the form: sent again, it is the same note
    entity_id       uuid NOT NULL,
    organisation_id uuid, -- whose staff read it besides the entity's: staff_note_begins says which; NULL: the entity's only
    donation_id     uuid, -- what the note is on: one of these
    donor_id        uuid,
    payout_id       uuid,
    task_id         uuid,
    text            text NOT NULL CHECK (length(text) <= 4000),
    author          uuid NOT NULL, -- a staff member; this and the time are the database's to say
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (num_nonnulls(donation_id, donor_id, payout_id, task_id) = 1)
);
ALTER TABLE staff_note DROP CONSTRAINT IF EXISTS staff_note_entity_id_fkey, ADD CONSTRAINT staff_note_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity (id);
ALTER TABLE staff_note DROP CONSTRAINT IF EXISTS staff_note_organisation_id_entity_id_fkey,
    ADD CONSTRAINT staff_note_organisation_id_entity_id_fkey FOREIGN KEY (organisation_id, entity_id) REFERENCES organisation (id, entity_id);
ALTER TABLE staff_note DROP CONSTRAINT IF EXISTS staff_note_donation_id_entity_id_fkey,
    ADD CONSTRAINT staff_note_donation_id_entity_id_fkey FOREIGN KEY (donation_id, entity_id) REFERENCES donation (id, entity_id);
ALTER TABLE staff_note DROP CONSTRAINT IF EXISTS staff_note_donor_id_entity_id_fkey,
    ADD CONSTRAINT staff_note_donor_id_entity_id_fkey FOREIGN KEY (donor_id, entity_id) REFERENCES donor (id, entity_id);
ALTER TABLE staff_note DROP CONSTRAINT IF EXISTS staff_note_payout_id_entity_id_fkey,
    ADD CONSTRAINT staff_note_payout_id_entity_id_fkey FOREIGN KEY (payout_id, entity_id) REFERENCES payout (id, entity_id);
ALTER TABLE staff_note DROP CONSTRAINT IF EXISTS staff_note_task_id_fkey, ADD CONSTRAINT staff_note_task_id_fkey FOREIGN KEY (task_id) REFERENCES finance_task (id);
ALTER TABLE staff_note DROP CONSTRAINT IF EXISTS staff_note_author_fkey, ADD CONSTRAINT staff_note_author_fkey FOREIGN KEY (author) REFERENCES staff (id);
CREATE INDEX IF NOT EXISTS staff_note_of_gift ON staff_note (donation_id, at) WHERE donation_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS staff_note_of_donor ON staff_note (donor_id, at) WHERE donor_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS staff_note_of_payout ON staff_note (payout_id, at) WHERE payout_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS staff_note_of_task ON staff_note (task_id, at) WHERE task_id IS NOT NULL;

-- +goose StatementBegin
-- donors_of_note returns the donors whose erasure empties a note on an object; of a task, those of the gift, payment or plan that it is about.
CREATE OR REPLACE FUNCTION donors_of_note(of_donation uuid, of_donor uuid, of_task uuid) RETURNS SETOF uuid STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT of_donor WHERE of_donor IS NOT NULL
    UNION SELECT g.donor_id FROM donation g WHERE g.id = of_donation
    UNION SELECT g.donor_id FROM finance_task t JOIN donation g ON g.id = CASE WHEN t.subject ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN t.subject::uuid END
           WHERE t.id = of_task
    UNION SELECT g.donor_id FROM finance_task t JOIN payment p ON p.entity_id = t.entity_id AND p.processor = 'stripe' AND p.charge_ref = t.subject
            JOIN donation g ON g.id = p.donation_id WHERE t.id = of_task
    UNION SELECT l.donor_id FROM finance_task t JOIN plan l ON l.id = CASE WHEN t.subject ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN t.subject::uuid END
           WHERE t.id = of_task
    UNION SELECT l.donor_id FROM finance_task t JOIN plan l ON l.entity_id = t.entity_id AND l.subscription_id = t.subject WHERE t.id = of_task
$$;

-- A note is of the person of the staff session, who holds the role finance in its scope: for a gift its organisation; for a donor the organisation
-- whose staff the person is, unless the role is the entity's; for payouts and tasks the entity.
CREATE OR REPLACE FUNCTION staff_note_begins() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    NEW.author := staff_of_session();
    NEW.at     := clock_timestamp();
    IF NEW.donation_id IS NOT NULL THEN
        NEW.organisation_id := (SELECT g.organisation_id FROM donation g WHERE g.id = NEW.donation_id);
    ELSIF NEW.donor_id IS NULL OR staff_has_role(NEW.author, '{finance}', NEW.entity_id, NULL) THEN
        NEW.organisation_id := NULL;
    ELSIF NOT EXISTS (SELECT FROM donation g WHERE g.donor_id = NEW.donor_id AND g.organisation_id = NEW.organisation_id) THEN
        RAISE EXCEPTION 'donor % gave nothing to organisation %', NEW.donor_id, NEW.organisation_id USING ERRCODE = 'check_violation', CONSTRAINT = 'staff_note_scope';
    END IF;
    IF NEW.author IS NULL OR NOT staff_has_role(NEW.author, '{finance}', NEW.entity_id, NEW.organisation_id) THEN
        RAISE EXCEPTION 'the person of the session has no role for this note' USING ERRCODE = 'check_violation', CONSTRAINT = 'staff_note_person';
    END IF;
    IF NOT EXISTS (SELECT FROM finance_task t WHERE t.id = NEW.task_id AND t.entity_id = NEW.entity_id) AND NEW.task_id IS NOT NULL THEN
        RAISE EXCEPTION 'task % is of another entity', NEW.task_id USING ERRCODE = 'check_violation', CONSTRAINT = 'staff_note_scope';
    END IF;
    IF btrim(NEW.text) = '' THEN
        RAISE EXCEPTION 'a note without text' USING ERRCODE = 'check_violation', CONSTRAINT = 'staff_note_has_text';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION staff_note_keeps() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.text <> '' OR (to_jsonb(OLD) - 'text') IS DISTINCT FROM (to_jsonb(NEW) - 'text') THEN
        RAISE EXCEPTION 'note % does not change', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'staff_note_keeps';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION staff_note_stays_erased() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF are_erased(ARRAY(SELECT donors_of_note(NEW.donation_id, NEW.donor_id, NEW.task_id))) THEN
        NEW.text := '';
    END IF;
    RETURN NEW;
END $$;

-- Only an erasure sets erased_at: whatever else the server's role writes, no note is emptied.
CREATE OR REPLACE FUNCTION staff_notes_are_erased() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE staff_note s SET text = '' FROM (
        SELECT n.id FROM staff_note n
         WHERE n.text <> '' AND (n.donor_id = NEW.donor_id OR n.donation_id IN (SELECT g.id FROM donation g WHERE g.donor_id = NEW.donor_id)
               OR n.task_id IS NOT NULL AND NEW.donor_id IN (SELECT donors_of_note(NULL, NULL, n.task_id)))
         ORDER BY n.id FOR UPDATE) theirs
     WHERE s.id = theirs.id;
    RETURN NULL;
END $$;

-- staff_note_object returns the scope of an object, and how its page's address names it; for konbit_office nothing that its policies hide.
CREATE OR REPLACE FUNCTION staff_note_object(kind text, of_id uuid) RETURNS TABLE (entity_id uuid, organisation_id uuid, ref text) STABLE LANGUAGE sql AS $$
    SELECT g.entity_id, g.organisation_id, g.public_ref FROM donation g WHERE kind = 'gift' AND g.id = of_id
    UNION ALL SELECT d.entity_id, NULL, d.id::text FROM donor d WHERE kind = 'donor' AND d.id = of_id
    UNION ALL SELECT p.entity_id, NULL, p.payout_ref FROM payout p WHERE kind = 'payout' AND p.id = of_id
    UNION ALL SELECT t.entity_id, NULL, t.id::text FROM finance_task t WHERE kind = 'task' AND t.id = of_id
$$;
-- +goose StatementEnd

CREATE OR REPLACE TRIGGER begins BEFORE INSERT ON staff_note FOR EACH ROW EXECUTE FUNCTION staff_note_begins();
CREATE OR REPLACE TRIGGER erased_stays_erased BEFORE INSERT ON staff_note FOR EACH ROW EXECUTE FUNCTION staff_note_stays_erased();
CREATE OR REPLACE TRIGGER sees_every_commit BEFORE INSERT ON staff_note FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE OR REPLACE TRIGGER keeps BEFORE UPDATE ON staff_note FOR EACH ROW EXECUTE FUNCTION staff_note_keeps();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON staff_note FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
DROP TRIGGER IF EXISTS requires_audit ON staff_note;
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON staff_note DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('staff_note', 'id');
CREATE OR REPLACE TRIGGER staff_notes_are_erased AFTER UPDATE ON erasure_donor FOR EACH ROW
    WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION staff_notes_are_erased();

-- Notes as pages show them, with the author's name: NULL if the reader may not see the person.
CREATE OR REPLACE VIEW staff_note_row WITH (security_invoker = true) AS
SELECT n.id, n.entity_id, n.donation_id, n.donor_id, n.payout_id, n.task_id, n.text, n.author, n.at, s.name AS author_name
  FROM staff_note n LEFT JOIN staff s ON s.id = n.author;

-- +goose Down
DROP VIEW staff_note_row;
DROP TRIGGER staff_notes_are_erased ON erasure_donor;
DROP TABLE staff_note;
DROP FUNCTION staff_note_object, staff_notes_are_erased, staff_note_stays_erased, staff_note_keeps, staff_note_begins, donors_of_note;
