-- +goose NO TRANSACTION
-- +goose Up
-- What the first page of staff shows: disputes with their deadlines, who closed a task, and what was given day by day. Each statement may be
-- repeated.

-- A dispute, or an inquiry, of a payment by card: what the processor says about it, and when the books have it withdrawn, won or lost. Owned by
-- internal/processor/dispute. The server writes what the processor says; the times of the books follow payment_change, whoever writes that.
CREATE TABLE IF NOT EXISTS dispute (
    entity_id    uuid NOT NULL REFERENCES legal_entity (id),
    ref          text NOT NULL CHECK (ref <> ''),        -- the processor's id
    charge_ref   text NOT NULL CHECK (charge_ref <> ''),
    amount       bigint NOT NULL CHECK (amount > 0),     -- minor units
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    opened_at    timestamptz NOT NULL,
    reason       text CHECK (reason ~ '^[a-z_]+$'),      -- the bank's, as the processor names it; NULL until it told
    status       text CHECK (status ~ '^[a-z_]+$'),      -- at the processor; NULL until it told
    due_at       timestamptz,                            -- when evidence is due; NULL if none is asked for
    told_at      timestamptz,                            -- when the processor told status
    withdrawn_at timestamptz,
    won_at       timestamptz,
    lost_at      timestamptz,
    PRIMARY KEY (entity_id, ref),
    CHECK ((status IS NULL) = (told_at IS NULL))
);
CREATE INDEX IF NOT EXISTS dispute_newest ON dispute (entity_id, opened_at DESC, ref DESC);
CREATE INDEX IF NOT EXISTS dispute_of_charge ON dispute (entity_id, charge_ref);
CREATE INDEX IF NOT EXISTS dispute_open ON dispute (entity_id, due_at) WHERE won_at IS NULL AND lost_at IS NULL;

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION dispute_follows_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO dispute AS d (entity_id, ref, charge_ref, amount, currency, opened_at, withdrawn_at, won_at, lost_at)
    SELECT NEW.entity_id, NEW.object_id, p.charge_ref, NEW.amount + NEW.owed + NEW.beyond, p.currency, NEW.at,
           CASE NEW.kind WHEN 'dispute withdrawn' THEN NEW.at END, CASE NEW.kind WHEN 'dispute won' THEN NEW.at END, CASE NEW.kind WHEN 'dispute lost' THEN NEW.at END
      FROM payment p WHERE p.id = NEW.payment_id AND p.charge_ref IS NOT NULL
    ON CONFLICT (entity_id, ref) DO UPDATE
       SET withdrawn_at = coalesce(d.withdrawn_at, EXCLUDED.withdrawn_at), won_at = coalesce(d.won_at, EXCLUDED.won_at),
           lost_at = coalesce(d.lost_at, EXCLUDED.lost_at), opened_at = least(d.opened_at, EXCLUDED.opened_at);
    RETURN NULL;
END $$;

-- Whether a dispute of a charge gets no task of its own: a payment of a recurring gift has another one, and finance ignores the payments of some
-- other programs that use the account.
CREATE OR REPLACE FUNCTION dispute_without_task(entity uuid, charge text) RETURNS boolean STABLE LANGUAGE sql AS $$
    SELECT EXISTS (SELECT FROM payment p LEFT JOIN donation g ON g.id = p.donation_id LEFT JOIN payment_source o ON o.payment_id = p.id
                    WHERE p.entity_id = $1 AND p.processor = 'stripe' AND p.charge_ref = $2 AND (g.plan_id IS NOT NULL OR o.ignored))
$$;
-- +goose StatementEnd
CREATE OR REPLACE TRIGGER dispute_follows_change AFTER INSERT ON payment_change
    FOR EACH ROW WHEN (NEW.kind IN ('dispute withdrawn', 'dispute won', 'dispute lost')) EXECUTE FUNCTION dispute_follows_change();
INSERT INTO dispute (entity_id, ref, charge_ref, amount, currency, opened_at, withdrawn_at, won_at, lost_at)
SELECT h.entity_id, h.object_id, p.charge_ref, max(h.amount + h.owed + h.beyond), p.currency, min(h.at),
       min(h.at) FILTER (WHERE h.kind = 'dispute withdrawn'), min(h.at) FILTER (WHERE h.kind = 'dispute won'), min(h.at) FILTER (WHERE h.kind = 'dispute lost')
  FROM payment_change h JOIN payment p ON p.id = h.payment_id
 WHERE h.kind IN ('dispute withdrawn', 'dispute won', 'dispute lost') AND p.charge_ref IS NOT NULL
 GROUP BY h.entity_id, h.object_id, p.charge_ref, p.currency
    ON CONFLICT (entity_id, ref) DO NOTHING;

-- Disputes as pages list them: with the state that follows from what the processor said and what is booked, and with the gift.
CREATE OR REPLACE VIEW dispute_row WITH (security_invoker = true) AS
SELECT d.entity_id, d.ref, d.charge_ref, d.amount, d.currency, d.opened_at, d.reason, d.due_at, d.withdrawn_at, d.won_at, d.lost_at,
       CASE WHEN d.lost_at IS NOT NULL AND d.won_at IS NOT NULL THEN 'won_after_lost' WHEN d.won_at IS NOT NULL THEN 'won' WHEN d.lost_at IS NOT NULL THEN 'lost'
            WHEN d.status IN ('won', 'lost') THEN d.status WHEN d.status NOT IN ('needs_response', 'under_review', 'warning_needs_response', 'warning_under_review') THEN 'closed'
            WHEN d.status IN ('under_review', 'warning_under_review') THEN 'answered'
            WHEN d.status = 'warning_needs_response' THEN 'inquiry' ELSE 'open' END AS state,
       p.id AS payment_id, g.id AS donation_id, g.public_ref, g.organisation_id, g.plan_id
  FROM dispute d
  LEFT JOIN payment p ON p.entity_id = d.entity_id AND p.processor = 'stripe' AND p.charge_ref = d.charge_ref
  LEFT JOIN donation g ON g.id = p.donation_id;

-- office_gift_disputes returns the state of the dispute of each gift that has one and that the person of the staff session sees; of several the one
-- that matters most. It applies the scope itself, as the functions of migration 00134 do.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION office_gift_disputes(gifts uuid[]) RETURNS TABLE (donation_id uuid, state text) STABLE SECURITY DEFINER LANGUAGE plpgsql
SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    entities      uuid[] := office_entities('{finance,auditor}');
    organisations uuid[] := office_organisations('{finance,auditor}');
BEGIN
    RETURN QUERY SELECT DISTINCT ON (d.donation_id) d.donation_id, d.state FROM dispute_row d
     WHERE d.donation_id = ANY(gifts) AND (d.entity_id = ANY(entities) OR d.organisation_id = ANY(organisations))
     ORDER BY d.donation_id, array_position(ARRAY['open', 'inquiry', 'answered', 'lost', 'won_after_lost', 'won', 'closed'], d.state);
END $$;
-- +goose StatementEnd

-- What the steps of a dispute did to each fund; fund NULL: operations, what is beyond the gift.
CREATE OR REPLACE VIEW dispute_share WITH (security_invoker = true) AS
SELECT h.entity_id, h.object_id AS ref, replace(h.kind, 'dispute ', '') AS step, p.fund_id, p.amount + p.owed AS amount, h.at
  FROM payment_change h JOIN payment_change_share p ON p.object_id = h.object_id AND p.kind = h.kind AND p.entity_id = h.entity_id
 WHERE h.kind IN ('dispute withdrawn', 'dispute won', 'dispute lost') AND p.amount + p.owed > 0
UNION ALL
SELECT h.entity_id, h.object_id, replace(h.kind, 'dispute ', ''), NULL, h.beyond, h.at FROM payment_change h
 WHERE h.kind IN ('dispute withdrawn', 'dispute won', 'dispute lost') AND h.beyond > 0;

-- Which gift an id in the books, at the processor or in a task belongs to.
CREATE OR REPLACE VIEW gift_ref WITH (security_invoker = true) AS
SELECT g.id, g.entity_id, g.organisation_id, g.public_ref, p.charge_ref, p.intent_ref FROM donation g LEFT JOIN payment p ON p.donation_id = g.id AND p.status = 'settled';

-- gift_evidence returns what is known about a gift, for the bank that decides a dispute: for konbit_office what its policies show. What was typed
-- for a payment of a plan is what was typed on the form that began the plan.
--
--   part      name                      value
--   charge    where the gift is from    its amount in minor units; at: when it was charged
--   form      the payment's number      form: the donor sent it for this gift; plan: it began the plan. At: when
--   contact   a column of the form      what was typed; the email is of the donor now
--   moved     the email before          the email that it was corrected to; empty: the donor was erased
--   refund    its object                what went back in minor units
--   receipt   its reference             issued, void
--   email     its kind                  the address that it went to; at: when the mail server accepted it
--   earlier   a gift's reference        its amount in minor units
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION gift_evidence(of_gift uuid) RETURNS TABLE (part text, at timestamptz, name text, value text) STABLE LANGUAGE sql AS $$
    WITH gift AS (
        SELECT d.id, d.donor_id, d.amount, d.charged_at, coalesce(d.source, 'form') AS source, CASE WHEN d.source = 'plan' THEN coalesce(d.plan_id, d.id) ELSE d.id END AS form
          FROM donation d WHERE d.id = of_gift
    )
    SELECT 'charge', coalesce((SELECT p.received_at FROM payment p WHERE p.donation_id = g.id AND p.status = 'settled'), g.charged_at), g.source, g.amount::text FROM gift g
    UNION ALL
    SELECT 'form', f.created_at, coalesce((SELECT i.n::text FROM instalment i WHERE i.donation_id = g.id), ''), g.source
      FROM gift g JOIN donation f ON f.id = g.form WHERE g.source IN ('form', 'plan')
    UNION ALL
    SELECT 'contact', NULL::timestamptz, f.key, f.value FROM gift g JOIN donation_contact c ON c.donation_id = g.form
     CROSS JOIN LATERAL jsonb_each_text(to_jsonb(c) - 'donation_id') f WHERE f.value <> ''
    UNION ALL
    SELECT 'moved', m.at, coalesce(nullif(o.email, 'forgotten-' || o.id || '@invalid'), ''), coalesce(nullif(n.email, 'forgotten-' || n.id || '@invalid'), '')
      FROM gift g JOIN donation_owner_change m ON m.donation_id = g.form LEFT JOIN donor o ON o.id = m.from_donor LEFT JOIN donor n ON n.id = m.to_donor
    UNION ALL
    SELECT 'refund', h.at, h.object_id, (h.amount + h.owed + h.beyond)::text FROM payment p JOIN payment_change h ON h.payment_id = p.id
     WHERE p.donation_id = of_gift AND p.status = 'settled' AND h.kind = 'refund' AND NOT EXISTS (
           SELECT FROM payment_change w WHERE w.object_id = h.object_id AND w.entity_id = h.entity_id AND w.kind = 'refund failed')
    UNION ALL
    SELECT 'receipt', r.issued_at, coalesce(nullif(r.facts ->> 'receipt_prefix', ''), upper(r.facts ->> 'entity_slug')) || '-' || r.year || '-' || lpad(r.number::text, 6, '0'),
           CASE WHEN EXISTS (SELECT FROM receipt_void v WHERE v.receipt_id = r.id) THEN 'void' ELSE 'issued' END
      FROM receipt r WHERE r.donation_id = of_gift
    UNION ALL
    SELECT 'email', d.accepted_at, l.kind, d.recipient FROM letter l JOIN letter_delivery d ON d.letter_id = l.id
     WHERE d.accepted_at IS NOT NULL AND (l.subject_id = of_gift OR l.subject_id IN (SELECT r.id FROM receipt r WHERE r.donation_id = of_gift))
    UNION ALL
    SELECT * FROM (SELECT 'earlier', e.charged_at, e.public_ref, e.amount::text FROM donation g JOIN donation e ON e.donor_id = g.donor_id AND e.id <> g.id
     WHERE g.id = of_gift AND e.status = 'settled' AND e.charged_at < g.charged_at ORDER BY e.charged_at DESC LIMIT 100) earlier
$$;
-- +goose StatementEnd

-- Which member of staff closed a task; NULL if it closed automatically, or by a command of the operator.
ALTER TABLE finance_task ADD COLUMN IF NOT EXISTS closed_by uuid;
ALTER TABLE finance_task DROP CONSTRAINT IF EXISTS finance_task_closed_by_fkey,
    ADD CONSTRAINT finance_task_closed_by_fkey FOREIGN KEY (closed_by) REFERENCES staff (id) NOT VALID; -- migration 00142 validates it

-- Money that was in suspense and is a gift now comes by the method 'suspense'.
ALTER TABLE payment DROP CONSTRAINT IF EXISTS payment_method_check, ADD CONSTRAINT payment_method_check
    CHECK (method IN ('card', 'bank_debit', 'check', 'cash', 'bank_transfer', 'stock', 'donor_advised_fund', 'in_kind', 'suspense')) NOT VALID; -- migration 00142 validates it

-- What was given on a day, by fund and account: the postings in the accounts of contributions, of the entries of the chain up to
-- ledger_day_through.serial, as ledger_month has them by month. Owned by internal/books/ledger.
CREATE TABLE IF NOT EXISTS ledger_day (
    entity_id    uuid NOT NULL,
    day          date NOT NULL, -- journal_entry.entry_date
    fund_id      uuid NOT NULL,
    account_code text NOT NULL,
    amount       bigint NOT NULL, -- minor units, debit positive
    lines        bigint NOT NULL CHECK (lines > 0),
    PRIMARY KEY (entity_id, day, fund_id, account_code)
) WITH (fillfactor = 60); -- the rows of the current day are updated in place
CREATE TABLE IF NOT EXISTS ledger_day_through (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    serial bigint NOT NULL DEFAULT 0
);
INSERT INTO ledger_day_through DEFAULT VALUES ON CONFLICT DO NOTHING;

-- +goose StatementBegin
-- sums_by_day returns what the entries with serials above `after` and up to `upto` add to each day.
CREATE OR REPLACE FUNCTION sums_by_day(after bigint, upto bigint)
RETURNS TABLE (entity_id uuid, day date, fund_id uuid, account_code text, amount bigint, lines bigint)
STABLE LANGUAGE plpgsql SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY
    SELECT e.entity_id, e.entry_date, p.fund_id, p.account_code, sum(p.amount)::bigint, count(*)
      FROM journal_entry e JOIN posting p ON p.entry_id = e.id
     WHERE e.serial > after AND e.serial <= upto AND p.account_code IN ('4000', '4100', '4200', '4210')
     GROUP BY 1, 2, 3, 4;
END $$;

-- add_to_days adds the next sealed entries, as add_to_months does.
CREATE OR REPLACE FUNCTION add_to_days(most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    done bigint;
    upto bigint;
BEGIN
    SELECT t.serial INTO done FROM ledger_day_through t FOR UPDATE SKIP LOCKED;
    upto := next_sealed(done, most);
    IF upto IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO ledger_day AS d (entity_id, day, fund_id, account_code, amount, lines)
    SELECT s.entity_id, s.day, s.fund_id, s.account_code, s.amount, s.lines FROM sums_by_day(done, upto) s
    ON CONFLICT (entity_id, day, fund_id, account_code) DO UPDATE SET amount = d.amount + EXCLUDED.amount, lines = d.lines + EXCLUDED.lines;
    UPDATE ledger_day_through SET serial = upto;
    RETURN upto;
END $$;

-- rebuild_days computes all days anew from the postings. Readers see the old rows until the end.
CREATE OR REPLACE FUNCTION rebuild_days() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE ledger_day_through SET serial = 0;
    DELETE FROM ledger_day;
    PERFORM add_to_days(NULL);
END $$;

-- wrong_days compares the days of ledger_day on which entries after a serial were booked with their postings; 0: all days.
CREATE OR REPLACE FUNCTION wrong_days(after bigint) RETURNS TABLE (entity_id uuid, subject text, detail text)
STABLE LANGUAGE plpgsql SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    upto bigint := (SELECT t.serial FROM ledger_day_through t);
    days date[];
BEGIN
    IF after > 0 THEN
        days := ARRAY(SELECT DISTINCT e.entry_date FROM journal_entry e WHERE e.serial > after AND e.serial <= upto);
    END IF;
    RETURN QUERY
    WITH booked AS (
        SELECT e.entity_id, e.entry_date AS day, p.fund_id, p.account_code, sum(p.amount)::bigint AS amount, count(*) AS lines
          FROM journal_entry e JOIN posting p ON p.entry_id = e.id
         WHERE e.serial <= upto AND (days IS NULL OR e.entry_date = ANY(days)) AND p.account_code IN ('4000', '4100', '4200', '4210')
         GROUP BY 1, 2, 3, 4
    ), stored AS (
        SELECT * FROM ledger_day d WHERE days IS NULL OR d.day = ANY(days)
    )
    SELECT coalesce(i.entity_id, s.entity_id), concat_ws(' ', coalesce(i.day, s.day), coalesce(i.fund_id, s.fund_id), coalesce(i.account_code, s.account_code)),
           'stored ' || coalesce(s.amount || ' of ' || s.lines || ' lines', 'nothing') || ', is ' || coalesce(i.amount || ' of ' || i.lines || ' lines', 'nothing')
      FROM booked i FULL JOIN stored s ON s.entity_id = i.entity_id AND s.day = i.day AND s.fund_id = i.fund_id AND s.account_code = i.account_code
     WHERE (i.amount, i.lines) IS DISTINCT FROM (s.amount, s.lines);
END $$;

-- check_is_counted as before (migration 00110); A22 is as far as ledger_day.
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
                                                 WHEN 'A20' THEN (SELECT t.serial FROM donor_year_through t)
                                                 WHEN 'A22' THEN (SELECT t.serial FROM ledger_day_through t) END); -- how far it has read
        INSERT INTO check_progress AS p (checker, serial, whole_at) VALUES (NEW.checker, sealed, now())
        ON CONFLICT (checker) DO UPDATE SET serial = EXCLUDED.serial, whole_at = CASE WHEN whole THEN now() ELSE p.whole_at END;
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- A22. A sum of a day that is not the sum of its postings.
CREATE OR REPLACE VIEW check_day_differs AS
SELECT 'A22'::text AS checker, w.entity_id, w.subject, w.detail, now() AS since FROM wrong_days(check_from('A22')) w;

-- +goose Down
DROP VIEW check_day_differs;
-- +goose StatementBegin
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
-- +goose StatementEnd
DROP FUNCTION wrong_days, rebuild_days, add_to_days, sums_by_day;
DROP TABLE ledger_day, ledger_day_through;
ALTER TABLE payment DROP CONSTRAINT payment_method_check, ADD CONSTRAINT payment_method_check
    CHECK (method IN ('card', 'bank_debit', 'check', 'cash', 'bank_transfer', 'stock', 'donor_advised_fund', 'in_kind')) NOT VALID;
ALTER TABLE finance_task DROP COLUMN closed_by;
DROP VIEW dispute_row, dispute_share, gift_ref;
DROP TRIGGER dispute_follows_change ON payment_change;
DROP FUNCTION office_gift_disputes, dispute_follows_change, dispute_without_task, gift_evidence;
DROP TABLE dispute;
