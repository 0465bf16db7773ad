-- +goose Up
-- What a second review found in the erasure of people (migrations 00076 to 00078). An erasure now
--
--   * finds what only a scan finds before it locks anything (rows_to_clear): payloads, jobs, addresses in rows about somebody else. Under the
--     locks it reads those rows by their keys;
--   * takes the lock of erasures first, so that two never wait for each other, and locks every delivery that it clears in the order of ids;
--   * compares addresses in lower case;
--   * removes the address from stored emails about somebody else. From this release on, emails are stored without it.
--
-- The program of the previous release calls lock_people and erase_people with two arguments; they stay for one release.

ALTER TABLE erasure ADD COLUMN first_done_at timestamptz; -- by the clock of who erased; never unset

-- unaddressed returns a stored email without its recipient's address: the field To has recipient@konbit.invalid instead, and the signature,
-- which covers the field, is removed. The program writes the address of each delivery there and signs when it sends (transport.Address). It
-- returns an empty email if there is no such field.
-- +goose StatementBegin
CREATE FUNCTION unaddressed(message bytea) RETURNS bytea IMMUTABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    size   integer := position('\x0d0a0d0a'::bytea IN message);
    header text    := encode(substring(message FROM 1 FOR size + 1), 'escape'); -- lines that end with CRLF
    field  text    := (regexp_match(header, '(?:^|\n)(To:[^\n]*\n(?:[ \t][^\n]*\n)*)', 'i'))[1];
    empty  text    := regexp_replace(field, '<[^<>\s]*>([^<>]*)$', '<recipient@konbit.invalid>\1');
BEGIN
    IF size = 0 OR field IS NULL OR position('<recipient@konbit.invalid>' IN empty) = 0 THEN
        RETURN '';
    ELSIF empty = field THEN
        RETURN message;
    END IF;
    header := overlay(header PLACING empty FROM position(field IN header) FOR length(field));
    header := regexp_replace(header, '(^|\n)DKIM-Signature:[^\n]*\n(?:[ \t][^\n]*\n)*', '\1', 'gi');
    RETURN decode(header, 'escape') || substring(message FROM size + 2);
END $$;

-- is_erased returns true if the donor was erased. Only may_erase sets erased_at: the address in the donor's row says nothing.
CREATE FUNCTION is_erased(of_donor uuid) RETURNS boolean STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM erasure_donor n WHERE n.donor_id = of_donor AND n.erased_at IS NOT NULL)
$$;

-- A donor who was erased gets no name back, whoever updates the row; nor does one whom Purge forgot (donor.EraseUnpaidTx), who never gave. The
-- donor whom a payment makes one is not concerned, nor what the owner of the tables corrects.
CREATE OR REPLACE FUNCTION erased_donor_stays_erased() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT is_erased(OLD.id) AND (NEW.first_gift_at IS NOT NULL OR is_owner()) THEN
        RETURN NEW;
    END IF;
    NEW.email := OLD.email;
    NEW.first_name := '';
    NEW.last_name := '';
    NEW.organisation_name := '';
    NEW.news_consented_at := NULL;
    NEW.said_at := OLD.said_at; -- a payment that comes later has the name
    NEW.phone := '';
    NEW.address_line1 := '';
    NEW.address_line2 := '';
    NEW.city := '';
    NEW.region := '';
    NEW.postal_code := '';
    NEW.country := '';
    RETURN NEW;
END $$;

-- As before, but for every statement, because the rule on deletes below also reads another row.
CREATE OR REPLACE FUNCTION sees_every_commit() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'rows of % are written in read committed transactions', TG_TABLE_NAME
            USING ERRCODE = 'check_violation', CONSTRAINT = 'sees_every_commit';
    END IF;
    RETURN NULL;
END $$;

-- As before; it waits for a transaction that is changing the donation's status.
CREATE OR REPLACE FUNCTION contact_of_paid_gift_stays() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = 'public.erasure'::regclass), 'USAGE') THEN
        RETURN OLD;
    END IF;
    PERFORM FROM donation g WHERE g.id = OLD.donation_id FOR SHARE;
    IF EXISTS (SELECT FROM donation g WHERE g.id = OLD.donation_id AND g.status NOT IN ('started', 'expired', 'failed')) THEN
        RAISE EXCEPTION 'donation % was paid: its contact is deleted by an erasure', OLD.donation_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'contact_of_paid_gift_stays';
    END IF;
    RETURN OLD;
END $$;

-- personal_subjects returns what emails about donors are about; with the erasure itself, and the sign-ins of addresses before a time.
CREATE FUNCTION personal_subjects(of_erasure uuid, people uuid[], emails text[], before timestamptz) RETURNS SETOF uuid
    STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT of_erasure
    UNION ALL SELECT id FROM donation WHERE donor_id = ANY(people)
    UNION ALL SELECT r.id FROM donation g JOIN receipt r ON r.donation_id = g.id WHERE g.donor_id = ANY(people)
    UNION ALL SELECT n.id FROM donation g JOIN donation_notice n ON n.donation_id = g.id WHERE g.donor_id = ANY(people)
    UNION ALL SELECT e.id FROM plan p JOIN plan_event e ON e.plan_id = p.id WHERE p.donor_id = ANY(people)
    UNION ALL SELECT id FROM statement WHERE donor_id = ANY(people)
    UNION ALL SELECT id FROM sign_in WHERE email = ANY(emails) AND asked_at < before
$$;

-- addresses_of returns the given addresses and those of the donors whom an erasure names, in lower case.
CREATE FUNCTION addresses_of(of_erasure uuid, addresses text[]) RETURNS text[] STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT lower(btrim(address))), '{}') FROM (
        SELECT unnest(addresses) UNION ALL
        SELECT d.email FROM erasure_donor n JOIN donor d ON d.id = n.donor_id
         WHERE n.erasure_id = of_erasure AND d.email <> 'forgotten-' || d.id || '@invalid') a (address)
$$;

-- payload_pattern returns the regular expression that finds payloads about donors: by ids and addresses, each a whole JSON string. It is NULL
-- if there is none. Of the given payments it takes those of the donors. Shorter ids are left out: the server's role may shorten an id to match all.
CREATE FUNCTION payload_pattern(people uuid[], payments uuid[], emails text[]) RETURNS text STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT '"(' || string_agg(DISTINCT regexp_replace(encode(convert_to(word, 'UTF8'), 'escape'), '([^A-Za-z0-9_-])', '\\\1', 'g'), '|') || ')"'
      FROM (SELECT id::text AS word FROM donation WHERE donor_id = ANY(people)
            UNION ALL SELECT c.session_id FROM donation g JOIN checkout c ON c.donation_id = g.id WHERE g.donor_id = ANY(people)
            UNION ALL SELECT unnest(ARRAY[p.intent_ref, p.charge_ref]) FROM payment p JOIN donation g ON g.id = p.donation_id
                       WHERE p.id = ANY(payments) AND g.donor_id = ANY(people)
            UNION ALL SELECT unnest(ARRAY[customer_id, subscription_id]) FROM plan WHERE donor_id = ANY(people)
            UNION ALL SELECT unnest(emails)) words
     WHERE word LIKE '%@%' OR length(word) >= 12
$$;

-- rows_to_clear returns the keys of rows that an erasure clears and that only a scan finds, by table: rows about somebody else that contain an
-- address, payloads, jobs; and payments, whose ids are in payloads. It locks nothing and is called before lock_people. What is written meanwhile is not in it: checker A17 finds it.
CREATE FUNCTION rows_to_clear(of_erasure uuid, addresses text[]) RETURNS jsonb STABLE LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    people     uuid[] := ARRAY(SELECT donor_id FROM erasure_donor d WHERE d.erasure_id = of_erasure);
    emails     text[] := addresses_of(of_erasure, addresses);
    first_done timestamptz := coalesce(erased_at(of_erasure), 'infinity');
    payments   uuid[] := ARRAY(SELECT p.id FROM donation g JOIN payment p ON p.donation_id = g.id WHERE g.donor_id = ANY(people));
    pattern    text := payload_pattern(people, payments, CASE WHEN first_done = 'infinity' THEN emails END);
    words      text[] := ARRAY(SELECT personal_subjects(of_erasure, people, emails, first_done)::text);
    candidates jsonb;
BEGIN
    words := words || ARRAY(SELECT d.id::text FROM letter l JOIN letter_delivery d ON d.letter_id = l.id WHERE l.subject_id = ANY(words::uuid[]));
    SELECT coalesce(jsonb_object_agg(place, keys), '{}') INTO candidates FROM (
        SELECT place, jsonb_agg(DISTINCT key) AS keys FROM (
            SELECT place, subject AS key FROM stored_address
             WHERE place IN ('letter_delivery', 'receipt', 'statement_person', 'donation_contact') AND address = ANY(emails) AND since < first_done
            UNION ALL
            SELECT 'stripe_event', entity_id || ' ' || id FROM stripe_event e
             WHERE payload IS NOT NULL AND (encode(payload, 'escape') ~* pattern
                   OR first_done < 'infinity' AND received_at < first_done AND position('\x40'::bytea IN payload) > 0
                      AND EXISTS (SELECT FROM payload_addresses(payload) a (address) WHERE a.address = ANY(emails)))
            UNION ALL
            SELECT 'payment', unnest(payments)::text
            UNION ALL
            SELECT 'river_job', j.id::text FROM river_job j
             WHERE j.state <> 'running' AND EXISTS (SELECT FROM jsonb_each_text(j.args) a WHERE a.value = ANY(words))
        ) rows GROUP BY place) places;
    RETURN candidates;
END $$;

-- lock_people locks the donors and addresses of an erasure until the transaction ends. After it, every statement sees all rows about them that
-- will be inserted before the erasure: nobody inserts a link while the plan is locked, or a session while the mailbox is. The order of locks
-- is: erasures, sign_in, address, mailbox, plan, plan_link, session, letter_delivery, donor. Writers take them in this order too, and several
-- rows of a table in the order of their ids.
--
-- Last it locks the plans and deliveries that were written between its locks on those tables and its locks on the donors; after these, nobody
-- writes more. Whoever holds such a row may wait for a donor (orders a delivery, changes a plan), so the erasure does not wait for the row: the
-- statement fails with lock_not_available, and the erasure is tried again.
CREATE FUNCTION lock_people(of_erasure uuid, addresses text[], candidates jsonb) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    people uuid[] := ARRAY(SELECT donor_id FROM erasure_donor d WHERE d.erasure_id = of_erasure);
    emails text[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('konbit erasures')); -- an erasure clears rows about people whom another one names
    emails := addresses_of(of_erasure, addresses);
    PERFORM id FROM sign_in WHERE email = ANY(emails) ORDER BY id FOR UPDATE;
    PERFORM pg_advisory_xact_lock(hashtext('konbit address'), a.hash)
       FROM (SELECT DISTINCT hashtext(email) AS hash FROM unnest(emails) AS e (email) ORDER BY 1) a;
    PERFORM email FROM mailbox WHERE email = ANY(emails) ORDER BY email FOR UPDATE;
    PERFORM id FROM plan WHERE donor_id = ANY(people) ORDER BY id FOR UPDATE;
    PERFORM id FROM plan_link WHERE donor_id = ANY(people) AND ended_at IS NULL ORDER BY id FOR UPDATE;
    PERFORM id FROM session WHERE email = ANY(emails) ORDER BY id FOR UPDATE;
    PERFORM id FROM letter_delivery WHERE id IN (
            SELECT d.id FROM letter l JOIN letter_delivery d ON d.letter_id = l.id
             WHERE d.recipient <> '' AND l.subject_id IN (SELECT personal_subjects(of_erasure, people, emails, 'infinity'))
             UNION SELECT jsonb_array_elements_text(candidates -> 'letter_delivery')::uuid)
      ORDER BY id FOR UPDATE;
    PERFORM id FROM donor WHERE id = ANY(people) ORDER BY id FOR UPDATE;
    PERFORM id FROM plan WHERE donor_id = ANY(people) ORDER BY id FOR UPDATE NOWAIT;
    PERFORM id FROM letter_delivery WHERE id IN (
            SELECT d.id FROM letter l JOIN letter_delivery d ON d.letter_id = l.id
             WHERE d.recipient <> '' AND l.subject_id IN (SELECT personal_subjects(of_erasure, people, emails, 'infinity')))
      ORDER BY id FOR UPDATE NOWAIT;
END $$;

CREATE OR REPLACE FUNCTION lock_people(of_erasure uuid, addresses text[]) RETURNS void LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT lock_people(of_erasure, addresses, rows_to_clear(of_erasure, addresses))
$$;

-- Of a receipt only the person goes, or only the address: of somebody else, to whom the receipt was sent. The same is true of an email.
CREATE OR REPLACE FUNCTION only_the_person_goes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - 'facts' - 'message') IS DISTINCT FROM (to_jsonb(NEW) - 'facts' - 'message')
       OR TG_TABLE_NAME = 'receipt' AND to_jsonb(NEW)->'facts' IS DISTINCT FROM public.personless(to_jsonb(OLD)->'facts')
          AND to_jsonb(NEW)->'facts' IS DISTINCT FROM (to_jsonb(OLD)->'facts') || '{"email": ""}'
       OR TG_TABLE_NAME = 'letter' AND to_jsonb(NEW)->>'message' <> '\x'
          AND to_jsonb(NEW)->>'message' IS DISTINCT FROM public.unaddressed((to_jsonb(OLD)->>'message')::bytea)::text THEN
        RAISE EXCEPTION 'of % % nothing but the person may go', TG_TABLE_NAME, OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'only_the_person_goes';
    END IF;
    RETURN NEW;
END $$;

-- As before, without scans. candidates is what rows_to_clear returned before the locks. Each row is compared again: nothing else is cleared, whatever
-- the server's role gives.
CREATE FUNCTION erase_people(erasure uuid, addresses text[], candidates jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    people     uuid[];
    emails     text[];
    gifts      uuid[];
    plans      uuid[];
    receipts   uuid[];
    subjects   uuid[];
    letters    uuid[];
    theirs     uuid[];
    pattern    text;
    first_done timestamptz := coalesce(erased_at(erasure), 'infinity');
BEGIN
    PERFORM may_erase(erasure, addresses);
    PERFORM lock_people(erasure, addresses, candidates);
    people   := ARRAY(SELECT donor_id FROM erasure_donor d WHERE d.erasure_id = erasure);
    emails   := addresses_of(erasure, addresses);
    gifts    := ARRAY(SELECT id FROM donation WHERE donor_id = ANY(people));
    plans    := ARRAY(SELECT id FROM plan WHERE donor_id = ANY(people));
    receipts := ARRAY(SELECT id FROM receipt WHERE donation_id = ANY(gifts));
    subjects := ARRAY(SELECT personal_subjects(erasure, people, emails, first_done));
    letters  := ARRAY(SELECT id FROM letter WHERE subject_id = ANY(subjects));
    PERFORM keep_receipt(r.id, erasure) FROM receipt r
      WHERE r.id = ANY(receipts) AND r.facts <> personless(r.facts) AND make_date(r.year + 8, 1, 1) > current_date;
    PERFORM set_config('konbit.erasing', 'yes', true);
    -- stripepay: events about their gifts. One that a worker has locked stays: since migration 00077 payloads name no person (webhook.StoreTx)
    pattern := payload_pattern(people, ARRAY(SELECT jsonb_array_elements_text(candidates -> 'payment')::uuid),
                               CASE WHEN first_done = 'infinity' THEN emails END);
    UPDATE stripe_event e SET payload = NULL, state = CASE e.state WHEN 'done' THEN 'done' ELSE 'set_aside' END,
           reason = CASE e.state WHEN 'done' THEN e.reason ELSE concat_ws('; ', e.reason, 'payload erased') END
      FROM (SELECT v.entity_id, v.id FROM jsonb_array_elements_text(candidates -> 'stripe_event') key
              JOIN stripe_event v ON v.entity_id = split_part(key, ' ', 1)::uuid AND v.id = split_part(key, ' ', 2)
             WHERE v.payload IS NOT NULL AND (encode(v.payload, 'escape') ~* pattern
                   OR v.received_at < first_done AND EXISTS (SELECT FROM payload_addresses(v.payload) a (address) WHERE a.address = ANY(emails)))
               FOR UPDATE OF v SKIP LOCKED) theirs
     WHERE e.entity_id = theirs.entity_id AND e.id = theirs.id;
    -- mail
    UPDATE letter_delivery SET recipient = '', smtp_reply = NULL,
           refused_at = CASE WHEN accepted_at IS NULL THEN coalesce(refused_at, now()) END WHERE letter_id = ANY(letters) AND recipient <> '';
    UPDATE letter SET message = '' WHERE id = ANY(letters) AND message <> '';
    -- jobs: nothing goes out any more, and what failed tells nothing
    DELETE FROM river_job j USING jsonb_array_elements_text(candidates -> 'river_job') key
     WHERE j.id = key::bigint AND j.state <> 'running' AND EXISTS (SELECT FROM jsonb_each_text(j.args) a WHERE a.value = ANY(subjects::text[])
           OR a.value IN (SELECT d.id::text FROM letter_delivery d WHERE d.letter_id = ANY(letters)));
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
    theirs := ARRAY(SELECT d.id FROM letter_delivery d WHERE d.id IN (SELECT jsonb_array_elements_text(candidates -> 'letter_delivery')::uuid)
                       AND lower(d.recipient) = ANY(emails) AND d.ordered_at < first_done);
    letters := ARRAY(SELECT letter_id FROM letter_delivery WHERE id = ANY(theirs) AND cause = 'first'); -- whose address the email may contain
    UPDATE letter_delivery SET recipient = '', smtp_reply = NULL,
           refused_at = CASE WHEN accepted_at IS NULL THEN coalesce(refused_at, now()) END WHERE id = ANY(theirs);
    UPDATE letter SET message = unaddressed(message) WHERE id = ANY(letters) AND message <> '' AND message <> unaddressed(message);
    UPDATE receipt r SET facts = r.facts || '{"email": ""}' FROM donation g JOIN donor d ON d.id = g.donor_id
     WHERE r.id IN (SELECT jsonb_array_elements_text(candidates -> 'receipt')::uuid) AND g.id = r.donation_id
       AND lower(btrim(r.facts ->> 'email')) = ANY(emails) AND greatest(r.issued_at, d.recorded_at) < first_done;
    UPDATE statement_person p SET person = p.person || '{"email": ""}' FROM statement s
     WHERE p.statement_id IN (SELECT jsonb_array_elements_text(candidates -> 'statement_person')::uuid) AND s.id = p.statement_id
       AND lower(btrim(p.person ->> 'email')) = ANY(emails) AND s.issued_at < first_done;
    UPDATE donation_contact c SET email = '' FROM donation g JOIN donor d ON d.id = g.donor_id
     WHERE c.donation_id IN (SELECT jsonb_array_elements_text(candidates -> 'donation_contact')::uuid) AND g.id = c.donation_id
       AND lower(btrim(c.email)) = ANY(emails) AND greatest(g.created_at, d.recorded_at) < first_done;
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

CREATE OR REPLACE FUNCTION erase_people(erasure uuid, addresses text[]) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT erase_people(erasure, addresses, rows_to_clear(erasure, addresses))
$$;

-- erased_at returns when an erasure was done for the first time; NULL if it never was. To erase once more, or to restore a backup, does not
-- change it: rows that are newer are a new person's.
CREATE OR REPLACE FUNCTION erased_at(of_erasure uuid) RETURNS timestamptz STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT least((SELECT min(d.at) FROM erasure_done d WHERE d.erasure_id = e.id), e.done_at, e.first_done_at) FROM erasure e WHERE e.id = of_erasure
$$;

-- As before; done_at, also where it is refused, is remembered in first_done_at: the list that the server's role applies to a restored backup
-- says when the person was erased, and whoever came between that day and today is a new person. It is not before the erasure was due, nor
-- before a run of it here: the server's role may write done_at.
CREATE OR REPLACE FUNCTION erasure_is_done() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    last timestamptz := (SELECT max(d.at) FROM erasure_done d WHERE d.erasure_id = NEW.id);
BEGIN
    NEW.first_done_at := coalesce(NEW.first_done_at, greatest(NEW.done_at, NEW.due_at, (SELECT min(d.at) FROM erasure_done d WHERE d.erasure_id = NEW.id)));
    IF is_owner() OR TG_OP = 'UPDATE' AND NEW.done_at IS NOT DISTINCT FROM OLD.done_at THEN
        RETURN NEW;
    END IF;
    IF last IS NULL OR EXISTS (SELECT FROM erasure_donor n WHERE n.erasure_id = NEW.id AND n.erased_at IS NULL)
       OR EXISTS (SELECT FROM erasure_address a WHERE a.erasure_id = NEW.id AND a.recorded_at > last) THEN
        NEW.done_at := NULL; -- it is due like any other; a list that the server's role applies depends on this
    END IF;
    -- done_at is not before the first run: rows that are newer than an erasure belong to a new person (migration 00078)
    NEW.done_at := greatest(NEW.done_at, CASE WHEN NEW.done_at IS NOT NULL THEN (SELECT min(d.at) FROM erasure_done d WHERE d.erasure_id = NEW.id) END);
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER sees_every_commit BEFORE DELETE ON donation_contact FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
UPDATE erasure SET first_done_at = erased_at(id) WHERE done_at IS NOT NULL;

-- Whom the waiting erasure of a restored backup names is not compared before it is done.
CREATE OR REPLACE VIEW erased_address AS
SELECT a.mac, max(erased_at(a.erasure_id)) AS at FROM erasure_address a JOIN erasure e ON e.id = a.erasure_id
 WHERE e.done_at IS NOT NULL OR EXISTS (SELECT FROM erasure_done d WHERE d.erasure_id = e.id) GROUP BY a.mac;

-- As before, in lower case: what was typed keeps its capitals.
CREATE OR REPLACE VIEW stored_address AS
SELECT 'donor' AS place, d.id::text AS subject, lower(btrim(d.email)) AS address, coalesce(d.recorded_at, d.created_at) AS since
  FROM donor d WHERE d.email IS NOT NULL AND d.email <> 'forgotten-' || d.id || '@invalid'
UNION ALL
SELECT 'donation_contact', c.donation_id::text, lower(btrim(c.email)), greatest(g.created_at, d.recorded_at)
  FROM donation_contact c JOIN donation g ON g.id = c.donation_id JOIN donor d ON d.id = g.donor_id WHERE c.email <> ''
UNION ALL
SELECT 'receipt', r.id::text, lower(btrim(r.facts ->> 'email')), greatest(r.issued_at, d.recorded_at)
  FROM receipt r JOIN donation g ON g.id = r.donation_id JOIN donor d ON d.id = g.donor_id WHERE r.facts ->> 'email' <> ''
UNION ALL
SELECT 'statement_person', s.id::text, lower(btrim(p.person ->> 'email')), s.issued_at FROM statement_person p JOIN statement s ON s.id = p.statement_id
 WHERE p.person ->> 'email' <> ''
UNION ALL
SELECT 'letter_delivery', d.id::text, lower(d.recipient), d.ordered_at FROM letter_delivery d JOIN letter l ON l.id = d.letter_id
 WHERE d.recipient <> '' AND l.kind <> 'card' AND l.kind <> 'head'
UNION ALL
SELECT 'mailbox', m.person_id::text, lower(m.email), m.proved_at FROM mailbox m
UNION ALL
SELECT 'mailbox_step', m.n::text, lower(m.email), m.at FROM mailbox_step m
UNION ALL
SELECT 'sign_in', s.id::text, lower(s.email), s.asked_at FROM sign_in s
UNION ALL
SELECT 'session', s.id::text, lower(s.email), s.opened_at FROM session s
UNION ALL
SELECT 'stripe_event', e.id, a.address, e.received_at FROM stripe_event e CROSS JOIN LATERAL payload_addresses(e.payload) a (address)
 WHERE e.payload IS NOT NULL AND position('\x40'::bytea IN e.payload) > 0;

-- A17. As before; and emails about a notice of a gift, and stored emails that contain an address whose delivery was cleared.
CREATE OR REPLACE VIEW check_erased_person AS
WITH erased AS MATERIALIZED (
    SELECT n.donor_id AS id, max(n.erased_at) AS at FROM erasure_donor n WHERE n.erased_at IS NOT NULL GROUP BY n.donor_id
), gift AS MATERIALIZED (
    SELECT g.id, g.entity_id, x.at FROM erased x JOIN donation g ON g.donor_id = x.id
), of_plan AS MATERIALIZED (
    SELECT p.id, p.entity_id, x.at FROM erased x JOIN plan p ON p.donor_id = x.id
), receipts AS MATERIALIZED (
    SELECT r.id, g.entity_id, g.at, r.facts FROM gift g JOIN receipt r ON r.donation_id = g.id
), of_statement AS MATERIALIZED (
    SELECT s.id, s.entity_id, x.at FROM erased x JOIN statement s ON s.donor_id = x.id
), email AS MATERIALIZED (
    SELECT l.id, l.entity_id, s.at, l.message FROM (
        SELECT id, at FROM gift UNION ALL SELECT id, at FROM receipts UNION ALL SELECT id, at FROM of_statement
         UNION ALL SELECT n.id, g.at FROM gift g JOIN donation_notice n ON n.donation_id = g.id
         UNION ALL SELECT e.id, p.at FROM of_plan p JOIN plan_event e ON e.plan_id = p.id
         UNION ALL SELECT n.erasure_id, x.at FROM erased x JOIN erasure_donor n ON n.donor_id = x.id) s
      JOIN letter l ON l.subject_id = s.id
), found AS (
    SELECT d.entity_id, 'donor ' || d.id AS subject, x.at FROM erased x JOIN donor d ON d.id = x.id
     WHERE d.email IS DISTINCT FROM 'forgotten-' || d.id || '@invalid' OR d.news_consented_at IS NOT NULL
        OR concat(d.first_name, d.last_name, d.organisation_name, d.phone, d.address_line1, d.address_line2, d.city, d.region, d.postal_code, d.country) <> ''
    UNION ALL SELECT g.entity_id, 'donation_contact ' || g.id, g.at FROM gift g JOIN donation_contact c ON c.donation_id = g.id
    UNION ALL SELECT r.entity_id, 'receipt ' || r.id, r.at FROM receipts r WHERE r.facts <> personless(r.facts)
    UNION ALL SELECT s.entity_id, 'statement_person ' || s.id, s.at FROM of_statement s JOIN statement_person p ON p.statement_id = s.id
    UNION ALL SELECT l.entity_id, 'letter ' || l.id, l.at FROM email l WHERE l.message <> ''
    UNION ALL SELECT l.entity_id, 'letter_delivery ' || d.id, l.at FROM email l JOIN letter_delivery d ON d.letter_id = l.id WHERE d.recipient <> ''
    UNION ALL SELECT p.entity_id, 'plan ' || p.id, o.at FROM of_plan o JOIN plan p ON p.id = o.id
     WHERE p.card_brand IS NOT NULL OR p.card_last4 IS NOT NULL OR p.card_expires IS NOT NULL
    UNION ALL SELECT p.entity_id, 'plan_event ' || e.id, p.at FROM of_plan p JOIN plan_event e ON e.plan_id = p.id WHERE e.detail <> cardless(e.detail)
    UNION ALL SELECT p.entity_id, 'plan_request ' || q.id, p.at FROM of_plan p JOIN plan_request q ON q.plan_id = p.id WHERE q.detail <> cardless(q.detail)
    UNION ALL SELECT l.entity_id, 'letter ' || l.id, d.ordered_at FROM letter_delivery d JOIN letter l ON l.id = d.letter_id
     WHERE lower(d.recipient) = '' AND d.cause = 'first' AND l.message <> '' AND l.message <> unaddressed(l.message)
    UNION ALL SELECT NULL::uuid AS uuid, t.place || ' ' || t.subject, t.noticed_at FROM erasure_trace t
)
SELECT 'A17' AS checker, f.entity_id, f.subject, 'it names a person who was erased' AS detail, max(f.at) AS since
  FROM found f GROUP BY f.entity_id, f.subject
UNION ALL -- the server's role may write the address of an erased donor; only erase_people erases. Or Purge forgot a donor who paid later
SELECT 'A17', d.entity_id, 'donor ' || d.id, 'it has the address of an erased donor, and nobody was erased', d.created_at
  FROM donor d
 WHERE d.email = 'forgotten-' || d.id || '@invalid' AND NOT EXISTS (SELECT FROM erased x WHERE x.id = d.id)
   AND EXISTS (SELECT FROM donation g WHERE g.donor_id = d.id AND g.status = 'settled');

-- Emails that the previous release stored, about somebody else, whose deliveries an erasure cleared.
SELECT set_config('konbit.erasing', 'yes', true);
UPDATE letter SET message = unaddressed(message)
 WHERE id IN (SELECT letter_id FROM letter_delivery WHERE lower(recipient) = '' AND cause = 'first') AND message <> '' AND message <> unaddressed(message);
SELECT set_config('konbit.erasing', '', true);
REVOKE ALL ON FUNCTION erase_people(uuid, text[], jsonb) FROM PUBLIC;

-- +goose Down
-- What was removed from emails does not come back.
DROP TRIGGER sees_every_commit ON donation_contact;
CREATE OR REPLACE VIEW erased_address AS
SELECT a.mac, max(erased_at(a.erasure_id)) AS at FROM erasure_address a WHERE erased_at(a.erasure_id) IS NOT NULL GROUP BY a.mac;
CREATE OR REPLACE VIEW stored_address AS
SELECT 'donor' AS place, d.id::text AS subject, d.email AS address, coalesce(d.recorded_at, d.created_at) AS since
  FROM donor d WHERE d.email IS NOT NULL AND d.email <> 'forgotten-' || d.id || '@invalid'
UNION ALL
SELECT 'donation_contact', c.donation_id::text, c.email, greatest(g.created_at, d.recorded_at)
  FROM donation_contact c JOIN donation g ON g.id = c.donation_id JOIN donor d ON d.id = g.donor_id WHERE c.email <> ''
UNION ALL
SELECT 'receipt', r.id::text, r.facts ->> 'email', greatest(r.issued_at, d.recorded_at)
  FROM receipt r JOIN donation g ON g.id = r.donation_id JOIN donor d ON d.id = g.donor_id WHERE r.facts ->> 'email' <> ''
UNION ALL
SELECT 'statement_person', s.id::text, p.person ->> 'email', s.issued_at FROM statement_person p JOIN statement s ON s.id = p.statement_id
 WHERE p.person ->> 'email' <> ''
UNION ALL
SELECT 'letter_delivery', d.id::text, d.recipient, d.ordered_at FROM letter_delivery d JOIN letter l ON l.id = d.letter_id
 WHERE d.recipient <> '' AND l.kind <> 'card' AND l.kind <> 'head'
UNION ALL
SELECT 'mailbox', m.person_id::text, m.email, m.proved_at FROM mailbox m
UNION ALL
SELECT 'mailbox_step', m.n::text, m.email, m.at FROM mailbox_step m
UNION ALL
SELECT 'sign_in', s.id::text, s.email, s.asked_at FROM sign_in s
UNION ALL
SELECT 'session', s.id::text, s.email, s.opened_at FROM session s
UNION ALL
SELECT 'stripe_event', e.id, a.address, e.received_at FROM stripe_event e CROSS JOIN LATERAL payload_addresses(e.payload) a (address)
 WHERE e.payload IS NOT NULL AND position('\x40'::bytea IN e.payload) > 0;
CREATE OR REPLACE VIEW check_erased_person AS
WITH erased AS MATERIALIZED (
    SELECT n.donor_id AS id, max(n.erased_at) AS at FROM erasure_donor n WHERE n.erased_at IS NOT NULL GROUP BY n.donor_id
), gift AS MATERIALIZED (
    SELECT g.id, g.entity_id, x.at FROM erased x JOIN donation g ON g.donor_id = x.id
), of_plan AS MATERIALIZED (
    SELECT p.id, p.entity_id, x.at FROM erased x JOIN plan p ON p.donor_id = x.id
), receipts AS MATERIALIZED (
    SELECT r.id, g.entity_id, g.at, r.facts FROM gift g JOIN receipt r ON r.donation_id = g.id
), of_statement AS MATERIALIZED (
    SELECT s.id, s.entity_id, x.at FROM erased x JOIN statement s ON s.donor_id = x.id
), email AS MATERIALIZED (
    SELECT l.id, l.entity_id, s.at, l.message FROM (
        SELECT id, at FROM gift UNION ALL SELECT id, at FROM receipts UNION ALL SELECT id, at FROM of_statement
         UNION ALL SELECT e.id, p.at FROM of_plan p JOIN plan_event e ON e.plan_id = p.id
         UNION ALL SELECT n.erasure_id, x.at FROM erased x JOIN erasure_donor n ON n.donor_id = x.id) s
      JOIN letter l ON l.subject_id = s.id
), found AS (
    SELECT d.entity_id, 'donor ' || d.id AS subject, x.at FROM erased x JOIN donor d ON d.id = x.id
     WHERE d.email IS DISTINCT FROM 'forgotten-' || d.id || '@invalid' OR d.news_consented_at IS NOT NULL
        OR concat(d.first_name, d.last_name, d.organisation_name, d.phone, d.address_line1, d.address_line2, d.city, d.region, d.postal_code, d.country) <> ''
    UNION ALL SELECT g.entity_id, 'donation_contact ' || g.id, g.at FROM gift g JOIN donation_contact c ON c.donation_id = g.id
    UNION ALL SELECT r.entity_id, 'receipt ' || r.id, r.at FROM receipts r WHERE r.facts <> personless(r.facts)
    UNION ALL SELECT s.entity_id, 'statement_person ' || s.id, s.at FROM of_statement s JOIN statement_person p ON p.statement_id = s.id
    UNION ALL SELECT l.entity_id, 'letter ' || l.id, l.at FROM email l WHERE l.message <> ''
    UNION ALL SELECT l.entity_id, 'letter_delivery ' || d.id, l.at FROM email l JOIN letter_delivery d ON d.letter_id = l.id WHERE d.recipient <> ''
    UNION ALL SELECT p.entity_id, 'plan ' || p.id, o.at FROM of_plan o JOIN plan p ON p.id = o.id
     WHERE p.card_brand IS NOT NULL OR p.card_last4 IS NOT NULL OR p.card_expires IS NOT NULL
    UNION ALL SELECT p.entity_id, 'plan_event ' || e.id, p.at FROM of_plan p JOIN plan_event e ON e.plan_id = p.id WHERE e.detail <> cardless(e.detail)
    UNION ALL SELECT p.entity_id, 'plan_request ' || q.id, p.at FROM of_plan p JOIN plan_request q ON q.plan_id = p.id WHERE q.detail <> cardless(q.detail)
    UNION ALL SELECT NULL::uuid AS uuid, t.place || ' ' || t.subject, t.noticed_at FROM erasure_trace t
)
SELECT 'A17' AS checker, f.entity_id, f.subject, 'it names a person who was erased' AS detail, max(f.at) AS since
  FROM found f GROUP BY f.entity_id, f.subject
UNION ALL -- the server's role may write the address of an erased donor; only erase_people erases
SELECT 'A17', d.entity_id, 'donor ' || d.id, 'it has the address of an erased donor, and nobody was erased', d.created_at
  FROM donor d
 WHERE d.email = 'forgotten-' || d.id || '@invalid' AND NOT EXISTS (SELECT FROM erased x WHERE x.id = d.id)
   AND EXISTS (SELECT FROM donation g WHERE g.donor_id = d.id AND g.status = 'settled');
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION sees_every_commit() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'rows of % are inserted in read committed transactions', TG_TABLE_NAME
            USING ERRCODE = 'check_violation', CONSTRAINT = 'sees_every_commit';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION erasure_is_done() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    last timestamptz := (SELECT max(d.at) FROM erasure_done d WHERE d.erasure_id = NEW.id);
BEGIN
    IF is_owner() OR TG_OP = 'UPDATE' AND NEW.done_at IS NOT DISTINCT FROM OLD.done_at THEN
        RETURN NEW;
    END IF;
    IF last IS NULL OR EXISTS (SELECT FROM erasure_donor n WHERE n.erasure_id = NEW.id AND n.erased_at IS NULL)
       OR EXISTS (SELECT FROM erasure_address a WHERE a.erasure_id = NEW.id AND a.recorded_at > last) THEN
        NEW.done_at := NULL; -- it is due like any other; a list that the server's role applies depends on this
    END IF;
    -- done_at is not before the first run: rows that are newer than an erasure belong to a new person (migration 00078)
    NEW.done_at := greatest(NEW.done_at, CASE WHEN NEW.done_at IS NOT NULL THEN (SELECT min(d.at) FROM erasure_done d WHERE d.erasure_id = NEW.id) END);
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION erased_at(of_erasure uuid) RETURNS timestamptz STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT least((SELECT min(d.at) FROM erasure_done d WHERE d.erasure_id = e.id), e.done_at) FROM erasure e WHERE e.id = of_erasure
$$;
CREATE OR REPLACE FUNCTION erased_donor_stays_erased() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
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
CREATE OR REPLACE FUNCTION contact_of_paid_gift_stays() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM donation g WHERE g.id = OLD.donation_id AND g.status NOT IN ('started', 'expired', 'failed'))
       AND NOT pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = 'public.erasure'::regclass), 'USAGE') THEN
        RAISE EXCEPTION 'donation % was paid: its contact is deleted by an erasure', OLD.donation_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'contact_of_paid_gift_stays';
    END IF;
    RETURN OLD;
END $$;
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
CREATE OR REPLACE FUNCTION lock_people(of_erasure uuid, addresses text[]) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
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
DROP FUNCTION erase_people(uuid, text[], jsonb), lock_people(uuid, text[], jsonb), rows_to_clear, payload_pattern, addresses_of, personal_subjects,
    is_erased, unaddressed;
ALTER TABLE erasure DROP COLUMN first_done_at;
