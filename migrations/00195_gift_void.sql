-- +goose NO TRANSACTION
-- +goose Up
-- Voids and corrections of posted gifts that came without a processor: a second person approves them. Owned by internal/office/correction. Each statement
-- may be repeated: the tables refer to tables that servers write.

-- What a person asks a second one for: that a gift was never there, or that another one stands in its place. It may name people, so the text that is approved
-- has hashes only: an erasure empties it.
CREATE TABLE IF NOT EXISTS gift_void_request (
    request_id  uuid PRIMARY KEY,
    entity_id   uuid NOT NULL,
    gift_id     uuid NOT NULL,
    reason      text NOT NULL CHECK (length(reason) <= 500),
    typed       jsonb CHECK (jsonb_typeof(typed) = 'object'), -- the gift in its place, as fields of a row of a batch; NULL: there is none
    donor_id    uuid, -- who gave that; NULL: a new donor, whom typed names
    received_on date,
    account     text CHECK (account ~ '^[a-z0-9-]{1,63}$'), -- slug of the bank account
    CHECK ((typed IS NULL) = (received_on IS NULL)),
    CHECK (typed IS NOT NULL OR num_nonnulls(donor_id, account) = 0)
);
ALTER TABLE gift_void_request DROP CONSTRAINT IF EXISTS gift_void_request_request_id_entity_id_fkey,
    ADD CONSTRAINT gift_void_request_request_id_entity_id_fkey FOREIGN KEY (request_id, entity_id) REFERENCES approval_request (id, entity_id);
ALTER TABLE gift_void_request DROP CONSTRAINT IF EXISTS gift_void_request_gift_id_entity_id_fkey,
    ADD CONSTRAINT gift_void_request_gift_id_entity_id_fkey FOREIGN KEY (gift_id, entity_id) REFERENCES offline_gift (id, entity_id);
ALTER TABLE gift_void_request DROP CONSTRAINT IF EXISTS gift_void_request_donor_id_entity_id_fkey,
    ADD CONSTRAINT gift_void_request_donor_id_entity_id_fkey FOREIGN KEY (donor_id, entity_id) REFERENCES donor (id, entity_id);
CREATE INDEX IF NOT EXISTS gift_void_request_of_gift ON gift_void_request (gift_id);
CREATE INDEX IF NOT EXISTS gift_void_request_of_donor ON gift_void_request (donor_id) WHERE donor_id IS NOT NULL;

-- A gift that was voided, and the one in its place.
CREATE TABLE IF NOT EXISTS gift_void (
    id           uuid PRIMARY KEY,
    entity_id    uuid NOT NULL,
    gift_id      uuid NOT NULL UNIQUE,
    new_gift_id  uuid UNIQUE, -- NULL: there is none
    request_id   uuid NOT NULL,
    request_hash bytea NOT NULL,
    voided_by    uuid NOT NULL, -- this and the time are the database's to say
    voided_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (gift_id <> new_gift_id)
);
ALTER TABLE gift_void DROP CONSTRAINT IF EXISTS gift_void_gift_id_entity_id_fkey,
    ADD CONSTRAINT gift_void_gift_id_entity_id_fkey FOREIGN KEY (gift_id, entity_id) REFERENCES offline_gift (id, entity_id);
ALTER TABLE gift_void DROP CONSTRAINT IF EXISTS gift_void_new_gift_id_entity_id_fkey,
    ADD CONSTRAINT gift_void_new_gift_id_entity_id_fkey FOREIGN KEY (new_gift_id, entity_id) REFERENCES offline_gift (id, entity_id);
ALTER TABLE gift_void DROP CONSTRAINT IF EXISTS gift_void_request_id_request_hash_fkey,
    ADD CONSTRAINT gift_void_request_id_request_hash_fkey FOREIGN KEY (request_id, request_hash) REFERENCES approval_request (id, hash);
ALTER TABLE gift_void DROP CONSTRAINT IF EXISTS gift_void_request_id_entity_id_fkey,
    ADD CONSTRAINT gift_void_request_id_entity_id_fkey FOREIGN KEY (request_id, entity_id) REFERENCES approval_request (id, entity_id);
ALTER TABLE gift_void DROP CONSTRAINT IF EXISTS gift_void_voided_by_fkey,
    ADD CONSTRAINT gift_void_voided_by_fkey FOREIGN KEY (voided_by) REFERENCES staff (id);

-- Gifts that are void in the books: two people voided them, or an import was undone.
CREATE OR REPLACE VIEW gift_voided WITH (security_invoker = true) AS
SELECT p.donation_id FROM payment_change h JOIN payment p ON p.id = h.payment_id WHERE h.kind = 'dispute lost' AND h.object_id = 'void ' || h.payment_id;

-- +goose StatementBegin
-- gift_void_body returns the text that is approved.
CREATE OR REPLACE FUNCTION gift_void_body(q gift_void_request) RETURNS text STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT concat_ws(E'\n', 'void', 'entity ' || q.entity_id, 'gift ' || q.gift_id,
        (SELECT 'amount ' || o.paid || ' ' || o.currency FROM offline_gift o WHERE o.id = q.gift_id),
        'reason sha256 ' || encode(sha256(convert_to(q.reason, 'UTF8')), 'hex'),
        CASE WHEN q.typed IS NULL THEN 'becomes nothing' ELSE 'becomes sha256 ' || encode(sha256(convert_to(concat_ws(E'\n', 'donor ' || coalesce(q.donor_id::text, ''), 'received on ' || q.received_on,
            'account ' || coalesce(q.account, ''),
            (SELECT string_agg(f.key || ' ' || octet_length(convert_to(f.value, 'UTF8')) || ':' || f.value, E'\n' ORDER BY f.key COLLATE "C") FROM jsonb_each_text(q.typed) f)),
            'UTF8')), 'hex') END)
$$;

-- A request is written in the transaction in which it is made, and says what is approved.
CREATE OR REPLACE FUNCTION gift_void_request_begins() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM approval_request r WHERE r.id = NEW.request_id AND r.kind = 'void' AND r.entity_id = NEW.entity_id
                      AND r.requested_by = staff_of_session() AND r.xmin::text = pg_current_xact_id()::xid::text AND r.body = gift_void_body(NEW)) THEN
        RAISE EXCEPTION 'void request %: it is written with its request', NEW.request_id USING ERRCODE = 'check_violation', CONSTRAINT = 'gift_void_request_begins';
    END IF;
    RETURN NEW;
END $$;

-- gift_void_request_donors returns whom a request may name.
CREATE OR REPLACE FUNCTION gift_void_request_donors(q gift_void_request) RETURNS uuid[] STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT ARRAY(SELECT d FROM (SELECT q.donor_id UNION SELECT g.donor_id FROM offline_gift o JOIN donation g ON g.id = o.donation_id WHERE o.id = q.gift_id
        UNION SELECT c.donor_id FROM soft_credit c WHERE c.gift_id = q.gift_id
        UNION SELECT p.id FROM donor p WHERE p.id::text = q.typed ->> 'soft_credit' AND p.entity_id = q.entity_id) p (d) WHERE d IS NOT NULL ORDER BY 1)
$$;
CREATE OR REPLACE FUNCTION gift_void_request_stays_erased() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF are_erased(gift_void_request_donors(NEW)) THEN
        NEW.reason := '';
        NEW.typed := CASE WHEN NEW.typed IS NOT NULL THEN '{}'::jsonb END;
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION gift_void_request_keeps() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (to_jsonb(OLD) - '{reason,typed}'::text[]) IS DISTINCT FROM (to_jsonb(NEW) - '{reason,typed}'::text[]) OR NEW.reason <> '' OR NEW.typed <> '{}'
       OR current_setting('konbit.erasing', true) IS DISTINCT FROM 'yes' THEN
        RAISE EXCEPTION 'void request % does not change', OLD.request_id USING ERRCODE = 'check_violation', CONSTRAINT = 'gift_void_request_keeps';
    END IF;
    RETURN NEW;
END $$;

-- Only an erasure sets erased_at: what requests say of the donor is emptied.
CREATE OR REPLACE FUNCTION gift_void_requests_are_erased() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before text := coalesce(current_setting('konbit.erasing', true), '');
BEGIN
    PERFORM set_config('konbit.erasing', 'yes', true);
    UPDATE gift_void_request q SET reason = '', typed = CASE WHEN q.typed IS NOT NULL THEN '{}'::jsonb END FROM (
        SELECT o.request_id FROM gift_void_request o
         WHERE (o.donor_id = NEW.donor_id OR o.gift_id IN (SELECT gifts_of_person(NEW.donor_id)) OR o.typed ->> 'soft_credit' = NEW.donor_id::text)
           AND (o.reason <> '' OR o.typed <> '{}') ORDER BY o.request_id FOR UPDATE) theirs
     WHERE q.request_id = theirs.request_id;
    PERFORM set_config('konbit.erasing', before, true);
    RETURN NULL;
END $$;

-- gift_void_begins says who voids a gift, and when: as it was approved, and as long as neither a closed deposit nor a line of the bank has the gift.
CREATE OR REPLACE FUNCTION gift_void_begins() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    q gift_void_request;
BEGIN
    NEW.voided_by := staff_of_session();
    NEW.voided_at := clock_timestamp();
    SELECT * INTO q FROM gift_void_request o WHERE o.request_id = NEW.request_id AND o.gift_id = NEW.gift_id AND o.entity_id = NEW.entity_id;
    IF NEW.voided_by IS NULL THEN
        PERFORM refuse_approval('approval_has_session', 'there is no staff session');
    ELSIF NOT EXISTS (SELECT FROM approval_request r WHERE r.id = q.request_id AND r.kind = 'void' AND r.subject = NEW.id::text AND r.body = gift_void_body(q))
       OR (q.typed IS NULL) <> (NEW.new_gift_id IS NULL)
       OR NEW.new_gift_id IS NOT NULL AND NOT EXISTS (SELECT FROM gift_batch_row r JOIN gift_batch b ON b.id = r.batch_id WHERE r.gift_id = NEW.new_gift_id AND r.typed = q.typed
              AND b.received_on = q.received_on AND b.account IS NOT DISTINCT FROM q.account AND (q.donor_id IS NULL OR r.donor_id = q.donor_id)) THEN
        PERFORM refuse_approval('gift_void_as_approved', 'this is not what was approved');
    ELSIF EXISTS (SELECT FROM deposit_item i JOIN deposit d ON d.id = i.deposit_id WHERE i.gift_id = NEW.gift_id AND d.closed_at IS NOT NULL)
       OR EXISTS (SELECT FROM offline_gift o JOIN donation g ON g.id = o.donation_id JOIN bank_cleared c ON c.entity_id = g.entity_id AND c.kind = 'gift' AND c.ref = g.public_ref
                   WHERE o.id = NEW.gift_id) THEN
        PERFORM refuse_approval('gift_void_is_free', 'a closed deposit or a line of the bank has this gift');
    END IF;
    RETURN NEW;
END $$;

-- At commit, a gift that was voided is void in the books, and what is void in the books was voided by two people, or by an import that is undone.
CREATE OR REPLACE FUNCTION gift_void_is_booked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM payment_change_of_void v WHERE v.payment_id = NEW.gift_id) THEN
        RAISE EXCEPTION 'gift % is voided, and stands in the books', NEW.gift_id USING ERRCODE = 'check_violation', CONSTRAINT = 'gift_void_is_booked';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION payment_void_has_cause() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM gift_void v WHERE v.gift_id = NEW.payment_id)
       AND NOT EXISTS (SELECT FROM offline_gift o JOIN gift_import_batch b ON b.batch_id = o.batch_id JOIN gift_import i ON i.id = b.import_id
                        WHERE o.id = NEW.payment_id AND i.undo_at IS NOT NULL) THEN
        RAISE EXCEPTION 'payment % is voided without a cause', NEW.payment_id USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_void_has_cause';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE OR REPLACE TRIGGER sees_every_commit BEFORE INSERT ON gift_void_request FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE OR REPLACE TRIGGER erased_stays_erased BEFORE INSERT ON gift_void_request FOR EACH ROW EXECUTE FUNCTION gift_void_request_stays_erased();
CREATE OR REPLACE TRIGGER gift_void_request_begins BEFORE INSERT ON gift_void_request FOR EACH ROW EXECUTE FUNCTION gift_void_request_begins();
CREATE OR REPLACE TRIGGER gift_void_request_keeps BEFORE UPDATE ON gift_void_request FOR EACH ROW EXECUTE FUNCTION gift_void_request_keeps();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON gift_void_request FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE OR REPLACE TRIGGER gift_void_requests_are_erased AFTER UPDATE ON erasure_donor FOR EACH ROW
    WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION gift_void_requests_are_erased();
CREATE OR REPLACE TRIGGER sees_every_commit BEFORE INSERT ON gift_void FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE OR REPLACE TRIGGER gift_void_begins BEFORE INSERT ON gift_void FOR EACH ROW EXECUTE FUNCTION gift_void_begins();
CREATE OR REPLACE TRIGGER requires_approval AFTER INSERT ON gift_void FOR EACH ROW EXECUTE FUNCTION requires_approval('void', 'id');
CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gift_void FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
DROP TRIGGER IF EXISTS requires_audit ON gift_void;
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON gift_void DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('gift_void', 'id', 'voided_by');
DROP TRIGGER IF EXISTS gift_void_is_booked ON gift_void;
CREATE CONSTRAINT TRIGGER gift_void_is_booked AFTER INSERT ON gift_void DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gift_void_is_booked();
DROP TRIGGER IF EXISTS payment_void_has_cause ON payment_change;
CREATE CONSTRAINT TRIGGER payment_void_has_cause AFTER INSERT ON payment_change DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.object_id LIKE 'void %') EXECUTE FUNCTION payment_void_has_cause();

-- +goose Down
DROP TRIGGER IF EXISTS payment_void_has_cause ON payment_change;
DROP TRIGGER IF EXISTS gift_void_requests_are_erased ON erasure_donor;
DROP VIEW IF EXISTS gift_voided;
DROP FUNCTION IF EXISTS gift_void_request_donors, gift_void_body;
DROP TABLE IF EXISTS gift_void, gift_void_request;
DROP FUNCTION IF EXISTS payment_void_has_cause, gift_void_is_booked, gift_void_begins, gift_void_requests_are_erased, gift_void_request_stays_erased,
    gift_void_request_begins, gift_void_request_keeps;
