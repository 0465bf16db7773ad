-- +goose Up
-- A gift begins, and an attempt is counted, in one statement each: one round trip to the database instead of ten, and locks on rows that
-- many gifts share for a tenth of the time. Both functions run with the caller's rights.

-- begin_gift writes a gift that a form begins: its donor, unless the entity has one with this address, and then checkout, donation, contact,
-- designations and first step, in the order in which package checkout locks them. It returns the donor. If the form has a gift that has not
-- ended, it writes nothing more and returns NULL.
--
-- The donor found is locked against an erasure. One who was erased meanwhile is not found: whoever gives again is a new donor.
-- +goose StatementBegin
CREATE FUNCTION begin_gift(
    gift uuid, entity uuid, organisation uuid, ref text, the_frequency text, total bigint, added bigint, the_currency text, the_language text,
    is_anonymous boolean, wants_news boolean, at timestamptz, plan uuid,
    form uuid, hash bytea, page_expires_at timestamptz, new_donor uuid, address text,
    the_note text, the_first_name text, the_last_name text, the_organisation_name text, the_email text, the_phone text, line1 text, line2 text,
    the_city text, the_region text, the_postal_code text, the_country text,
    funds uuid[], amounts bigint[], additions bigint[]
) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    the_donor uuid;
BEGIN
    IF EXISTS (SELECT FROM public.checkout c WHERE c.form_id = form AND NOT c.ended) THEN
        RETURN NULL;
    END IF;
    LOOP
        SELECT d.id INTO the_donor FROM public.donor d WHERE d.entity_id = entity AND d.email = address FOR KEY SHARE;
        EXIT WHEN FOUND;
        INSERT INTO public.donor (id, entity_id, email, first_name, last_name, language, created_at, kind, organisation_name)
        VALUES (new_donor, entity, address, the_first_name, the_last_name, the_language, at, 'person', '')
        ON CONFLICT (entity_id, email) DO NOTHING RETURNING id INTO the_donor;
        EXIT WHEN FOUND;
    END LOOP;
    INSERT INTO public.checkout (donation_id, form_id, form_hash, try, expires_at) VALUES (gift, form, hash, 1, page_expires_at)
    ON CONFLICT (form_id) WHERE NOT ended DO NOTHING;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    INSERT INTO public.donation (id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, covered, currency, language,
        anonymous, news, created_at, source, plan_id)
    VALUES (gift, entity, organisation, the_donor, ref, 'started', the_frequency, total, added, the_currency, the_language,
        is_anonymous, wants_news, at, 'form', plan);
    INSERT INTO public.donation_contact (donation_id, note, first_name, last_name, organisation_name, email, phone, address_line1, address_line2,
        city, region, postal_code, country)
    VALUES (gift, the_note, the_first_name, the_last_name, the_organisation_name, the_email, the_phone, line1, line2,
        the_city, the_region, the_postal_code, the_country);
    FOR n IN 1 .. cardinality(funds) LOOP -- not unnest, for which PostgreSQL plans anew each time
        INSERT INTO public.designation (donation_id, n, entity_id, fund_id, amount, covered)
        VALUES (gift, n, entity, funds[n], amounts[n], additions[n]);
    END LOOP;
    INSERT INTO public.donation_step (donation_id, at, status, cause) VALUES (gift, at, 'started', 'form');
    RETURN the_donor;
END $$;
-- +goose StatementEnd

-- count_attempt counts an attempt under all its counters, in their order, and returns the places of those whose limit it exceeds. An attempt
-- that exceeds one is counted under none, unless it is to be counted anyway. A counter is a key with one of its shards; length is that of a
-- slice of its window, in seconds. The oldest of `slices` slices counts in full.
-- +goose StatementBegin
CREATE FUNCTION count_attempt(keys bytea[], shards smallint[], lengths double precision[], limits integer[], slices integer, anyway boolean)
RETURNS SETOF integer LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    exceeded integer[];
BEGIN
    WITH asked AS (
        SELECT a.place, a.key, a.shard, a.length, a.most, floor(extract(epoch FROM now()) / a.length)::bigint AS slice
          FROM unnest(keys, shards, lengths, limits) WITH ORDINALITY AS a (key, shard, length, most, place)
    ), counted AS (
        INSERT INTO public.guard_count AS c (key, slice, shard, n, until)
        SELECT a.key, a.slice, a.shard, 1, now() + make_interval(secs => a.length * (slices + 2)) FROM asked a ORDER BY a.place
        ON CONFLICT (key, slice, shard) DO UPDATE SET n = c.n + 1
        RETURNING c.key, c.n
    )
    SELECT array_agg(a.place ORDER BY a.place) INTO exceeded
      FROM asked a
      JOIN counted c USING (key)
     CROSS JOIN LATERAL (
        SELECT sum(o.n) AS n FROM public.guard_count o
         WHERE o.key = a.key AND o.slice BETWEEN a.slice - slices AND a.slice AND (o.slice, o.shard) <> (a.slice, a.shard)
     ) others
     WHERE c.n + coalesce(others.n, 0) > a.most;
    IF exceeded IS NULL THEN
        RETURN;
    END IF;
    IF NOT anyway THEN -- the rows are locked, so nobody has seen the attempt
        DELETE FROM public.guard_count c USING unnest(keys, shards, lengths) AS a (key, shard, length)
         WHERE c.key = a.key AND c.slice = floor(extract(epoch FROM now()) / a.length)::bigint AND c.shard = a.shard AND c.n = 1;
        UPDATE public.guard_count c SET n = c.n - 1 FROM unnest(keys, shards, lengths) AS a (key, shard, length)
         WHERE c.key = a.key AND c.slice = floor(extract(epoch FROM now()) / a.length)::bigint AND c.shard = a.shard;
    END IF;
    RETURN QUERY SELECT unnest(exceeded);
END $$;
-- +goose StatementEnd

-- is_owner as before, in a language that keeps its plan: a donor is inserted in half the time.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION is_owner() RETURNS boolean STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = 'public.erasure'::regclass), 'USAGE');
END $$;
-- +goose StatementEnd

-- are_erased as before; for one donor, with statements that PostgreSQL does not plan anew each time, as it does for an array.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION are_erased(donors uuid[]) RETURNS boolean LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    the_one CONSTANT uuid := donors[1];
BEGIN
    IF cardinality(donors) = 1 THEN
        PERFORM id FROM donor WHERE id = the_one FOR KEY SHARE;
        RETURN EXISTS (SELECT FROM erasure_donor n WHERE n.donor_id = the_one AND n.erased_at IS NOT NULL);
    END IF;
    PERFORM id FROM donor WHERE id = ANY(donors) ORDER BY id FOR KEY SHARE;
    RETURN EXISTS (SELECT FROM erasure_donor n WHERE n.donor_id = ANY(donors) AND n.erased_at IS NOT NULL);
END $$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION begin_gift, count_attempt;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION is_owner() RETURNS boolean STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = 'public.erasure'::regclass), 'USAGE')
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION are_erased(donors uuid[]) RETURNS boolean LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM id FROM donor WHERE id = ANY(donors) ORDER BY id FOR KEY SHARE;
    RETURN EXISTS (SELECT FROM erasure_donor n WHERE n.donor_id = ANY(donors) AND n.erased_at IS NOT NULL);
END $$;
-- +goose StatementEnd
