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
CREATE OR REPLACE FUNCTION staff_note_object(of_kind text, of_id uuid) RETURNS TABLE (entity_id uuid, organisation_id uuid, ref text) STABLE LANGUAGE sql AS $$
    SELECT g.entity_id, g.organisation_id, g.public_ref FROM donation g WHERE of_kind = 'gift' AND g.id = of_id
    UNION ALL SELECT d.entity_id, NULL, d.id::text FROM donor d WHERE of_kind = 'donor' AND d.id = of_id
    UNION ALL SELECT p.entity_id, NULL, p.payout_ref FROM payout p WHERE of_kind = 'payout' AND p.id = of_id
    UNION ALL SELECT t.entity_id, NULL, t.id::text FROM finance_task t WHERE of_kind = 'task' AND t.id = of_id
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

-- What the pages of gifts list. internal/office/giftlist reads the views and calls the functions. konbit_office reads the views: its policies apply.

-- A gift that was charged, by itself: what lists are ordered by, filtered by and added up from.
CREATE OR REPLACE VIEW gift_key WITH (security_invoker = true) AS
SELECT d.id, d.entity_id, d.organisation_id, d.donor_id, d.public_ref, d.status, coalesce(d.source, 'form') AS source, d.frequency, d.amount, d.charged_at
  FROM donation d WHERE d.charged_at IS NOT NULL;
CREATE OR REPLACE VIEW gift_of_fund AS
SELECT p.fund_id, p.donation_id, p.amount FROM designation p;
ALTER VIEW gift_of_fund SET (security_invoker = true);
ALTER VIEW gift_row SET (security_invoker = true);
-- Gifts whose charge a payout includes.
CREATE OR REPLACE VIEW gift_of_payout WITH (security_invoker = true) AS
SELECT o.entity_id, o.id AS payout_id, o.payout_ref, o.status, o.arrival_on, p.donation_id
  FROM payout o JOIN payout_member m ON m.payout_id = o.id
  JOIN balance_transaction b ON b.entity_id = m.entity_id AND b.id = m.transaction_id
  JOIN payment p ON p.entity_id = b.entity_id AND p.processor = 'stripe' AND p.charge_ref = b.source_id
 WHERE p.donation_id IS NOT NULL;
-- +goose StatementBegin
-- receipt_reference returns the number of a receipt as it is printed.
CREATE OR REPLACE FUNCTION receipt_reference(facts jsonb, year integer, number integer) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT coalesce(facts ->> 'receipt_prefix', upper(facts ->> 'entity_slug')) || '-' || year || '-' || lpad(number::text, 6, '0')
$$;

-- The functions office_… apply the scope of the staff session themselves, once: under the policies of all the tables that they read, the planner hashes
-- every gift of a project for a page of fifty.

-- office_gift_rows returns those of some gifts that the person of the staff session sees.
CREATE OR REPLACE FUNCTION office_gift_rows(gifts uuid[]) RETURNS SETOF gift_row STABLE SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    entities      uuid[] := office_entities('{finance,auditor}');
    organisations uuid[] := office_organisations('{finance,auditor}');
BEGIN
    RETURN QUERY SELECT d.* FROM gift_row d WHERE d.id = ANY(gifts) AND (d.entity_id = ANY(entities) OR d.organisation_id = ANY(organisations));
END $$;

-- office_changed_gifts returns the gifts of an entity with a refund or a dispute (kinds of payment_change), some of them twice.
CREATE OR REPLACE FUNCTION office_changed_gifts(of_entity uuid, kinds text[]) RETURNS SETOF uuid STABLE SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    entities      uuid[] := office_entities('{finance,auditor}');
    organisations uuid[] := office_organisations('{finance,auditor}');
BEGIN
    IF of_entity = ANY(entities) THEN
        RETURN QUERY SELECT p.donation_id FROM payment_change h JOIN payment p ON p.id = h.payment_id
         WHERE h.entity_id = of_entity AND h.kind = ANY(kinds) AND p.donation_id IS NOT NULL;
    ELSE
        RETURN QUERY SELECT d.id FROM payment_change h JOIN payment p ON p.id = h.payment_id JOIN donation d ON d.id = p.donation_id
         WHERE h.entity_id = of_entity AND h.kind = ANY(kinds) AND d.organisation_id = ANY(organisations);
    END IF;
END $$;

-- office_find_gifts returns the gifts of an entity by what they are known by besides their donor: the number of a receipt (without a year, of any), the
-- charges (separated by spaces), a booked refund or the payment intent at the processor, the last four digits of the card of a recurring gift.
CREATE OR REPLACE FUNCTION office_find_gifts(of_entity uuid, known_by text, value text, of_year integer, of_number integer) RETURNS SETOF uuid
STABLE SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    entities      uuid[] := office_entities('{finance,auditor}');
    organisations uuid[] := office_organisations('{finance,auditor}');
    found uuid[];
BEGIN
    CASE known_by
    WHEN 'receipt' THEN
        found := ARRAY(SELECT r.donation_id FROM generate_series(coalesce(of_year, 2020), coalesce(of_year, 2099)) y
                         JOIN receipt r ON r.entity_id = of_entity AND r.year = y AND r.number = of_number);
    WHEN 'charge' THEN
        found := ARRAY(SELECT p.donation_id FROM payment p WHERE p.entity_id = of_entity AND p.processor = 'stripe' AND p.charge_ref = ANY(string_to_array(value, ' ')));
    WHEN 'refund' THEN
        found := ARRAY(SELECT p.donation_id FROM payment_change h JOIN payment p ON p.id = h.payment_id
                        WHERE h.object_id = value AND h.kind = 'refund' AND h.entity_id = of_entity AND p.donation_id IS NOT NULL);
    WHEN 'intent' THEN
        found := ARRAY(SELECT p.donation_id FROM journal_entry e JOIN payment p ON p.entity_id = e.entity_id AND p.processor = 'stripe' AND p.charge_ref = e.dimensions ->> 'charge'
                        WHERE e.source_id = value AND e.kind = 'payment' AND e.source = 'stripe payment intent' AND e.entity_id = of_entity);
    WHEN 'card' THEN
        found := ARRAY(SELECT i.donation_id FROM plan l JOIN instalment i ON i.plan_id = l.id
                        WHERE l.entity_id = of_entity AND l.card_last4 = value AND i.donation_id IS NOT NULL LIMIT 5000);
    END CASE;
    RETURN QUERY SELECT d.id FROM donation d WHERE d.id = ANY(found) AND d.charged_at IS NOT NULL AND (d.entity_id = ANY(entities) OR d.organisation_id = ANY(organisations));
END $$;

-- office_gift_shares returns the parts of a gift's payment by fund, with the fees that are left after those that were given back. disputed is what
-- disputes that are open or lost took.
CREATE OR REPLACE FUNCTION office_gift_shares(of_gift uuid) RETURNS TABLE (fund_id uuid, gift bigint, fee bigint, sponsor_fee bigint, refunded bigint, disputed bigint)
STABLE SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    entities      uuid[] := office_entities('{finance,auditor}');
    organisations uuid[] := office_organisations('{finance,auditor}');
BEGIN
    RETURN QUERY SELECT c.fund_id, c.gift, c.fee - c.fee_back, c.sponsor_fee - c.sponsor_fee_back, c.refunded, c.gift - c.remaining - c.refunded
      FROM donation d JOIN payment p ON p.donation_id = d.id AND p.status = 'settled' CROSS JOIN LATERAL payment_position(p.id) c
     WHERE d.id = of_gift AND (d.entity_id = ANY(entities) OR d.organisation_id = ANY(organisations));
END $$;

-- office_gift_history returns what happened to a gift, in no order, if the person of the staff session sees it; without the role for the entity no
-- fee and no payout.
--
--     step       status of the gift, cause                       payment   method, amount, charge
--     fee        amount, balance transaction                      payout    status, reference, day of arrival
--     change     kind of payment_change, amount, its object       order     state of a refund's order, amount, who ordered it, who approved it
--     receipt    number                                           void      number, reason
--     email      kind of email, address, what became of it        moved     to another donor: who ordered it
CREATE OR REPLACE FUNCTION office_gift_history(of_gift uuid) RETURNS TABLE (at timestamptz, what text, name text, amount bigint, ref text, person text, detail text)
STABLE SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    entities      uuid[] := office_entities('{finance,auditor}');
    organisations uuid[] := office_organisations('{finance,auditor}');
    whole boolean;
BEGIN
    SELECT d.entity_id = ANY(entities) INTO whole FROM donation d WHERE d.id = of_gift
       AND (d.entity_id = ANY(entities) OR d.organisation_id = ANY(organisations));
    IF whole IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH RECURSIVE paper AS ( -- the first receipt, and each that replaces one
        SELECT r.id, r.year, r.number, r.facts, r.issued_at FROM receipt r WHERE r.donation_id = of_gift AND r.replaces IS NULL
        UNION ALL SELECT n.id, n.year, n.number, n.facts, n.issued_at FROM paper p JOIN receipt n ON n.replaces = p.id
    )
    SELECT s.at, 'step', s.status, NULL::bigint, s.cause, NULL::text, NULL::text FROM donation_step s WHERE s.donation_id = of_gift
    UNION ALL SELECT p.received_at, 'payment', p.method, p.amount, p.charge_ref, NULL, NULL FROM payment p WHERE p.donation_id = of_gift AND p.status = 'settled'
    UNION ALL SELECT b.created_at, 'fee', b.type, b.fee, b.id, NULL, NULL
      FROM payment p JOIN balance_transaction b ON b.entity_id = p.entity_id AND b.source_id = p.charge_ref WHERE p.donation_id = of_gift AND p.status = 'settled' AND b.fee <> 0 AND whole
    UNION ALL SELECT (o.arrival_on + time '12:00') AT TIME ZONE e.timezone, 'payout', o.status, NULL, o.payout_ref, NULL, o.id::text
      FROM payment p JOIN balance_transaction b ON b.entity_id = p.entity_id AND b.source_id = p.charge_ref
      JOIN payout_member m ON m.transaction_id = b.id AND m.entity_id = b.entity_id JOIN payout o ON o.id = m.payout_id JOIN legal_entity e ON e.id = o.entity_id
     WHERE p.donation_id = of_gift AND p.status = 'settled' AND whole
    UNION ALL SELECT h.at, 'change', h.kind, h.amount + h.owed + h.beyond, h.object_id, NULL, NULL
      FROM payment p JOIN payment_change h ON h.payment_id = p.id WHERE p.donation_id = of_gift AND p.status = 'settled'
    UNION ALL SELECT r.ordered_at, 'order', r.state, r.amount, r.stripe_refund_id, CASE WHEN whole THEN m.name END,
                     CASE WHEN whole THEN (SELECT string_agg(s.name, ', ' ORDER BY y.n) FROM approval y JOIN staff s ON s.id = y.staff_id
                                            WHERE y.request_id = r.request_id AND y.decision = 'approve') END
      FROM refund_order r LEFT JOIN staff m ON m.id = r.requested_by WHERE r.donation_id = of_gift
    UNION ALL SELECT r.issued_at, 'receipt', '', NULL, receipt_reference(r.facts, r.year, r.number), NULL, r.id::text FROM paper r
    UNION ALL SELECT v.voided_at, 'void', v.reason, NULL, receipt_reference(r.facts, r.year, r.number), NULL, r.id::text
      FROM paper r JOIN receipt_void v ON v.receipt_id = r.id
    UNION ALL SELECT y.ordered_at, 'email', l.kind, NULL, y.recipient, NULL,
                     CASE WHEN y.accepted_at IS NOT NULL THEN 'accepted' WHEN y.refused_at IS NOT NULL THEN 'refused' WHEN y.declined_at IS NOT NULL THEN 'declined' ELSE 'waiting' END
      FROM (SELECT of_gift AS id UNION ALL SELECT r.id FROM paper r
            UNION ALL SELECT n.id FROM donation_notice n WHERE n.donation_id = of_gift) s
      JOIN letter l ON l.subject_id = s.id JOIN letter_delivery y ON y.letter_id = l.id
    UNION ALL SELECT c.at, 'moved', '', NULL, NULL, c.ordered_by, NULL FROM donation_owner_change c WHERE c.donation_id = of_gift;
END $$;

-- office_gift_entries returns the postings about a gift that the person of the staff session may see: all, with the role for the entity; those in
-- the funds of their organisations otherwise. It finds entries by the ids of the facts that they book.
CREATE OR REPLACE FUNCTION office_gift_entries(of_gift uuid) RETURNS TABLE (entry_id uuid, entry_date date, kind text, serial bigint, n smallint, account_code text, fund_id uuid, amount bigint)
STABLE SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    entities      uuid[] := office_entities('{finance,auditor}');
    organisations uuid[] := office_organisations('{finance,auditor}');
    funds         uuid[] := office_funds('{finance,auditor}');
BEGIN
    RETURN QUERY
    WITH gift AS (
        SELECT d.id, d.entity_id, d.payment_intent_id, d.entity_id = ANY(entities) AS whole
          FROM donation d WHERE d.id = of_gift AND (d.entity_id = ANY(entities) OR d.organisation_id = ANY(organisations))
    ), fact AS (
        SELECT g.payment_intent_id AS id FROM gift g
        UNION SELECT p.intent_ref FROM gift g JOIN payment p ON p.donation_id = g.id AND p.status = 'settled'
        UNION SELECT p.charge_ref FROM gift g JOIN payment p ON p.donation_id = g.id AND p.status = 'settled'
        UNION SELECT p.id::text FROM gift g JOIN payment p ON p.donation_id = g.id AND p.status = 'settled'
        UNION SELECT h.object_id FROM gift g JOIN payment p ON p.donation_id = g.id AND p.status = 'settled' JOIN payment_change h ON h.payment_id = p.id
        UNION SELECT r.id::text FROM gift g JOIN refund_order r ON r.donation_id = g.id
    ), source AS (
        SELECT f.id FROM fact f WHERE f.id IS NOT NULL
        UNION SELECT b.id FROM gift g JOIN fact f ON true JOIN balance_transaction b ON b.entity_id = g.entity_id AND b.source_id = f.id
    )
    SELECT e.id, e.entry_date, e.kind, e.serial, p.n, p.account_code, p.fund_id, p.amount
      FROM gift g JOIN source s ON true JOIN journal_entry e ON e.source_id = s.id AND e.entity_id = g.entity_id JOIN posting p ON p.entry_id = e.id
     WHERE g.whole OR p.fund_id = ANY(funds);
END $$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION office_gift_entries, office_gift_history, office_gift_shares, office_find_gifts, office_changed_gifts, office_gift_rows, receipt_reference;
DROP VIEW gift_of_payout, gift_key;
ALTER VIEW gift_row RESET (security_invoker);
DROP VIEW gift_of_fund;
CREATE VIEW gift_of_fund AS
SELECT p.fund_id, p.donation_id FROM designation p;
DROP VIEW staff_note_row;
DROP TRIGGER staff_notes_are_erased ON erasure_donor;
DROP TABLE staff_note;
DROP FUNCTION staff_note_object, staff_notes_are_erased, staff_note_stays_erased, staff_note_keeps, staff_note_begins, donors_of_note;
