-- +goose Up
-- An erasure and the writers of personal data exclude each other. Twelve people were erased while receipts were sent: eight addresses and
-- one receipt were inserted after erase_people had looked. Now
--
--   * lock_people locks the donors and addresses of an erasure before anything is read; the locks end with the transaction;
--   * a trigger on each table with columns about a person waits for that lock, reads whether the donor was erased, and stores the row
--     without the person, or does not store it.
--
-- So the rule holds for every writer, also for the program of the previous release (Stripe's payloads are the exception: see erase_people).
-- The order of locks is: sign_in, address, mailbox, plan, plan_link, session, letter_delivery, donor, and after it funds and counters of
-- receipts. Writers take them in this order too. internal/columns_test.go lists all columns.

-- The name of an organisation is personal data too if it gave: a partnership's, a family foundation's.
CREATE OR REPLACE FUNCTION personless(facts jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT facts - 'donor_address' - 'donor_organisation' - 'dedicated' || '{"first_name": "", "last_name": "", "email": ""}'
$$;
-- Migration 00079 removes it from receipts of organisations that were erased earlier.

-- cardless is the detail of a plan's event or request without the card, and without the donor's reason.
-- +goose StatementBegin
CREATE FUNCTION cardless(detail jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT detail - 'reason' - 'brand' - 'last4' - 'method'
$$;

-- are_erased locks donors against an erasure until the transaction ends, and returns true if one of them was erased. An erasure that holds
-- their locks is waited for. The lock is the one that a foreign key takes, so writers do not wait for each other. Only may_erase sets erased_at:
-- the address of an erased donor proves nothing, because the server's role may write it. The second statement sees what the first one waited for.
CREATE FUNCTION are_erased(donors uuid[]) RETURNS boolean LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM id FROM donor WHERE id = ANY(donors) ORDER BY id FOR KEY SHARE;
    RETURN EXISTS (SELECT FROM erasure_donor n WHERE n.donor_id = ANY(donors) AND n.erased_at IS NOT NULL);
END $$;

-- lock_donors_of locks the donors of donations as are_erased does. A transaction that will write about many donors calls it before it takes
-- locks that all need: funds, counters of receipts. Otherwise all of them wait while it waits for one erasure.
CREATE FUNCTION lock_donors_of(gifts uuid[]) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM are_erased(ARRAY(SELECT DISTINCT g.donor_id FROM donation g WHERE g.id = ANY(gifts)));
END $$;

-- erased_at returns when an erasure was done for the first time; NULL if it never was. The list of erasures that is applied to a restored
-- backup says it by done_at. To erase once more, or to restore, does not change it: newer rows belong to a new person.
CREATE FUNCTION erased_at(of_erasure uuid) RETURNS timestamptz STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT least((SELECT min(d.at) FROM erasure_done d WHERE d.erasure_id = e.id), e.done_at) FROM erasure e WHERE e.id = of_erasure
$$;

-- donors_of returns the donors that an email about a subject names: a donation, a receipt, a plan's event, a statement, an erasure.
CREATE FUNCTION donors_of(subject uuid) RETURNS SETOF uuid STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT donor_id FROM donation WHERE id = subject
    UNION ALL SELECT g.donor_id FROM receipt r JOIN donation g ON g.id = r.donation_id WHERE r.id = subject
    UNION ALL SELECT p.donor_id FROM plan_event e JOIN plan p ON p.id = e.plan_id WHERE e.id = subject
    UNION ALL SELECT donor_id FROM statement WHERE id = subject
    UNION ALL SELECT donor_id FROM erasure_donor WHERE erasure_id = subject
$$;

-- Rows about an erased donor are stored without the person, or not at all.
CREATE FUNCTION erased_stays_erased() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    donors uuid[];
BEGIN
    CASE TG_TABLE_NAME
    WHEN 'donation_contact', 'donation_dedication', 'receipt' THEN
        donors := ARRAY(SELECT g.donor_id FROM donation g WHERE g.id = NEW.donation_id);
    WHEN 'statement_person' THEN
        donors := ARRAY(SELECT s.donor_id FROM statement s WHERE s.id = NEW.statement_id);
    WHEN 'letter' THEN
        donors := ARRAY(SELECT donors_of(NEW.subject_id));
    WHEN 'letter_delivery' THEN
        donors := ARRAY(SELECT donors_of(l.subject_id) FROM letter l WHERE l.id = NEW.letter_id);
    WHEN 'plan' THEN
        donors := ARRAY[NEW.donor_id];
    WHEN 'plan_event', 'plan_request' THEN
        donors := ARRAY(SELECT p.donor_id FROM plan p WHERE p.id = NEW.plan_id);
    END CASE;
    IF NOT are_erased(donors) THEN
        RETURN NEW;
    END IF;
    CASE TG_TABLE_NAME
    WHEN 'receipt' THEN
        NEW.facts := personless(NEW.facts);
    WHEN 'letter' THEN
        NEW.message := '';
    WHEN 'letter_delivery' THEN -- it is over, so nobody sends what a worker still has in memory
        NEW.recipient := '';
        NEW.smtp_reply := NULL;
        NEW.refused_at := CASE WHEN NEW.accepted_at IS NULL THEN coalesce(NEW.refused_at, now()) END;
    WHEN 'plan' THEN
        NEW.card_brand := NULL;
        NEW.card_last4 := NULL;
        NEW.card_expires := NULL;
    WHEN 'plan_event', 'plan_request' THEN
        NEW.detail := cardless(NEW.detail);
    ELSE
        RETURN NULL;
    END CASE;
    RETURN NEW;
END $$;

-- A donor who was erased gets no name back, whoever updates the row. A donor whose address is only like that of an erased one (who never
-- gave: donor.EraseUnpaidTx) is not concerned.
CREATE FUNCTION erased_donor_stays_erased() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM erasure_donor n WHERE n.donor_id = OLD.id AND n.erased_at IS NOT NULL) THEN
        RETURN NEW;
    END IF;
    NEW.email := OLD.email;
    NEW.first_name := '';
    NEW.last_name := '';
    NEW.organisation_name := '';
    NEW.news_consented_at := NULL;
    NEW.phone := '';
    NEW.address_line1 := '';
    NEW.address_line2 := '';
    NEW.city := '';
    NEW.region := '';
    NEW.postal_code := '';
    NEW.country := '';
    RETURN NEW;
END $$;

-- Only an erasure deletes the contact of a paid gift. Without this trigger the server's role could delete all contacts and blank all donors in
-- one statement. With it, the contacts and the receipts still contain what the role overwrites in donor.
CREATE FUNCTION contact_of_paid_gift_stays() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM donation g WHERE g.id = OLD.donation_id AND g.status NOT IN ('started', 'expired', 'failed'))
       AND NOT pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = 'public.erasure'::regclass), 'USAGE') THEN
        RAISE EXCEPTION 'donation % was paid: its contact is deleted by an erasure', OLD.donation_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'contact_of_paid_gift_stays';
    END IF;
    RETURN OLD;
END $$;

-- A new row about an address waits for an erasure of the address. After the erasure it belongs to a new person, so it gets the time after the
-- wait: now() and the server's clock may be before the erasure. Rows of session and mailbox_step are inserted while the transaction holds the lock on the row of
-- mailbox. The owner of the tables inserts many donors at once, more than the lock table can hold, and none of them from a form.
CREATE FUNCTION address_is_locked() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    waited interval;
BEGIN
    IF TG_TABLE_NAME <> 'donor' OR NEW.email IS NOT NULL AND NOT is_owner() THEN
        PERFORM pg_advisory_xact_lock_shared(hashtext('konbit address'), hashtext(NEW.email));
    END IF;
    CASE TG_TABLE_NAME
    WHEN 'sign_in' THEN
        IF NEW.asked_at = now() THEN
            waited := clock_timestamp() - now();
            NEW.asked_at := NEW.asked_at + waited;
            NEW.expires_at := NEW.expires_at + waited; -- it is valid for as long as without the wait
        END IF;
    WHEN 'mailbox' THEN
        NEW.proved_at := CASE WHEN NEW.proved_at = now() THEN clock_timestamp() ELSE NEW.proved_at END;
    WHEN 'donor' THEN
        NEW.recorded_at := clock_timestamp();
    END CASE;
    RETURN NEW;
END $$;

-- lock_people locks the donors and addresses of an erasure until the transaction ends, in the order named above. After it, every statement
-- sees all rows about them that will be inserted before the erasure: nobody inserts a link while the plan is locked, or a session while the
-- mailbox is.
CREATE FUNCTION lock_people(of_erasure uuid, addresses text[]) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    people uuid[] := ARRAY(SELECT donor_id FROM erasure_donor d WHERE d.erasure_id = of_erasure);
    emails text[] := addresses || ARRAY(SELECT email FROM donor WHERE id = ANY(people) AND email NOT LIKE '%@invalid');
BEGIN
    PERFORM id FROM sign_in WHERE email = ANY(emails) ORDER BY id FOR UPDATE;
    PERFORM pg_advisory_xact_lock(hashtext('konbit address'), a.hash)
       FROM (SELECT DISTINCT hashtext(email) AS hash FROM unnest(emails) AS e (email) ORDER BY 1) a;
    PERFORM email FROM mailbox WHERE email = ANY(emails) ORDER BY email FOR UPDATE;
    PERFORM id FROM plan WHERE donor_id = ANY(people) ORDER BY id FOR UPDATE;
    PERFORM id FROM plan_link WHERE donor_id = ANY(people) AND ended_at IS NULL ORDER BY id FOR UPDATE;
    PERFORM id FROM session WHERE email = ANY(emails) AND ended_at IS NULL ORDER BY id FOR UPDATE;
    PERFORM d.id FROM letter_delivery d JOIN letter l ON l.id = d.letter_id
      WHERE d.recipient <> '' AND l.subject_id IN (
            SELECT g.id FROM donation g WHERE g.donor_id = ANY(people)
             UNION ALL SELECT r.id FROM donation g JOIN receipt r ON r.donation_id = g.id WHERE g.donor_id = ANY(people))
      ORDER BY d.id FOR UPDATE OF d;
    PERFORM id FROM donor WHERE id = ANY(people) ORDER BY id FOR UPDATE;
END $$;

-- An erasure removes from a receipt only the person, or only the address if staff sent the receipt to somebody else.
CREATE OR REPLACE FUNCTION only_the_person_goes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - 'facts' - 'message') IS DISTINCT FROM (to_jsonb(NEW) - 'facts' - 'message')
       OR TG_TABLE_NAME = 'receipt' AND to_jsonb(NEW)->'facts' IS DISTINCT FROM public.personless(to_jsonb(OLD)->'facts')
          AND to_jsonb(NEW)->'facts' IS DISTINCT FROM (to_jsonb(OLD)->'facts') || '{"email": ""}'
       OR TG_TABLE_NAME = 'letter' AND to_jsonb(NEW)->>'message' <> '\x' THEN
        RAISE EXCEPTION 'of % % nothing but the person may go', TG_TABLE_NAME, OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'only_the_person_goes';
    END IF;
    RETURN NEW;
END $$;

-- As before, but
--
--   * it reads nothing before it has the locks;
--   * it finds payloads by whole values, and a payload that a worker has locked stays: since this release payloads name no person
--     (webhook.StoreTx). Those of the previous release do, also while it runs beside this one in an upgrade. They are deleted after 90 days,
--     and A17 sees addresses in them;
--   * it clears the addresses in rows about somebody else too: an email that staff sent there, a gift entered with that address (view
--     stored_address of migration 00078);
--   * a repeated erasure leaves rows that are newer than the first run: they belong to a new person.
CREATE OR REPLACE FUNCTION erase_people(erasure uuid, addresses text[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    people   uuid[];
    emails   text[];
    gifts    uuid[];
    plans    uuid[];
    receipts uuid[];
    subjects uuid[];
    letters  uuid[];
    known    text;
    first_done   timestamptz := coalesce(erased_at(erasure), 'infinity');
BEGIN
    PERFORM may_erase(erasure, addresses);
    PERFORM lock_people(erasure, addresses);
    people   := ARRAY(SELECT donor_id FROM erasure_donor d WHERE d.erasure_id = erasure);
    emails   := addresses || ARRAY(SELECT email FROM donor WHERE id = ANY(people) AND email NOT LIKE '%@invalid');
    gifts    := ARRAY(SELECT id FROM donation WHERE donor_id = ANY(people));
    plans    := ARRAY(SELECT id FROM plan WHERE donor_id = ANY(people));
    receipts := ARRAY(SELECT id FROM receipt WHERE donation_id = ANY(gifts));
    subjects := gifts || receipts || ARRAY[erasure] || ARRAY(SELECT id FROM plan_event WHERE plan_id = ANY(plans))
                || ARRAY(SELECT id FROM statement WHERE donor_id = ANY(people)) || ARRAY(SELECT id FROM sign_in WHERE email = ANY(emails) AND asked_at < first_done);
    letters  := ARRAY(SELECT id FROM letter WHERE subject_id = ANY(subjects));
    PERFORM keep_receipt(r.id, erasure) FROM receipt r
      WHERE r.id = ANY(receipts) AND r.facts <> personless(r.facts) AND make_date(r.year + 8, 1, 1) > current_date;
    PERFORM set_config('konbit.erasing', 'yes', true);
    -- stripepay: events about their gifts, found by the ids in the payload, each a whole JSON string
    SELECT string_agg(DISTINCT regexp_replace(encode(convert_to(word, 'UTF8'), 'escape'), '([^A-Za-z0-9_-])', '\\\1', 'g'), '|') INTO known
      FROM (SELECT unnest(gifts)::text AS word UNION ALL SELECT session_id FROM checkout WHERE donation_id = ANY(gifts)
            UNION ALL SELECT unnest(ARRAY[intent_ref, charge_ref]) FROM payment WHERE donation_id = ANY(gifts)
            UNION ALL SELECT unnest(ARRAY[customer_id, subscription_id]) FROM plan WHERE id = ANY(plans)
            UNION ALL SELECT unnest(emails) WHERE first_done = 'infinity') words
     WHERE word LIKE '%@%' OR length(word) >= 12; -- the server's role may shorten an id to match all
    UPDATE stripe_event e SET payload = NULL, state = CASE e.state WHEN 'done' THEN 'done' ELSE 'set_aside' END,
           reason = CASE e.state WHEN 'done' THEN e.reason ELSE concat_ws('; ', e.reason, 'payload erased') END
      FROM (SELECT entity_id, id FROM stripe_event
             WHERE payload IS NOT NULL AND encode(payload, 'escape') ~* ('"(' || known || ')"') FOR UPDATE SKIP LOCKED) theirs
     WHERE e.entity_id = theirs.entity_id AND e.id = theirs.id;
    IF first_done < 'infinity' THEN
        UPDATE stripe_event e SET payload = NULL, state = CASE e.state WHEN 'done' THEN 'done' ELSE 'set_aside' END,
               reason = CASE e.state WHEN 'done' THEN e.reason ELSE concat_ws('; ', e.reason, 'payload erased') END
         WHERE e.payload IS NOT NULL AND e.id IN (SELECT subject FROM stored_address WHERE place = 'stripe_event' AND address = ANY(emails) AND since < first_done);
    END IF;
    -- jobs: nothing goes out any more, and what failed tells nothing
    DELETE FROM river_job WHERE state <> 'running' AND EXISTS (SELECT 1 FROM jsonb_each_text(args) a WHERE a.value = ANY(subjects::text[])
           OR a.value IN (SELECT d.id::text FROM letter_delivery d WHERE d.letter_id = ANY(letters)));
    -- mail
    UPDATE letter_delivery SET recipient = '', smtp_reply = NULL,
           refused_at = CASE WHEN accepted_at IS NULL THEN coalesce(refused_at, now()) END WHERE letter_id = ANY(letters) AND recipient <> '';
    UPDATE letter SET message = '' WHERE id = ANY(letters) AND message <> '';
    -- statement, receipt
    DELETE FROM statement_person p USING statement s WHERE p.statement_id = s.id AND s.donor_id = ANY(people);
    UPDATE receipt SET facts = personless(facts) WHERE id = ANY(receipts) AND facts <> personless(facts);
    -- recurring
    UPDATE plan SET card_brand = NULL, card_last4 = NULL, card_expires = NULL WHERE id = ANY(plans);
    UPDATE plan_event SET detail = cardless(detail) WHERE plan_id = ANY(plans);
    UPDATE plan_request SET detail = cardless(detail) WHERE plan_id = ANY(plans);
    -- donation: the dedication goes with what was typed
    DELETE FROM donation_contact WHERE donation_id = ANY(gifts);
    -- their addresses in rows about somebody else
    UPDATE letter_delivery SET recipient = '', smtp_reply = NULL,
           refused_at = CASE WHEN accepted_at IS NULL THEN coalesce(refused_at, now()) END
     WHERE id IN (SELECT subject::uuid FROM stored_address WHERE place = 'letter_delivery' AND address = ANY(emails) AND since < first_done);
    UPDATE receipt SET facts = facts || '{"email": ""}'
     WHERE id IN (SELECT subject::uuid FROM stored_address WHERE place = 'receipt' AND address = ANY(emails) AND since < first_done);
    UPDATE statement_person SET person = person || '{"email": ""}'
     WHERE statement_id IN (SELECT subject::uuid FROM stored_address WHERE place = 'statement_person' AND address = ANY(emails) AND since < first_done);
    UPDATE donation_contact SET email = ''
     WHERE donation_id IN (SELECT subject::uuid FROM stored_address WHERE place = 'donation_contact' AND address = ANY(emails) AND since < first_done);
    -- access
    DELETE FROM session WHERE email = ANY(emails) AND opened_at < first_done;
    DELETE FROM sign_in WHERE email = ANY(emails) AND asked_at < first_done;
    DELETE FROM mailbox_step s USING mailbox m WHERE s.email = ANY(emails) AND m.email = s.email AND (s.at < first_done OR m.proved_at < first_done);
    DELETE FROM mailbox WHERE email = ANY(emails) AND proved_at < first_done;
    -- donor
    UPDATE donor SET email = 'forgotten-' || id || '@invalid', first_name = '', last_name = '', organisation_name = '', news_consented_at = NULL,
           phone = '', address_line1 = '', address_line2 = '', city = '', region = '', postal_code = '', country = ''
     WHERE id = ANY(people);
    PERFORM set_config('konbit.erasing', '', true);
END $$;
-- +goose StatementEnd

CREATE TRIGGER erased_stays_erased BEFORE INSERT ON donation_contact FOR EACH ROW EXECUTE FUNCTION erased_stays_erased();
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON donation_dedication FOR EACH ROW EXECUTE FUNCTION erased_stays_erased();
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON receipt FOR EACH ROW EXECUTE FUNCTION erased_stays_erased();
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON statement_person FOR EACH ROW EXECUTE FUNCTION erased_stays_erased();
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON letter FOR EACH ROW EXECUTE FUNCTION erased_stays_erased();
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON letter_delivery FOR EACH ROW EXECUTE FUNCTION erased_stays_erased();
CREATE TRIGGER erased_stays_erased BEFORE INSERT OR UPDATE ON plan FOR EACH ROW
    WHEN (NEW.card_brand IS NOT NULL OR NEW.card_last4 IS NOT NULL OR NEW.card_expires IS NOT NULL) EXECUTE FUNCTION erased_stays_erased();
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON plan_event FOR EACH ROW
    WHEN (NEW.detail <> cardless(NEW.detail)) EXECUTE FUNCTION erased_stays_erased();
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON plan_request FOR EACH ROW
    WHEN (NEW.detail <> cardless(NEW.detail)) EXECUTE FUNCTION erased_stays_erased();
CREATE TRIGGER erased_stays_erased BEFORE UPDATE ON donor FOR EACH ROW
    WHEN (OLD.email = 'forgotten-' || OLD.id || '@invalid') EXECUTE FUNCTION erased_donor_stays_erased();
CREATE TRIGGER address_is_locked BEFORE INSERT ON sign_in FOR EACH ROW EXECUTE FUNCTION address_is_locked();
CREATE TRIGGER address_is_locked BEFORE INSERT ON mailbox FOR EACH ROW EXECUTE FUNCTION address_is_locked();
CREATE TRIGGER contact_of_paid_gift_stays BEFORE DELETE ON donation_contact FOR EACH ROW EXECUTE FUNCTION contact_of_paid_gift_stays();
-- When the database stored the donor; NULL before this migration. created_at is a server's time, read before it waited.
ALTER TABLE donor ADD COLUMN recorded_at timestamptz;
CREATE TRIGGER address_is_locked BEFORE INSERT ON donor FOR EACH ROW EXECUTE FUNCTION address_is_locked();
ALTER TABLE session ALTER COLUMN opened_at SET DEFAULT clock_timestamp(); -- now() is before the wait
ALTER TABLE mailbox_step ALTER COLUMN at SET DEFAULT clock_timestamp();

-- +goose Down
DROP TRIGGER erased_stays_erased ON donation_contact;
DROP TRIGGER erased_stays_erased ON donation_dedication;
DROP TRIGGER erased_stays_erased ON receipt;
DROP TRIGGER erased_stays_erased ON statement_person;
DROP TRIGGER erased_stays_erased ON letter;
DROP TRIGGER erased_stays_erased ON letter_delivery;
DROP TRIGGER erased_stays_erased ON plan;
DROP TRIGGER erased_stays_erased ON plan_event;
DROP TRIGGER erased_stays_erased ON plan_request;
DROP TRIGGER erased_stays_erased ON donor;
DROP TRIGGER address_is_locked ON sign_in;
DROP TRIGGER address_is_locked ON mailbox;
DROP TRIGGER address_is_locked ON donor;
DROP TRIGGER contact_of_paid_gift_stays ON donation_contact;
ALTER TABLE donor DROP COLUMN recorded_at;
ALTER TABLE session ALTER COLUMN opened_at SET DEFAULT now();
ALTER TABLE mailbox_step ALTER COLUMN at SET DEFAULT now();
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION erase_people(erasure uuid, addresses text[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    people   uuid[] := ARRAY(SELECT donor_id FROM erasure_donor d WHERE d.erasure_id = erasure);
    emails   text[] := addresses || ARRAY(SELECT email FROM donor WHERE id = ANY(people) AND email NOT LIKE '%@invalid');
    gifts    uuid[] := ARRAY(SELECT id FROM donation WHERE donor_id = ANY(people));
    plans    uuid[] := ARRAY(SELECT id FROM plan WHERE donor_id = ANY(people));
    receipts uuid[] := ARRAY(SELECT id FROM receipt WHERE donation_id = ANY(gifts));
    subjects uuid[] := gifts || receipts || ARRAY[erasure] || ARRAY(SELECT id FROM plan_event WHERE plan_id = ANY(plans))
                       || ARRAY(SELECT id FROM statement WHERE donor_id = ANY(people)) || ARRAY(SELECT id FROM sign_in WHERE email = ANY(emails));
    letters  uuid[] := ARRAY(SELECT id FROM letter WHERE subject_id = ANY(subjects));
    known    text;
BEGIN
    PERFORM may_erase(erasure, addresses);
    PERFORM keep_receipt(r.id, erasure) FROM receipt r
      WHERE r.id = ANY(receipts) AND r.facts <> personless(r.facts) AND make_date(r.year + 8, 1, 1) > current_date;
    PERFORM set_config('konbit.erasing', 'yes', true);
    -- stripepay: events about their gifts, found by the ids in the payload
    SELECT string_agg(DISTINCT regexp_replace(word, '([^A-Za-z0-9_-])', '\\\1', 'g'), '|') INTO known
      FROM (SELECT unnest(gifts)::text AS word UNION ALL SELECT session_id FROM checkout WHERE donation_id = ANY(gifts)
            UNION ALL SELECT unnest(ARRAY[intent_ref, charge_ref]) FROM payment WHERE donation_id = ANY(gifts)
            UNION ALL SELECT unnest(ARRAY[customer_id, subscription_id]) FROM plan WHERE id = ANY(plans)
            UNION ALL SELECT unnest(emails)) words WHERE word LIKE '%@%' OR length(word) >= 12; -- the server's role may shorten an id to match all
    UPDATE stripe_event SET payload = NULL, state = CASE state WHEN 'done' THEN 'done' ELSE 'set_aside' END,
           reason = CASE state WHEN 'done' THEN reason ELSE concat_ws('; ', reason, 'payload erased') END
     WHERE payload IS NOT NULL AND encode(payload, 'escape') ~* known;
    -- jobs: nothing goes out any more, and what failed tells nothing
    DELETE FROM river_job WHERE state <> 'running' AND EXISTS (SELECT 1 FROM jsonb_each_text(args) a WHERE a.value = ANY(subjects::text[])
           OR a.value IN (SELECT d.id::text FROM letter_delivery d WHERE d.letter_id = ANY(letters)));
    -- mail
    UPDATE letter_delivery SET recipient = '', smtp_reply = NULL,
           refused_at = CASE WHEN accepted_at IS NULL THEN coalesce(refused_at, now()) END WHERE letter_id = ANY(letters) AND recipient <> '';
    UPDATE letter SET message = '' WHERE id = ANY(letters) AND message <> '';
    -- statement, receipt
    DELETE FROM statement_person p USING statement s WHERE p.statement_id = s.id AND s.donor_id = ANY(people);
    UPDATE receipt SET facts = personless(facts) WHERE id = ANY(receipts) AND facts <> personless(facts);
    -- recurring
    UPDATE plan SET card_brand = NULL, card_last4 = NULL, card_expires = NULL WHERE id = ANY(plans);
    UPDATE plan_event SET detail = detail - 'reason' - 'brand' - 'last4' - 'method' WHERE plan_id = ANY(plans);
    UPDATE plan_request SET detail = detail - 'reason' - 'brand' - 'last4' - 'method' WHERE plan_id = ANY(plans);
    -- donation: the dedication goes with what was typed
    DELETE FROM donation_contact WHERE donation_id = ANY(gifts);
    -- access
    DELETE FROM session WHERE email = ANY(emails);
    DELETE FROM sign_in WHERE email = ANY(emails);
    DELETE FROM mailbox_step WHERE email = ANY(emails);
    DELETE FROM mailbox WHERE email = ANY(emails);
    -- donor
    UPDATE donor SET email = 'forgotten-' || id || '@invalid', first_name = '', last_name = '', organisation_name = '', news_consented_at = NULL,
           phone = '', address_line1 = '', address_line2 = '', city = '', region = '', postal_code = '', country = ''
     WHERE id = ANY(people);
    PERFORM set_config('konbit.erasing', '', true);
END $$;
-- +goose StatementEnd
CREATE OR REPLACE FUNCTION personless(facts jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT facts - 'donor_address' - 'dedicated' || '{"first_name": "", "last_name": "", "email": ""}'
$$;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION only_the_person_goes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - 'facts' - 'message') IS DISTINCT FROM (to_jsonb(NEW) - 'facts' - 'message')
       OR TG_TABLE_NAME = 'receipt' AND to_jsonb(NEW)->'facts' IS DISTINCT FROM public.personless(to_jsonb(OLD)->'facts')
       OR TG_TABLE_NAME = 'letter' AND to_jsonb(NEW)->>'message' <> '\x' THEN
        RAISE EXCEPTION 'of % % nothing but the person may go', TG_TABLE_NAME, OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'only_the_person_goes';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
DROP FUNCTION lock_people, address_is_locked, contact_of_paid_gift_stays, erased_donor_stays_erased, erased_stays_erased, donors_of, erased_at, lock_donors_of, are_erased, cardless;
