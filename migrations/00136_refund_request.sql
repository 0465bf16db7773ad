-- +goose NO TRANSACTION
-- +goose Up
-- What staff ask a second person to refund, and the list of refunds. Each statement may be repeated: refund_request refers to donation, which
-- servers write.

-- The note of a refund that waits for a second person. It may name the donor, so the text that is approved has its hash only: an erasure empties
-- the note, and what was approved stays as it is.
CREATE TABLE IF NOT EXISTS refund_request (
    request_id  uuid PRIMARY KEY REFERENCES approval_request (id),
    entity_id   uuid NOT NULL,
    donation_id uuid NOT NULL,
    note        text NOT NULL CHECK (length(note) <= 2000)
);
ALTER TABLE refund_request DROP CONSTRAINT IF EXISTS refund_request_donation_id_entity_id_fkey,
    ADD CONSTRAINT refund_request_donation_id_entity_id_fkey FOREIGN KEY (donation_id, entity_id) REFERENCES donation (id, entity_id);
CREATE INDEX IF NOT EXISTS refund_request_by_donation ON refund_request (donation_id);

-- As before (migration 00130), with the hash of the note.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refund_order_body(of_order uuid) RETURNS text STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT concat_ws(E'\n', 'refund', 'entity ' || o.entity_id, 'payment ' || o.payment_id, 'amount ' || o.amount || ' ' || o.currency,
        (SELECT string_agg('part ' || p.fund_id || ' ' || p.amount, E'\n' ORDER BY p.fund_id) FROM refund_order_part p WHERE p.order_id = o.id),
        'reason ' || o.reason, 'requested by ' || o.requested_by, 'form ' || o.submission,
        'note sha256 ' || encode(sha256(convert_to(o.note, 'UTF8')), 'hex'))
      FROM refund_order o WHERE o.id = of_order
$$;
-- +goose StatementEnd

-- A request is of a refund in the entity of its gift, and is written in the transaction in which it is made.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refund_request_begins() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM approval_request r WHERE r.id = NEW.request_id AND r.kind = 'refund' AND r.entity_id = NEW.entity_id
                      AND r.requested_by = staff_of_session() AND r.xmin::text = pg_current_xact_id()::xid::text) THEN
        RAISE EXCEPTION 'refund request %: it is written with its request', NEW.request_id USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_request_begins';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refund_request_note_stays_erased() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF are_erased(ARRAY(SELECT g.donor_id FROM donation g WHERE g.id = NEW.donation_id)) THEN
        NEW.note := '';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refund_request_keeps() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (OLD.request_id, OLD.entity_id, OLD.donation_id) IS DISTINCT FROM (NEW.request_id, NEW.entity_id, NEW.donation_id) OR NEW.note NOT IN (OLD.note, '') THEN
        RAISE EXCEPTION 'refund request % does not change', OLD.request_id USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_request_keeps';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refund_notes_are_erased() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE refund_order o SET note = '' FROM (SELECT n.id FROM refund_order n JOIN donation g ON g.id = n.donation_id
                                               WHERE g.donor_id = NEW.id AND n.note <> '' ORDER BY n.id FOR UPDATE OF n) theirs WHERE o.id = theirs.id;
    UPDATE refund_request q SET note = '' FROM (SELECT n.request_id FROM refund_request n JOIN donation g ON g.id = n.donation_id
                                                 WHERE g.donor_id = NEW.id AND n.note <> '' ORDER BY n.request_id FOR UPDATE OF n) theirs WHERE q.request_id = theirs.request_id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE OR REPLACE TRIGGER sees_every_commit BEFORE INSERT ON refund_request FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE OR REPLACE TRIGGER erased_stays_erased BEFORE INSERT ON refund_request FOR EACH ROW WHEN (NEW.note <> '') EXECUTE FUNCTION refund_request_note_stays_erased();
CREATE OR REPLACE TRIGGER refund_request_begins BEFORE INSERT ON refund_request FOR EACH ROW EXECUTE FUNCTION refund_request_begins();
CREATE OR REPLACE TRIGGER refund_request_keeps BEFORE UPDATE ON refund_request FOR EACH ROW EXECUTE FUNCTION refund_request_keeps();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON refund_request FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- The list of refunds: those that staff ordered, and those that the books have without an order. Two views, because a page of the list reads the
-- newest rows of each by an index. key makes the place of a row in the list unique, in the order of its bytes: at never changes, so a row stays where it is.
DROP VIEW IF EXISTS refund_list;
CREATE OR REPLACE VIEW refund_ordered WITH (security_invoker = true) AS
SELECT o.entity_id, (SELECT g.organisation_id FROM donation g WHERE g.id = o.donation_id) AS organisation_id, o.donation_id,
       coalesce((SELECT g.public_ref FROM donation g WHERE g.id = o.donation_id), '') AS ref,
       coalesce((SELECT coalesce(nullif(d.organisation_name, ''), trim(concat_ws(' ', d.first_name, d.last_name))) FROM donation g JOIN donor d ON d.id = g.donor_id WHERE g.id = o.donation_id), '') AS donor,
       o.payment_id, o.id AS order_id, o.stripe_refund_id AS refund_id, 'office'::text AS origin, o.amount, o.currency, o.reason, o.note,
       o.requested_by, o.state, o.ordered_at AS at, o.id::text COLLATE "C" AS key, o.changed_at, o.problem,
       EXISTS (SELECT FROM payment_change c WHERE c.object_id = o.stripe_refund_id AND c.kind = 'refund' AND c.entity_id = o.entity_id) AS booked, o.charge_ref
  FROM refund_order o;

-- Refunds that the bank could not deliver.
CREATE OR REPLACE VIEW refund_failed WITH (security_invoker = true) AS
SELECT h.entity_id, h.object_id AS refund_id FROM payment_change h WHERE h.kind = 'refund failed';

-- A gift's refund by hand in Stripe's dashboard is from 'stripe'; 'plan' refunds a payment that its plan did not accept; 'office' without a processor
-- is paid by bank.
CREATE OR REPLACE VIEW refund_elsewhere WITH (security_invoker = true) AS
SELECT h.entity_id, (SELECT g.organisation_id FROM donation g WHERE g.id = p.donation_id) AS organisation_id, p.donation_id,
       coalesce((SELECT g.public_ref FROM donation g WHERE g.id = p.donation_id), '') AS ref,
       coalesce((SELECT coalesce(nullif(d.organisation_name, ''), trim(concat_ws(' ', d.first_name, d.last_name))) FROM donation g JOIN donor d ON d.id = g.donor_id WHERE g.id = p.donation_id), '') AS donor,
       h.payment_id, NULL::uuid AS order_id, h.object_id AS refund_id,
       CASE WHEN p.processor IS NULL THEN 'office' WHEN p.status = 'suspense' THEN 'plan' ELSE 'stripe' END AS origin, h.amount + h.owed + h.beyond AS amount, p.currency,
       NULL::text AS reason, NULL::text AS note, NULL::uuid AS requested_by, CASE WHEN f.object_id IS NULL THEN 'succeeded' ELSE 'failed' END AS state,
       h.at, h.object_id COLLATE "C" AS key, coalesce(f.at, h.at) AS changed_at, NULL::text AS problem, true AS booked, coalesce(p.charge_ref, '') AS charge_ref
  FROM payment_change h JOIN payment p ON p.id = h.payment_id
  LEFT JOIN payment_change f ON f.object_id = h.object_id AND f.entity_id = h.entity_id AND f.kind = 'refund failed'
 WHERE h.kind = 'refund' AND NOT EXISTS (SELECT FROM refund_order o WHERE o.entity_id = h.entity_id AND o.stripe_refund_id = h.object_id);

CREATE OR REPLACE VIEW refund_list WITH (security_invoker = true) AS
SELECT * FROM refund_ordered UNION ALL SELECT * FROM refund_elsewhere;

-- +goose Down
DROP VIEW refund_list, refund_ordered, refund_elsewhere, refund_failed;
DROP TABLE refund_request;
DROP FUNCTION refund_request_begins, refund_request_keeps, refund_request_note_stays_erased;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refund_notes_are_erased() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE refund_order o SET note = '' FROM (SELECT n.id FROM refund_order n JOIN donation g ON g.id = n.donation_id
                                               WHERE g.donor_id = NEW.id AND n.note <> '' ORDER BY n.id FOR UPDATE OF n) theirs WHERE o.id = theirs.id;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION refund_order_body(of_order uuid) RETURNS text STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT concat_ws(E'\n', 'refund', 'entity ' || o.entity_id, 'payment ' || o.payment_id, 'amount ' || o.amount || ' ' || o.currency,
        (SELECT string_agg('part ' || p.fund_id || ' ' || p.amount, E'\n' ORDER BY p.fund_id) FROM refund_order_part p WHERE p.order_id = o.id),
        'reason ' || o.reason, 'requested by ' || o.requested_by, 'form ' || o.submission, 'note ' || o.note)
      FROM refund_order o WHERE o.id = of_order
$$;
-- +goose StatementEnd
CREATE VIEW refund_list WITH (security_invoker = true) AS
SELECT o.entity_id, o.donation_id, o.payment_id, o.id AS order_id, o.stripe_refund_id AS refund_id, 'office'::text AS origin, o.amount, o.currency, o.reason, o.note,
       o.requested_by, o.state, coalesce(c.at, o.ordered_at) AS at, o.changed_at, o.problem, c.at IS NOT NULL AS booked
  FROM refund_order o LEFT JOIN payment_change c ON c.object_id = o.stripe_refund_id AND c.kind = 'refund' AND c.entity_id = o.entity_id
UNION ALL
SELECT h.entity_id, p.donation_id, h.payment_id, NULL, h.object_id,
       CASE WHEN p.processor IS NULL THEN 'office' WHEN p.status = 'suspense' THEN 'plan' ELSE 'stripe' END, h.amount + h.owed + h.beyond, p.currency, NULL, NULL,
       NULL, CASE WHEN f.object_id IS NULL THEN 'succeeded' ELSE 'failed' END, h.at, coalesce(f.at, h.at), NULL, true
  FROM payment_change h JOIN payment p ON p.id = h.payment_id
  LEFT JOIN payment_change f ON f.object_id = h.object_id AND f.entity_id = h.entity_id AND f.kind = 'refund failed'
 WHERE h.kind = 'refund' AND NOT EXISTS (SELECT FROM refund_order o WHERE o.entity_id = h.entity_id AND o.stripe_refund_id = h.object_id);
