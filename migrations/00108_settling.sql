-- +goose NO TRANSACTION
-- +goose Up
-- What settling repeated for each gift is done once, or costs less. No rule changes.

-- The payload of an event stands beside its row, unless it is short: the worker writes the row again when the event is done, and no longer its
-- payload too. Rows that are stored already stay as they are.
ALTER TABLE stripe_event SET (toast_tuple_target = 256);

-- lock_donors_of locks donations, in the order of their ids, as lock_owner does, and then their donors as are_erased does. A transaction that will
-- write about many donors calls it before it takes locks that all need: funds, counters of receipts. Otherwise all of them wait while it waits for
-- one erasure.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION lock_donors_of(gifts uuid[]) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM g.id FROM donation g WHERE g.id = ANY(gifts) ORDER BY g.id FOR KEY SHARE;
    PERFORM are_erased(ARRAY(SELECT DISTINCT g.donor_id FROM donation g WHERE g.id = ANY(gifts)));
END $$;
-- +goose StatementEnd

-- As before, but planned once a connection. PostgreSQL plans a function in SQL again for each call, and storing an email calls it twice: half a
-- millisecond each.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION donors_of(subject uuid) RETURNS SETOF uuid STABLE LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT g.donor_id FROM public.donation g WHERE g.id = subject
    UNION ALL SELECT g.donor_id FROM public.donation_notice n JOIN public.donation g ON g.id = n.donation_id WHERE n.id = subject
    UNION ALL SELECT g.donor_id FROM public.receipt r JOIN public.donation g ON g.id = r.donation_id WHERE r.id = subject
    UNION ALL SELECT p.donor_id FROM public.plan_event e JOIN public.plan p ON p.id = e.plan_id WHERE e.id = subject
    UNION ALL SELECT s.donor_id FROM public.statement s WHERE s.id = subject
    UNION ALL SELECT d.donor_id FROM public.erasure_donor d WHERE d.erasure_id = subject;
END $$;
-- +goose StatementEnd

-- As before, but it names the schema of each table instead of setting a search path, and looks at one donor at a time: PostgreSQL plans a statement
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

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION donors_of(subject uuid) RETURNS SETOF uuid STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT donor_id FROM donation WHERE id = subject
    UNION ALL SELECT g.donor_id FROM donation_notice n JOIN donation g ON g.id = n.donation_id WHERE n.id = subject
    UNION ALL SELECT g.donor_id FROM receipt r JOIN donation g ON g.id = r.donation_id WHERE r.id = subject
    UNION ALL SELECT p.donor_id FROM plan_event e JOIN plan p ON p.id = e.plan_id WHERE e.id = subject
    UNION ALL SELECT donor_id FROM statement WHERE id = subject
    UNION ALL SELECT donor_id FROM erasure_donor WHERE erasure_id = subject
$$;
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
        NEW.detail := cardless(NEW.detail);
    ELSE
        RETURN NULL;
    END CASE;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION lock_donors_of(gifts uuid[]) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM are_erased(ARRAY(SELECT DISTINCT g.donor_id FROM donation g WHERE g.id = ANY(gifts)));
END $$;
-- +goose StatementEnd
ALTER TABLE stripe_event RESET (toast_tuple_target);
