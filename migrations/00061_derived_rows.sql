-- +goose Up
-- Seals, heads, snapshots and results of checkers are derived from other rows. The server's role inserts them, as the program of the
-- previous release does. Triggers recompute each row and refuse a wrong one, so no row is ahead of the rows it is derived from.

-- business_clock_lead is how far the program's business clock may be ahead of the database's clock. konbit migrate sets it: one day with
-- Stripe, which covers time zones and wrong clocks; 100 years with a stand-in for Stripe, which moves the business clock.
ALTER TABLE server_limit ADD COLUMN business_clock_lead interval NOT NULL DEFAULT '1 day' CHECK (business_clock_lead >= '1 day');

-- +goose StatementBegin
-- length_prefixed returns "length:bytes". It has no search path of its own, so that the planner can inline it.
CREATE FUNCTION length_prefixed(value text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT pg_catalog.octet_length(coalesce(value, ''))::text || ':' || coalesce(value, '')
$$;

-- A seal
--
--   * seals the next entry in the order of serials and leaves out no visible entry,
--   * follows the previous seal of its chain,
--   * has the hash that package ledger documents (seal_hash.go).
--
-- A seal made before a late transaction commits would leave out its entry; checker A11 names that entry. The settings of the planner keep
-- one cached plan good for one seal and for thousands, also in tables that were not analysed yet.
CREATE FUNCTION seals_follow_entries() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    added bigint;
    first bigint;
    last  bigint;
    wrong uuid;
BEGIN
    SELECT count(*), min(serial), max(serial) INTO added, first, last FROM fresh;
    IF added <> (SELECT count(*) FROM journal_entry
                 WHERE serial > (SELECT coalesce(max(serial), 0) FROM ledger_seal WHERE serial < first) AND serial <= last) THEN
        RAISE EXCEPTION 'the seals up to serial % do not seal each entry before it', last
            USING ERRCODE = 'check_violation', CONSTRAINT = 'seals_follow_entries';
    END IF;
    SELECT f.entry_id INTO wrong
      FROM fresh f
      LEFT JOIN LATERAL (SELECT p.serial, p.hash FROM ledger_seal p WHERE p.entity_id = f.entity_id AND p.n = f.n - 1 LIMIT 1) p ON true
      LEFT JOIN LATERAL (SELECT e.* FROM journal_entry e WHERE e.serial = f.serial AND e.id = f.entry_id AND e.entity_id = f.entity_id LIMIT 1) e ON true
      LEFT JOIN LATERAL (
          SELECT count(*) AS lines, string_agg(length_prefixed(p.n::text) || length_prefixed(p.account_code) || length_prefixed(p.fund_id::text)
                 || length_prefixed(p.amount::text) || length_prefixed(p.dimensions::text) || length_prefixed(p.foreign_currency)
                 || length_prefixed(p.foreign_amount::text) || length_prefixed(p.rate::text), '' ORDER BY p.n) AS text
            FROM posting p WHERE p.entry_id = f.entry_id) l ON true
     WHERE e.id IS NULL OR (f.n > 1 AND (p.serial IS NULL OR p.serial >= f.serial)) OR l.lines <> e.line_count
        OR f.hash IS DISTINCT FROM sha256(convert_to(length_prefixed('konbit entry 1')
             || length_prefixed(coalesce(encode(p.hash, 'hex'), repeat('0', 64))) || length_prefixed(f.n::text)
             || length_prefixed(e.entity_id::text) || length_prefixed(e.id::text) || length_prefixed(e.serial::text) || length_prefixed(e.currency)
             || length_prefixed(to_char(e.entry_date, 'YYYY-MM-DD')) || length_prefixed(to_char(e.fact_date, 'YYYY-MM-DD'))
             || length_prefixed(e.source) || length_prefixed(e.source_id) || length_prefixed(e.kind) || length_prefixed(encode(e.fact_hash, 'hex'))
             || length_prefixed(e.line_count::text) || length_prefixed(e.reverses::text) || length_prefixed(e.dimensions::text)
             || length_prefixed(to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) || length_prefixed(e.recorded_by::text)
             || l.text, 'UTF8'))
     LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'the seal of entry % does not follow from the entry and the seal before', wrong
            USING ERRCODE = 'check_violation', CONSTRAINT = 'seals_follow_entries';
    END IF;
    RETURN NULL;
END $$;

-- A head is that of the newest seal, and its day has come by the business clock. A head of a later day would silently replace the head of
-- that day and its email to the auditors. The trial balance is computed here.
CREATE FUNCTION head_is_newest() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    newest ledger_seal;
    latest timestamptz := clock_timestamp() + (SELECT business_clock_lead FROM server_limit);
BEGIN
    SELECT * INTO newest FROM ledger_seal WHERE entity_id = NEW.entity_id ORDER BY n DESC LIMIT 1;
    IF newest.n IS DISTINCT FROM NEW.n OR newest.hash <> NEW.hash THEN
        RAISE EXCEPTION 'head % is not the newest seal', NEW.n USING ERRCODE = 'check_violation', CONSTRAINT = 'head_is_newest';
    END IF;
    IF NEW.kept_at > latest OR NEW.day > (latest AT TIME ZONE 'UTC')::date THEN
        RAISE EXCEPTION 'head % is recorded before its day % has come', NEW.n, NEW.day
            USING ERRCODE = 'check_violation', CONSTRAINT = 'head_is_not_early', HINT = 'Synchronise the clocks. With a stand-in for Stripe, run konbit migrate with STRIPE_API_URL.';
    END IF;
    NEW.trial_balance := (SELECT coalesce(sum(p.amount), 0) FROM posting p WHERE p.entity_id = NEW.entity_id AND p.serial <= newest.serial);
    RETURN NEW;
END $$;

-- A snapshot is the sum of the previous snapshot and the postings since, for every account of the fund.
CREATE FUNCTION snapshots_are_sums() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT c.fund_id INTO wrong
      FROM (SELECT DISTINCT f.entity_id, f.fund_id, f.n, s.serial FROM fresh f JOIN ledger_seal s ON s.entity_id = f.entity_id AND s.n = f.n) c
      LEFT JOIN LATERAL (
          SELECT k.n, s.serial FROM ledger_snapshot k JOIN ledger_seal s ON s.entity_id = k.entity_id AND s.n = k.n
           WHERE k.fund_id = c.fund_id AND k.n < c.n ORDER BY k.n DESC LIMIT 1) b ON true
     WHERE EXISTS (
          SELECT FROM (SELECT account_code, sum(amount) AS amount FROM (
                           SELECT k.account_code, k.amount FROM ledger_snapshot k WHERE k.fund_id = c.fund_id AND k.n = b.n
                           UNION ALL
                           SELECT p.account_code, p.amount FROM posting p
                            WHERE p.fund_id = c.fund_id AND p.serial > coalesce(b.serial, 0) AND p.serial <= c.serial) part GROUP BY account_code) computed
          FULL JOIN (SELECT account_code, amount FROM ledger_snapshot k WHERE k.fund_id = c.fund_id AND k.n = c.n) stored USING (account_code)
          WHERE computed.amount IS DISTINCT FROM stored.amount)
     LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'the snapshot of fund % is not the sum of its postings', wrong
            USING ERRCODE = 'check_violation', CONSTRAINT = 'snapshots_are_sums';
    END IF;
    RETURN NULL;
END $$;

-- The database sets the day of a checker's result and counts the rows of its view, which is the view whose text contains its name.
CREATE FUNCTION check_is_counted() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
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
CREATE TRIGGER seals_follow_entries AFTER INSERT ON ledger_seal REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION seals_follow_entries();
CREATE TRIGGER head_is_newest BEFORE INSERT ON ledger_head FOR EACH ROW EXECUTE FUNCTION head_is_newest();
CREATE TRIGGER snapshots_are_sums AFTER INSERT ON ledger_snapshot REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION snapshots_are_sums();
CREATE TRIGGER check_is_counted BEFORE INSERT ON check_run FOR EACH ROW EXECUTE FUNCTION check_is_counted();

-- +goose Down
DROP TRIGGER check_is_counted ON check_run;
DROP TRIGGER snapshots_are_sums ON ledger_snapshot;
DROP TRIGGER head_is_newest ON ledger_head;
DROP TRIGGER seals_follow_entries ON ledger_seal;
DROP FUNCTION check_is_counted, snapshots_are_sums, head_is_newest, seals_follow_entries, length_prefixed;
ALTER TABLE server_limit DROP COLUMN business_clock_lead;
