-- +goose Up
-- An email is stored as its difference to a model (package mail/difference): an email to an invented donor, rendered by the same words for the same
-- organisation. A receipt needs half a kilobyte instead of 25. Emails that were stored whole stay as they are.
--
-- The program of the previous release reads message, which is empty in the new rows. It takes such an email for one without a recipient, as after an
-- erasure: it sends nothing, records no end, and tries the job again within nine minutes, until a server of this release takes it.
CREATE TABLE email_model (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash       bytea NOT NULL UNIQUE CHECK (hash = sha256(content)), -- so that nobody stores another model in advance
    content    bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
-- letter.model_id refers to it without a foreign key, which would lock the model's row for each email: nothing removes or changes a model.
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON email_model FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
ALTER TABLE letter ADD COLUMN model_id integer, ADD COLUMN difference bytea;
ALTER TABLE letter ALTER COLUMN difference SET STORAGE EXTERNAL; -- compressed before

-- The same functions and the same view as before; the difference goes where the message goes.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION only_the_person_goes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - 'facts' - 'message' - 'difference') IS DISTINCT FROM (to_jsonb(NEW) - 'facts' - 'message' - 'difference')
       OR TG_TABLE_NAME = 'receipt' AND to_jsonb(NEW)->'facts' IS DISTINCT FROM public.personless(to_jsonb(OLD)->'facts')
          AND to_jsonb(NEW)->'facts' IS DISTINCT FROM (to_jsonb(OLD)->'facts') || '{"email": ""}'
       OR TG_TABLE_NAME = 'letter' AND to_jsonb(NEW)->>'message' <> '\x'
          AND to_jsonb(NEW)->>'message' IS DISTINCT FROM public.unaddressed((to_jsonb(OLD)->>'message')::bytea)::text
       OR to_jsonb(NEW)->>'difference' IS NOT NULL AND to_jsonb(NEW)->'difference' IS DISTINCT FROM to_jsonb(OLD)->'difference' THEN
        RAISE EXCEPTION 'of % % nothing but the person may go', TG_TABLE_NAME, OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'only_the_person_goes';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- erased_stays_erased names the schema of each table instead of setting a search path, and looks at one donor at a time: PostgreSQL plans a statement
-- about an array of one again each time. Both cost more than the reading, and it runs for each row. It locks and reads as are_erased does.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION erased_stays_erased() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    donors uuid[];
    one    uuid;
    erased boolean := false;
BEGIN
    CASE TG_TABLE_NAME
    WHEN 'donation_contact', 'donation_dedication', 'receipt' THEN
        donors := ARRAY(SELECT g.donor_id FROM public.donation g WHERE g.id = NEW.donation_id);
    WHEN 'statement_person' THEN
        donors := ARRAY(SELECT s.donor_id FROM public.statement s WHERE s.id = NEW.statement_id);
    WHEN 'letter' THEN
        donors := ARRAY(SELECT DISTINCT d FROM public.donors_of(NEW.subject_id) d ORDER BY d);
    WHEN 'letter_delivery' THEN
        donors := ARRAY(SELECT DISTINCT d FROM public.letter l, public.donors_of(l.subject_id) d WHERE l.id = NEW.letter_id ORDER BY d);
    WHEN 'plan' THEN
        donors := ARRAY[NEW.donor_id];
    WHEN 'plan_event', 'plan_request' THEN
        donors := ARRAY(SELECT p.donor_id FROM public.plan p WHERE p.id = NEW.plan_id);
    END CASE;
    FOREACH one IN ARRAY donors LOOP
        PERFORM d.id FROM public.donor d WHERE d.id = one FOR KEY SHARE;
        erased := erased OR EXISTS (SELECT FROM public.erasure_donor n WHERE n.donor_id = one AND n.erased_at IS NOT NULL);
    END LOOP;
    IF NOT erased THEN
        RETURN NEW;
    END IF;
    CASE TG_TABLE_NAME
    WHEN 'receipt' THEN
        NEW.facts := public.personless(NEW.facts);
    WHEN 'letter' THEN
        NEW.message := '';
        NEW.difference := NULL;
    WHEN 'letter_delivery' THEN -- it is over, so nobody sends what a worker still has in memory
        NEW.recipient := '';
        NEW.smtp_reply := NULL;
        NEW.refused_at := CASE WHEN NEW.accepted_at IS NULL THEN coalesce(NEW.refused_at, now()) END;
    WHEN 'plan' THEN
        NEW.card_brand := NULL;
        NEW.card_last4 := NULL;
        NEW.card_expires := NULL;
    WHEN 'plan_event', 'plan_request' THEN
        NEW.detail := public.cardless(NEW.detail);
    ELSE
        RETURN NULL;
    END CASE;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION erase_people(erasure uuid, addresses text[], candidates jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
    UPDATE letter SET message = '', difference = NULL WHERE id = ANY(letters) AND (message <> '' OR difference IS NOT NULL);
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
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION move_gift(of_receipt uuid, address text, new_donor uuid, by text, why text, OUT from_donor uuid, OUT to_donor uuid, OUT plan uuid, OUT moved integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    as_owner boolean := is_owner();
    g        record;
    entity   uuid;
    newest   record;
    papers   uuid[];
BEGIN
    IF NOT as_owner AND current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the server''s role moves gifts in read committed transactions' USING ERRCODE = 'check_violation', CONSTRAINT = 'sees_every_commit';
    END IF;
    IF address IS NULL AND NOT as_owner OR address <> lower(address) OR address !~ '^[^@[:space:]]{1,64}@[^@[:space:]]{3,}$' OR address ~ '@invalid$' THEN
        RAISE EXCEPTION 'a gift moves to an address' USING ERRCODE = 'check_violation', CONSTRAINT = 'moved_gift_has_address';
    END IF;
    PERFORM lock_gift(of_receipt, address);
    SELECT * INTO g FROM gift_of_receipt(of_receipt);
    IF g.donation IS NULL THEN
        RAISE EXCEPTION 'there is no receipt %', of_receipt USING ERRCODE = 'check_violation', CONSTRAINT = 'moved_gift_has_receipt';
    END IF;
    SELECT d.entity_id INTO entity FROM donation d WHERE d.id = g.donation;
    from_donor := g.donor;
    plan := g.whole;
    moved := 0;
    SELECT d.id INTO to_donor FROM donor d WHERE d.entity_id = entity AND d.email = address;
    IF to_donor = from_donor THEN
        RETURN;
    END IF;
    PERFORM d.id FROM donor d WHERE d.id IN (from_donor, to_donor) ORDER BY d.id FOR NO KEY UPDATE;
    IF NOT EXISTS (SELECT FROM donor d WHERE d.id = to_donor AND d.email = address) THEN
        to_donor := NULL; -- the donor was removed before the lock: nobody has the address now
    END IF;
    IF EXISTS (SELECT FROM erasure_donor e WHERE e.donor_id IN (from_donor, to_donor) AND e.erased_at IS NOT NULL) THEN
        RAISE EXCEPTION 'the donor of receipt % was erased', of_receipt USING ERRCODE = 'check_violation', CONSTRAINT = 'moved_gift_is_not_erased';
    END IF;
    IF NOT as_owner THEN
        PERFORM pg_advisory_xact_lock(hashtext('konbit moves')); -- one count at a time
        IF (SELECT count(DISTINCT c.recorded_in) FROM donation_owner_change c WHERE c.at > clock_timestamp() - interval '24 hours' AND NOT c.by_owner)
           >= (SELECT l.moved_a_day FROM server_limit l) THEN
            RAISE EXCEPTION 'the server''s role moved as many gifts today as it may' USING ERRCODE = 'check_violation', CONSTRAINT = 'moves_a_day';
        END IF;
    END IF;
    IF to_donor IS NULL THEN
        INSERT INTO donor AS d (id, entity_id, email, first_name, last_name, language, created_at, kind, organisation_name)
        SELECT new_donor, entity, address, coalesce(c.first_name, ''), coalesce(c.last_name, ''), n.language, clock_timestamp(),
               CASE WHEN c.organisation_name <> '' THEN o.kind ELSE 'person' END, CASE WHEN o.kind = 'organisation' THEN coalesce(c.organisation_name, '') ELSE '' END
          FROM donation n JOIN donor o ON o.id = n.donor_id LEFT JOIN donation_contact c ON c.donation_id = n.id WHERE n.id = g.donation
        ON CONFLICT (entity_id, email) DO NOTHING;
        SELECT d.id INTO STRICT to_donor FROM donor d WHERE d.id = new_donor OR d.entity_id = entity AND d.email = address FOR NO KEY UPDATE;
    END IF;
    INSERT INTO donation_owner_change (donation_id, entity_id, from_donor, to_donor, receipt_id, ordered_by, reason, by_owner)
    SELECT id, entity, move_gift.from_donor, move_gift.to_donor, of_receipt, by, why, as_owner FROM unnest(g.gifts) WITH ORDINALITY AS u (id, n) ORDER BY n;
    UPDATE donation d SET donor_id = move_gift.to_donor WHERE d.id = ANY(g.gifts);
    UPDATE plan p SET donor_id = move_gift.to_donor WHERE p.id = g.whole;
    UPDATE plan_link l SET donor_id = move_gift.to_donor WHERE l.plan_id = g.whole AND l.ended_at IS NULL;
    UPDATE donation_contact c SET email = coalesce(address, '') WHERE c.donation_id = ANY(g.gifts) AND lower(c.email) IS DISTINCT FROM coalesce(address, '');
    moved := cardinality(g.gifts);

    UPDATE donor d SET first_name = c.first_name, last_name = c.last_name, language = n.language
      FROM donation n JOIN donation_contact c ON c.donation_id = n.id
     WHERE n.id = g.donation AND d.id = move_gift.to_donor AND d.said_at IS NULL AND d.kind = 'person' AND d.first_name = '' AND d.last_name = '';
    UPDATE donor d SET first_gift_at = least(d.first_gift_at, m.at),
           news_consented_at = coalesce(d.news_consented_at, CASE WHEN NOT EXISTS (SELECT FROM donor_consent c
               WHERE c.donor_id IN (d.id, move_gift.from_donor) AND c.kind = 'news' AND NOT c.given AND c.at > m.news) THEN m.news END)
      FROM (SELECT min(n.charged_at) AS at, min(n.charged_at) FILTER (WHERE n.news) AS news FROM donation n WHERE n.id = ANY(g.gifts) AND n.status = 'settled') m
     WHERE d.id = move_gift.to_donor;

    SELECT c.first_name, c.last_name, c.organisation_name, n.language INTO newest
      FROM donation n LEFT JOIN donation_contact c ON c.donation_id = n.id
     WHERE n.donor_id = from_donor AND n.status = 'settled' ORDER BY n.charged_at DESC, n.id LIMIT 1;
    IF FOUND THEN
        UPDATE donor d SET first_name = CASE WHEN d.said_at IS NULL THEN coalesce(newest.first_name, '') ELSE d.first_name END,
               last_name = CASE WHEN d.said_at IS NULL THEN coalesce(newest.last_name, '') ELSE d.last_name END,
               organisation_name = CASE WHEN d.said_at IS NULL AND d.kind = 'organisation' THEN coalesce(newest.organisation_name, '') ELSE d.organisation_name END,
               language = CASE WHEN d.said_at IS NULL THEN newest.language ELSE d.language END
         WHERE d.id = from_donor;
    ELSE
        UPDATE donor d SET kind = 'person', first_name = '', last_name = '', organisation_name = '', phone = '', address_line1 = '', address_line2 = '',
               city = '', region = '', postal_code = '', country = '', said_at = NULL
         WHERE d.id = from_donor;
    END IF;
    UPDATE donor d SET first_gift_at = (SELECT min(n.charged_at) FROM donation n WHERE n.donor_id = d.id AND n.status = 'settled'),
           news_consented_at = CASE WHEN EXISTS (SELECT FROM donation n WHERE n.donor_id = d.id AND n.status = 'settled' AND n.news)
               OR coalesce((SELECT c.given FROM donor_consent c WHERE c.donor_id = d.id AND c.kind = 'news' ORDER BY c.n DESC LIMIT 1), false)
               THEN d.news_consented_at END
     WHERE d.id = from_donor;

    papers := ARRAY(SELECT s.id FROM statement s WHERE s.donor_id = from_donor AND s.year IN (
                       SELECT extract(year FROM n.tax_date) FROM donation n WHERE n.id = ANY(g.gifts) AND n.status = 'settled'));
    IF papers <> '{}' THEN
        PERFORM set_config('konbit.erasing', 'yes', true);
        DELETE FROM statement_person p WHERE p.statement_id = ANY(papers);
        UPDATE letter l SET message = '', difference = NULL WHERE l.subject_id = ANY(papers) AND (l.message <> '' OR l.difference IS NOT NULL);
        UPDATE letter_delivery d SET declined_at = now()
          FROM letter l WHERE l.id = d.letter_id AND l.subject_id = ANY(papers) AND num_nonnulls(d.accepted_at, d.refused_at, d.declined_at) = 0;
        PERFORM set_config('konbit.erasing', '', true);
    END IF;
END $$;
-- +goose StatementEnd

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
    SELECT l.id, l.entity_id, s.at, l.message, l.difference FROM (
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
    UNION ALL SELECT l.entity_id, 'letter ' || l.id, l.at FROM email l WHERE l.message <> '' OR l.difference IS NOT NULL
    UNION ALL SELECT l.entity_id, 'letter_delivery ' || d.id, l.at FROM email l JOIN letter_delivery d ON d.letter_id = l.id WHERE d.recipient <> ''
    UNION ALL SELECT p.entity_id, 'plan ' || p.id, o.at FROM of_plan o JOIN plan p ON p.id = o.id
     WHERE p.card_brand IS NOT NULL OR p.card_last4 IS NOT NULL OR p.card_expires IS NOT NULL
    UNION ALL SELECT p.entity_id, 'plan_event ' || e.id, p.at FROM of_plan p JOIN plan_event e ON e.plan_id = p.id WHERE e.detail <> cardless(e.detail)
    UNION ALL SELECT p.entity_id, 'plan_request ' || q.id, p.at FROM of_plan p JOIN plan_request q ON q.plan_id = p.id WHERE q.detail <> cardless(q.detail)
    UNION ALL SELECT l.entity_id, 'letter ' || l.id, d.ordered_at FROM letter_delivery d JOIN letter l ON l.id = d.letter_id
     WHERE lower(d.recipient) = '' AND d.cause = 'first' AND l.message <> '' AND l.message <> unaddressed(l.message)
    UNION ALL SELECT d.entity_id, 'donor ' || d.id, g.at
      FROM gift g JOIN donation_owner_change c ON c.donation_id = g.id JOIN donor d ON d.id = c.from_donor
     WHERE d.email <> 'forgotten-' || d.id || '@invalid' AND address_is_unused(d.email)
    UNION ALL SELECT NULL::uuid AS uuid, t.place || ' ' || t.subject, t.noticed_at FROM erasure_trace t
)
SELECT 'A17' AS checker, f.entity_id, f.subject, 'it names a person who was erased' AS detail, max(f.at) AS since
  FROM found f GROUP BY f.entity_id, f.subject
UNION ALL -- the server's role may write the address of an erased donor; only erase_people erases. Or Purge forgot a donor who paid later
SELECT 'A17', d.entity_id, 'donor ' || d.id, 'it has the address of an erased donor, and nobody was erased', d.created_at
  FROM donor d
 WHERE d.email = 'forgotten-' || d.id || '@invalid' AND NOT EXISTS (SELECT FROM erased x WHERE x.id = d.id)
   AND EXISTS (SELECT FROM donation g WHERE g.donor_id = d.id AND g.status = 'settled');

-- +goose Down
-- The texts of emails that were stored as differences are lost: those that wait are not sent.
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
    UNION ALL SELECT d.entity_id, 'donor ' || d.id, g.at
      FROM gift g JOIN donation_owner_change c ON c.donation_id = g.id JOIN donor d ON d.id = c.from_donor
     WHERE d.email <> 'forgotten-' || d.id || '@invalid' AND address_is_unused(d.email)
    UNION ALL SELECT NULL::uuid AS uuid, t.place || ' ' || t.subject, t.noticed_at FROM erasure_trace t
)
SELECT 'A17' AS checker, f.entity_id, f.subject, 'it names a person who was erased' AS detail, max(f.at) AS since
  FROM found f GROUP BY f.entity_id, f.subject
UNION ALL -- the server's role may write the address of an erased donor; only erase_people erases. Or Purge forgot a donor who paid later
SELECT 'A17', d.entity_id, 'donor ' || d.id, 'it has the address of an erased donor, and nobody was erased', d.created_at
  FROM donor d
 WHERE d.email = 'forgotten-' || d.id || '@invalid' AND NOT EXISTS (SELECT FROM erased x WHERE x.id = d.id)
   AND EXISTS (SELECT FROM donation g WHERE g.donor_id = d.id AND g.status = 'settled');
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION move_gift(of_receipt uuid, address text, new_donor uuid, by text, why text, OUT from_donor uuid, OUT to_donor uuid, OUT plan uuid, OUT moved integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    as_owner boolean := is_owner();
    g        record;
    entity   uuid;
    newest   record;
    papers   uuid[];
BEGIN
    IF NOT as_owner AND current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the server''s role moves gifts in read committed transactions' USING ERRCODE = 'check_violation', CONSTRAINT = 'sees_every_commit';
    END IF;
    IF address IS NULL AND NOT as_owner OR address <> lower(address) OR address !~ '^[^@[:space:]]{1,64}@[^@[:space:]]{3,}$' OR address ~ '@invalid$' THEN
        RAISE EXCEPTION 'a gift moves to an address' USING ERRCODE = 'check_violation', CONSTRAINT = 'moved_gift_has_address';
    END IF;
    PERFORM lock_gift(of_receipt, address);
    SELECT * INTO g FROM gift_of_receipt(of_receipt);
    IF g.donation IS NULL THEN
        RAISE EXCEPTION 'there is no receipt %', of_receipt USING ERRCODE = 'check_violation', CONSTRAINT = 'moved_gift_has_receipt';
    END IF;
    SELECT d.entity_id INTO entity FROM donation d WHERE d.id = g.donation;
    from_donor := g.donor;
    plan := g.whole;
    moved := 0;
    SELECT d.id INTO to_donor FROM donor d WHERE d.entity_id = entity AND d.email = address;
    IF to_donor = from_donor THEN
        RETURN;
    END IF;
    PERFORM d.id FROM donor d WHERE d.id IN (from_donor, to_donor) ORDER BY d.id FOR NO KEY UPDATE;
    IF NOT EXISTS (SELECT FROM donor d WHERE d.id = to_donor AND d.email = address) THEN
        to_donor := NULL; -- the donor was removed before the lock: nobody has the address now
    END IF;
    IF EXISTS (SELECT FROM erasure_donor e WHERE e.donor_id IN (from_donor, to_donor) AND e.erased_at IS NOT NULL) THEN
        RAISE EXCEPTION 'the donor of receipt % was erased', of_receipt USING ERRCODE = 'check_violation', CONSTRAINT = 'moved_gift_is_not_erased';
    END IF;
    IF NOT as_owner THEN
        PERFORM pg_advisory_xact_lock(hashtext('konbit moves')); -- one count at a time
        IF (SELECT count(DISTINCT c.recorded_in) FROM donation_owner_change c WHERE c.at > clock_timestamp() - interval '24 hours' AND NOT c.by_owner)
           >= (SELECT l.moved_a_day FROM server_limit l) THEN
            RAISE EXCEPTION 'the server''s role moved as many gifts today as it may' USING ERRCODE = 'check_violation', CONSTRAINT = 'moves_a_day';
        END IF;
    END IF;
    IF to_donor IS NULL THEN
        INSERT INTO donor AS d (id, entity_id, email, first_name, last_name, language, created_at, kind, organisation_name)
        SELECT new_donor, entity, address, coalesce(c.first_name, ''), coalesce(c.last_name, ''), n.language, clock_timestamp(),
               CASE WHEN c.organisation_name <> '' THEN o.kind ELSE 'person' END, CASE WHEN o.kind = 'organisation' THEN coalesce(c.organisation_name, '') ELSE '' END
          FROM donation n JOIN donor o ON o.id = n.donor_id LEFT JOIN donation_contact c ON c.donation_id = n.id WHERE n.id = g.donation
        ON CONFLICT (entity_id, email) DO NOTHING;
        SELECT d.id INTO STRICT to_donor FROM donor d WHERE d.id = new_donor OR d.entity_id = entity AND d.email = address FOR NO KEY UPDATE;
    END IF;
    INSERT INTO donation_owner_change (donation_id, entity_id, from_donor, to_donor, receipt_id, ordered_by, reason, by_owner)
    SELECT id, entity, move_gift.from_donor, move_gift.to_donor, of_receipt, by, why, as_owner FROM unnest(g.gifts) WITH ORDINALITY AS u (id, n) ORDER BY n;
    UPDATE donation d SET donor_id = move_gift.to_donor WHERE d.id = ANY(g.gifts);
    UPDATE plan p SET donor_id = move_gift.to_donor WHERE p.id = g.whole;
    UPDATE plan_link l SET donor_id = move_gift.to_donor WHERE l.plan_id = g.whole AND l.ended_at IS NULL;
    UPDATE donation_contact c SET email = coalesce(address, '') WHERE c.donation_id = ANY(g.gifts) AND lower(c.email) IS DISTINCT FROM coalesce(address, '');
    moved := cardinality(g.gifts);

    UPDATE donor d SET first_name = c.first_name, last_name = c.last_name, language = n.language
      FROM donation n JOIN donation_contact c ON c.donation_id = n.id
     WHERE n.id = g.donation AND d.id = move_gift.to_donor AND d.said_at IS NULL AND d.kind = 'person' AND d.first_name = '' AND d.last_name = '';
    UPDATE donor d SET first_gift_at = least(d.first_gift_at, m.at),
           news_consented_at = coalesce(d.news_consented_at, CASE WHEN NOT EXISTS (SELECT FROM donor_consent c
               WHERE c.donor_id IN (d.id, move_gift.from_donor) AND c.kind = 'news' AND NOT c.given AND c.at > m.news) THEN m.news END)
      FROM (SELECT min(n.charged_at) AS at, min(n.charged_at) FILTER (WHERE n.news) AS news FROM donation n WHERE n.id = ANY(g.gifts) AND n.status = 'settled') m
     WHERE d.id = move_gift.to_donor;

    SELECT c.first_name, c.last_name, c.organisation_name, n.language INTO newest
      FROM donation n LEFT JOIN donation_contact c ON c.donation_id = n.id
     WHERE n.donor_id = from_donor AND n.status = 'settled' ORDER BY n.charged_at DESC, n.id LIMIT 1;
    IF FOUND THEN
        UPDATE donor d SET first_name = CASE WHEN d.said_at IS NULL THEN coalesce(newest.first_name, '') ELSE d.first_name END,
               last_name = CASE WHEN d.said_at IS NULL THEN coalesce(newest.last_name, '') ELSE d.last_name END,
               organisation_name = CASE WHEN d.said_at IS NULL AND d.kind = 'organisation' THEN coalesce(newest.organisation_name, '') ELSE d.organisation_name END,
               language = CASE WHEN d.said_at IS NULL THEN newest.language ELSE d.language END
         WHERE d.id = from_donor;
    ELSE
        UPDATE donor d SET kind = 'person', first_name = '', last_name = '', organisation_name = '', phone = '', address_line1 = '', address_line2 = '',
               city = '', region = '', postal_code = '', country = '', said_at = NULL
         WHERE d.id = from_donor;
    END IF;
    UPDATE donor d SET first_gift_at = (SELECT min(n.charged_at) FROM donation n WHERE n.donor_id = d.id AND n.status = 'settled'),
           news_consented_at = CASE WHEN EXISTS (SELECT FROM donation n WHERE n.donor_id = d.id AND n.status = 'settled' AND n.news)
               OR coalesce((SELECT c.given FROM donor_consent c WHERE c.donor_id = d.id AND c.kind = 'news' ORDER BY c.n DESC LIMIT 1), false)
               THEN d.news_consented_at END
     WHERE d.id = from_donor;

    papers := ARRAY(SELECT s.id FROM statement s WHERE s.donor_id = from_donor AND s.year IN (
                       SELECT extract(year FROM n.tax_date) FROM donation n WHERE n.id = ANY(g.gifts) AND n.status = 'settled'));
    IF papers <> '{}' THEN
        PERFORM set_config('konbit.erasing', 'yes', true);
        DELETE FROM statement_person p WHERE p.statement_id = ANY(papers);
        UPDATE letter l SET message = '' WHERE l.subject_id = ANY(papers) AND l.message <> '';
        UPDATE letter_delivery d SET declined_at = now()
          FROM letter l WHERE l.id = d.letter_id AND l.subject_id = ANY(papers) AND num_nonnulls(d.accepted_at, d.refused_at, d.declined_at) = 0;
        PERFORM set_config('konbit.erasing', '', true);
    END IF;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION erase_people(erasure uuid, addresses text[], candidates jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION erased_stays_erased() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
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
-- +goose StatementEnd
-- +goose StatementBegin
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
-- +goose StatementEnd
ALTER TABLE letter DROP COLUMN difference, DROP COLUMN model_id;
DROP TABLE email_model;
