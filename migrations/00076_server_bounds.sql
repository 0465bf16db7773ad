-- +goose Up
-- What a review found that the server's role could still do against 00060 to 00062.

-- Rules that read other rows hold in read committed transactions only: the snapshot of another transaction may be days old. With one, a
-- checker counted the rows of yesterday, a head was not the newest, seals left entries out, and the bound of erasures was not a bound.
-- +goose StatementBegin
CREATE FUNCTION sees_every_commit() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'rows of % are inserted in read committed transactions', TG_TABLE_NAME
            USING ERRCODE = 'check_violation', CONSTRAINT = 'sees_every_commit';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER sees_every_commit BEFORE INSERT ON ledger_seal FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE TRIGGER sees_every_commit BEFORE INSERT ON ledger_head FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE TRIGGER sees_every_commit BEFORE INSERT ON ledger_snapshot FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE TRIGGER sees_every_commit BEFORE INSERT ON check_run FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

-- A result of a checker that found something is a task, whoever inserted the result. Before, a result that the server's role inserted ended
-- the program's run of that day, and nobody was told. If the program has opened the task with more details, it stays as it is.
-- +goose StatementBegin
CREATE FUNCTION finding_is_a_task() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    view name := (SELECT v.viewname FROM pg_views v WHERE v.schemaname = 'public' AND v.viewname LIKE 'check\_%'
                     AND position(format('%L::text AS checker', NEW.checker) IN v.definition) > 0);
BEGIN
    EXECUTE format($sql$
        INSERT INTO finance_task AS t (id, entity_id, kind, subject, detail, opened_at)
        SELECT gen_random_uuid(), e.id, 'checker_found', %L, jsonb_build_object('checker', %L, 'rows', count(*)::text, 'first', min(v.subject)), now()
          FROM legal_entity e JOIN public.%I v ON v.entity_id = e.id OR v.entity_id IS NULL GROUP BY e.id
        ON CONFLICT (entity_id, kind, subject) DO UPDATE
           SET detail = EXCLUDED.detail, opened_at = EXCLUDED.opened_at, closed_at = NULL, times = t.times + 1
         WHERE t.closed_at IS NOT NULL $sql$, view, NEW.checker, view);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER finding_is_a_task AFTER INSERT ON check_run FOR EACH ROW WHEN (NEW.found > 0) EXECUTE FUNCTION finding_is_a_task();

-- A donor counts once against the bound of a day. Before, a donor counted as erased who had the address of an erased one, which the
-- server's role may write. Set by may_erase.
ALTER TABLE erasure_donor ADD COLUMN erased_at timestamptz;
UPDATE erasure_donor n SET erased_at = e.done_at FROM erasure e, donor d
 WHERE e.id = n.erasure_id AND d.id = n.donor_id AND d.email = 'forgotten-' || d.id || '@invalid';

-- An erasure is done when erase_people has run for everybody whom it names. The list of done erasures is stored with the backups, and
-- konbit erasures apply repeats it with the owner's rights and without a bound: so the server's role adds nobody to it who was not erased.
INSERT INTO erasure_done (erasure_id, at, people, by_owner)
SELECT e.id, e.done_at, 0, true FROM erasure e WHERE e.done_at IS NOT NULL AND NOT EXISTS (SELECT FROM erasure_done d WHERE d.erasure_id = e.id);
-- +goose StatementBegin
CREATE FUNCTION erasure_is_done() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    last timestamptz := (SELECT max(d.at) FROM erasure_done d WHERE d.erasure_id = NEW.id);
BEGIN
    IF is_owner() OR TG_OP = 'UPDATE' AND NEW.done_at IS NOT DISTINCT FROM OLD.done_at THEN
        RETURN NEW;
    END IF;
    IF last IS NULL OR EXISTS (SELECT FROM erasure_donor n WHERE n.erasure_id = NEW.id AND n.erased_at IS NULL)
       OR EXISTS (SELECT FROM erasure_address a WHERE a.erasure_id = NEW.id AND a.recorded_at > last) THEN
        NEW.done_at := NULL; -- it is due like any other; a list that the server's role applies depends on this
    END IF;
    -- done_at is not before the first run: rows that are newer than an erasure belong to a new person (migration 00078)
    NEW.done_at := greatest(NEW.done_at, CASE WHEN NEW.done_at IS NOT NULL THEN (SELECT min(d.at) FROM erasure_done d WHERE d.erasure_id = NEW.id) END);
    RETURN NEW;
END $$;
CREATE FUNCTION done_erasure_names_nobody_else() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    named boolean;
BEGIN
    IF is_owner() OR NOT EXISTS (SELECT FROM erasure e WHERE e.id = NEW.erasure_id AND e.done_at IS NOT NULL) THEN
        RETURN NEW;
    END IF;
    IF TG_TABLE_NAME = 'erasure_donor' THEN
        named := EXISTS (SELECT FROM erasure_donor n WHERE n.erasure_id = NEW.erasure_id AND n.donor_id = NEW.donor_id);
    ELSE
        named := EXISTS (SELECT FROM erasure_address n WHERE n.erasure_id = NEW.erasure_id AND n.mac = NEW.mac);
    END IF;
    IF NOT named THEN
        RAISE EXCEPTION 'erasure % is done', NEW.erasure_id USING ERRCODE = 'check_violation', CONSTRAINT = 'done_erasure_names_nobody_else';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER erasure_is_done BEFORE INSERT OR UPDATE ON erasure FOR EACH ROW WHEN (NEW.done_at IS NOT NULL) EXECUTE FUNCTION erasure_is_done();
CREATE TRIGGER done_erasure_names_nobody_else BEFORE INSERT ON erasure_donor FOR EACH ROW EXECUTE FUNCTION done_erasure_names_nobody_else();
CREATE TRIGGER done_erasure_names_nobody_else BEFORE INSERT ON erasure_address FOR EACH ROW EXECUTE FUNCTION done_erasure_names_nobody_else();
-- The program of the previous release goes on without waiting for grants.sql.
-- +goose StatementBegin
DO $$
DECLARE
    role name;
BEGIN
    FOR role IN SELECT DISTINCT g.grantee FROM information_schema.column_privileges g
        WHERE g.table_schema = 'public' AND g.table_name = 'erasure' AND g.privilege_type = 'INSERT' AND g.grantee <> current_user LOOP
        EXECUTE format('GRANT SELECT (erasure_id, at) ON erasure_done TO %I', role);
    END LOOP;
END $$;
-- +goose StatementEnd

-- As before; people are counted by erased_at, in a transaction that sees every erasure before it.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION may_erase(erasure uuid, addresses text[]) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    by_owner boolean := is_owner();
    allowed  server_limit;
    people   integer;
BEGIN
    IF NOT by_owner AND current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the server''s role erases in read committed transactions' USING ERRCODE = 'check_violation', CONSTRAINT = 'sees_every_commit';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('konbit erasures')); -- one count at a time
    IF NOT by_owner THEN -- what is counted does not change until it is erased; the program has these locks
        PERFORM d.id FROM donor d JOIN erasure_donor n ON n.donor_id = d.id WHERE n.erasure_id = erasure ORDER BY d.id FOR NO KEY UPDATE OF d NOWAIT;
    END IF;
    IF EXISTS (SELECT 1 FROM unnest(addresses) a WHERE a IS NULL OR a !~ '^[^@[:space:]]{1,64}@[^@[:space:]]{3,}$') THEN
        RAISE EXCEPTION 'erasure % is given what is no address', erasure USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_names_them';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM erasure e WHERE e.id = erasure AND e.withdrawn_at IS NULL) THEN
        RAISE EXCEPTION 'erasure % was not asked for', erasure USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_was_asked';
    END IF;
    SELECT count(*) INTO people FROM erasure_donor n JOIN donor d ON d.id = n.donor_id
     WHERE n.erasure_id = erasure AND (d.email IS DISTINCT FROM 'forgotten-' || d.id || '@invalid'
            OR NOT EXISTS (SELECT FROM erasure_donor x WHERE x.donor_id = n.donor_id AND x.erased_at IS NOT NULL));
    people := people + cardinality(addresses);
    IF NOT by_owner THEN
        SELECT * INTO allowed FROM server_limit;
        IF (SELECT max(t.recorded_at) FROM (
                SELECT e.recorded_at FROM erasure e WHERE e.id = erasure
                UNION ALL SELECT n.recorded_at FROM erasure_donor n WHERE n.erasure_id = erasure
                UNION ALL SELECT a.recorded_at FROM erasure_address a WHERE a.erasure_id = erasure) t)
           > clock_timestamp() - allowed.erasure_delay THEN
            RAISE EXCEPTION 'erasure % waits: it is due % after the database recorded it', erasure, allowed.erasure_delay
                USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_is_due';
        END IF;
        IF cardinality(addresses) > (SELECT count(*) FROM erasure_address a WHERE a.erasure_id = erasure) THEN
            RAISE EXCEPTION 'erasure % names fewer addresses', erasure USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_names_them';
        END IF;
        IF people > 0 AND people + (SELECT coalesce(sum(d.people), 0) FROM erasure_done d WHERE d.at > clock_timestamp() - interval '24 hours' AND NOT d.by_owner)
           > allowed.erased_a_day THEN
            RAISE EXCEPTION 'erasure % waits: the server erases at most % people in 24 hours', erasure, allowed.erased_a_day
                USING ERRCODE = 'check_violation', CONSTRAINT = 'erasures_a_day';
        END IF;
    END IF;
    UPDATE erasure_donor n SET erased_at = clock_timestamp() WHERE n.erasure_id = erasure AND n.erased_at IS NULL;
    INSERT INTO erasure_done (erasure_id, people, by_owner) VALUES (erasure, people, by_owner);
END $$;
-- +goose StatementEnd

-- One amount of an entry cannot make a sum of the books overflow. 10^15 minor units are ten trillion dollars.
ALTER TABLE posting ADD CONSTRAINT posting_amount_is_possible CHECK (amount BETWEEN -1000000000000000 AND 1000000000000000) NOT VALID;
-- Migration 00079 validates it: the scan must not hold the lock of this migration.

-- The history of an entity's facts also follows a change by hand that leaves updated_at as it is: then it begins now.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION entity_fact_is_kept() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    begins timestamptz := NEW.created_at;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        begins := CASE WHEN NEW.updated_at > OLD.updated_at THEN NEW.updated_at ELSE clock_timestamp() END;
    END IF;
    INSERT INTO entity_fact (entity_id, since, legal_name, ein, timezone, address)
    VALUES (NEW.id, begins, NEW.legal_name, NEW.ein, NEW.timezone, NEW.address);
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- A8. As before; an argument that is not an id cannot stop the checker.
CREATE OR REPLACE VIEW check_job_overdue AS
SELECT 'A8' AS checker,
       coalesce((SELECT r.entity_id FROM receipt r WHERE r.id = j.receipt_id), (SELECT d.entity_id FROM donation d WHERE d.id = j.donation_id),
                (SELECT l.entity_id FROM letter_delivery o JOIN letter l ON l.id = o.letter_id WHERE o.id = j.delivery_id),
                (SELECT h.entity_id FROM ledger_head h WHERE h.id = j.head_id)) AS entity_id,
       j.id::text AS subject, j.kind || ' is ' || j.state || CASE j.state WHEN 'running' THEN ' since its lease ended' WHEN 'discarded' THEN ': nobody tries it again'
           ELSE ' and due' END || ' (' || j.attempt || ' tries)' AS detail,
       CASE j.state WHEN 'running' THEN j.attempted_at WHEN 'discarded' THEN j.finalized_at ELSE j.scheduled_at END AS since
  FROM (SELECT id, kind, state, attempt, attempted_at, finalized_at, scheduled_at,
               substring(args ->> 'receipt_id' FROM '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$')::uuid AS receipt_id,
               substring(args ->> 'donation_id' FROM '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$')::uuid AS donation_id,
               substring(args ->> 'delivery_id' FROM '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$')::uuid AS delivery_id,
               substring(args ->> 'head_id' FROM '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$')::uuid AS head_id
          FROM river_job
         WHERE state IN ('available', 'scheduled', 'pending', 'retryable') AND scheduled_at < now() - interval '5 minutes'
            OR state = 'running' AND attempted_at < now() - interval '1 minute'
            OR state = 'discarded') j;

-- A9. As before; and an event or an import of Stripe's balance that is put off for longer than the program ever does, which one statement of
-- the server's role could do: to infinity, or by an invented transaction of a later time. Only a checker: a wrong clock refuses no fact.
CREATE OR REPLACE VIEW check_event_overdue AS
SELECT 'A9' AS checker, e.entity_id, e.id AS subject, e.type || ' is ' || e.state || ' and due (' || e.tries || ' tries)' AS detail, e.due_at AS since
  FROM stripe_event e
 WHERE e.state IN ('new', 'parked') AND e.due_at < now() - interval '5 minutes'
UNION ALL
SELECT 'A9', e.entity_id, e.id, e.type || ' is ' || e.state || ' and put off for more than a day', e.received_at
  FROM stripe_event e
 WHERE e.state IN ('new', 'parked') AND e.due_at > now() + interval '1 day'
UNION ALL
SELECT 'A9', l.entity_id, l.entity_id::text, 'the import of Stripe''s balance is put off for more than a day', now()
  FROM balance_lookup l CROSS JOIN server_limit s
 WHERE greatest(l.leased_until, l.next_look) > now() + interval '1 day' OR l.read_through > now() + s.business_clock_lead;

-- A16. As before, and annual statements too; and a receipt whose amount, day or year is not that of its donation. Nothing in the facts can
-- stop the checker.
CREATE OR REPLACE VIEW check_receipt_facts AS
WITH stated AS MATERIALIZED (
    SELECT entity_id, legal_name, ein,
           CASE WHEN lag(since) OVER history IS NULL THEN '-infinity' ELSE since - interval '1 minute' END AS begins,
           coalesce(lead(since) OVER history, 'infinity') + interval '1 day' AS ends
      FROM entity_fact WINDOW history AS (PARTITION BY entity_id ORDER BY since, n)
), paper AS (
    SELECT entity_id, id, facts, issued_at FROM receipt UNION ALL SELECT entity_id, id, facts, issued_at FROM statement
)
SELECT 'A16' AS checker, r.entity_id, r.id::text AS subject, 'its legal name or EIN was not the entity''s when it was issued' AS detail, r.issued_at AS since
  FROM paper r
 WHERE NOT EXISTS (SELECT FROM stated s WHERE s.entity_id = r.entity_id AND s.legal_name = r.facts ->> 'legal_name' AND s.ein = r.facts ->> 'ein'
                      AND r.issued_at BETWEEN s.begins AND s.ends)
UNION ALL
SELECT 'A16', r.entity_id, r.id::text, 'its amount, day or year is not that of its donation', r.issued_at
  FROM receipt r JOIN donation d ON d.id = r.donation_id
 WHERE r.year IS DISTINCT FROM extract(year FROM d.tax_date)::integer OR r.facts ->> 'charged_on' IS DISTINCT FROM to_char(d.tax_date, 'YYYY-MM-DD')
    OR r.facts #>> '{amount,currency}' IS DISTINCT FROM d.currency
    OR CASE jsonb_typeof(r.facts #> '{amount,minor}') WHEN 'number' THEN (r.facts #> '{amount,minor}')::numeric END
       + CASE coalesce(jsonb_typeof(r.facts #> '{returned,amount,minor}'), 'none') WHEN 'none' THEN 0
              WHEN 'number' THEN (r.facts #> '{returned,amount,minor}')::numeric END IS DISTINCT FROM d.amount;

-- +goose Down
CREATE OR REPLACE VIEW check_receipt_facts AS
WITH stated AS MATERIALIZED (
    SELECT entity_id, legal_name, ein,
           CASE WHEN lag(since) OVER history IS NULL THEN '-infinity' ELSE since - interval '1 minute' END AS begins,
           coalesce(lead(since) OVER history, 'infinity') + interval '1 day' AS ends
      FROM entity_fact WINDOW history AS (PARTITION BY entity_id ORDER BY since, n)
)
SELECT 'A16' AS checker, r.entity_id, r.id::text AS subject, 'its legal name or EIN was not the entity''s when it was issued' AS detail, r.issued_at AS since
  FROM receipt r
 WHERE NOT EXISTS (SELECT FROM stated s WHERE s.entity_id = r.entity_id AND s.legal_name = r.facts ->> 'legal_name' AND s.ein = r.facts ->> 'ein'
                      AND r.issued_at BETWEEN s.begins AND s.ends);
CREATE OR REPLACE VIEW check_job_overdue AS
SELECT 'A8' AS checker,
       coalesce((SELECT r.entity_id FROM receipt r WHERE r.id = j.receipt_id), (SELECT d.entity_id FROM donation d WHERE d.id = j.donation_id),
                (SELECT l.entity_id FROM letter_delivery o JOIN letter l ON l.id = o.letter_id WHERE o.id = j.delivery_id),
                (SELECT h.entity_id FROM ledger_head h WHERE h.id = j.head_id)) AS entity_id,
       j.id::text AS subject, j.kind || ' is ' || j.state || CASE j.state WHEN 'running' THEN ' since its lease ended' WHEN 'discarded' THEN ': nobody tries it again'
           ELSE ' and due' END || ' (' || j.attempt || ' tries)' AS detail,
       CASE j.state WHEN 'running' THEN j.attempted_at WHEN 'discarded' THEN j.finalized_at ELSE j.scheduled_at END AS since
  FROM (SELECT id, kind, state, attempt, attempted_at, finalized_at, scheduled_at,
               substring(args ->> 'receipt_id' FROM '^[0-9a-f-]{36}$')::uuid AS receipt_id, substring(args ->> 'donation_id' FROM '^[0-9a-f-]{36}$')::uuid AS donation_id,
               substring(args ->> 'delivery_id' FROM '^[0-9a-f-]{36}$')::uuid AS delivery_id, substring(args ->> 'head_id' FROM '^[0-9a-f-]{36}$')::uuid AS head_id
          FROM river_job
         WHERE state IN ('available', 'scheduled', 'pending', 'retryable') AND scheduled_at < now() - interval '5 minutes'
            OR state = 'running' AND attempted_at < now() - interval '1 minute'
            OR state = 'discarded') j;
CREATE OR REPLACE VIEW check_event_overdue AS
SELECT 'A9' AS checker, e.entity_id, e.id AS subject, e.type || ' is ' || e.state || ' and due (' || e.tries || ' tries)' AS detail, e.due_at AS since
  FROM stripe_event e
 WHERE e.state IN ('new', 'parked') AND e.due_at < now() - interval '5 minutes';
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION entity_fact_is_kept() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO entity_fact (entity_id, since, legal_name, ein, timezone, address)
    VALUES (NEW.id, CASE TG_OP WHEN 'INSERT' THEN NEW.created_at ELSE NEW.updated_at END, NEW.legal_name, NEW.ein, NEW.timezone, NEW.address);
    RETURN NULL;
END $$;
-- +goose StatementEnd
ALTER TABLE posting DROP CONSTRAINT posting_amount_is_possible;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION may_erase(erasure uuid, addresses text[]) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    by_owner boolean := is_owner();
    allowed  server_limit;
    people   integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('konbit erasures')); -- one count at a time
    IF EXISTS (SELECT 1 FROM unnest(addresses) a WHERE a IS NULL OR a !~ '^[^@[:space:]]{1,64}@[^@[:space:]]{3,}$') THEN
        RAISE EXCEPTION 'erasure % is given what is no address', erasure USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_names_them';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM erasure e WHERE e.id = erasure AND e.withdrawn_at IS NULL) THEN
        RAISE EXCEPTION 'erasure % was not asked for', erasure USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_was_asked';
    END IF;
    SELECT count(*) INTO people FROM erasure_donor n JOIN donor d ON d.id = n.donor_id
     WHERE n.erasure_id = erasure AND (d.email IS NULL OR d.email <> 'forgotten-' || d.id || '@invalid');
    people := people + cardinality(addresses);
    IF NOT by_owner THEN
        SELECT * INTO allowed FROM server_limit;
        IF (SELECT max(t.recorded_at) FROM (
                SELECT e.recorded_at FROM erasure e WHERE e.id = erasure
                UNION ALL SELECT n.recorded_at FROM erasure_donor n WHERE n.erasure_id = erasure
                UNION ALL SELECT a.recorded_at FROM erasure_address a WHERE a.erasure_id = erasure) t)
           > clock_timestamp() - allowed.erasure_delay THEN
            RAISE EXCEPTION 'erasure % waits: it is due % after the database recorded it', erasure, allowed.erasure_delay
                USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_is_due';
        END IF;
        IF cardinality(addresses) > (SELECT count(*) FROM erasure_address a WHERE a.erasure_id = erasure) THEN
            RAISE EXCEPTION 'erasure % names fewer addresses', erasure USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_names_them';
        END IF;
        IF people > 0 AND people + (SELECT coalesce(sum(d.people), 0) FROM erasure_done d WHERE d.at > clock_timestamp() - interval '24 hours' AND NOT d.by_owner)
           > allowed.erased_a_day THEN
            RAISE EXCEPTION 'erasure % waits: the server erases at most % people in 24 hours', erasure, allowed.erased_a_day
                USING ERRCODE = 'check_violation', CONSTRAINT = 'erasures_a_day';
        END IF;
    END IF;
    INSERT INTO erasure_done (erasure_id, people, by_owner) VALUES (erasure, people, by_owner);
END $$;
-- +goose StatementEnd
ALTER TABLE erasure_donor DROP COLUMN erased_at;
DROP TRIGGER done_erasure_names_nobody_else ON erasure_address;
DROP TRIGGER done_erasure_names_nobody_else ON erasure_donor;
DROP TRIGGER erasure_is_done ON erasure;
DROP TRIGGER finding_is_a_task ON check_run;
DROP TRIGGER sees_every_commit ON check_run;
DROP TRIGGER sees_every_commit ON ledger_snapshot;
DROP TRIGGER sees_every_commit ON ledger_head;
DROP TRIGGER sees_every_commit ON ledger_seal;
DROP FUNCTION done_erasure_names_nobody_else, erasure_is_done, finding_is_a_task, sees_every_commit;
