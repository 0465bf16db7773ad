-- +goose NO TRANSACTION
-- +goose Up
-- Staff search for donors by words of their names and postal addresses. Each statement may be repeated: the tables are those that forms and
-- payments write.

-- The words of a donor's names, of the address they entered, and of the addresses typed with their gifts, in lower case and without accents. The
-- rows are derived: triggers write them. A B-tree, because a vacuum cleans it of the words of erased people, as it does not clean a GIN index.
-- Read by the functions below; internal/office/giftlist and internal/office/donorfile call them.
CREATE TABLE IF NOT EXISTS donor_word (
    donor_id  uuid NOT NULL,
    word      text COLLATE "C" NOT NULL CHECK (word <> '' AND length(word) <= 40),
    entity_id uuid NOT NULL,
    PRIMARY KEY (donor_id, word)
);
CREATE INDEX IF NOT EXISTS donor_word_found ON donor_word (entity_id, word) INCLUDE (donor_id);

-- One-time ids of forms by which staff act, for acts that have no table of their own with such an id. Owned by internal/people/staff.
CREATE TABLE IF NOT EXISTS staff_form (
    id       uuid PRIMARY KEY,
    staff_id uuid NOT NULL REFERENCES staff (id),
    content  bytea NOT NULL CHECK (octet_length(content) = 32), -- SHA-256 of what the form says
    used_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- +goose StatementBegin
-- search_words returns the words of some texts as donor_word has them.
CREATE OR REPLACE FUNCTION search_words(VARIADIC texts text[]) RETURNS SETOF text IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT DISTINCT left(w, 40) FROM unnest(tsvector_to_array(name_words(array_to_string(texts, ' '), NULL, NULL))) w
$$;

-- words_of_donor returns the words that donor_word has of a donor.
CREATE OR REPLACE FUNCTION words_of_donor(of_donor uuid) RETURNS SETOF text STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT search_words(d.first_name, d.last_name, d.organisation_name, d.address_line1, d.address_line2, d.city, d.postal_code) FROM donor d WHERE d.id = of_donor
    UNION
    SELECT search_words(c.address_line1, c.address_line2, c.city, c.postal_code)
      FROM donation g JOIN donation_contact c ON c.donation_id = g.id
     WHERE g.donor_id = of_donor AND (c.address_line1 <> '' OR c.city <> '' OR c.postal_code <> '')
$$;

-- refresh_donor_words makes the words of donors what they are now.
CREATE OR REPLACE FUNCTION refresh_donor_words(donors uuid[]) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    WITH now_has AS MATERIALIZED (
        SELECT d.id AS donor_id, d.entity_id, w AS word FROM donor d CROSS JOIN LATERAL words_of_donor(d.id) w WHERE d.id = ANY(donors)
    ), gone AS (
        DELETE FROM donor_word o WHERE o.donor_id = ANY(donors)
           AND NOT EXISTS (SELECT FROM now_has n WHERE n.donor_id = o.donor_id AND n.word COLLATE "C" = o.word)
    )
    INSERT INTO donor_word (donor_id, word, entity_id) SELECT n.donor_id, n.word, n.entity_id FROM now_has n ORDER BY 1, 2
    ON CONFLICT DO NOTHING;
END $$;

-- The triggers run with the owner's rights: the server's role cannot write words of its own.
CREATE OR REPLACE FUNCTION donor_has_words() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        PERFORM refresh_donor_words(ARRAY[NEW.id]);
    ELSE
        INSERT INTO donor_word (donor_id, word, entity_id)
        SELECT NEW.id, w, NEW.entity_id
          FROM search_words(NEW.first_name, NEW.last_name, NEW.organisation_name, NEW.address_line1, NEW.address_line2, NEW.city, NEW.postal_code) w
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION address_has_words() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        PERFORM refresh_donor_words(ARRAY(SELECT g.donor_id FROM donation g WHERE g.id = NEW.donation_id));
    ELSE
        INSERT INTO donor_word (donor_id, word, entity_id)
        SELECT g.donor_id, w, g.entity_id
          FROM donation g CROSS JOIN LATERAL search_words(NEW.address_line1, NEW.address_line2, NEW.city, NEW.postal_code) w
         WHERE g.id = NEW.donation_id ORDER BY 2
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION addresses_had_words() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM refresh_donor_words(ARRAY(SELECT DISTINCT g.donor_id FROM gone c JOIN donation g ON g.id = c.donation_id
                                       WHERE c.address_line1 <> '' OR c.city <> '' OR c.postal_code <> ''));
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION moved_gift_has_words() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM donation_contact c WHERE c.donation_id = NEW.id AND (c.address_line1 <> '' OR c.city <> '' OR c.postal_code <> '')) THEN
        PERFORM refresh_donor_words(ARRAY[OLD.donor_id, NEW.donor_id]);
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE OR REPLACE TRIGGER has_words AFTER INSERT ON donor FOR EACH ROW EXECUTE FUNCTION donor_has_words();
CREATE OR REPLACE TRIGGER words_follow AFTER UPDATE ON donor FOR EACH ROW
    WHEN ((OLD.first_name, OLD.last_name, OLD.organisation_name, OLD.address_line1, OLD.address_line2, OLD.city, OLD.postal_code)
        IS DISTINCT FROM (NEW.first_name, NEW.last_name, NEW.organisation_name, NEW.address_line1, NEW.address_line2, NEW.city, NEW.postal_code))
    EXECUTE FUNCTION donor_has_words();
CREATE OR REPLACE TRIGGER has_words AFTER INSERT ON donation_contact FOR EACH ROW
    WHEN (NEW.address_line1 <> '' OR NEW.city <> '' OR NEW.postal_code <> '') EXECUTE FUNCTION address_has_words();
CREATE OR REPLACE TRIGGER words_follow AFTER UPDATE ON donation_contact FOR EACH ROW
    WHEN ((OLD.address_line1, OLD.address_line2, OLD.city, OLD.postal_code) IS DISTINCT FROM (NEW.address_line1, NEW.address_line2, NEW.city, NEW.postal_code))
    EXECUTE FUNCTION address_has_words();
CREATE OR REPLACE TRIGGER words_go AFTER DELETE ON donation_contact REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION addresses_had_words();
CREATE OR REPLACE TRIGGER words_move AFTER UPDATE ON donation FOR EACH ROW
    WHEN (OLD.donor_id IS DISTINCT FROM NEW.donor_id) EXECUTE FUNCTION moved_gift_has_words();

-- The words of the donors who are there already, a thousand at a time. Nobody changes a donor while its words are written: what was read is what is
-- stored.
-- +goose StatementBegin
DO $$
DECLARE
    last uuid := '00000000-0000-0000-0000-000000000000';
    batch uuid[];
BEGIN
    LOOP
        batch := ARRAY(SELECT d.id FROM donor d WHERE d.id > last ORDER BY d.id LIMIT 1000);
        EXIT WHEN cardinality(batch) = 0;
        PERFORM d.id FROM donor d WHERE d.id = ANY(batch) ORDER BY d.id FOR SHARE;
        PERFORM refresh_donor_words(batch);
        last := batch[cardinality(batch)];
        COMMIT;
    END LOOP;
END $$;

-- donors_by_words returns donors of an entity that have, for each word of a text, a word that begins with it; at most so many, in no order, and none
-- if the text has no word. If paid, only those with a paid gift; with organisations, to one of them. It reads the rarest of the words first.
CREATE OR REPLACE FUNCTION donors_by_words(of_entity uuid, words text, paid boolean, organisations uuid[], most integer) RETURNS SETOF uuid STABLE LANGUAGE plpgsql
SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    wanted   text[] := ARRAY(SELECT search_words(words));
    top      text := chr(1114111); -- after every other character
    rarest   text;
    fewest   integer;
    has      integer;
    the_word text;
BEGIN
    FOREACH the_word IN ARRAY wanted LOOP
        SELECT count(*) INTO has FROM (SELECT FROM donor_word w WHERE w.entity_id = of_entity AND w.word >= the_word AND w.word < the_word || top LIMIT 5000) few;
        IF fewest IS NULL OR has < fewest THEN
            rarest := the_word;
            fewest := has;
        END IF;
    END LOOP;
    RETURN QUERY
    SELECT DISTINCT f.donor_id FROM (
        SELECT w.donor_id FROM donor_word w
         WHERE w.entity_id = of_entity AND w.word >= rarest AND w.word < rarest || top
           AND NOT EXISTS (SELECT FROM unnest(wanted) p WHERE p <> rarest AND NOT EXISTS (
                   SELECT FROM donor_word o WHERE o.donor_id = w.donor_id AND o.word >= p AND o.word < p || top))
           AND (NOT paid OR EXISTS (SELECT FROM donation g WHERE g.donor_id = w.donor_id AND g.charged_at IS NOT NULL
                   AND (organisations IS NULL OR g.organisation_id = ANY(organisations))))
         LIMIT most) f;
END $$;

CREATE OR REPLACE FUNCTION find_donors(of_entity uuid, words text, most integer) RETURNS SETOF uuid STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT donors_by_words(of_entity, words, false, NULL, most)
$$;

-- office_find_donors is donors_by_words for the person of the staff session: of the entity, or of one of its organisations (NULL: all), and of a
-- project those with a paid gift to it. Without a session or a role it returns none.
CREATE OR REPLACE FUNCTION office_find_donors(of_entity uuid, of_organisation uuid, words text, most integer) RETURNS SETOF uuid
STABLE SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    roles         text[] := '{entry,finance,auditor}';
    organisations uuid[];
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
    RETURN QUERY SELECT donors_by_words(of_entity, words, true, organisations, most);
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
DROP TRIGGER words_move ON donation;
DROP TRIGGER words_go ON donation_contact;
DROP TRIGGER words_follow ON donation_contact;
DROP TRIGGER has_words ON donation_contact;
DROP TRIGGER words_follow ON donor;
DROP TRIGGER has_words ON donor;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION find_donors(of_entity uuid, words text, most integer) RETURNS SETOF uuid STABLE LANGUAGE plpgsql
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    wanted tsquery := (SELECT string_agg(quote_literal(w) || ':*', ' & ')::tsquery FROM unnest(tsvector_to_array(name_words(words, NULL, NULL))) w);
BEGIN
    RETURN QUERY
    SELECT d.id FROM donor d WHERE name_words(d.first_name, d.last_name, d.organisation_name) @@ wanted AND d.entity_id = of_entity LIMIT most;
END $$;
-- +goose StatementEnd
DROP FUNCTION use_staff_form, office_find_donors, donors_by_words, moved_gift_has_words, addresses_had_words, address_has_words, donor_has_words,
    refresh_donor_words, words_of_donor, search_words;
DROP TABLE staff_form;
DROP TABLE donor_word;
