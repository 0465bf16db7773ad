-- +goose Up
-- erase_people no longer trusts the server's role that calls it. By itself it
--
--   * waits: every row of the erasure was inserted server_limit.erasure_delay ago, by the database's clock;
--   * counts: at most server_limit.erased_a_day people in 24 hours;
--   * takes only the donors that the erasure names, and at most as many addresses as it names;
--   * copies what a receipt said of its donor to receipt_kept, which the server's role can neither read nor write.
--
-- Only the last rule applies to the owner of the tables: konbit erasures apply after a restore, konbit erasures add --now.

-- What the owner allows the server's role. One row; an operator changes it with SQL as the owner.
CREATE TABLE server_limit (
    one           boolean PRIMARY KEY DEFAULT true CHECK (one),
    erasure_delay interval NOT NULL DEFAULT '3 days' CHECK (erasure_delay >= '0'),
    erased_a_day  integer NOT NULL DEFAULT 50 CHECK (erased_a_day >= 0)
);
INSERT INTO server_limit DEFAULT VALUES;

-- The database sets the time at which a row was inserted. For erasures that wait at the upgrade it is the time of the upgrade.
ALTER TABLE erasure ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT clock_timestamp();
ALTER TABLE erasure_donor ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT clock_timestamp();
ALTER TABLE erasure_address ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT clock_timestamp();

-- is_owner returns true if the session's role is the owner of the tables or has the owner's rights.
-- +goose StatementBegin
CREATE FUNCTION is_owner() RETURNS boolean STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = 'public.erasure'::regclass), 'USAGE')
$$;

-- The server's role may end or withdraw an erasure. It can neither revive a withdrawn erasure nor shorten the wait.
CREATE FUNCTION erasure_is_asked() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF is_owner() THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        NEW.recorded_at := clock_timestamp();
        NEW.due_at := greatest(NEW.due_at, NEW.asked_at + (SELECT erasure_delay FROM server_limit));
    ELSIF OLD.withdrawn_at IS NOT NULL AND NEW.withdrawn_at IS NULL THEN
        RAISE EXCEPTION 'erasure % was withdrawn', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_stays_withdrawn';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER erasure_is_asked BEFORE INSERT OR UPDATE ON erasure FOR EACH ROW EXECUTE FUNCTION erasure_is_asked();

-- One-time keys that the owner makes in advance. An erasure masks a receipt's facts with keys and deletes the keys. A copy of each key
-- remains, sealed under SECRET_KEY. So the database does not depend on the server, and a later dump contains no name.
CREATE TABLE receipt_pad (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pad    bytea NOT NULL CHECK (octet_length(pad) = 2048), -- random
    sealed bytea NOT NULL                                   -- the same, sealed under the installation's secret
);
CREATE TABLE receipt_kept (
    receipt_id uuid PRIMARY KEY REFERENCES receipt (id),
    erasure_id uuid NOT NULL REFERENCES erasure (id),
    masked     bytea NOT NULL,   -- the facts as JSON text, XOR the pads one after the other
    pads       bytea[] NOT NULL, -- sealed
    reason     text NOT NULL DEFAULT 'tax law: records of contributions are shown on request for seven years',
    held_until date NOT NULL,
    kept_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX receipt_kept_over ON receipt_kept (held_until);
-- How many people an erasure took, and when.
CREATE TABLE erasure_done (
    erasure_id uuid NOT NULL REFERENCES erasure (id),
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    people     integer NOT NULL,
    by_owner   boolean NOT NULL
);
CREATE INDEX erasure_done_by_time ON erasure_done (at);

-- The sealed copies that the program of the release before wrote go when their time is over, and not before. receipt_kept likewise.
-- +goose StatementBegin
CREATE FUNCTION hold_is_over() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.held_until > current_date AND NOT is_owner() THEN
        RAISE EXCEPTION 'the copy of receipt % is held until %', OLD.receipt_id, OLD.held_until
            USING ERRCODE = 'check_violation', CONSTRAINT = 'hold_is_over';
    END IF;
    RETURN OLD;
END $$;
CREATE FUNCTION hold_is_long_enough() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    NEW.held_until := greatest(NEW.held_until, (SELECT make_date(r.year + 8, 1, 1) FROM receipt r WHERE r.id = NEW.receipt_id));
    RETURN NEW;
END $$;
CREATE FUNCTION drop_expired_receipts() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM receipt_kept WHERE held_until <= current_date;
    DELETE FROM receipt_hold WHERE held_until <= current_date;
$$;
-- +goose StatementEnd
CREATE TRIGGER hold_is_over BEFORE DELETE ON receipt_hold FOR EACH ROW EXECUTE FUNCTION hold_is_over();
CREATE TRIGGER hold_is_long_enough BEFORE INSERT ON receipt_hold FOR EACH ROW EXECUTE FUNCTION hold_is_long_enough();

-- keep_receipt stores a receipt's facts, masked with as many pads as they need. It reports receipt_is_kept if there are too few.
-- +goose StatementBegin
CREATE FUNCTION keep_receipt(of_receipt uuid, of_erasure uuid) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    text   bytea;
    until  date;
    key    bytea := '';
    sealed bytea[] := '{}';
    next   receipt_pad;
BEGIN
    SELECT convert_to(r.facts::text, 'UTF8'), make_date(r.year + 8, 1, 1) INTO text, until FROM receipt r WHERE r.id = of_receipt;
    WHILE octet_length(key) < octet_length(text) LOOP
        DELETE FROM receipt_pad WHERE id = (SELECT id FROM receipt_pad ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING * INTO next;
        IF next.id IS NULL THEN
            RAISE EXCEPTION 'no one-time key is left to keep receipt %: the owner runs konbit erasures prepare', of_receipt
                USING ERRCODE = 'check_violation', CONSTRAINT = 'receipt_is_kept';
        END IF;
        key := key || next.pad;
        sealed := sealed || next.sealed;
    END LOOP;
    FOR i IN 0 .. octet_length(text) - 1 LOOP
        text := set_byte(text, i, get_byte(text, i) # get_byte(key, i));
    END LOOP;
    INSERT INTO receipt_kept (receipt_id, erasure_id, masked, pads, held_until) VALUES (of_receipt, of_erasure, text, sealed, until);
END $$;

-- may_erase refuses what the server's role may not have erased, and counts the people.
CREATE FUNCTION may_erase(erasure uuid, addresses text[]) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    by_owner boolean := is_owner();
    allowed  server_limit;
    people   integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('konbit erasures')); -- one count at a time
    IF EXISTS (SELECT 1 FROM unnest(addresses) a WHERE a IS NULL OR a !~ '^[^@[:space:]]{1,64}@[^@[:space:]]{3,}$') THEN
        RAISE EXCEPTION 'erasure % is given what is no address', erasure USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_names_them';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM erasure e WHERE e.id = erasure AND e.withdrawn_at IS NULL) THEN
        RAISE EXCEPTION 'erasure % was not asked for', erasure USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_was_asked';
    END IF;
    SELECT count(*) INTO people FROM erasure_donor n JOIN donor d ON d.id = n.donor_id
     WHERE n.erasure_id = erasure AND (d.email IS NULL OR d.email <> 'forgotten-' || d.id || '@invalid');
    people := people + cardinality(addresses);
    IF NOT by_owner THEN
        SELECT * INTO allowed FROM server_limit;
        IF (SELECT max(t.recorded_at) FROM (
                SELECT e.recorded_at FROM erasure e WHERE e.id = erasure
                UNION ALL SELECT n.recorded_at FROM erasure_donor n WHERE n.erasure_id = erasure
                UNION ALL SELECT a.recorded_at FROM erasure_address a WHERE a.erasure_id = erasure) t)
           > clock_timestamp() - allowed.erasure_delay THEN
            RAISE EXCEPTION 'erasure % waits: it is due % after the database recorded it', erasure, allowed.erasure_delay
                USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_is_due';
        END IF;
        IF cardinality(addresses) > (SELECT count(*) FROM erasure_address a WHERE a.erasure_id = erasure) THEN
            RAISE EXCEPTION 'erasure % names fewer addresses', erasure USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_names_them';
        END IF;
        IF people > 0 AND people + (SELECT coalesce(sum(d.people), 0) FROM erasure_done d WHERE d.at > clock_timestamp() - interval '24 hours' AND NOT d.by_owner)
           > allowed.erased_a_day THEN
            RAISE EXCEPTION 'erasure % waits: the server erases at most % people in 24 hours', erasure, allowed.erased_a_day
                USING ERRCODE = 'check_violation', CONSTRAINT = 'erasures_a_day';
        END IF;
    END IF;
    INSERT INTO erasure_done (erasure_id, people, by_owner) VALUES (erasure, people, by_owner);
END $$;

-- As before, but it calls may_erase, and keeps the receipts itself instead of looking for the server's copies.
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

-- The trigger of the previous release attached any donation to any plan. Now it attaches only donations of the plan's own donor.
CREATE OR REPLACE FUNCTION previous_release_instalment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE public.donation d SET plan_id = NEW.plan_id FROM public.plan p
     WHERE d.id = NEW.donation_id AND d.plan_id IS NULL AND p.id = NEW.plan_id AND p.donor_id = d.donor_id AND p.entity_id = d.entity_id;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose Down
-- The copies in receipt_kept are deleted: the previous release cannot read them.
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
    IF NOT EXISTS (SELECT 1 FROM erasure e WHERE e.id = erasure AND e.withdrawn_at IS NULL) THEN
        RAISE EXCEPTION 'erasure % was not asked for', erasure USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_was_asked';
    END IF;
    IF EXISTS (SELECT 1 FROM receipt r WHERE r.id = ANY(receipts) AND r.facts <> personless(r.facts) AND make_date(r.year + 8, 1, 1) > current_date
                  AND NOT EXISTS (SELECT 1 FROM receipt_hold h WHERE h.receipt_id = r.id)) THEN
        RAISE EXCEPTION 'a receipt has no sealed copy' USING ERRCODE = 'check_violation', CONSTRAINT = 'receipt_is_held';
    END IF;
    PERFORM set_config('konbit.erasing', 'yes', true);
    -- stripepay: events about their gifts, found by the ids in the payload
    SELECT string_agg(DISTINCT regexp_replace(word, '([^A-Za-z0-9_-])', '\\\1', 'g'), '|') INTO known
      FROM (SELECT unnest(gifts)::text AS word UNION ALL SELECT session_id FROM checkout WHERE donation_id = ANY(gifts)
            UNION ALL SELECT unnest(ARRAY[intent_ref, charge_ref]) FROM payment WHERE donation_id = ANY(gifts)
            UNION ALL SELECT unnest(ARRAY[customer_id, subscription_id]) FROM plan WHERE id = ANY(plans)
            UNION ALL SELECT unnest(emails)) words WHERE word <> '';
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
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION previous_release_instalment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE public.donation SET plan_id = NEW.plan_id WHERE id = NEW.donation_id AND plan_id IS NULL;
    RETURN NULL;
END $$;
-- +goose StatementEnd
DROP TRIGGER hold_is_over ON receipt_hold;
DROP TRIGGER hold_is_long_enough ON receipt_hold;
DROP TRIGGER erasure_is_asked ON erasure;
DROP FUNCTION may_erase, keep_receipt, drop_expired_receipts, hold_is_over, hold_is_long_enough, erasure_is_asked, is_owner;
DROP TABLE receipt_kept, receipt_pad, erasure_done, server_limit;
ALTER TABLE erasure_address DROP COLUMN recorded_at;
ALTER TABLE erasure_donor DROP COLUMN recorded_at;
ALTER TABLE erasure DROP COLUMN recorded_at;
