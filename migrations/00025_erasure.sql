-- +goose Up
-- Room privacy: who asked to be forgotten. What names them here is an id that means nothing once it is done, and keyed hashes of
-- their addresses, so that the list can be done again on a restored copy that still knows them.
CREATE TABLE erasure (
    id           uuid PRIMARY KEY,
    asked_at     timestamptz NOT NULL,
    asked_by     text NOT NULL,
    language     text NOT NULL,
    due_at       timestamptz NOT NULL,
    withdrawn_at timestamptz,
    done_at      timestamptz,
    tell         bytea, -- the address to tell, sealed; NULL as soon as it was told
    CHECK (due_at >= asked_at),
    CHECK (withdrawn_at IS NULL OR done_at IS NULL)
);
CREATE INDEX erasure_due ON erasure (due_at) WHERE done_at IS NULL AND withdrawn_at IS NULL;
CREATE TABLE erasure_donor (
    erasure_id uuid NOT NULL REFERENCES erasure (id),
    donor_id   uuid NOT NULL REFERENCES donor (id),
    PRIMARY KEY (erasure_id, donor_id)
);
CREATE INDEX erasure_of_donor ON erasure_donor (donor_id);
CREATE TABLE erasure_address (
    erasure_id uuid NOT NULL REFERENCES erasure (id),
    mac        bytea NOT NULL CHECK (octet_length(mac) = 32),
    PRIMARY KEY (erasure_id, mac)
);

-- What a receipt said of its donor, sealed, for as long as tax law wants it shown. The server writes it and cannot read it back.
CREATE TABLE receipt_hold (
    receipt_id uuid PRIMARY KEY REFERENCES receipt (id),
    erasure_id uuid NOT NULL REFERENCES erasure (id),
    sealed     bytea NOT NULL,
    reason     text NOT NULL CHECK (reason <> ''),
    held_until date NOT NULL
);
CREATE INDEX receipt_hold_over ON receipt_hold (held_until);
-- Who opened one, and why.
CREATE TABLE receipt_hold_reading (
    receipt_id uuid NOT NULL REFERENCES receipt (id), -- not the hold's row, which ends before
    read_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    read_by    text NOT NULL,
    reason     text NOT NULL CHECK (reason <> ''),
    PRIMARY KEY (receipt_id, read_at)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON receipt_hold_reading
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- Rows that are written once until the person in them is forgotten. The server has no right to change any of them; erase_people, which
-- runs with the owner's, says in its transaction that it is at work.
-- +goose StatementBegin
CREATE FUNCTION kept_until_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' OR current_setting('konbit.erasing', true) IS DISTINCT FROM 'yes' THEN
        RAISE EXCEPTION '% on % is refused: rows there are written once', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
DROP TRIGGER insert_only ON receipt;
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON receipt FOR EACH STATEMENT EXECUTE FUNCTION kept_until_erased();
DROP TRIGGER insert_only ON letter;
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON letter FOR EACH STATEMENT EXECUTE FUNCTION kept_until_erased();
DROP TRIGGER insert_only ON plan_event;
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON plan_event FOR EACH STATEMENT EXECUTE FUNCTION kept_until_erased();
DROP TRIGGER insert_only ON mailbox_step;
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON mailbox_step FOR EACH STATEMENT EXECUTE FUNCTION kept_until_erased();

-- personless is a receipt's facts without the person.
-- +goose StatementBegin
CREATE FUNCTION personless(facts jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT facts - 'donor_address' - 'dedicated' || '{"first_name": "", "last_name": "", "email": ""}'
$$;
-- +goose StatementEnd
-- Of a receipt nothing but the person goes, and a letter only becomes empty, whoever asks.
-- +goose StatementBegin
CREATE FUNCTION only_the_person_goes() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER only_the_person_goes BEFORE UPDATE OR DELETE ON receipt FOR EACH ROW EXECUTE FUNCTION only_the_person_goes();
CREATE TRIGGER only_the_person_goes BEFORE UPDATE OR DELETE ON letter FOR EACH ROW EXECUTE FUNCTION only_the_person_goes();

-- Room mail: a delivery's recipient goes too, and one that was waiting waits no more.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION delivery_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('konbit.erasing', true) = 'yes' AND NEW.recipient = '' AND NEW.smtp_reply IS NULL
       AND (OLD.id, OLD.letter_id, OLD.cause, OLD.ordered_by, OLD.ordered_at, OLD.accepted_at)
           IS NOT DISTINCT FROM (NEW.id, NEW.letter_id, NEW.cause, NEW.ordered_by, NEW.ordered_at, NEW.accepted_at) THEN
        RETURN NEW;
    END IF;
    IF (OLD.id, OLD.letter_id, OLD.recipient, OLD.cause, OLD.ordered_by, OLD.ordered_at)
       IS DISTINCT FROM (NEW.id, NEW.letter_id, NEW.recipient, NEW.cause, NEW.ordered_by, NEW.ordered_at)
       OR num_nonnulls(OLD.accepted_at, OLD.refused_at) > 0 THEN
        RAISE EXCEPTION 'delivery % does not change: order another', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'delivery_ends_once';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- erase_people takes the people of an erasure out of every room, and leaves gifts, amounts, dates, receipts' numbers and the books.
-- It refuses when a receipt that the law still asks for has no sealed copy. addresses are those of theirs that have no gifts.
-- Doing it again does nothing. It runs as the owner, for the server may not change what it takes away.
-- +goose StatementBegin
CREATE FUNCTION erase_people(erasure uuid, addresses text[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
    -- stripepay: what Stripe told of their gifts, by the ids in it
    SELECT string_agg(DISTINCT regexp_replace(word, '([^A-Za-z0-9_-])', '\\\1', 'g'), '|') INTO known
      FROM (SELECT unnest(ARRAY[id::text, payment_intent_id, charge_id, checkout_session_id]) AS word FROM donation WHERE id = ANY(gifts)
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
    UPDATE donor SET email = 'forgotten-' || id || '@invalid', first_name = '', last_name = '', news_consented_at = NULL,
           phone = '', address_line1 = '', address_line2 = '', city = '', region = '', postal_code = '', country = ''
     WHERE id = ANY(people);
    PERFORM set_config('konbit.erasing', '', true);
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION erase_people(uuid, text[]) FROM PUBLIC;

-- +goose Down
DROP FUNCTION erase_people(uuid, text[]);
DROP TRIGGER only_the_person_goes ON letter;
DROP TRIGGER only_the_person_goes ON receipt;
DROP FUNCTION only_the_person_goes, personless;
DROP TRIGGER insert_only ON mailbox_step;
DROP TRIGGER insert_only ON plan_event;
DROP TRIGGER insert_only ON letter;
DROP TRIGGER insert_only ON receipt;
DROP FUNCTION kept_until_erased;
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON receipt FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON letter FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON plan_event FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON mailbox_step FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
DROP TABLE receipt_hold_reading, receipt_hold, erasure_address, erasure_donor, erasure;
