-- +goose Up
-- An erasure and the writers of personal data exclude each other. Twelve people were erased while receipts were sent: eight addresses and
-- one receipt were inserted after erase_people had looked. Now
--
--   * lock_people locks the donors and addresses of an erasure before anything is read; the locks end with the transaction;
--   * a trigger on each table with columns about a person waits for that lock, reads whether the donor was erased, and stores the row
--     without the person, or does not store it.
--
-- So the rule holds for every writer, also for the program of the previous release. The order of locks is: sign_in, address, mailbox, plan,
-- letter_delivery, donor. Writers take them in this order too. internal/office/privacy/columns_test.go lists all columns.

-- The name of an organisation is personal data too if it gave: a partnership's, a family foundation's.
CREATE OR REPLACE FUNCTION personless(facts jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT facts - 'donor_address' - 'donor_organisation' - 'dedicated' || '{"first_name": "", "last_name": "", "email": ""}'
$$;
SELECT set_config('konbit.erasing', 'yes', true);
UPDATE receipt r SET facts = personless(r.facts) FROM donation g JOIN donor d ON d.id = g.donor_id
 WHERE g.id = r.donation_id AND d.email = 'forgotten-' || d.id || '@invalid' AND r.facts ? 'donor_organisation';
SELECT set_config('konbit.erasing', '', true);

-- cardless is the detail of a plan's event or request without the card, and without the donor's reason.
-- +goose StatementBegin
CREATE FUNCTION cardless(detail jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT detail - 'reason' - 'brand' - 'last4' - 'method'
$$;

-- are_erased locks donors against an erasure until the transaction ends, and returns true if one of them was erased. An erasure that holds
-- their locks is waited for. The lock is the one that a foreign key takes, so writers do not wait for each other.
CREATE FUNCTION are_erased(donors uuid[]) RETURNS boolean LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    erased boolean;
BEGIN
    SELECT coalesce(bool_or(d.email = 'forgotten-' || d.id || '@invalid'), false) INTO erased
      FROM (SELECT id, email FROM donor WHERE id = ANY(donors) ORDER BY id FOR KEY SHARE) d;
    RETURN erased;
END $$;

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

-- A donor who was erased gets no name back, whoever updates the row.
CREATE FUNCTION erased_donor_stays_erased() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
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

-- A new row about an address waits for an erasure of the address. The person is a new one then, since after the erasure: now() may be before.
-- Rows of session and mailbox_step are inserted while the transaction holds the lock on the row of mailbox.
CREATE FUNCTION address_is_locked() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('konbit address'), hashtext(NEW.email));
    CASE TG_TABLE_NAME
    WHEN 'sign_in' THEN
        NEW.asked_at := CASE WHEN NEW.asked_at = now() THEN clock_timestamp() ELSE NEW.asked_at END;
    WHEN 'mailbox' THEN
        NEW.proved_at := CASE WHEN NEW.proved_at = now() THEN clock_timestamp() ELSE NEW.proved_at END;
    END CASE;
    RETURN NEW;
END $$;

-- lock_people locks the donors and addresses of an erasure until the transaction ends, in the order named above. After it, every statement
-- sees all rows about them that will be inserted before the erasure.
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
    PERFORM d.id FROM letter_delivery d JOIN letter l ON l.id = d.letter_id
      WHERE d.recipient <> '' AND l.subject_id IN (
            SELECT g.id FROM donation g WHERE g.donor_id = ANY(people)
             UNION ALL SELECT r.id FROM donation g JOIN receipt r ON r.donation_id = g.id WHERE g.donor_id = ANY(people))
      ORDER BY d.id FOR UPDATE OF d;
    PERFORM id FROM donor WHERE id = ANY(people) ORDER BY id FOR UPDATE;
END $$;

-- As before, but it reads nothing before it has the locks, it finds payloads by whole values, and a payload that a worker has locked stays:
-- since this release payloads name no person (webhook.StoreTx).
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
BEGIN
    PERFORM may_erase(erasure, addresses);
    PERFORM lock_people(erasure, addresses);
    people   := ARRAY(SELECT donor_id FROM erasure_donor d WHERE d.erasure_id = erasure);
    emails   := addresses || ARRAY(SELECT email FROM donor WHERE id = ANY(people) AND email NOT LIKE '%@invalid');
    gifts    := ARRAY(SELECT id FROM donation WHERE donor_id = ANY(people));
    plans    := ARRAY(SELECT id FROM plan WHERE donor_id = ANY(people));
    receipts := ARRAY(SELECT id FROM receipt WHERE donation_id = ANY(gifts));
    subjects := gifts || receipts || ARRAY[erasure] || ARRAY(SELECT id FROM plan_event WHERE plan_id = ANY(plans))
                || ARRAY(SELECT id FROM donation_notice WHERE donation_id = ANY(gifts)) -- of migration 00092
                || ARRAY(SELECT id FROM statement WHERE donor_id = ANY(people)) || ARRAY(SELECT id FROM sign_in WHERE email = ANY(emails));
    letters  := ARRAY(SELECT id FROM letter WHERE subject_id = ANY(subjects));
    PERFORM keep_receipt(r.id, erasure) FROM receipt r
      WHERE r.id = ANY(receipts) AND r.facts <> personless(r.facts) AND make_date(r.year + 8, 1, 1) > current_date;
    PERFORM set_config('konbit.erasing', 'yes', true);
    -- stripepay: events about their gifts, found by the ids in the payload, each a whole JSON string
    SELECT string_agg(DISTINCT regexp_replace(encode(convert_to(word, 'UTF8'), 'escape'), '([^A-Za-z0-9_-])', '\\\1', 'g'), '|') INTO known
      FROM (SELECT unnest(gifts)::text AS word UNION ALL SELECT session_id FROM checkout WHERE donation_id = ANY(gifts)
            UNION ALL SELECT unnest(ARRAY[intent_ref, charge_ref]) FROM payment WHERE donation_id = ANY(gifts)
            UNION ALL SELECT unnest(ARRAY[customer_id, subscription_id]) FROM plan WHERE id = ANY(plans)
            UNION ALL SELECT unnest(emails)) words WHERE word LIKE '%@%' OR length(word) >= 12; -- the server's role may shorten an id to match all
    UPDATE stripe_event e SET payload = NULL, state = CASE e.state WHEN 'done' THEN 'done' ELSE 'set_aside' END,
           reason = CASE e.state WHEN 'done' THEN e.reason ELSE concat_ws('; ', e.reason, 'payload erased') END
      FROM (SELECT entity_id, id FROM stripe_event
             WHERE payload IS NOT NULL AND encode(payload, 'escape') ~* ('"(' || known || ')"') FOR UPDATE SKIP LOCKED) theirs
     WHERE e.entity_id = theirs.entity_id AND e.id = theirs.id;
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
DROP FUNCTION lock_people, address_is_locked, erased_donor_stays_erased, erased_stays_erased, donors_of, are_erased, cardless;
