-- +goose NO TRANSACTION
-- +goose Up
-- Sums that pages of finance staff read, instead of adding up a million gifts. The rows are derived. Only the functions below write them: each
-- recomputes from the postings, or from the gifts, so the server's role can call them and can invent nothing. Each statement may be repeated.

-- What was booked in a month, by fund and account: the entries of the chain up to ledger_month_through.serial. A reader adds the postings of later
-- serials. Owned by internal/books/ledger. The rows have no foreign keys: the postings that they are the sums of have them.
CREATE TABLE IF NOT EXISTS ledger_month (
    entity_id    uuid NOT NULL,
    month        date NOT NULL CHECK (extract(day FROM month) = 1), -- of journal_entry.entry_date
    fund_id      uuid NOT NULL,
    account_code text NOT NULL,
    amount       bigint NOT NULL, -- minor units, debit positive
    lines        bigint NOT NULL CHECK (lines > 0),
    PRIMARY KEY (entity_id, month, fund_id, account_code)
) WITH (fillfactor = 60); -- the rows of the current month are updated in place
CREATE TABLE IF NOT EXISTS ledger_month_through (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    serial bigint NOT NULL DEFAULT 0
);
INSERT INTO ledger_month_through DEFAULT VALUES ON CONFLICT DO NOTHING;

-- What a donor gave in a year, by the gifts' tax_date: settled gifts without what was refunded or lost in a dispute, as checker A6 has it. A donor of
-- whose gifts nothing is left has no row. Gifts are included up to the sealed entry donor_year_through.serial. Owned by internal/office/figures.
CREATE TABLE IF NOT EXISTS donor_year (
    donor_id  uuid NOT NULL,
    year      integer NOT NULL,
    entity_id uuid NOT NULL,
    gifts     integer NOT NULL CHECK (gifts > 0),
    amount    bigint NOT NULL CHECK (amount > 0), -- minor units
    PRIMARY KEY (donor_id, year)
);
CREATE INDEX IF NOT EXISTS donor_year_largest ON donor_year (entity_id, year, amount DESC, donor_id);
CREATE TABLE IF NOT EXISTS donor_year_through (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    serial bigint NOT NULL DEFAULT 0
);
INSERT INTO donor_year_through DEFAULT VALUES ON CONFLICT DO NOTHING;
-- Donors whose years changed by something else than a settled gift: a refund, a dispute, a gift that moved to another donor.
CREATE TABLE IF NOT EXISTS donor_year_due (
    n        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    donor_id uuid NOT NULL
);

-- +goose StatementBegin
-- next_sealed returns the serial of the last of the next sealed entries after a serial, at most so many (NULL: all); NULL if there are none.
CREATE OR REPLACE FUNCTION next_sealed(after bigint, most integer) RETURNS bigint STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT max(s.serial) FROM (SELECT l.serial FROM ledger_seal l WHERE l.serial > after ORDER BY l.serial LIMIT most) s
$$;

-- sums_by_month returns what the entries with serials above `after` and up to `upto` add to each month. Each call is planned for its serials.
CREATE OR REPLACE FUNCTION sums_by_month(after bigint, upto bigint)
RETURNS TABLE (entity_id uuid, month date, fund_id uuid, account_code text, amount bigint, lines bigint)
STABLE LANGUAGE plpgsql SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY
    SELECT e.entity_id, date_trunc('month', e.entry_date)::date, p.fund_id, p.account_code, sum(p.amount)::bigint, count(*)
      FROM journal_entry e JOIN posting p ON p.entry_id = e.id
     WHERE e.serial > after AND e.serial <= upto
     GROUP BY 1, 2, 3, 4;
END $$;

-- add_to_months adds the next sealed entries, at most so many (NULL: all), and returns the serial of the last; NULL if there were none, or if
-- another transaction is adding.
CREATE OR REPLACE FUNCTION add_to_months(most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    done bigint;
    upto bigint;
BEGIN
    SELECT t.serial INTO done FROM ledger_month_through t FOR UPDATE SKIP LOCKED;
    upto := next_sealed(done, most);
    IF upto IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO ledger_month AS m (entity_id, month, fund_id, account_code, amount, lines)
    SELECT s.entity_id, s.month, s.fund_id, s.account_code, s.amount, s.lines FROM sums_by_month(done, upto) s
    ON CONFLICT (entity_id, month, fund_id, account_code) DO UPDATE SET amount = m.amount + EXCLUDED.amount, lines = m.lines + EXCLUDED.lines;
    UPDATE ledger_month_through SET serial = upto;
    RETURN upto;
END $$;

-- rebuild_months computes all months anew from the postings. Readers see the old rows until the end.
CREATE OR REPLACE FUNCTION rebuild_months() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE ledger_month_through SET serial = 0;
    DELETE FROM ledger_month;
    PERFORM add_to_months(NULL);
END $$;

-- years_of_donors computes the rows of donor_year: of the given donors, gift by gift, or of all (NULL).
CREATE OR REPLACE FUNCTION years_of_donors(donors uuid[]) RETURNS TABLE (donor_id uuid, year integer, entity_id uuid, gifts integer, amount bigint)
STABLE LANGUAGE plpgsql SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    IF donors IS NULL THEN
        RETURN QUERY
        WITH gone AS (
            SELECT p.donation_id, sum(h.amount) AS amount FROM payment_change h JOIN payment p ON p.id = h.payment_id AND p.status = 'settled'
             WHERE h.kind = 'refund' OR h.kind = 'dispute lost' AND NOT EXISTS (
                   SELECT FROM payment_change w WHERE w.object_id = h.object_id AND w.entity_id = h.entity_id AND w.kind = 'dispute won')
             GROUP BY p.donation_id
        )
        SELECT d.donor_id, extract(year FROM d.tax_date)::integer, d.entity_id, count(*)::integer, sum(d.amount - coalesce(g.amount, 0))::bigint
          FROM donation d LEFT JOIN gone g ON g.donation_id = d.id
         WHERE d.status = 'settled' AND d.amount > coalesce(g.amount, 0)
         GROUP BY 1, 2, 3;
    ELSE
        RETURN QUERY
        SELECT d.donor_id, extract(year FROM d.tax_date)::integer, d.entity_id, count(*)::integer, sum(d.amount - g.amount)::bigint
          FROM donation d
         CROSS JOIN LATERAL (
               SELECT coalesce(sum(h.amount), 0) AS amount FROM payment p JOIN payment_change h ON h.payment_id = p.id
                WHERE p.donation_id = d.id AND p.status = 'settled'
                  AND (h.kind = 'refund' OR h.kind = 'dispute lost' AND NOT EXISTS (
                       SELECT FROM payment_change w WHERE w.object_id = h.object_id AND w.entity_id = h.entity_id AND w.kind = 'dispute won'))) g
         WHERE d.donor_id = ANY(donors) AND d.status = 'settled' AND d.amount > g.amount
         GROUP BY 1, 2, 3;
    END IF;
END $$;

-- donors_of_entries returns the donors of the gifts that the entries with serials above `after` and up to `upto` are about. What is no id of a gift
-- is ignored: the server's role writes the dimensions.
CREATE OR REPLACE FUNCTION donors_of_entries(after bigint, upto bigint) RETURNS SETOF uuid
STABLE LANGUAGE plpgsql SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY
    SELECT DISTINCT d.donor_id
      FROM journal_entry e
      JOIN donation d ON d.id = CASE WHEN e.dimensions ->> 'donation' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN (e.dimensions ->> 'donation')::uuid END
     WHERE e.serial > after AND e.serial <= upto;
END $$;

-- refresh_donor_years recomputes the donors of the next sealed entries, and those that are due, at most so many of both. It returns how many
-- donors; NULL if nothing was left to do, or if another transaction is at it.
CREATE OR REPLACE FUNCTION refresh_donor_years(most integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    done   bigint;
    upto   bigint;
    due    uuid[];
    donors uuid[];
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'refresh_donor_years runs in read committed transactions' USING ERRCODE = 'check_violation', CONSTRAINT = 'sees_every_commit';
    END IF;
    SELECT t.serial INTO done FROM donor_year_through t FOR UPDATE SKIP LOCKED;
    IF done IS NULL THEN
        RETURN NULL;
    END IF;
    WITH taken AS (
        DELETE FROM donor_year_due q WHERE q.n IN (SELECT o.n FROM donor_year_due o ORDER BY o.n LIMIT most) RETURNING q.donor_id
    ) SELECT array_agg(DISTINCT taken.donor_id) INTO due FROM taken;
    upto := next_sealed(done, most);
    IF due IS NULL AND upto IS NULL THEN
        RETURN NULL;
    END IF;
    donors := ARRAY(SELECT unnest(due) UNION SELECT donors_of_entries(done, upto)); -- of none if upto is NULL
    WITH computed AS MATERIALIZED (
        SELECT c.* FROM years_of_donors(donors) c
    ), empty AS (
        DELETE FROM donor_year y WHERE y.donor_id = ANY(donors) AND NOT EXISTS (SELECT FROM computed c WHERE c.donor_id = y.donor_id AND c.year = y.year)
    )
    INSERT INTO donor_year AS y (donor_id, year, entity_id, gifts, amount)
    SELECT c.donor_id, c.year, c.entity_id, c.gifts, c.amount FROM computed c
    ON CONFLICT (donor_id, year) DO UPDATE SET gifts = EXCLUDED.gifts, amount = EXCLUDED.amount
     WHERE (y.gifts, y.amount) IS DISTINCT FROM (EXCLUDED.gifts, EXCLUDED.amount);
    UPDATE donor_year_through SET serial = coalesce(upto, done);
    RETURN cardinality(donors);
END $$;

-- donor_years_behind reports whether refresh_donor_years has something to do.
CREATE OR REPLACE FUNCTION donor_years_behind() RETURNS boolean STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT max(s.serial) FROM ledger_seal s), 0) > t.serial OR EXISTS (SELECT FROM donor_year_due) FROM donor_year_through t
$$;

-- rebuild_donor_years computes all donors anew. Readers see the old rows until the end.
CREATE OR REPLACE FUNCTION rebuild_donor_years() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'rebuild_donor_years runs in read committed transactions' USING ERRCODE = 'check_violation', CONSTRAINT = 'sees_every_commit';
    END IF;
    UPDATE donor_year_through SET serial = coalesce((SELECT max(s.serial) FROM ledger_seal s), 0); -- what is sealed later is refreshed later
    DELETE FROM donor_year_due;
    DELETE FROM donor_year;
    INSERT INTO donor_year (donor_id, year, entity_id, gifts, amount)
    SELECT c.donor_id, c.year, c.entity_id, c.gifts, c.amount FROM years_of_donors(NULL) c;
END $$;

CREATE OR REPLACE FUNCTION donor_years_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO donor_year_due (donor_id)
    SELECT DISTINCT d.donor_id FROM fresh f JOIN payment p ON p.id = f.payment_id JOIN donation d ON d.id = p.donation_id ORDER BY d.donor_id;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION donor_years_move() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO donor_year_due (donor_id) VALUES (OLD.donor_id), (NEW.donor_id);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE OR REPLACE TRIGGER donor_years_change AFTER INSERT ON payment_change REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION donor_years_change();
CREATE OR REPLACE TRIGGER donor_years_move AFTER UPDATE ON donation
    FOR EACH ROW WHEN (OLD.donor_id IS DISTINCT FROM NEW.donor_id) EXECUTE FUNCTION donor_years_move();

-- What pages of finance staff list. The views read tables of several packages; internal/office/giftlist reads the views.
CREATE OR REPLACE VIEW donor_row AS
SELECT d.id, d.entity_id, d.kind, d.first_name, d.last_name, d.organisation_name, coalesce(nullif(d.email, 'forgotten-' || d.id || '@invalid'), '') AS email, d.email AS key,
       EXISTS (SELECT FROM erasure_donor e WHERE e.donor_id = d.id AND e.erased_at IS NOT NULL) AS erased
  FROM donor d;
CREATE OR REPLACE VIEW gift_row AS
SELECT d.id, d.entity_id, d.organisation_id, d.donor_id, d.plan_id, d.public_ref, d.status, d.source, d.frequency, d.amount, d.covered, d.currency,
       d.created_at, d.charged_at, d.tax_date, o.kind AS donor_kind, o.first_name, o.last_name, o.organisation_name,
       coalesce(nullif(o.email, 'forgotten-' || o.id || '@invalid'), '') AS email,
       ARRAY(SELECT p.fund_id FROM designation p WHERE p.donation_id = d.id ORDER BY p.n) AS funds,
       ARRAY(SELECT p.amount FROM designation p WHERE p.donation_id = d.id ORDER BY p.n) AS parts,
       (SELECT coalesce(sum(h.amount), 0)::bigint FROM payment p JOIN payment_change h ON h.payment_id = p.id
         WHERE p.donation_id = d.id AND p.status = 'settled'
           AND (h.kind = 'refund' OR h.kind = 'dispute lost' AND NOT EXISTS (
                SELECT FROM payment_change w WHERE w.object_id = h.object_id AND w.entity_id = h.entity_id AND w.kind = 'dispute won'))) AS returned
  FROM donation d JOIN donor o ON o.id = d.donor_id;
CREATE OR REPLACE VIEW gift_of_fund AS
SELECT p.fund_id, p.donation_id FROM designation p;

-- +goose StatementBegin
-- name_words returns the words of a name in lower case and without accents, for an index. It uses built-in functions only: pg_trgm finds parts of
-- words too, but a hosted database may not have it.
CREATE OR REPLACE FUNCTION name_words(first_name text, last_name text, organisation_name text) RETURNS tsvector IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
BEGIN
    RETURN array_to_tsvector(array_remove(regexp_split_to_array(regexp_replace(
        normalize(lower(left(concat_ws(' ', first_name, last_name, organisation_name), 1000)), NFKD), '[\u0300-\u036f]', '', 'g'), '[^[:alnum:]]+'), ''));
END $$;

-- find_donors returns donors of an entity that have, for each word of a text, a word in their name that begins with it; at most so many, in no order.
-- It returns none if the text has no word. Without the setting, the planner may read all donors for a rare name.
CREATE OR REPLACE FUNCTION find_donors(of_entity uuid, words text, most integer) RETURNS SETOF uuid STABLE LANGUAGE plpgsql
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    wanted tsquery := (SELECT string_agg(quote_literal(w) || ':*', ' & ')::tsquery FROM unnest(tsvector_to_array(name_words(words, NULL, NULL))) w);
BEGIN
    RETURN QUERY
    SELECT d.id FROM donor d WHERE name_words(d.first_name, d.last_name, d.organisation_name) @@ wanted AND d.entity_id = of_entity LIMIT most;
END $$;
-- +goose StatementEnd

-- The checkers that read all entries read only what is new since their last result without rows, and everything again once a week. A setting,
-- konbit.check_whole, has them read everything at once: konbit ledger verify and tests use it. Owned by internal/office/check.
CREATE TABLE IF NOT EXISTS check_progress (
    checker  text PRIMARY KEY,
    serial   bigint NOT NULL,      -- the sealed entries up to it were right
    whole_at timestamptz NOT NULL  -- when everything was last read at once and was right
);

-- +goose StatementBegin
-- check_from returns the serial after which a checker reads; 0: it reads everything.
CREATE OR REPLACE FUNCTION check_from(the_checker text) RETURNS bigint STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN current_setting('konbit.check_whole', true) = 'yes' THEN 0
           ELSE coalesce((SELECT p.serial FROM check_progress p WHERE p.checker = the_checker AND p.whole_at > now() - interval '156 hours'), 0) END
$$;

-- The database sets the day of a checker's result and counts the rows of its view, which is the view whose text contains its name. After a result
-- with rows the checker reads everything until it finds nothing.
CREATE OR REPLACE FUNCTION check_is_counted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    view   name := (SELECT v.viewname FROM pg_views v WHERE v.schemaname = 'public' AND v.viewname LIKE 'check\_%'
                       AND position(format('%L::text AS checker', NEW.checker) IN v.definition) > 0);
    sealed bigint := coalesce((SELECT max(s.serial) FROM ledger_seal s), 0);
    whole  boolean := check_from(NEW.checker) = 0;
BEGIN
    IF view IS NULL THEN
        RAISE EXCEPTION 'there is no checker %', NEW.checker USING ERRCODE = 'check_violation', CONSTRAINT = 'check_is_counted';
    END IF;
    NEW.day := (now() AT TIME ZONE 'UTC' - interval '8 hours')::date;
    EXECUTE format('SELECT count(*) FROM public.%I', view) INTO NEW.found;
    IF NEW.found > 0 THEN
        DELETE FROM check_progress p WHERE p.checker = NEW.checker;
    ELSE
        sealed := least(sealed, CASE NEW.checker WHEN 'A19' THEN (SELECT t.serial FROM ledger_month_through t)
                                                 WHEN 'A20' THEN (SELECT t.serial FROM donor_year_through t) END); -- how far it has read
        INSERT INTO check_progress AS p (checker, serial, whole_at) VALUES (NEW.checker, sealed, now())
        ON CONFLICT (checker) DO UPDATE SET serial = EXCLUDED.serial, whole_at = CASE WHEN whole THEN now() ELSE p.whole_at END;
    END IF;
    RETURN NEW;
END $$;

-- broken_seals returns what checker A11 finds in the seals and entries after a serial. The first seal after it must follow from the one before.
-- Entries without a seal are looked for from there too, and among all if there are not as many entries as seals before it: a late transaction may
-- commit one behind the seals.
CREATE OR REPLACE FUNCTION broken_seals(after bigint) RETURNS TABLE (entity_id uuid, subject text, detail text, since timestamptz)
STABLE LANGUAGE plpgsql SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    unsealed_after bigint := CASE WHEN (SELECT count(*) FROM journal_entry e WHERE e.serial <= after) = (SELECT count(*) FROM ledger_seal s WHERE s.serial <= after)
                                  THEN after ELSE -9223372036854775807 END;
BEGIN
    RETURN QUERY
    WITH last AS (
        SELECT b.entity_id, l.n, l.serial, l.hash
          FROM books b CROSS JOIN LATERAL (SELECT s.n, s.serial, s.hash FROM ledger_seal s WHERE s.entity_id = b.entity_id AND s.serial <= after ORDER BY s.n DESC LIMIT 1) l
    ), link AS (
        SELECT s.entity_id, s.n, s.entry_id, s.serial, s.hash, s.sealed_at,
               coalesce(lag(s.n) OVER chain, l.n, 0) AS n_before, coalesce(lag(s.serial) OVER chain, l.serial, 0) AS serial_before,
               coalesce(lag(s.hash) OVER chain, l.hash, decode(repeat('00', 32), 'hex')) AS hash_before
          FROM ledger_seal s LEFT JOIN last l ON l.entity_id = s.entity_id WHERE s.serial > after WINDOW chain AS (PARTITION BY s.entity_id ORDER BY s.n)
    ), judged AS (
        SELECT l.entity_id, l.n, l.entry_id, l.sealed_at, CASE
               WHEN e.id IS NULL THEN 'is gone'
               WHEN l.n <> l.n_before + 1 THEN 'follows seal ' || l.n_before
               WHEN e.entity_id <> l.entity_id OR e.serial <> l.serial OR l.serial <= l.serial_before THEN 'is sealed out of order'
               WHEN l.hash <> sha256(convert_to(length_prefixed('konbit entry 1')
                   || length_prefixed(encode(l.hash_before, 'hex')) || length_prefixed(l.n::text)
                   || length_prefixed(e.entity_id::text) || length_prefixed(e.id::text) || length_prefixed(e.serial::text) || length_prefixed(e.currency)
                   || length_prefixed(to_char(e.entry_date, 'YYYY-MM-DD')) || length_prefixed(to_char(e.fact_date, 'YYYY-MM-DD'))
                   || length_prefixed(e.source) || length_prefixed(e.source_id) || length_prefixed(e.kind) || length_prefixed(encode(e.fact_hash, 'hex'))
                   || length_prefixed(e.line_count::text) || length_prefixed(e.reverses::text) || length_prefixed(e.dimensions::text)
                   || length_prefixed(to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) || length_prefixed(e.recorded_by::text)
                   || coalesce((SELECT string_agg(length_prefixed(p.n::text) || length_prefixed(p.account_code) || length_prefixed(p.fund_id::text)
                             || length_prefixed(p.amount::text) || length_prefixed(p.dimensions::text) || length_prefixed(p.foreign_currency)
                             || length_prefixed(p.foreign_amount::text) || length_prefixed(p.rate::text), '' ORDER BY p.n)
                        FROM posting p WHERE p.entry_id = e.id), ''), 'UTF8')) THEN 'or its seal was changed'
               END AS wrong
          FROM link l LEFT JOIN journal_entry e ON e.id = l.entry_id
    )
    SELECT j.entity_id, j.entry_id::text, 'entry ' || j.n || ' of the chain ' || j.wrong, j.sealed_at FROM judged j WHERE j.wrong IS NOT NULL
    UNION ALL
    SELECT e.entity_id, e.id::text, 'recorded with serial ' || e.serial || ' and not sealed', e.recorded_at
      FROM journal_entry e
     WHERE e.serial > unsealed_after AND NOT EXISTS (SELECT FROM ledger_seal s WHERE s.serial = e.serial AND s.entry_id = e.id)
       AND (e.serial <= (SELECT max(s.serial) FROM ledger_seal s) OR e.recorded_at < now() - interval '5 minutes')
    UNION ALL
    SELECT h.entity_id, h.id::text, 'head ' || h.n || ' of ' || h.day || ' was told with another hash', h.kept_at
      FROM ledger_head h LEFT JOIN ledger_seal s ON s.entity_id = h.entity_id AND s.n = h.n
     WHERE s.hash IS DISTINCT FROM h.hash;
END $$;

-- uneven_entries returns what checker A3 finds in the entries after a serial; 0: in all postings, also those without an entry.
CREATE OR REPLACE FUNCTION uneven_entries(after bigint) RETURNS TABLE (entity_id uuid, entry_id uuid, currency text, total numeric)
STABLE LANGUAGE plpgsql SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    IF after = 0 THEN
        RETURN QUERY SELECT p.entity_id, p.entry_id, p.currency, sum(p.amount) FROM posting p GROUP BY p.entry_id, p.entity_id, p.currency HAVING sum(p.amount) <> 0;
    ELSE
        RETURN QUERY SELECT p.entity_id, p.entry_id, p.currency, sum(p.amount) FROM journal_entry e JOIN posting p ON p.entry_id = e.id
          WHERE e.serial > after GROUP BY p.entry_id, p.entity_id, p.currency HAVING sum(p.amount) <> 0;
    END IF;
END $$;

-- wrong_months compares the months of ledger_month in which entries after a serial were booked with their postings; 0: all months.
CREATE OR REPLACE FUNCTION wrong_months(after bigint) RETURNS TABLE (entity_id uuid, subject text, detail text)
STABLE LANGUAGE plpgsql SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    upto   bigint := (SELECT t.serial FROM ledger_month_through t);
    months date[];
BEGIN
    IF after > 0 THEN
        months := ARRAY(SELECT DISTINCT date_trunc('month', e.entry_date)::date FROM journal_entry e WHERE e.serial > after AND e.serial <= upto);
    END IF;
    RETURN QUERY
    WITH booked AS (
        SELECT e.entity_id, date_trunc('month', e.entry_date)::date AS month, p.fund_id, p.account_code, sum(p.amount)::bigint AS amount, count(*) AS lines
          FROM journal_entry e JOIN posting p ON p.entry_id = e.id
         WHERE e.serial <= upto AND (months IS NULL OR e.entry_date >= (SELECT min(m) FROM unnest(months) m)
               AND e.entry_date < (SELECT max(m) + interval '1 month' FROM unnest(months) m) AND date_trunc('month', e.entry_date)::date = ANY(months))
         GROUP BY 1, 2, 3, 4
    ), stored AS (
        SELECT * FROM ledger_month m WHERE months IS NULL OR m.month = ANY(months)
    )
    SELECT coalesce(i.entity_id, s.entity_id), concat_ws(' ', to_char(coalesce(i.month, s.month), 'YYYY-MM'), coalesce(i.fund_id, s.fund_id), coalesce(i.account_code, s.account_code)),
           'stored ' || coalesce(s.amount || ' of ' || s.lines || ' lines', 'nothing') || ', is ' || coalesce(i.amount || ' of ' || i.lines || ' lines', 'nothing')
      FROM booked i FULL JOIN stored s ON s.entity_id = i.entity_id AND s.month = i.month AND s.fund_id = i.fund_id AND s.account_code = i.account_code
     WHERE (i.amount, i.lines) IS DISTINCT FROM (s.amount, s.lines);
END $$;

-- wrong_donor_years compares donor_year with the gifts: of the donors of entries after a serial; 0: of all donors. Donors whom refresh_donor_years
-- has not reached yet are left out.
CREATE OR REPLACE FUNCTION wrong_donor_years(after bigint) RETURNS TABLE (entity_id uuid, subject text, detail text)
STABLE LANGUAGE plpgsql SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    upto   bigint := (SELECT t.serial FROM donor_year_through t);
    donors uuid[];
BEGIN
    IF after > 0 THEN
        donors := ARRAY(SELECT donors_of_entries(after, upto));
    END IF;
    RETURN QUERY
    WITH stored AS (
        SELECT y.* FROM donor_year y WHERE donors IS NULL OR y.donor_id = ANY(donors)
    )
    SELECT coalesce(c.entity_id, s.entity_id), coalesce(c.donor_id, s.donor_id) || ' ' || coalesce(c.year, s.year),
           'stored ' || coalesce(s.amount || ' of ' || s.gifts || ' gifts', 'nothing') || ', is ' || coalesce(c.amount || ' of ' || c.gifts || ' gifts', 'nothing')
      FROM years_of_donors(donors) c FULL JOIN stored s ON s.donor_id = c.donor_id AND s.year = c.year
     WHERE (c.amount, c.gifts, c.entity_id) IS DISTINCT FROM (s.amount, s.gifts, s.entity_id)
       AND coalesce(c.donor_id, s.donor_id) NOT IN (SELECT q.donor_id FROM donor_year_due q)
       AND coalesce(c.donor_id, s.donor_id) NOT IN (SELECT donors_of_entries(upto, 9223372036854775807));
END $$;
-- +goose StatementEnd
CREATE OR REPLACE VIEW check_chain_broken AS
SELECT 'A11'::text AS checker, b.entity_id, b.subject, b.detail, b.since FROM broken_seals(check_from('A11')) b;
CREATE OR REPLACE VIEW check_uneven_entry AS
SELECT 'A3'::text AS checker, u.entity_id, u.entry_id::text AS subject, 'out by ' || u.total || ' minor units of ' || u.currency AS detail, e.recorded_at AS since
  FROM uneven_entries(check_from('A3')) u LEFT JOIN journal_entry e ON e.id = u.entry_id;
-- A19. A sum of a month that is not the sum of its postings. A20. A sum of a donor's year that is not the sum of their gifts.
CREATE OR REPLACE VIEW check_month_differs AS
SELECT 'A19'::text AS checker, w.entity_id, w.subject, w.detail, now() AS since FROM wrong_months(check_from('A19')) w;
CREATE OR REPLACE VIEW check_donor_year_differs AS
SELECT 'A20'::text AS checker, w.entity_id, w.subject, w.detail, now() AS since FROM wrong_donor_years(check_from('A20')) w;

SELECT rebuild_months();
SELECT rebuild_donor_years();

-- +goose Down
DROP VIEW IF EXISTS check_donor_year_differs, check_month_differs;
CREATE OR REPLACE VIEW check_chain_broken AS
WITH link AS (
    SELECT s.entity_id, s.n, s.entry_id, s.serial, s.hash, s.sealed_at,
           lag(s.n, 1, 0::bigint) OVER chain AS n_before, lag(s.serial, 1, 0::bigint) OVER chain AS serial_before,
           lag(s.hash, 1, decode(repeat('00', 32), 'hex')) OVER chain AS hash_before
      FROM ledger_seal s WINDOW chain AS (PARTITION BY s.entity_id ORDER BY s.n)
), judged AS (
    SELECT l.entity_id, l.n, l.entry_id, l.sealed_at, CASE
           WHEN e.id IS NULL THEN 'is gone'
           WHEN l.n <> l.n_before + 1 THEN 'follows seal ' || l.n_before
           WHEN e.entity_id <> l.entity_id OR e.serial <> l.serial OR l.serial <= l.serial_before THEN 'is sealed out of order'
           WHEN l.hash <> sha256(convert_to(
               '14:konbit entry 164:' || encode(l.hash_before, 'hex') || octet_length(l.n::text) || ':' || l.n::text
               || octet_length(e.entity_id::text) || ':' || e.entity_id::text
               || octet_length(e.id::text) || ':' || e.id::text
               || octet_length(e.serial::text) || ':' || e.serial::text
               || octet_length(e.currency) || ':' || e.currency
               || octet_length(to_char(e.entry_date, 'YYYY-MM-DD')) || ':' || to_char(e.entry_date, 'YYYY-MM-DD')
               || octet_length(to_char(e.fact_date, 'YYYY-MM-DD')) || ':' || to_char(e.fact_date, 'YYYY-MM-DD')
               || octet_length(e.source) || ':' || e.source
               || octet_length(e.source_id) || ':' || e.source_id
               || octet_length(e.kind) || ':' || e.kind
               || octet_length(encode(e.fact_hash, 'hex')) || ':' || encode(e.fact_hash, 'hex')
               || octet_length(e.line_count::text) || ':' || e.line_count::text
               || coalesce(octet_length(e.reverses::text) || ':' || e.reverses::text, '0:')
               || octet_length(e.dimensions::text) || ':' || e.dimensions::text
               || octet_length(to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) || ':' || to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
               || octet_length(e.recorded_by::text) || ':' || e.recorded_by::text
               || coalesce((SELECT string_agg(
                      octet_length(p.n::text) || ':' || p.n::text
                      || octet_length(p.account_code) || ':' || p.account_code
                      || octet_length(p.fund_id::text) || ':' || p.fund_id::text
                      || octet_length(p.amount::text) || ':' || p.amount::text
                      || coalesce(octet_length(p.dimensions::text) || ':' || p.dimensions::text, '0:')
                      || coalesce(octet_length(p.foreign_currency) || ':' || p.foreign_currency, '0:')
                      || coalesce(octet_length(p.foreign_amount::text) || ':' || p.foreign_amount::text, '0:')
                      || coalesce(octet_length(p.rate::text) || ':' || p.rate::text, '0:'), '' ORDER BY p.n)
                    FROM posting p WHERE p.entry_id = e.id), ''), 'UTF8')) THEN 'or its seal was changed'
           END AS wrong
      FROM link l LEFT JOIN journal_entry e ON e.id = l.entry_id
)
SELECT 'A11' AS checker, j.entity_id, j.entry_id::text AS subject, 'entry ' || j.n || ' of the chain ' || j.wrong AS detail, j.sealed_at AS since
  FROM judged j WHERE j.wrong IS NOT NULL
UNION ALL
SELECT 'A11', e.entity_id, e.id::text, 'recorded with serial ' || e.serial || ' and not sealed', e.recorded_at
  FROM journal_entry e
 WHERE NOT EXISTS (SELECT FROM ledger_seal s WHERE s.entry_id = e.id)
   AND (e.serial <= (SELECT max(serial) FROM ledger_seal) OR e.recorded_at < now() - interval '5 minutes')
UNION ALL
SELECT 'A11', h.entity_id, h.id::text, 'head ' || h.n || ' of ' || h.day || ' was told with another hash', h.kept_at
  FROM ledger_head h LEFT JOIN ledger_seal s ON s.entity_id = h.entity_id AND s.n = h.n
 WHERE s.hash IS DISTINCT FROM h.hash;
CREATE OR REPLACE VIEW check_uneven_entry AS
SELECT 'A3' AS checker, u.entity_id, u.entry_id::text AS subject, 'out by ' || u.total || ' minor units of ' || u.currency AS detail, e.recorded_at AS since
  FROM (SELECT p.entry_id, p.entity_id, p.currency, sum(p.amount) AS total FROM posting p
         GROUP BY p.entry_id, p.entity_id, p.currency HAVING sum(p.amount) <> 0) u
  LEFT JOIN journal_entry e ON e.id = u.entry_id;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION check_is_counted() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER SET search_path = public, pg_temp AS $$
DECLARE
    view name := (SELECT v.viewname FROM pg_views v WHERE v.schemaname = 'public' AND v.viewname LIKE 'check\_%'
                     AND position(format('%L::text AS checker', NEW.checker) IN v.definition) > 0);
BEGIN
    IF view IS NULL THEN
        RAISE EXCEPTION 'there is no checker %', NEW.checker USING ERRCODE = 'check_violation', CONSTRAINT = 'check_is_counted';
    END IF;
    NEW.day := (now() AT TIME ZONE 'UTC' - interval '8 hours')::date;
    EXECUTE format('SELECT count(*) FROM public.%I', view) INTO NEW.found;
    RETURN NEW;
END $$;
-- +goose StatementEnd
DROP FUNCTION IF EXISTS wrong_donor_years, wrong_months, uneven_entries, broken_seals, check_from;
DROP TABLE IF EXISTS check_progress;
DROP TRIGGER IF EXISTS donor_years_move ON donation;
DROP TRIGGER IF EXISTS donor_years_change ON payment_change;
DROP VIEW IF EXISTS gift_of_fund, gift_row, donor_row;
DROP FUNCTION IF EXISTS find_donors, name_words, donor_years_move, donor_years_change, rebuild_donor_years, donor_years_behind, refresh_donor_years, donors_of_entries, years_of_donors, rebuild_months,
    add_to_months, sums_by_month, next_sealed;
DROP TABLE IF EXISTS donor_year_due, donor_year_through, donor_year, ledger_month_through, ledger_month;
