-- +goose NO TRANSACTION
-- +goose Up
-- Staff search for donors by words of their names (migration 00113) and postal addresses. Each statement may be repeated: the tables are those that
-- forms and payments write.

-- The words of the postal address that a donor entered, and of those typed with their gifts, each once for a donor, as donor_word has the words of
-- names: a vacuum cleans the table of erased people. Only the triggers below write them. Read by office_find_donors.
CREATE TABLE IF NOT EXISTS donor_address_word (
    donor_id  uuid NOT NULL,
    entity_id uuid NOT NULL,
    word      text COLLATE "C" NOT NULL
);
CREATE INDEX IF NOT EXISTS donor_address_word_of_donor ON donor_address_word (donor_id);
CREATE INDEX IF NOT EXISTS donor_address_word_by_beginning ON donor_address_word (entity_id, left(word, 3)) INCLUDE (donor_id, word);

-- One-time ids of forms by which staff act, for acts that have no table of their own with such an id. Owned by internal/people/staff.
CREATE TABLE IF NOT EXISTS staff_form (
    id       uuid PRIMARY KEY,
    staff_id uuid NOT NULL REFERENCES staff (id),
    content  bytea NOT NULL CHECK (octet_length(content) = 32), -- SHA-256 of what the form says
    used_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- +goose StatementBegin
-- words_of_addresses returns the words of a donor's postal addresses.
CREATE OR REPLACE FUNCTION words_of_addresses(of_donor uuid) RETURNS SETOF text STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT unnest(words_of_name(concat_ws(' ', d.address_line1, d.address_line2), d.city, d.postal_code)) FROM donor d WHERE d.id = of_donor
    UNION
    SELECT unnest(words_of_name(concat_ws(' ', c.address_line1, c.address_line2), c.city, c.postal_code))
      FROM donation g JOIN donation_contact c ON c.donation_id = g.id
     WHERE g.donor_id = of_donor AND (c.address_line1 <> '' OR c.city <> '' OR c.postal_code <> '')
$$;

-- refresh_address_words makes the words of donors' addresses what they are now.
CREATE OR REPLACE FUNCTION refresh_address_words(donors uuid[]) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM donor_address_word o WHERE o.donor_id = ANY(donors);
    INSERT INTO donor_address_word (donor_id, entity_id, word)
    SELECT d.id, d.entity_id, w FROM donor d CROSS JOIN LATERAL words_of_addresses(d.id) w WHERE d.id = ANY(donors) AND w <> '';
END $$;

-- address_has_words writes the words of an address that a donor entered, or that was typed with a gift; address_had_words those that are left after
-- what was typed is deleted. They run with the owner's rights: the server's role cannot write words of its own.
CREATE OR REPLACE FUNCTION address_has_words() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    the_donor uuid;
BEGIN
    IF TG_TABLE_NAME = 'donor' THEN
        the_donor := NEW.id;
    ELSE
        SELECT g.donor_id INTO the_donor FROM donation g WHERE g.id = NEW.donation_id;
    END IF;
    PERFORM refresh_address_words(ARRAY[the_donor]);
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION address_had_words() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM gone c WHERE c.address_line1 <> '' OR c.city <> '' OR c.postal_code <> '') THEN
        PERFORM refresh_address_words(ARRAY(SELECT DISTINCT g.donor_id FROM gone c JOIN donation g ON g.id = c.donation_id
                                             WHERE c.address_line1 <> '' OR c.city <> '' OR c.postal_code <> ''));
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION moved_address_has_words() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM donation_contact c WHERE c.donation_id = NEW.id AND (c.address_line1 <> '' OR c.city <> '' OR c.postal_code <> '')) THEN
        PERFORM refresh_address_words(ARRAY[OLD.donor_id, NEW.donor_id]);
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE OR REPLACE TRIGGER address_has_words AFTER UPDATE ON donor FOR EACH ROW
    WHEN (OLD.address_line1 IS DISTINCT FROM NEW.address_line1 OR OLD.address_line2 IS DISTINCT FROM NEW.address_line2 OR OLD.city IS DISTINCT FROM NEW.city
        OR OLD.postal_code IS DISTINCT FROM NEW.postal_code) EXECUTE FUNCTION address_has_words();
CREATE OR REPLACE TRIGGER address_has_words AFTER INSERT ON donation_contact FOR EACH ROW
    WHEN (NEW.address_line1 <> '' OR NEW.city <> '' OR NEW.postal_code <> '') EXECUTE FUNCTION address_has_words();
CREATE OR REPLACE TRIGGER changed_address_has_words AFTER UPDATE ON donation_contact FOR EACH ROW
    WHEN (OLD.address_line1 IS DISTINCT FROM NEW.address_line1 OR OLD.address_line2 IS DISTINCT FROM NEW.address_line2 OR OLD.city IS DISTINCT FROM NEW.city
        OR OLD.postal_code IS DISTINCT FROM NEW.postal_code) EXECUTE FUNCTION address_has_words();
CREATE OR REPLACE TRIGGER address_had_words AFTER DELETE ON donation_contact REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION address_had_words();
CREATE OR REPLACE TRIGGER moved_address_has_words AFTER UPDATE ON donation FOR EACH ROW
    WHEN (OLD.donor_id IS DISTINCT FROM NEW.donor_id) EXECUTE FUNCTION moved_address_has_words();

-- The addresses of before, those of a thousand donors in a transaction. Each donor is locked against a change, as in migration 00113.
-- +goose StatementBegin
DO $$
DECLARE
    ids uuid[];
    at  uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    LOOP
        ids := ARRAY(SELECT d.id FROM donor d WHERE d.id > at ORDER BY d.id LIMIT 1000 FOR SHARE);
        EXIT WHEN cardinality(ids) = 0;
        PERFORM refresh_address_words(ids);
        at := ids[cardinality(ids)];
        COMMIT;
    END LOOP;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- office_find_donors returns donors of an entity that have, for each word of a text, a word in their name or postal address that begins with it, and a
-- paid gift; at most so many, in no order, and none if the text has no word. They are those whom the person of the staff session may see: of the
-- entity, or of one of its organisations (NULL: all), and of a project those with a gift to it. Without a session or a role it returns none. It reads
-- the donors of the word that the fewest have.
CREATE OR REPLACE FUNCTION office_find_donors(of_entity uuid, of_organisation uuid, words text, most integer) RETURNS SETOF uuid
STABLE SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    last CONSTANT text := chr(1114111); -- sorts after every letter
    many CONSTANT integer := 2 * most;
    roles         text[] := '{finance,auditor}';
    organisations uuid[];
    wanted        text[]; -- the words, that of the fewest donors first
    n             bigint; -- so many rows has the first one; not more than many are counted
    the_word      text;
    found         uuid[];
BEGIN
    IF of_entity = ANY(office_entities(roles)) THEN
        organisations := CASE WHEN of_organisation IS NOT NULL THEN ARRAY[of_organisation] END;
    ELSE
        organisations := ARRAY(SELECT o.id FROM organisation o
            WHERE o.entity_id = of_entity AND o.id = ANY(office_organisations(roles)) AND (of_organisation IS NULL OR o.id = of_organisation));
        IF organisations = '{}' THEN
            RETURN;
        END IF;
    END IF;
    SELECT array_agg(q.w ORDER BY c.n, length(q.w) DESC, q.w), min(c.n) INTO wanted, n
      FROM (SELECT DISTINCT unnest(words_of_name(words, NULL, NULL)) AS w) q
     CROSS JOIN LATERAL (SELECT count(*) AS n FROM (
           (SELECT FROM donor_word d WHERE d.entity_id = of_entity AND left(d.word, 3) >= left(q.w, 3) AND left(d.word, 3) < left(q.w, 3) || last
               AND starts_with(d.word, q.w) LIMIT many)
           UNION ALL
           (SELECT FROM donor_address_word d WHERE d.entity_id = of_entity AND left(d.word, 3) >= left(q.w, 3) AND left(d.word, 3) < left(q.w, 3) || last
               AND starts_with(d.word, q.w) LIMIT many)) l) c
     WHERE q.w <> '';
    IF wanted IS NULL THEN
        RETURN;
    END IF;
    the_word := wanted[1];
    found := ARRAY(
        SELECT DISTINCT w.donor_id FROM (
            (SELECT d.donor_id FROM donor_word d WHERE d.entity_id = of_entity AND left(d.word, 3) >= left(the_word, 3)
                AND left(d.word, 3) < left(the_word, 3) || last AND starts_with(d.word, the_word) LIMIT many)
            UNION ALL
            (SELECT d.donor_id FROM donor_address_word d WHERE d.entity_id = of_entity AND left(d.word, 3) >= left(the_word, 3)
                AND left(d.word, 3) < left(the_word, 3) || last AND starts_with(d.word, the_word) LIMIT many)) w
         WHERE NOT EXISTS (SELECT FROM unnest(wanted[2:]) q (w2)
                WHERE NOT EXISTS (SELECT FROM donor_word o WHERE o.donor_id = w.donor_id AND starts_with(o.word, q.w2))
                  AND NOT EXISTS (SELECT FROM donor_address_word o WHERE o.donor_id = w.donor_id AND starts_with(o.word, q.w2))));
    found := ARRAY(SELECT u.id FROM unnest(found) u (id) WHERE EXISTS (SELECT FROM donation g WHERE g.donor_id = u.id AND g.charged_at IS NOT NULL
        AND (organisations IS NULL OR g.organisation_id = ANY(organisations))) LIMIT most);
    IF n >= many AND cardinality(found) < most THEN -- each word is common, and not all donors of the first one were read
        found := NULL;
        FOREACH the_word IN ARRAY wanted LOOP
            found := ARRAY(
                SELECT d.donor_id FROM donor_word d WHERE d.entity_id = of_entity AND left(d.word, 3) >= left(the_word, 3)
                   AND left(d.word, 3) < left(the_word, 3) || last AND starts_with(d.word, the_word) AND (found IS NULL OR d.donor_id = ANY(found))
                UNION
                SELECT d.donor_id FROM donor_address_word d WHERE d.entity_id = of_entity AND left(d.word, 3) >= left(the_word, 3)
                   AND left(d.word, 3) < left(the_word, 3) || last AND starts_with(d.word, the_word) AND (found IS NULL OR d.donor_id = ANY(found)));
        END LOOP;
    END IF;
    RETURN QUERY
    SELECT u.id FROM unnest(found) u (id) WHERE EXISTS (SELECT FROM donation g WHERE g.donor_id = u.id AND g.charged_at IS NOT NULL
        AND (organisations IS NULL OR g.organisation_id = ANY(organisations))) LIMIT most;
END $$;

-- use_staff_form notes that the person of the staff session sends a form with a one-time id. The person has one of the roles in the scope now. It
-- reports whether the form was sent before, and refuses an id of another form, or of another person.
CREATE OR REPLACE FUNCTION use_staff_form(form uuid, says bytea, roles text[], of_entity uuid, of_organisation uuid) RETURNS boolean
SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    person uuid := staff_of_session();
    before staff_form;
BEGIN
    IF person IS NULL OR NOT staff_has_role(person, roles, of_entity, of_organisation) THEN
        RAISE EXCEPTION 'the person of the session has none of the roles' USING ERRCODE = 'check_violation', CONSTRAINT = 'staff_form_person';
    END IF;
    INSERT INTO staff_form (id, staff_id, content) VALUES (form, person, says) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RETURN false;
    END IF;
    SELECT * INTO before FROM staff_form f WHERE f.id = form;
    IF before.staff_id <> person OR before.content <> says THEN
        RAISE EXCEPTION 'form % says something else now', form USING ERRCODE = 'check_violation', CONSTRAINT = 'staff_form_content';
    END IF;
    RETURN true;
END $$;
-- +goose StatementEnd

-- konbit_office reads them: its policies apply.
ALTER VIEW gift_row SET (security_invoker = true);
ALTER VIEW gift_of_fund SET (security_invoker = true);
ALTER VIEW donor_row SET (security_invoker = true);

-- What staff ordered is committed only with an audit entry about it.
DROP TRIGGER IF EXISTS requires_audit ON plan_request;
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON plan_request DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.asked_by LIKE 'staff %') EXECUTE FUNCTION requires_audit('plan', 'plan_id');
DROP TRIGGER IF EXISTS requires_audit ON receipt_void;
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON receipt_void DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.ordered_by LIKE 'staff %') EXECUTE FUNCTION requires_audit('receipt', 'receipt_id');
DROP TRIGGER IF EXISTS requires_audit ON donation_owner_change;
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON donation_owner_change DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.ordered_by LIKE 'staff %') EXECUTE FUNCTION requires_audit('receipt', 'receipt_id');
DROP TRIGGER IF EXISTS requires_audit ON erasure;
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON erasure DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.asked_by LIKE 'staff %') EXECUTE FUNCTION requires_audit('erasure', 'id');

-- +goose Down
DROP TRIGGER requires_audit ON erasure;
DROP TRIGGER requires_audit ON donation_owner_change;
DROP TRIGGER requires_audit ON receipt_void;
DROP TRIGGER requires_audit ON plan_request;
ALTER VIEW donor_row RESET (security_invoker);
ALTER VIEW gift_of_fund RESET (security_invoker);
ALTER VIEW gift_row RESET (security_invoker);
DROP TRIGGER moved_address_has_words ON donation;
DROP TRIGGER address_had_words ON donation_contact;
DROP TRIGGER changed_address_has_words ON donation_contact;
DROP TRIGGER address_has_words ON donation_contact;
DROP TRIGGER address_has_words ON donor;
DROP FUNCTION use_staff_form, office_find_donors, moved_address_has_words, address_had_words, address_has_words, refresh_address_words, words_of_addresses;
DROP TABLE staff_form;
DROP TABLE donor_address_word;
