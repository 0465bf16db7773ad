-- +goose NO TRANSACTION
-- +goose Up
-- The correction of an address moves the gift to its right owner. Before, a gift stayed with the donor of the mistyped address, and only the
-- address of its plan was derived from the corrections: a stranger who reads the mistyped mailbox found gifts, receipts and statements after
-- signing in, and an erasure of the right person did not find the gift. Now the donation moves to the donor of the corrected address, and if
-- it is a payment of a plan, the plan with all its payments. Everything goes by donor_id. Owned by internal/giving/owner.
--
-- Each statement is a transaction of its own and may be repeated: in one transaction, the locks on receipt, donation, donor and plan would wait
-- for servers that settle, and those for them.

-- Who owned a donation before, and since when somebody else does. One row for each donation that moved.
CREATE TABLE IF NOT EXISTS donation_owner_change (
    n           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    donation_id uuid NOT NULL,
    entity_id   uuid NOT NULL,
    from_donor  uuid NOT NULL,
    to_donor    uuid NOT NULL CHECK (to_donor <> from_donor),
    receipt_id  uuid NOT NULL, -- the receipt that was corrected
    ordered_by  text NOT NULL CHECK (ordered_by <> ''),
    reason      text NOT NULL CHECK (reason <> ''),
    by_owner    boolean NOT NULL, -- of the tables; not by the server's role
    recorded_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at          timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE donation_owner_change DROP CONSTRAINT IF EXISTS donation_owner_change_receipt_id_fkey, ADD CONSTRAINT donation_owner_change_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES receipt (id);
ALTER TABLE donation_owner_change DROP CONSTRAINT IF EXISTS donation_owner_change_donation_id_entity_id_fkey, ADD CONSTRAINT donation_owner_change_donation_id_entity_id_fkey FOREIGN KEY (donation_id, entity_id) REFERENCES donation (id, entity_id);
ALTER TABLE donation_owner_change DROP CONSTRAINT IF EXISTS donation_owner_change_from_donor_entity_id_fkey, ADD CONSTRAINT donation_owner_change_from_donor_entity_id_fkey FOREIGN KEY (from_donor, entity_id) REFERENCES donor (id, entity_id);
ALTER TABLE donation_owner_change DROP CONSTRAINT IF EXISTS donation_owner_change_to_donor_entity_id_fkey, ADD CONSTRAINT donation_owner_change_to_donor_entity_id_fkey FOREIGN KEY (to_donor, entity_id) REFERENCES donor (id, entity_id);
CREATE INDEX IF NOT EXISTS donation_owner_change_of_donation ON donation_owner_change (donation_id, n);
CREATE INDEX IF NOT EXISTS donation_owner_change_by_time ON donation_owner_change (entity_id, at);
CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON donation_owner_change FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- How many gifts the server's role may move in 24 hours. A plan with its payments is one.
ALTER TABLE server_limit ADD COLUMN IF NOT EXISTS moved_a_day integer NOT NULL DEFAULT 100;
ALTER TABLE server_limit DROP CONSTRAINT IF EXISTS server_limit_moved_a_day_check,
    ADD CONSTRAINT server_limit_moved_a_day_check CHECK (moved_a_day >= 0) NOT VALID; -- migration 00098 validates it

-- The donor of a donation and of a plan changes together with a row of donation_owner_change, in the same transaction. The other columns of
-- a settled donation stay as they were: settled_gift_is_frozen, here without donor_id.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION owner_change_is_recorded() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    -- a plan has the id of its first donation
    IF NOT EXISTS (SELECT FROM donation_owner_change c WHERE c.donation_id = NEW.id AND c.from_donor = OLD.donor_id AND c.to_donor = NEW.donor_id
                      AND c.recorded_in = pg_current_xact_id()) THEN
        RAISE EXCEPTION '% %: its donor changes by move_gift only', TG_TABLE_NAME, OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'owner_change_is_recorded';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE OR REPLACE TRIGGER owner_change_is_recorded BEFORE UPDATE ON donation FOR EACH ROW
    WHEN (OLD.donor_id IS DISTINCT FROM NEW.donor_id) EXECUTE FUNCTION owner_change_is_recorded();
CREATE OR REPLACE TRIGGER owner_change_is_recorded BEFORE UPDATE ON plan FOR EACH ROW
    WHEN (OLD.donor_id IS DISTINCT FROM NEW.donor_id) EXECUTE FUNCTION owner_change_is_recorded();
CREATE OR REPLACE TRIGGER settled_gift_is_frozen BEFORE UPDATE ON donation FOR EACH ROW
    WHEN (OLD.status = 'settled' AND (OLD.entity_id IS DISTINCT FROM NEW.entity_id OR OLD.organisation_id IS DISTINCT FROM NEW.organisation_id
        OR OLD.amount IS DISTINCT FROM NEW.amount
        OR OLD.covered IS DISTINCT FROM NEW.covered OR OLD.currency IS DISTINCT FROM NEW.currency
        OR OLD.created_at IS DISTINCT FROM NEW.created_at OR OLD.settled_at IS DISTINCT FROM NEW.settled_at
        OR OLD.tax_date IS DISTINCT FROM NEW.tax_date OR OLD.charged_at IS DISTINCT FROM NEW.charged_at
        OR OLD.charge_id IS DISTINCT FROM NEW.charge_id OR OLD.payment_intent_id IS DISTINCT FROM NEW.payment_intent_id))
    EXECUTE FUNCTION settled_gift_is_frozen();

-- gift_of_receipt returns the donations that move together with a receipt's: all payments of its plan, or itself. whole is the plan; NULL if
-- it is a payment of none.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION gift_of_receipt(of_receipt uuid, OUT donation uuid, OUT donor uuid, OUT whole uuid, OUT gifts uuid[])
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    SELECT g.id, g.donor_id, coalesce(g.plan_id, i.plan_id, p.id) INTO donation, donor, whole
      FROM receipt r JOIN donation g ON g.id = r.donation_id LEFT JOIN instalment i ON i.donation_id = g.id LEFT JOIN plan p ON p.id = g.id WHERE r.id = of_receipt;
    gifts := ARRAY(SELECT g.id FROM donation g WHERE g.donor_id = donor AND (g.id IN (donation, whole) OR g.plan_id = whole
                      OR g.id IN (SELECT i.donation_id FROM instalment i WHERE i.plan_id = whole)) ORDER BY g.id);
END $$;

-- subjects_of_gift returns what emails are about that go to the owner of a receipt's gift.
CREATE OR REPLACE FUNCTION subjects_of_gift(of_receipt uuid) RETURNS SETOF uuid STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT r.id FROM gift_of_receipt(of_receipt) g JOIN receipt r ON r.donation_id = ANY(g.gifts)
    UNION ALL SELECT n.id FROM gift_of_receipt(of_receipt) g JOIN donation_notice n ON n.donation_id = ANY(g.gifts)
    UNION ALL SELECT e.id FROM gift_of_receipt(of_receipt) g JOIN plan_event e ON e.plan_id = g.whole
$$;

-- lock_gift locks what move_gift changes, in the order of migration 00077 with the donations between plan and plan_link: address, plan,
-- donation, plan_link, letter_delivery. Whoever stores an email about the gift holds a lock on its donation (lock_owner), so the email is
-- either among the deliveries that are read after this, or is addressed after the move. move_gift locks the donors.
CREATE OR REPLACE FUNCTION lock_gift(of_receipt uuid, address text) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    g record;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('konbit address'), hashtext(coalesce(address, '')));
    SELECT * INTO g FROM gift_of_receipt(of_receipt);
    PERFORM p.id FROM plan p WHERE p.id = g.whole FOR UPDATE;
    SELECT * INTO g FROM gift_of_receipt(of_receipt); -- with the payments that were counted before the lock, and the donor as it is now
    PERFORM d.id FROM donation d WHERE d.id = ANY(g.gifts) ORDER BY d.id FOR UPDATE;
    SELECT * INTO g FROM gift_of_receipt(of_receipt);
    PERFORM l.id FROM plan_link l WHERE l.plan_id = g.whole AND l.ended_at IS NULL ORDER BY l.id FOR UPDATE;
    PERFORM d.id FROM letter_delivery d JOIN letter l ON l.id = d.letter_id
      WHERE l.subject_id IN (SELECT subjects_of_gift(of_receipt) UNION ALL SELECT s.id FROM statement s WHERE s.donor_id = g.donor)
      ORDER BY d.id FOR UPDATE OF d;
END $$;

-- lock_owner waits for a move of a donation and lets none begin until the transaction ends.
CREATE OR REPLACE FUNCTION lock_owner(donation uuid) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM d.id FROM donation d WHERE d.id = lock_owner.donation FOR KEY SHARE;
END $$;

-- move_gift moves the donation of a receipt, or its plan with all payments, to the donor with an address in the same legal entity; new_donor
-- is the id of that donor if there is none yet. It returns both donors, which are the same if there is nothing to move. It runs with the
-- owner's rights, because the server's role can change no donor of a donation. It takes nothing on trust: the receipt exists, the donor was
-- not erased, and the move is recorded.
--
-- What goes with the gift: what was typed gets the address, the new donor the consent to news given with it unless one of the two donors withdrew
-- it since, and valid links to the plan their new donor. Other choices about emails stay with the donor who made them. The donor before keeps
-- what belongs to other gifts:
--
--   * no paid gift is left: name, phone, postal address and consent are removed, because they came with the gift
--   * some are left: the name is that of the newest of them, unless the person entered it
--   * annual statements that contain the gift lose the person, and their emails the text; the next statement replaces them
CREATE OR REPLACE FUNCTION move_gift(of_receipt uuid, address text, new_donor uuid, by text, why text, OUT from_donor uuid, OUT to_donor uuid, OUT plan uuid, OUT moved integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    as_owner boolean := is_owner();
    g        record;
    entity   uuid;
    newest   record;
    papers   uuid[];
BEGIN
    IF NOT as_owner AND current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the server''s role moves gifts in read committed transactions' USING ERRCODE = 'check_violation', CONSTRAINT = 'sees_every_commit';
    END IF;
    IF address IS NULL AND NOT as_owner OR address <> lower(address) OR address !~ '^[^@[:space:]]{1,64}@[^@[:space:]]{3,}$' OR address ~ '@invalid$' THEN
        RAISE EXCEPTION 'a gift moves to an address' USING ERRCODE = 'check_violation', CONSTRAINT = 'moved_gift_has_address';
    END IF;
    PERFORM lock_gift(of_receipt, address);
    SELECT * INTO g FROM gift_of_receipt(of_receipt);
    IF g.donation IS NULL THEN
        RAISE EXCEPTION 'there is no receipt %', of_receipt USING ERRCODE = 'check_violation', CONSTRAINT = 'moved_gift_has_receipt';
    END IF;
    SELECT d.entity_id INTO entity FROM donation d WHERE d.id = g.donation;
    from_donor := g.donor;
    plan := g.whole;
    moved := 0;
    SELECT d.id INTO to_donor FROM donor d WHERE d.entity_id = entity AND d.email = address;
    IF to_donor = from_donor THEN
        RETURN;
    END IF;
    PERFORM d.id FROM donor d WHERE d.id IN (from_donor, to_donor) ORDER BY d.id FOR NO KEY UPDATE;
    IF NOT EXISTS (SELECT FROM donor d WHERE d.id = to_donor AND d.email = address) THEN
        to_donor := NULL; -- the donor was removed before the lock: nobody has the address now
    END IF;
    IF EXISTS (SELECT FROM erasure_donor e WHERE e.donor_id IN (from_donor, to_donor) AND e.erased_at IS NOT NULL) THEN
        RAISE EXCEPTION 'the donor of receipt % was erased', of_receipt USING ERRCODE = 'check_violation', CONSTRAINT = 'moved_gift_is_not_erased';
    END IF;
    IF NOT as_owner THEN
        PERFORM pg_advisory_xact_lock(hashtext('konbit moves')); -- one count at a time
        IF (SELECT count(DISTINCT c.recorded_in) FROM donation_owner_change c WHERE c.at > clock_timestamp() - interval '24 hours' AND NOT c.by_owner)
           >= (SELECT l.moved_a_day FROM server_limit l) THEN
            RAISE EXCEPTION 'the server''s role moved as many gifts today as it may' USING ERRCODE = 'check_violation', CONSTRAINT = 'moves_a_day';
        END IF;
    END IF;
    IF to_donor IS NULL THEN
        INSERT INTO donor AS d (id, entity_id, email, first_name, last_name, language, created_at, kind, organisation_name)
        SELECT new_donor, entity, address, coalesce(c.first_name, ''), coalesce(c.last_name, ''), n.language, clock_timestamp(),
               CASE WHEN c.organisation_name <> '' THEN o.kind ELSE 'person' END, CASE WHEN o.kind = 'organisation' THEN coalesce(c.organisation_name, '') ELSE '' END
          FROM donation n JOIN donor o ON o.id = n.donor_id LEFT JOIN donation_contact c ON c.donation_id = n.id WHERE n.id = g.donation
        ON CONFLICT (entity_id, email) DO NOTHING;
        SELECT d.id INTO STRICT to_donor FROM donor d WHERE d.id = new_donor OR d.entity_id = entity AND d.email = address FOR NO KEY UPDATE;
    END IF;
    INSERT INTO donation_owner_change (donation_id, entity_id, from_donor, to_donor, receipt_id, ordered_by, reason, by_owner)
    SELECT id, entity, move_gift.from_donor, move_gift.to_donor, of_receipt, by, why, as_owner FROM unnest(g.gifts) WITH ORDINALITY AS u (id, n) ORDER BY n;
    UPDATE donation d SET donor_id = move_gift.to_donor WHERE d.id = ANY(g.gifts);
    UPDATE plan p SET donor_id = move_gift.to_donor WHERE p.id = g.whole;
    UPDATE plan_link l SET donor_id = move_gift.to_donor WHERE l.plan_id = g.whole AND l.ended_at IS NULL;
    UPDATE donation_contact c SET email = coalesce(address, '') WHERE c.donation_id = ANY(g.gifts) AND lower(c.email) IS DISTINCT FROM coalesce(address, '');
    moved := cardinality(g.gifts);

    UPDATE donor d SET first_name = c.first_name, last_name = c.last_name, language = n.language
      FROM donation n JOIN donation_contact c ON c.donation_id = n.id
     WHERE n.id = g.donation AND d.id = move_gift.to_donor AND d.said_at IS NULL AND d.kind = 'person' AND d.first_name = '' AND d.last_name = '';
    UPDATE donor d SET first_gift_at = least(d.first_gift_at, m.at),
           news_consented_at = coalesce(d.news_consented_at, CASE WHEN NOT EXISTS (SELECT FROM donor_consent c
               WHERE c.donor_id IN (d.id, move_gift.from_donor) AND c.kind = 'news' AND NOT c.given AND c.at > m.news) THEN m.news END)
      FROM (SELECT min(n.charged_at) AS at, min(n.charged_at) FILTER (WHERE n.news) AS news FROM donation n WHERE n.id = ANY(g.gifts) AND n.status = 'settled') m
     WHERE d.id = move_gift.to_donor;

    SELECT c.first_name, c.last_name, c.organisation_name, n.language INTO newest
      FROM donation n LEFT JOIN donation_contact c ON c.donation_id = n.id
     WHERE n.donor_id = from_donor AND n.status = 'settled' ORDER BY n.charged_at DESC, n.id LIMIT 1;
    IF FOUND THEN
        UPDATE donor d SET first_name = CASE WHEN d.said_at IS NULL THEN coalesce(newest.first_name, '') ELSE d.first_name END,
               last_name = CASE WHEN d.said_at IS NULL THEN coalesce(newest.last_name, '') ELSE d.last_name END,
               organisation_name = CASE WHEN d.said_at IS NULL AND d.kind = 'organisation' THEN coalesce(newest.organisation_name, '') ELSE d.organisation_name END,
               language = CASE WHEN d.said_at IS NULL THEN newest.language ELSE d.language END
         WHERE d.id = from_donor;
    ELSE
        UPDATE donor d SET kind = 'person', first_name = '', last_name = '', organisation_name = '', phone = '', address_line1 = '', address_line2 = '',
               city = '', region = '', postal_code = '', country = '', said_at = NULL
         WHERE d.id = from_donor;
    END IF;
    UPDATE donor d SET first_gift_at = (SELECT min(n.charged_at) FROM donation n WHERE n.donor_id = d.id AND n.status = 'settled'),
           news_consented_at = CASE WHEN EXISTS (SELECT FROM donation n WHERE n.donor_id = d.id AND n.status = 'settled' AND n.news)
               OR coalesce((SELECT c.given FROM donor_consent c WHERE c.donor_id = d.id AND c.kind = 'news' ORDER BY c.n DESC LIMIT 1), false)
               THEN d.news_consented_at END
     WHERE d.id = from_donor;

    papers := ARRAY(SELECT s.id FROM statement s WHERE s.donor_id = from_donor AND s.year IN (
                       SELECT extract(year FROM n.tax_date) FROM donation n WHERE n.id = ANY(g.gifts) AND n.status = 'settled'));
    IF papers <> '{}' THEN
        PERFORM set_config('konbit.erasing', 'yes', true);
        DELETE FROM statement_person p WHERE p.statement_id = ANY(papers);
        UPDATE letter l SET message = '' WHERE l.subject_id = ANY(papers) AND l.message <> '';
        UPDATE letter_delivery d SET declined_at = now()
          FROM letter l WHERE l.id = d.letter_id AND l.subject_id = ANY(papers) AND num_nonnulls(d.accepted_at, d.refused_at, d.declined_at) = 0;
        PERFORM set_config('konbit.erasing', '', true);
    END IF;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION move_gift(uuid, text, uuid, text, text) FROM PUBLIC;

-- The program of the previous release goes on: it reads donor_id, and where it derives a plan's address from corrections, it finds the same
-- one. A correction that it makes is recorded as before and moves nothing; it is made again with the new program.

-- +goose Down
DROP TRIGGER owner_change_is_recorded ON donation;
DROP TRIGGER owner_change_is_recorded ON plan;
DROP TRIGGER settled_gift_is_frozen ON donation;
-- The gifts return to the donors who had them, also those that migration 00098 moved; the name that was removed there returns with the gift.
-- A gift that an erased donor owned stays where it is.
-- +goose StatementBegin
DO $$
DECLARE
    c record;
BEGIN
    FOR c IN SELECT * FROM donation_owner_change o WHERE NOT EXISTS (
            SELECT FROM donation_owner_change x JOIN erasure_donor e ON e.donor_id IN (x.from_donor, x.to_donor)
             WHERE x.donation_id = o.donation_id AND e.erased_at IS NOT NULL) ORDER BY n DESC LOOP
        UPDATE donation SET donor_id = c.from_donor WHERE id = c.donation_id;
        UPDATE plan SET donor_id = c.from_donor WHERE id = c.donation_id;
        UPDATE plan_link SET donor_id = c.from_donor WHERE plan_id = c.donation_id AND ended_at IS NULL;
    END LOOP;
    UPDATE donor d SET first_name = x.first_name, last_name = x.last_name FROM (
        SELECT DISTINCT ON (g.donor_id) g.donor_id, t.first_name, t.last_name FROM donation_owner_change o JOIN donation g ON g.id = o.donation_id AND g.donor_id = o.from_donor
          JOIN donation_contact t ON t.donation_id = g.id ORDER BY g.donor_id, g.charged_at DESC) x
     WHERE d.id = x.donor_id AND d.first_name = '' AND d.last_name = '' AND d.organisation_name = '' AND d.kind = 'person';
    UPDATE donor d SET first_gift_at = (SELECT min(g.charged_at) FROM donation g WHERE g.donor_id = d.id AND g.status = 'settled')
     WHERE d.id IN (SELECT o.from_donor FROM donation_owner_change o UNION SELECT o.to_donor FROM donation_owner_change o);
END $$;
-- +goose StatementEnd
SET CONSTRAINTS ALL IMMEDIATE;
CREATE TRIGGER settled_gift_is_frozen BEFORE UPDATE ON donation FOR EACH ROW
    WHEN (OLD.status = 'settled' AND (OLD.entity_id IS DISTINCT FROM NEW.entity_id OR OLD.organisation_id IS DISTINCT FROM NEW.organisation_id
        OR OLD.donor_id IS DISTINCT FROM NEW.donor_id OR OLD.amount IS DISTINCT FROM NEW.amount
        OR OLD.covered IS DISTINCT FROM NEW.covered OR OLD.currency IS DISTINCT FROM NEW.currency
        OR OLD.created_at IS DISTINCT FROM NEW.created_at OR OLD.settled_at IS DISTINCT FROM NEW.settled_at
        OR OLD.tax_date IS DISTINCT FROM NEW.tax_date OR OLD.charged_at IS DISTINCT FROM NEW.charged_at
        OR OLD.charge_id IS DISTINCT FROM NEW.charge_id OR OLD.payment_intent_id IS DISTINCT FROM NEW.payment_intent_id))
    EXECUTE FUNCTION settled_gift_is_frozen();
DROP FUNCTION move_gift, lock_owner, lock_gift, subjects_of_gift, gift_of_receipt, owner_change_is_recorded;
ALTER TABLE server_limit DROP COLUMN moved_a_day;
DROP TABLE donation_owner_change;
