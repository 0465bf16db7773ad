-- +goose NO TRANSACTION
-- +goose Up
-- Staff find donors by parts of their email addresses too. Each statement may be repeated: donor is a table that forms and payments write.

-- What an email address is found by, each once for a donor: the words of the local part, and the domain, without its first labels too. As with
-- donor_word (migration 00113), the key has three letters, and a vacuum cleans the table of erased addresses. Only the trigger below writes them.
-- Owned by internal/office/giftlist; read by office_find_donors.
CREATE TABLE IF NOT EXISTS donor_email_word (
    donor_id  uuid NOT NULL,
    entity_id uuid NOT NULL,
    word      text COLLATE "C" NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50); -- words of erased people stay until a vacuum
CREATE INDEX IF NOT EXISTS donor_email_word_of_donor ON donor_email_word (donor_id);
CREATE INDEX IF NOT EXISTS donor_email_word_by_beginning ON donor_email_word (entity_id, left(word, 3)) INCLUDE (donor_id, word);

-- +goose StatementBegin
-- words_of_email returns what an address is found by: of leila.oleary@mail.donor.example the words leila, oleary, mail.donor.example and
-- donor.example. Of the local part it leaves out words of one letter behind the first. An erased address has none.
CREATE OR REPLACE FUNCTION words_of_email(email text) RETURNS text[] IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
DECLARE
    at     integer := position('@' IN email);
    domain text := substr(email, at + 1);
    words  text[];
BEGIN
    IF email IS NULL OR at = 0 OR domain = 'invalid' THEN
        RETURN '{}';
    END IF;
    words := string_to_array(btrim(regexp_replace(lower(left(email, at - 1)), '[^[:alnum:]]+', ' ', 'g')), ' ');
    IF cardinality(words) > 1 THEN
        words := words[1:1] || ARRAY(SELECT w FROM unnest(words[2:]) w WHERE length(w) > 1);
    END IF;
    words := words || domain;
    WHILE domain ~ '\..+\.' LOOP
        domain := substr(domain, position('.' IN domain) + 1);
        words := words || domain;
    END LOOP;
    RETURN words;
END $$;

CREATE OR REPLACE FUNCTION email_has_words() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    words text[];
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM donor_email_word w WHERE w.donor_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        words := words_of_email(NEW.email);
        FOR n IN 1 .. cardinality(words) LOOP -- not unnest, for which PostgreSQL plans anew each time
            CONTINUE WHEN words[n] = ANY(words[:n - 1]);
            INSERT INTO donor_email_word (donor_id, entity_id, word) VALUES (NEW.id, NEW.entity_id, words[n]);
        END LOOP;
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- The trigger of changes comes first, as in migration 00113.
CREATE OR REPLACE TRIGGER changed_email_has_words AFTER UPDATE ON donor FOR EACH ROW WHEN (OLD.email IS DISTINCT FROM NEW.email)
    EXECUTE FUNCTION email_has_words();
CREATE OR REPLACE TRIGGER email_has_words AFTER INSERT OR DELETE ON donor FOR EACH ROW EXECUTE FUNCTION email_has_words();

-- The donors of before, a thousand in a transaction. Each is locked against a change of the address, as in migration 00113.
-- +goose StatementBegin
DO $$
DECLARE
    ids uuid[];
    at  uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    LOOP
        ids := ARRAY(SELECT d.id FROM donor d WHERE d.id > at ORDER BY d.id LIMIT 1000 FOR SHARE);
        EXIT WHEN cardinality(ids) = 0;
        INSERT INTO donor_email_word (donor_id, entity_id, word)
        SELECT DISTINCT d.id, d.entity_id, w FROM donor d CROSS JOIN LATERAL unnest(words_of_email(d.email)) w
         WHERE d.id = ANY(ids) AND NOT EXISTS (SELECT FROM donor_email_word k WHERE k.donor_id = d.id);
        at := ids[cardinality(ids)];
        COMMIT;
    END LOOP;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- words_of_search returns the words of a text that staff search for. What has a dot, hyphen or underscore is one word if an email address of the
-- entity has it (donor.example), else several (leila.oleary). What follows an @ is the beginning of a domain.
CREATE OR REPLACE FUNCTION words_of_search(of_entity uuid, text_typed text) RETURNS text[] STABLE LANGUAGE plpgsql SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    last CONSTANT text := chr(1114111);
    words text[] := '{}';
    part  text;
    behind text;
BEGIN
    FOREACH part IN ARRAY regexp_split_to_array(btrim(lower(left(text_typed, 1000))), '\s+') LOOP
        behind := '';
        IF position('@' IN part) > 0 THEN
            behind := substr(part, position('@' IN part) + 1);
            part := left(part, position('@' IN part) - 1);
        ELSIF part ~ '^[[:alnum:]]+([._-]+[[:alnum:]]+)+$' AND EXISTS (SELECT FROM donor_email_word d WHERE d.entity_id = of_entity
                AND left(d.word, 3) >= left(part, 3) AND left(d.word, 3) < left(part, 3) || last AND starts_with(d.word, part)) THEN
            behind := part;
            part := '';
        END IF;
        words := words || coalesce(words_of_name(part, NULL, NULL), '{}') || behind;
    END LOOP;
    RETURN array_remove(words, '');
END $$;
-- +goose StatementEnd

-- What donors are found by: names, postal addresses, email addresses.
CREATE OR REPLACE VIEW donor_found_by AS
    SELECT donor_id, entity_id, word FROM donor_word
    UNION ALL
    SELECT donor_id, entity_id, word FROM donor_address_word
    UNION ALL
    SELECT donor_id, entity_id, word FROM donor_email_word;

-- +goose StatementBegin
-- office_find_donors as in migration 00138, by email addresses too.
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
      FROM (SELECT DISTINCT unnest(words_of_search(of_entity, words)) AS w) q
     CROSS JOIN LATERAL (SELECT count(*) AS n FROM (SELECT FROM donor_found_by d WHERE d.entity_id = of_entity AND left(d.word, 3) >= left(q.w, 3)
                            AND left(d.word, 3) < left(q.w, 3) || last AND starts_with(d.word, q.w) LIMIT many) l) c;
    IF wanted IS NULL THEN
        RETURN;
    END IF;
    the_word := wanted[1];
    found := ARRAY(
        SELECT DISTINCT w.donor_id FROM (
            SELECT d.donor_id FROM donor_found_by d WHERE d.entity_id = of_entity AND left(d.word, 3) >= left(the_word, 3)
               AND left(d.word, 3) < left(the_word, 3) || last AND starts_with(d.word, the_word) LIMIT many) w
         WHERE NOT EXISTS (SELECT FROM unnest(wanted[2:]) q (w2)
                WHERE NOT EXISTS (SELECT FROM donor_found_by o WHERE o.donor_id = w.donor_id AND starts_with(o.word, q.w2))));
    found := ARRAY(SELECT u.id FROM unnest(found) u (id) WHERE EXISTS (SELECT FROM donation g WHERE g.donor_id = u.id AND g.charged_at IS NOT NULL
        AND (organisations IS NULL OR g.organisation_id = ANY(organisations))) LIMIT most);
    IF n >= many AND cardinality(found) < most THEN -- each word is common, and not all donors of the first one were read
        found := NULL;
        FOREACH the_word IN ARRAY wanted LOOP
            found := ARRAY(
                SELECT DISTINCT d.donor_id FROM donor_found_by d WHERE d.entity_id = of_entity AND left(d.word, 3) >= left(the_word, 3)
                   AND left(d.word, 3) < left(the_word, 3) || last AND starts_with(d.word, the_word) AND (found IS NULL OR d.donor_id = ANY(found)));
        END LOOP;
    END IF;
    RETURN QUERY
    SELECT u.id FROM unnest(found) u (id) WHERE EXISTS (SELECT FROM donation g WHERE g.donor_id = u.id AND g.charged_at IS NOT NULL
        AND (organisations IS NULL OR g.organisation_id = ANY(organisations))) LIMIT most;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER IF EXISTS email_has_words ON donor;
DROP TRIGGER IF EXISTS changed_email_has_words ON donor;
-- +goose StatementBegin
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
-- +goose StatementEnd
DROP VIEW IF EXISTS donor_found_by;
DROP FUNCTION IF EXISTS words_of_search, email_has_words, words_of_email;
DROP TABLE IF EXISTS donor_email_word;
