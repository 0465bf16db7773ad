-- +goose Up
-- A search by staff of a project finds a donor by an address only if it is the donor's own, or was typed with a gift to that project.

-- +goose StatementBegin
-- donors_shown returns those of some donors, at most so many, who have a paid gift to one of some organisations (NULL: to any), and whom the pages of these
-- organisations show with each word of a search: in the name, in the email address, in the postal address that the donor entered, or in an address
-- typed with a paid gift to one of them. donor_address_word has the words of addresses typed with gifts to others too.
CREATE OR REPLACE FUNCTION donors_shown(donors uuid[], organisations uuid[], wanted text[], most integer) RETURNS uuid[] STABLE LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF organisations IS NULL THEN
        RETURN ARRAY(SELECT u.id FROM unnest(donors) u (id)
                      WHERE EXISTS (SELECT FROM donation g WHERE g.donor_id = u.id AND g.charged_at IS NOT NULL) LIMIT most);
    END IF;
    RETURN ARRAY(SELECT u.id FROM unnest(donors) u (id)
        WHERE EXISTS (SELECT FROM donation g WHERE g.donor_id = u.id AND g.charged_at IS NOT NULL AND g.organisation_id = ANY(organisations))
          AND NOT EXISTS (SELECT FROM unnest(wanted) q (w)
            WHERE NOT EXISTS (SELECT FROM donor_word o WHERE o.donor_id = u.id AND starts_with(o.word, q.w))
              AND NOT EXISTS (SELECT FROM donor_email_word o WHERE o.donor_id = u.id AND starts_with(o.word, q.w))
              AND NOT EXISTS (SELECT FROM donor d CROSS JOIN LATERAL unnest(words_of_name(concat_ws(' ', d.address_line1, d.address_line2), d.city, d.postal_code)) a (word)
                               WHERE d.id = u.id AND starts_with(a.word, q.w))
              AND NOT EXISTS (SELECT FROM donation g JOIN donation_contact c ON c.donation_id = g.id
                               CROSS JOIN LATERAL unnest(words_of_name(concat_ws(' ', c.address_line1, c.address_line2), c.city, c.postal_code)) a (word)
                               WHERE g.donor_id = u.id AND g.charged_at IS NOT NULL AND g.organisation_id = ANY(organisations)
                                 AND (c.address_line1 <> '' OR c.city <> '' OR c.postal_code <> '') AND starts_with(a.word, q.w)))
        LIMIT most);
END $$;

-- office_find_donors as in migration 00180; for organisations, by the words that their pages show.
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
    shown         uuid[]; -- of them, to who asks
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
    shown := donors_shown(found, organisations, wanted, most);
    IF n >= many AND cardinality(shown) < most THEN -- each word is common, and not all donors of the first one were read
        found := NULL;
        FOREACH the_word IN ARRAY wanted LOOP
            found := ARRAY(
                SELECT DISTINCT d.donor_id FROM donor_found_by d WHERE d.entity_id = of_entity AND left(d.word, 3) >= left(the_word, 3)
                   AND left(d.word, 3) < left(the_word, 3) || last AND starts_with(d.word, the_word) AND (found IS NULL OR d.donor_id = ANY(found)));
        END LOOP;
        shown := donors_shown(found, organisations, wanted, most);
    END IF;
    RETURN QUERY SELECT unnest(shown);
END $$;
-- +goose StatementEnd

-- +goose Down
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
DROP FUNCTION donors_shown;
