-- +goose NO TRANSACTION
-- +goose Up
-- Matches of bank lines and what they are of ours. Owned by internal/office/bank. Each statement may be repeated.
--
--   open ── match ──▶ matched: one entry, or none if it is booked already or set aside
--     ▲                  │
--     └────── undo ──────┘ the reversing entry; not in a closed month

-- A part that a person split off a line, with a reason. Part 0 of a line is what is left of it.
CREATE TABLE IF NOT EXISTS bank_split (
    line_id    uuid NOT NULL,
    part       integer NOT NULL CHECK (part > 0),
    entity_id  uuid NOT NULL,
    account_id uuid NOT NULL,
    amount     bigint NOT NULL CHECK (amount <> 0), -- minor units, with the sign of the line
    reason     text NOT NULL CHECK (btrim(reason) <> '' AND length(reason) <= 500), -- names no person
    split_by   uuid REFERENCES staff (id),
    split_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    joined_by  uuid REFERENCES staff (id),
    joined_at  timestamptz, -- when the split was undone
    PRIMARY KEY (line_id, part),
    FOREIGN KEY (line_id, entity_id, account_id) REFERENCES bank_line (id, entity_id, account_id)
);

-- A rule that a person made: lines of an account with these words, direction and amount are these items.
CREATE TABLE IF NOT EXISTS bank_rule (
    id         uuid PRIMARY KEY,
    entity_id  uuid NOT NULL,
    account_id uuid NOT NULL,
    words      text NOT NULL CHECK (btrim(words) <> '' AND length(words) <= 200), -- in the text of the line, in any case
    direction  text NOT NULL CHECK (direction IN ('in', 'out')),
    amount     bigint CHECK (amount <> 0), -- exactly; NULL: any
    parts      jsonb NOT NULL CHECK (jsonb_typeof(parts) = 'array' AND jsonb_array_length(parts) BETWEEN 1 AND 20), -- [{"item": "spending:general:program:rent", "share": 10000}], in basis points
    made_by    uuid NOT NULL REFERENCES staff (id),
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_by   uuid REFERENCES staff (id),
    ended_at   timestamptz,
    UNIQUE (id, entity_id, account_id),
    CHECK ((ended_by IS NULL) = (ended_at IS NULL)),
    FOREIGN KEY (account_id, entity_id) REFERENCES bank_account (id, entity_id)
);
CREATE INDEX IF NOT EXISTS bank_rule_of_account ON bank_rule (account_id, made_at);

CREATE TABLE IF NOT EXISTS bank_match (
    id          uuid PRIMARY KEY,
    entity_id   uuid NOT NULL,
    account_id  uuid NOT NULL,
    on_date     date NOT NULL, -- the last day of its lines
    rule_id     uuid, -- the rule that made it
    matched_by  uuid REFERENCES staff (id), -- NULL: a rule, while an operator stored a file
    matched_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    undone_by   uuid REFERENCES staff (id),
    undone_at   timestamptz,
    undo_reason text CHECK (length(undo_reason) <= 500), -- names no person
    UNIQUE (id, entity_id),
    UNIQUE (id, entity_id, account_id),
    FOREIGN KEY (account_id, entity_id) REFERENCES bank_account (id, entity_id),
    FOREIGN KEY (rule_id, entity_id, account_id) REFERENCES bank_rule (id, entity_id, account_id)
);
CREATE INDEX IF NOT EXISTS bank_match_of_account ON bank_match (account_id, on_date);
CREATE INDEX IF NOT EXISTS bank_match_of_rule ON bank_match (rule_id) WHERE rule_id IS NOT NULL;

CREATE TABLE IF NOT EXISTS bank_match_line (
    match_id   uuid NOT NULL,
    line_id    uuid NOT NULL,
    part       integer NOT NULL DEFAULT 0 CHECK (part >= 0),
    entity_id  uuid NOT NULL,
    account_id uuid NOT NULL,
    amount     bigint NOT NULL CHECK (amount <> 0),
    undone     boolean NOT NULL DEFAULT false, -- with its match
    PRIMARY KEY (match_id, line_id, part),
    FOREIGN KEY (match_id, entity_id, account_id) REFERENCES bank_match (id, entity_id, account_id),
    FOREIGN KEY (line_id, entity_id, account_id) REFERENCES bank_line (id, entity_id, account_id)
);
CREATE UNIQUE INDEX IF NOT EXISTS bank_match_line_live ON bank_match_line (line_id, part) WHERE NOT undone;

-- booked: the match's entry books it on 1100. The others stand in 1100 already, or are set aside.
CREATE TABLE IF NOT EXISTS bank_match_item (
    match_id     uuid NOT NULL,
    n            integer NOT NULL CHECK (n > 0),
    entity_id    uuid NOT NULL,
    account_id   uuid NOT NULL,
    kind         text NOT NULL CHECK (kind ~ '^[a-z_]+$'),
    ref          text NOT NULL CHECK (length(ref) <= 500),
    amount       bigint NOT NULL CHECK (amount <> 0), -- minor units, as on the statement
    booked       boolean NOT NULL,
    clears_match uuid, -- of an own transfer: the match of the other account, which booked it
    undone       boolean NOT NULL DEFAULT false,
    PRIMARY KEY (match_id, n),
    CHECK (kind <> 'aside' OR NOT booked),
    CHECK (clears_match IS NULL OR kind = 'transfer' AND NOT booked),
    CHECK (kind <> 'transfer' OR booked OR clears_match IS NOT NULL),
    FOREIGN KEY (clears_match, entity_id) REFERENCES bank_match (id, entity_id),
    FOREIGN KEY (match_id, entity_id, account_id) REFERENCES bank_match (id, entity_id, account_id)
);
CREATE UNIQUE INDEX IF NOT EXISTS bank_match_item_live ON bank_match_item (entity_id, kind, ref)
 WHERE NOT undone AND kind NOT IN ('fee', 'interest', 'spending', 'transfer', 'aside');
CREATE INDEX IF NOT EXISTS bank_match_item_of_gift ON bank_match_item (ref) WHERE kind = 'gift';
CREATE UNIQUE INDEX IF NOT EXISTS bank_match_item_clears ON bank_match_item (clears_match, account_id) WHERE NOT undone AND clears_match IS NOT NULL;

-- Items in a live match. The packages of items leave them out of what is open.
CREATE OR REPLACE VIEW bank_cleared WITH (security_invoker = true) AS
SELECT i.entity_id, i.kind, i.ref, i.match_id FROM bank_match_item i WHERE NOT i.undone AND i.clears_match IS NULL AND i.kind NOT IN ('fee', 'interest', 'spending', 'transfer', 'aside')
UNION ALL
SELECT i.entity_id, 'transfer', i.clears_match::text, i.match_id FROM bank_match_item i WHERE NOT i.undone AND i.clears_match IS NOT NULL;

-- A line's parts: what is left of it (part 0), and what was split off.
CREATE OR REPLACE VIEW bank_part WITH (security_invoker = true) AS
SELECT l.id AS line_id, 0 AS part, l.entity_id, l.account_id, l.booked_on,
       (l.amount - coalesce((SELECT sum(s.amount) FROM bank_split s WHERE s.line_id = l.id AND s.joined_at IS NULL), 0))::bigint AS amount, ''::text AS reason
  FROM bank_line l
UNION ALL
SELECT s.line_id, s.part, s.entity_id, s.account_id, l.booked_on, s.amount, s.reason FROM bank_split s JOIN bank_line l ON l.id = s.line_id WHERE s.joined_at IS NULL;

-- What is on 1100 of an account, and was not booked by one of its matches or openings: it waits for its line, or has it. A gift is named by its
-- reference, an own transfer by the match of the other account, everything else by its entry.
CREATE OR REPLACE VIEW bank_standing_posting WITH (security_invoker = true) AS
SELECT p.entity_id, a.id AS account_id, CASE WHEN m.id IS NOT NULL THEN 'transfer' WHEN d.id IS NOT NULL THEN 'gift' ELSE 'entry' END AS kind,
       coalesce(m.id::text, d.public_ref, e.reverses::text, e.id::text) AS ref, e.entry_date, p.amount
  FROM posting p
  JOIN journal_entry e ON e.id = p.entry_id
  JOIN bank_account a ON a.entity_id = p.entity_id AND a.slug = p.dimensions ->> 'bank'
  LEFT JOIN bank_match m ON m.id = CASE WHEN e.source = 'bank match' THEN e.source_id::uuid END
  LEFT JOIN donation d ON d.id = CASE WHEN e.source = 'payment' THEN (e.dimensions ->> 'donation')::uuid END
 WHERE p.account_code = '1100' AND e.source <> 'bank opening' AND m.account_id IS DISTINCT FROM a.id;
CREATE OR REPLACE VIEW bank_standing WITH (security_invoker = true) AS
SELECT s.entity_id, s.account_id, s.kind, s.ref, min(s.entry_date) AS on_date, sum(s.amount)::bigint AS amount
  FROM bank_standing_posting s GROUP BY s.entity_id, s.account_id, s.kind, s.ref HAVING sum(s.amount) <> 0;

-- The entries of matches.
CREATE OR REPLACE VIEW bank_match_entry WITH (security_invoker = true) AS
SELECT m.id AS match_id, e.id AS entry_id, e.entry_date FROM bank_match m
  JOIN journal_entry e ON e.source_id = m.id::text AND e.kind = 'matched' AND e.source = 'bank match' AND e.entity_id = m.entity_id;

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refuse_bank(rule text, message text) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '%', message USING ERRCODE = 'check_violation', CONSTRAINT = rule;
END $$;

-- What of an item stands in 1100 of an account: as bank_standing says, by the keys of its entries.
CREATE OR REPLACE FUNCTION bank_standing_of(the_entity uuid, the_account uuid, the_kind text, the_ref text) RETURNS bigint STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT CASE the_kind
      WHEN 'gift' THEN (SELECT sum(p.amount) FROM donation d JOIN payment y ON y.donation_id = d.id
          JOIN journal_entry e ON e.source_id = y.id::text AND e.source = 'payment' AND e.entity_id = d.entity_id
          JOIN posting p ON p.entry_id = e.id WHERE d.public_ref = the_ref AND d.entity_id = the_entity AND p.account_code = '1100'
           AND p.dimensions ->> 'bank' = (SELECT a.slug FROM bank_account a WHERE a.id = the_account))
      WHEN 'transfer' THEN (SELECT sum(p.amount) FROM bank_match m JOIN journal_entry e ON e.source_id = m.id::text AND e.source = 'bank match' AND e.entity_id = m.entity_id
          JOIN posting p ON p.entry_id = e.id WHERE m.id = the_ref::uuid AND m.entity_id = the_entity AND m.account_id <> the_account AND p.account_code = '1100'
           AND p.dimensions ->> 'bank' = (SELECT a.slug FROM bank_account a WHERE a.id = the_account))
      WHEN 'entry' THEN (SELECT sum(p.amount) FROM journal_entry e JOIN posting p ON p.entry_id = e.id
          WHERE (e.id = the_ref::uuid OR e.reverses = the_ref::uuid) AND e.entity_id = the_entity AND e.source NOT IN ('bank match', 'bank opening')
           AND NOT (e.source = 'payment' AND e.dimensions ? 'donation') AND p.account_code = '1100'
           AND p.dimensions ->> 'bank' = (SELECT a.slug FROM bank_account a WHERE a.id = the_account))
    END::bigint
$$;

-- bank_match_problem returns which rule a match breaks; NULL if none. It is read at commit, and by the checker.
CREATE OR REPLACE FUNCTION bank_match_problem(the_match uuid) RETURNS text STABLE LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    m      bank_match;
    e      journal_entry;
    slug   text;
    booked bigint;
    problem text;
BEGIN
    SELECT * INTO m FROM bank_match WHERE id = the_match;
    slug := (SELECT a.slug FROM bank_account a WHERE a.id = m.account_id);
    IF EXISTS (SELECT FROM bank_match_line l WHERE l.match_id = m.id AND l.undone <> (m.undone_at IS NOT NULL))
       OR EXISTS (SELECT FROM bank_match_item i WHERE i.match_id = m.id AND i.undone <> (m.undone_at IS NOT NULL)) THEN
        RETURN 'bank_match_is_whole';
    END IF;
    IF (SELECT sum(l.amount) FROM bank_match_line l WHERE l.match_id = m.id) IS DISTINCT FROM (SELECT sum(i.amount) FROM bank_match_item i WHERE i.match_id = m.id)
       OR NOT EXISTS (SELECT FROM bank_match_line l WHERE l.match_id = m.id) THEN
        RETURN 'bank_match_is_equal';
    END IF;
    SELECT j.* INTO e FROM journal_entry j WHERE j.source_id = m.id::text AND j.kind = 'matched' AND j.source = 'bank match' AND j.entity_id = m.entity_id;
    -- What is booked on 1100 of each account is what the items say.
    IF EXISTS (
        SELECT FROM (SELECT coalesce(p.dimensions ->> 'bank', '') AS bank, p.amount FROM posting p WHERE p.entry_id = e.id AND p.account_code = '1100'
                     UNION ALL SELECT slug, -i.amount FROM bank_match_item i WHERE i.match_id = m.id AND i.booked
                     UNION ALL SELECT i.ref, i.amount FROM bank_match_item i WHERE i.match_id = m.id AND i.booked AND i.kind = 'transfer') b
         GROUP BY b.bank HAVING sum(b.amount) <> 0) OR e.id IS NULL AND EXISTS (SELECT FROM bank_match_item i WHERE i.match_id = m.id AND i.booked) THEN
        RETURN 'bank_match_is_booked';
    END IF;
    IF e.id IS NOT NULL AND (m.undone_at IS NOT NULL) <> EXISTS (SELECT FROM journal_entry r WHERE r.reverses = e.id AND r.source_id = m.id::text
           AND r.kind = 'undone' AND r.source = 'bank match' AND r.entity_id = m.entity_id) THEN
        RETURN 'bank_match_is_reversed';
    END IF;
    IF m.undone_at IS NOT NULL THEN
        RETURN CASE WHEN EXISTS (SELECT FROM bank_match_item i WHERE i.clears_match = m.id AND NOT i.undone) THEN 'bank_transfer_is_live' END;
    END IF;
    IF EXISTS (SELECT FROM bank_match_line l LEFT JOIN bank_part p ON p.line_id = l.line_id AND p.part = l.part
                WHERE l.match_id = m.id AND p.amount IS DISTINCT FROM l.amount) THEN
        RETURN 'bank_match_of_part';
    END IF;
    IF EXISTS (SELECT FROM bank_match_item i WHERE i.match_id = m.id AND NOT i.booked AND i.kind <> 'aside'
                  AND i.amount IS DISTINCT FROM bank_standing_of(m.entity_id, m.account_id, i.kind, coalesce(i.clears_match::text, i.ref)))
       OR EXISTS (SELECT FROM bank_match_item i LEFT JOIN bank_account a ON a.slug = i.ref AND a.entity_id = m.entity_id
                   WHERE i.match_id = m.id AND i.kind = 'transfer' AND (a.id IS NULL OR a.id = m.account_id)) THEN
        RETURN 'bank_match_of_item';
    END IF;
    RETURN NULL;
END $$;

-- At commit, every match that the row concerns holds.
CREATE OR REPLACE FUNCTION bank_match_holds() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    concerned uuid;
    problem   text;
BEGIN
    FOR concerned IN
        SELECT (to_jsonb(NEW) ->> TG_ARGV[0])::uuid WHERE TG_TABLE_NAME <> 'bank_split'
        UNION SELECT l.match_id FROM bank_match_line l WHERE TG_TABLE_NAME = 'bank_split' AND l.line_id = (to_jsonb(NEW) ->> 'line_id')::uuid AND NOT l.undone
    LOOP
        problem := bank_match_problem(concerned);
        IF problem IS NOT NULL THEN
            PERFORM refuse_bank(problem, 'bank match ' || concerned || ' does not hold');
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

-- An entry of a match has its match.
CREATE OR REPLACE FUNCTION bank_entry_has_match() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    problem text := 'bank_entry_has_match';
BEGIN
    IF NEW.kind IN ('matched', 'undone') AND NEW.source_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
       AND EXISTS (SELECT FROM bank_match m WHERE m.id = NEW.source_id::uuid AND m.entity_id = NEW.entity_id) THEN
        problem := bank_match_problem(NEW.source_id::uuid);
    END IF;
    IF problem IS NOT NULL THEN
        PERFORM refuse_bank(problem, 'entry ' || NEW.id || ' is of a match that is not there, or does not hold');
    END IF;
    RETURN NULL;
END $$;

-- An entry that is reversed leaves no match of it.
CREATE OR REPLACE FUNCTION bank_reversal_is_open() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    problem text;
BEGIN
    SELECT bank_match_problem(m.id) INTO problem FROM journal_entry e JOIN bank_match m ON m.id = CASE WHEN e.source = 'bank match' THEN e.source_id::uuid END
     WHERE e.id = NEW.reverses;
    IF problem IS NULL THEN
        SELECT bank_match_problem(i.match_id) INTO problem FROM bank_match_item i WHERE i.entity_id = NEW.entity_id AND i.kind = 'entry' AND i.ref = NEW.reverses::text AND NOT i.undone;
    END IF;
    IF problem IS NOT NULL THEN
        PERFORM refuse_bank(problem, 'entry ' || NEW.id || ' reverses what is matched');
    END IF;
    RETURN NULL;
END $$;

-- Who and when are the session's and the database's.
CREATE OR REPLACE FUNCTION bank_match_begins() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.matched_by := staff_of_session();
    NEW.matched_at := clock_timestamp();
    IF NEW.undone_at IS NOT NULL THEN
        PERFORM refuse_bank('bank_match_keeps', 'a match begins live');
    END IF;
    RETURN NEW;
END $$;

-- A match ends once, and not in a closed month.
CREATE OR REPLACE FUNCTION bank_match_keeps() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.undone_at IS NOT NULL OR NEW.undone_at IS NULL
       OR (to_jsonb(OLD) - '{undone_at,undone_by,undo_reason}'::text[]) IS DISTINCT FROM (to_jsonb(NEW) - '{undone_at,undone_by,undo_reason}'::text[]) THEN
        PERFORM refuse_bank('bank_match_keeps', 'a match is undone once, and does not change otherwise');
    END IF;
    IF EXISTS (SELECT FROM books b LEFT JOIN journal_entry e ON e.source_id = OLD.id::text AND e.kind = 'matched' AND e.source = 'bank match' AND e.entity_id = OLD.entity_id
                WHERE b.entity_id = OLD.entity_id AND coalesce(e.entry_date, OLD.on_date) <= b.closed_through) THEN
        PERFORM refuse_bank('bank_match_month_is_open', 'the month of this match is closed');
    END IF;
    NEW.undone_at := clock_timestamp();
    NEW.undone_by := staff_of_session();
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION bank_match_ends() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE bank_match_line SET undone = true WHERE match_id = NEW.id;
    UPDATE bank_match_item SET undone = true WHERE match_id = NEW.id;
    RETURN NULL;
END $$;

-- Who clears the other side of a transfer, and who undoes it, wait for each other.
CREATE OR REPLACE FUNCTION bank_item_begins() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM bank_match WHERE id = NEW.clears_match FOR UPDATE;
    RETURN NEW;
END $$;

-- A split has the sign of its line and leaves a rest of it; what is split does not change, and is joined once.
CREATE OR REPLACE FUNCTION bank_split_keeps() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    line bank_line;
    rest bigint;
BEGIN
    SELECT * INTO line FROM bank_line WHERE id = NEW.line_id FOR UPDATE;
    IF TG_OP = 'INSERT' THEN
        NEW.split_by := staff_of_session();
        NEW.split_at := clock_timestamp();
        NEW.joined_at := NULL;
        NEW.joined_by := NULL;
        rest := line.amount - NEW.amount - coalesce((SELECT sum(s.amount) FROM bank_split s WHERE s.line_id = line.id AND s.joined_at IS NULL), 0);
        IF sign(NEW.amount) <> sign(line.amount) OR sign(rest) <> sign(line.amount) THEN
            PERFORM refuse_bank('bank_split_leaves_rest', 'a part of a line has its sign, and leaves a rest');
        END IF;
    ELSE
        IF OLD.joined_at IS NOT NULL OR NEW.joined_at IS NULL OR (to_jsonb(OLD) - '{joined_at,joined_by}'::text[]) IS DISTINCT FROM (to_jsonb(NEW) - '{joined_at,joined_by}'::text[]) THEN
            PERFORM refuse_bank('bank_split_keeps', 'a split is undone once, and does not change otherwise');
        END IF;
        NEW.joined_by := staff_of_session();
        NEW.joined_at := clock_timestamp();
        IF EXISTS (SELECT FROM bank_match_line l WHERE l.line_id = OLD.line_id AND l.part IN (0, OLD.part) AND NOT l.undone) THEN
            PERFORM refuse_bank('bank_match_of_part', 'a part of the line is matched');
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION bank_rule_keeps() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.made_by := staff_of_session();
        NEW.made_at := clock_timestamp();
        NEW.ended_by := NULL;
        NEW.ended_at := NULL;
    ELSIF OLD.ended_at IS NOT NULL OR NEW.ended_at IS NULL OR (to_jsonb(OLD) - '{ended_at,ended_by}'::text[]) IS DISTINCT FROM (to_jsonb(NEW) - '{ended_at,ended_by}'::text[]) THEN
        PERFORM refuse_bank('bank_rule_keeps', 'a rule ends once, and does not change otherwise');
    ELSE
        NEW.ended_by := staff_of_session();
        NEW.ended_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;

-- An erasure empties the words of the lines that are the donor's gifts.
CREATE OR REPLACE FUNCTION bank_lines_are_erased() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE bank_line l SET text = '', reference = '' FROM (
        SELECT b.id FROM donation g JOIN bank_match_item i ON i.entity_id = g.entity_id AND i.kind = 'gift' AND i.ref = g.public_ref
          JOIN bank_match_line o ON o.match_id = i.match_id JOIN bank_line b ON b.id = o.line_id
         WHERE g.donor_id = NEW.donor_id AND (b.text <> '' OR b.reference <> '') ORDER BY b.id FOR UPDATE OF b) theirs
     WHERE l.id = theirs.id;
    RETURN NULL;
END $$;

-- A line that becomes the gift of somebody who was erased loses its words too.
CREATE OR REPLACE FUNCTION bank_line_stays_erased() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF are_erased(ARRAY(SELECT g.donor_id FROM donation g WHERE g.entity_id = NEW.entity_id AND g.public_ref = NEW.ref)) THEN
        UPDATE bank_line l SET text = '', reference = '' FROM bank_match_line o WHERE o.match_id = NEW.match_id AND l.id = o.line_id AND (l.text <> '' OR l.reference <> '');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE OR REPLACE TRIGGER begins BEFORE INSERT ON bank_match FOR EACH ROW EXECUTE FUNCTION bank_match_begins();
CREATE OR REPLACE TRIGGER keeps BEFORE UPDATE ON bank_match FOR EACH ROW EXECUTE FUNCTION bank_match_keeps();
CREATE OR REPLACE TRIGGER ends AFTER UPDATE ON bank_match FOR EACH ROW EXECUTE FUNCTION bank_match_ends();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON bank_match FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON bank_match_line FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE OR REPLACE TRIGGER begins BEFORE INSERT ON bank_match_item FOR EACH ROW WHEN (NEW.clears_match IS NOT NULL) EXECUTE FUNCTION bank_item_begins();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON bank_match_item FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE OR REPLACE TRIGGER keeps BEFORE INSERT OR UPDATE ON bank_split FOR EACH ROW EXECUTE FUNCTION bank_split_keeps();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON bank_split FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE OR REPLACE TRIGGER keeps BEFORE INSERT OR UPDATE ON bank_rule FOR EACH ROW EXECUTE FUNCTION bank_rule_keeps();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON bank_rule FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE OR REPLACE TRIGGER sees_every_commit BEFORE INSERT OR UPDATE ON bank_match FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE OR REPLACE TRIGGER sees_every_commit BEFORE INSERT ON bank_match_line FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE OR REPLACE TRIGGER sees_every_commit BEFORE INSERT ON bank_match_item FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE OR REPLACE TRIGGER sees_every_commit BEFORE INSERT OR UPDATE ON bank_split FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE OR REPLACE TRIGGER erased_stays_erased AFTER INSERT ON bank_match_item FOR EACH ROW WHEN (NEW.kind = 'gift') EXECUTE FUNCTION bank_line_stays_erased();
CREATE OR REPLACE TRIGGER bank_lines_are_erased AFTER UPDATE ON erasure_donor FOR EACH ROW
    WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION bank_lines_are_erased();
DROP TRIGGER IF EXISTS holds ON bank_match;
CREATE CONSTRAINT TRIGGER holds AFTER INSERT OR UPDATE ON bank_match DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bank_match_holds('id');
DROP TRIGGER IF EXISTS holds ON bank_match_line;
CREATE CONSTRAINT TRIGGER holds AFTER INSERT OR UPDATE ON bank_match_line DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bank_match_holds('match_id');
DROP TRIGGER IF EXISTS holds ON bank_match_item;
CREATE CONSTRAINT TRIGGER holds AFTER INSERT OR UPDATE ON bank_match_item DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bank_match_holds('match_id');
DROP TRIGGER IF EXISTS holds ON bank_split;
CREATE CONSTRAINT TRIGGER holds AFTER INSERT OR UPDATE ON bank_split DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bank_match_holds('line_id');
DROP TRIGGER IF EXISTS bank_entry_has_match ON journal_entry;
CREATE CONSTRAINT TRIGGER bank_entry_has_match AFTER INSERT ON journal_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.source = 'bank match') EXECUTE FUNCTION bank_entry_has_match();
DROP TRIGGER IF EXISTS bank_reversal_is_open ON journal_entry;
CREATE CONSTRAINT TRIGGER bank_reversal_is_open AFTER INSERT ON journal_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.reverses IS NOT NULL) EXECUTE FUNCTION bank_reversal_is_open();
DROP TRIGGER IF EXISTS requires_audit ON bank_match;
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE ON bank_match DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('bank_match', 'id');
DROP TRIGGER IF EXISTS requires_audit ON bank_split;
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE ON bank_split DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('bank_line', 'line_id');
DROP TRIGGER IF EXISTS requires_audit ON bank_rule;
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE ON bank_rule DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('bank_rule', 'id');

-- Checker A23: every match holds, and what is on 1100 of an account is its openings, what its matches booked, and what waits for a line or has it.
CREATE OR REPLACE VIEW check_bank_differs AS
SELECT 'A23'::text AS checker, m.entity_id, m.id::text AS subject, 'this bank match breaks the rule ' || bank_match_problem(m.id) AS detail, m.matched_at AS since
  FROM bank_match m WHERE bank_match_problem(m.id) IS NOT NULL
UNION ALL
SELECT 'A23', a.entity_id, a.slug, 'account 1100 differs by ' || d.amount || ' from what its openings, matches and other entries book', a.created_at
  FROM bank_account a CROSS JOIN LATERAL (
      SELECT coalesce((SELECT sum(p.amount) FROM posting p WHERE p.entity_id = a.entity_id AND p.account_code = '1100' AND p.dimensions ->> 'bank' = a.slug), 0)
           - coalesce((SELECT sum(o.amount) FROM bank_opening o WHERE o.account_id = a.id), 0)
           - coalesce((SELECT sum(i.amount) FROM bank_match_item i WHERE i.account_id = a.id AND i.booked AND NOT i.undone), 0)
           - coalesce((SELECT sum(s.amount) FROM bank_standing s WHERE s.account_id = a.id), 0) AS amount) d
 WHERE d.amount <> 0;

-- +goose Down
DROP VIEW IF EXISTS check_bank_differs, bank_match_entry, bank_standing, bank_standing_posting, bank_part, bank_cleared;
DROP TRIGGER IF EXISTS bank_entry_has_match ON journal_entry;
DROP TRIGGER IF EXISTS bank_reversal_is_open ON journal_entry;
DROP TRIGGER IF EXISTS bank_lines_are_erased ON erasure_donor;
DROP TABLE IF EXISTS bank_match_item, bank_match_line, bank_match, bank_rule, bank_split;
DROP FUNCTION IF EXISTS bank_line_stays_erased, bank_lines_are_erased, bank_rule_keeps, bank_split_keeps, bank_item_begins, bank_match_ends, bank_match_keeps, bank_match_begins,
    bank_reversal_is_open, bank_entry_has_match, bank_match_holds, bank_match_problem, bank_standing_of, refuse_bank;
