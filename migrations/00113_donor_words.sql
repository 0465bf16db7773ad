-- +goose NO TRANSACTION
-- +goose Up
-- Donors are found by the words of their names in a table of words. Before, a search read all donors: a GIN index keeps the words of erased people.
-- A vacuum removes a deleted word from the leaves of a B-tree, but the keys that separate its pages stay. So the key has three letters of a word and
-- no donor, and the word itself is an included column, which separating keys do not have. Each statement may be repeated.

-- The words of donors' names, each once for a donor: lower case, without accents. Only the trigger below writes them. The rows have no foreign key:
-- the trigger deletes them with the donor's name. Owned by internal/office/giftlist, which reads them by find_donors.
CREATE TABLE IF NOT EXISTS donor_word (
    donor_id  uuid NOT NULL,
    entity_id uuid NOT NULL,
    word      text COLLATE "C" NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50); -- words of erased people stay until a vacuum
CREATE INDEX IF NOT EXISTS donor_word_of_donor ON donor_word (donor_id);
CREATE INDEX IF NOT EXISTS donor_word_by_beginning ON donor_word (entity_id, left(word, 3)) INCLUDE (donor_id, word);

-- +goose StatementBegin
-- words_of_name returns the words of a name in lower case and without accents; of a very long word, its beginning, which fits an index.
CREATE OR REPLACE FUNCTION words_of_name(first_name text, last_name text, organisation_name text) RETURNS text[] IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
DECLARE
    name  text := left(concat_ws(' ', first_name, last_name, organisation_name), 1000);
    words text[];
BEGIN
    IF octet_length(name) > length(name) THEN
        name := regexp_replace(normalize(name, NFKD), '[\u0300-\u036f]', '', 'g');
    END IF;
    words := string_to_array(btrim(regexp_replace(lower(name), '[^[:alnum:]]+', ' ', 'g')), ' ');
    IF length(name) > 500 THEN
        words := ARRAY(SELECT left(w, 500) FROM unnest(words) w);
    END IF;
    RETURN words;
END $$;

CREATE OR REPLACE FUNCTION words_of_donor() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    words text[];
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM donor_word w WHERE w.donor_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        words := words_of_name(NEW.first_name, NEW.last_name, NEW.organisation_name);
        FOR n IN 1 .. cardinality(words) LOOP -- not unnest, for which PostgreSQL plans anew each time
            CONTINUE WHEN words[n] = ANY(words[:n - 1]);
            INSERT INTO donor_word (donor_id, entity_id, word) VALUES (NEW.id, NEW.entity_id, words[n]);
        END LOOP;
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- The trigger of changes comes first: with the other alone, a donor who is added between the two statements and erased would keep the words.
CREATE OR REPLACE TRIGGER words_of_renamed_donor AFTER UPDATE ON donor FOR EACH ROW
    WHEN (OLD.first_name IS DISTINCT FROM NEW.first_name OR OLD.last_name IS DISTINCT FROM NEW.last_name OR OLD.organisation_name IS DISTINCT FROM NEW.organisation_name)
    EXECUTE FUNCTION words_of_donor();
CREATE OR REPLACE TRIGGER words_of_donor AFTER INSERT OR DELETE ON donor FOR EACH ROW EXECUTE FUNCTION words_of_donor();

-- The donors of before, a thousand in a transaction. Each is locked against a change of the name: without the lock, its old words would be inserted
-- after the trigger has deleted them.
-- +goose StatementBegin
DO $$
DECLARE
    ids uuid[];
    at  uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    LOOP
        ids := ARRAY(SELECT d.id FROM donor d WHERE d.id > at ORDER BY d.id LIMIT 1000 FOR SHARE);
        EXIT WHEN cardinality(ids) = 0;
        INSERT INTO donor_word (donor_id, entity_id, word)
        SELECT DISTINCT d.id, d.entity_id, w FROM donor d CROSS JOIN LATERAL unnest(words_of_name(d.first_name, d.last_name, d.organisation_name)) w
         WHERE d.id = ANY(ids) AND NOT EXISTS (SELECT FROM donor_word k WHERE k.donor_id = d.id);
        at := ids[cardinality(ids)];
        COMMIT;
    END LOOP;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- find_donors returns donors of an entity that have, for each word of a text, a word in their name that begins with it; at most so many, in no order.
-- It returns none if the text has no word. If many donors have each word, it first looks among some of those of each word, where most
-- texts of that kind have enough. Otherwise it reads the donors of one word, and keeps those who have the next one, and so on.
CREATE OR REPLACE FUNCTION find_donors(of_entity uuid, words text, most integer) RETURNS SETOF uuid STABLE LANGUAGE plpgsql
SET search_path = public, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    last CONSTANT text := chr(1114111); -- sorts after every letter
    many CONSTANT integer := 10 * most;
    wanted   text[]; -- the words, that of the fewest donors first
    n        bigint; -- so many rows has the first one; at most many + 1
    the_word text;
    found    uuid[];
BEGIN
    SELECT array_agg(q.w ORDER BY c.n, length(q.w) DESC, q.w), min(c.n) INTO wanted, n
      FROM (SELECT DISTINCT unnest(words_of_name(words, NULL, NULL)) AS w) q
     CROSS JOIN LATERAL (SELECT count(*) AS n FROM (SELECT FROM donor_word d WHERE d.entity_id = of_entity AND left(d.word, 3) >= left(q.w, 3)
                            AND left(d.word, 3) < left(q.w, 3) || last AND starts_with(d.word, q.w) LIMIT many + 1) l) c;
    IF wanted IS NULL THEN
        RETURN;
    END IF;
    IF n > many THEN
        FOREACH the_word IN ARRAY wanted LOOP
            found := ARRAY(
                SELECT r.donor_id
                  FROM (SELECT d.donor_id, d.word FROM donor_word d WHERE d.entity_id = of_entity AND left(d.word, 3) >= left(the_word, 3)
                           AND left(d.word, 3) < left(the_word, 3) || last AND starts_with(d.word, the_word) ORDER BY left(d.word, 3) DESC LIMIT many / 2) r
                 WHERE NOT EXISTS (SELECT FROM unnest(array_remove(wanted, the_word)) q (w)
                                    WHERE NOT EXISTS (SELECT FROM donor_word o WHERE o.donor_id = r.donor_id AND starts_with(o.word, q.w)))
                   AND NOT EXISTS (SELECT FROM donor_word o WHERE o.donor_id = r.donor_id AND starts_with(o.word, the_word) AND o.word < r.word) -- each once
                 LIMIT most);
            EXIT WHEN cardinality(found) = most;
        END LOOP;
    END IF;
    IF found IS NULL OR cardinality(found) < most THEN
        found := NULL;
        FOREACH the_word IN ARRAY wanted LOOP
            found := ARRAY(SELECT d.donor_id FROM donor_word d WHERE d.entity_id = of_entity AND left(d.word, 3) >= left(the_word, 3)
                              AND left(d.word, 3) < left(the_word, 3) || last AND starts_with(d.word, the_word) AND (found IS NULL OR d.donor_id = ANY(found)));
        END LOOP;
    END IF;
    RETURN QUERY SELECT DISTINCT unnest(found) LIMIT most;
END $$;
-- +goose StatementEnd
DROP FUNCTION IF EXISTS name_words;

-- +goose Down
DROP TRIGGER IF EXISTS words_of_donor ON donor;
DROP TRIGGER IF EXISTS words_of_renamed_donor ON donor;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION name_words(first_name text, last_name text, organisation_name text) RETURNS tsvector IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
BEGIN
    RETURN array_to_tsvector(array_remove(regexp_split_to_array(regexp_replace(
        normalize(lower(left(concat_ws(' ', first_name, last_name, organisation_name), 1000)), NFKD), '[\u0300-\u036f]', '', 'g'), '[^[:alnum:]]+'), ''));
END $$;

CREATE OR REPLACE FUNCTION find_donors(of_entity uuid, words text, most integer) RETURNS SETOF uuid STABLE LANGUAGE plpgsql
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    wanted tsquery := (SELECT string_agg(quote_literal(w) || ':*', ' & ')::tsquery FROM unnest(tsvector_to_array(name_words(words, NULL, NULL))) w);
BEGIN
    RETURN QUERY
    SELECT d.id FROM donor d WHERE name_words(d.first_name, d.last_name, d.organisation_name) @@ wanted AND d.entity_id = of_entity LIMIT most;
END $$;
-- +goose StatementEnd
DROP FUNCTION IF EXISTS words_of_donor, words_of_name;
DROP TABLE IF EXISTS donor_word;
