-- +goose NO TRANSACTION
-- +goose Up
-- What an email reads and locks, in languages and forms whose plans PostgreSQL keeps, and once where it was done twice. What is locked, in which
-- order, and what is answered stay as they were.

-- is_erased as before. PostgreSQL plans a function in SQL again for each call, and an email calls it twice.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION is_erased(of_donor uuid) RETURNS boolean STABLE LANGUAGE plpgsql AS $$
BEGIN
    RETURN EXISTS (SELECT FROM public.erasure_donor n WHERE n.donor_id = of_donor AND n.erased_at IS NOT NULL);
END $$;
-- +goose StatementEnd

-- addressee returns who gets emails about a donation: what was typed, the address of the donor, empty if there is none, and whether the donor was
-- erased. It returns no row if nothing that was typed is left, or if the donation is the first of a plan, whose emails ask more (owner.Addressee).
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION addressee(gift uuid) RETURNS TABLE (typed donation_contact, address text, erased boolean) STABLE LANGUAGE plpgsql ROWS 1 AS $$
BEGIN
    RETURN QUERY SELECT c, coalesce(nullif(o.email, 'forgotten-' || o.id || '@invalid'), ''),
            EXISTS (SELECT FROM public.erasure_donor n WHERE n.donor_id = o.id AND n.erased_at IS NOT NULL)
       FROM public.donation d JOIN public.donor o ON o.id = d.donor_id JOIN public.donation_contact c ON c.donation_id = d.id
      WHERE d.id = gift AND d.plan_id IS DISTINCT FROM d.id;
END $$;
-- +goose StatementEnd

-- lock_addressee locks a donation against a move until the transaction ends, and then returns what addressee does.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION lock_addressee(gift uuid) RETURNS TABLE (typed donation_contact, address text, erased boolean) LANGUAGE plpgsql ROWS 1 AS $$
BEGIN
    PERFORM d.id FROM public.donation d WHERE d.id = gift FOR KEY SHARE;
    RETURN QUERY SELECT * FROM public.addressee(gift);
END $$;
-- +goose StatementEnd

-- erased_stays_erased as before. A delivery of an email that the same transaction has stored reads from the email whether the person was erased: the
-- transaction has locked the donors when it stored the email, so none of them is erased before it ends, except by itself, and then the email is empty
-- too.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION erased_stays_erased() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    donors uuid[];
    one    uuid;
    fresh  boolean := false;
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
        SELECT l.xmin = pg_current_xact_id()::xid, l.message = '' AND l.difference IS NULL INTO fresh, erased
          FROM public.letter l WHERE l.id = NEW.letter_id;
        IF fresh THEN
            donors := '{}';
        ELSE
            erased := false;
            donors := ARRAY(SELECT DISTINCT d FROM public.letter l, public.donors_of(l.subject_id) d WHERE l.id = NEW.letter_id ORDER BY d);
        END IF;
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
-- is_erased and erased_stays_erased answer what they answered before, so they stay.
DROP FUNCTION IF EXISTS lock_addressee, addressee;
