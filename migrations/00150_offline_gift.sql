-- +goose NO TRANSACTION
-- +goose Up
-- Gifts that do not come from a payment processor: batches of them as people type them, and what is known of each besides its donation and payment.
-- Owned by internal/office/offline, the letters of thanks and soft credits by internal/office/thanks. Each statement may be repeated: the tables refer
-- to tables that servers write.

INSERT INTO account (code, name, kind, class) VALUES
    ('7200', 'Gain-or-loss-on-securities', 'expense', 'without'),
    ('4300', 'Interest-and-other-income', 'revenue', 'without')
ON CONFLICT DO NOTHING;

-- Who gives, where that decides what the donor gets: of a donor-advised fund, a foundation and an employer that matches, the donor gets a letter of thanks
-- and no receipt. NULL: a receipt.
ALTER TABLE donation ADD COLUMN IF NOT EXISTS given_by text;
ALTER TABLE donation DROP CONSTRAINT IF EXISTS donation_given_by_check,
    ADD CONSTRAINT donation_given_by_check CHECK (given_by IN ('daf', 'foundation', 'employer_match')) NOT VALID;

CREATE TABLE IF NOT EXISTS gift_batch (
    id              uuid PRIMARY KEY,
    entity_id       uuid NOT NULL,
    organisation_id uuid, -- a project's staff prepare it, and it has gifts to that project only; NULL: the entity's
    n               integer NOT NULL CHECK (n > 0), -- 1, 2, 3 … of the entity; the database's to say
    received_on     date NOT NULL,
    counted         integer NOT NULL CHECK (counted BETWEEN 1 AND 10000), -- so many gifts are on paper
    total           bigint NOT NULL CHECK (total >= 0), -- they come to so much on paper, in minor units
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    fund_id         uuid, -- of rows that name none
    account         text CHECK (account ~ '^[a-z0-9-]{1,63}$'), -- slug of the bank account to which the money goes
    submission      uuid NOT NULL UNIQUE, -- of the form: sent again, it is the same batch
    created_by      uuid, -- a staff member: this and the times are the database's to say; NULL: an operator
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    posted_by       uuid,
    posted_at       timestamptz,
    reason          text CHECK (length(reason) BETWEEN 1 AND 500), -- why it was posted though count or total differ
    removed_at      timestamptz, -- put away without a row
    UNIQUE (id, entity_id),
    UNIQUE (entity_id, n),
    CHECK (posted_at IS NULL OR removed_at IS NULL)
);
ALTER TABLE gift_batch DROP CONSTRAINT IF EXISTS gift_batch_entity_id_fkey, ADD CONSTRAINT gift_batch_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity (id);
ALTER TABLE gift_batch DROP CONSTRAINT IF EXISTS gift_batch_organisation_id_entity_id_fkey,
    ADD CONSTRAINT gift_batch_organisation_id_entity_id_fkey FOREIGN KEY (organisation_id, entity_id) REFERENCES organisation (id, entity_id);
ALTER TABLE gift_batch DROP CONSTRAINT IF EXISTS gift_batch_fund_id_entity_id_fkey,
    ADD CONSTRAINT gift_batch_fund_id_entity_id_fkey FOREIGN KEY (fund_id, entity_id) REFERENCES fund (id, entity_id);
ALTER TABLE gift_batch DROP CONSTRAINT IF EXISTS gift_batch_created_by_fkey, ADD CONSTRAINT gift_batch_created_by_fkey FOREIGN KEY (created_by) REFERENCES staff (id);
ALTER TABLE gift_batch DROP CONSTRAINT IF EXISTS gift_batch_posted_by_fkey, ADD CONSTRAINT gift_batch_posted_by_fkey FOREIGN KEY (posted_by) REFERENCES staff (id);

-- A posted gift that came without a processor. Its id is its payment's; a gift in kind that nobody values has neither donation nor payment.
CREATE TABLE IF NOT EXISTS offline_gift (
    id              uuid PRIMARY KEY,
    entity_id       uuid NOT NULL,
    donation_id     uuid UNIQUE,
    donor_id        uuid, -- of a gift without donation
    batch_id        uuid, -- NULL: it came otherwise, as from a line of the bank
    row_n           integer,
    method          text NOT NULL CHECK (method IN ('check', 'cash', 'transfer', 'stock', 'in_kind')),
    given_by        text NOT NULL CHECK (given_by IN ('person', 'organisation', 'daf', 'foundation', 'employer_match')),
    paid            bigint CHECK (paid > 0), -- the whole amount on paper, in minor units: with the value of what was given in return
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    number          text NOT NULL DEFAULT '', -- of the check, or the bank's reference
    postmarked_on   date,
    described       text NOT NULL DEFAULT '', -- shares, or a thing: what the receipt says in place of a value
    in_return       text NOT NULL DEFAULT '',
    in_return_value bigint CHECK (in_return_value > 0 AND in_return_value < paid), -- its good-faith value
    counted_by      text NOT NULL DEFAULT '', -- the two people who counted cash
    note            text NOT NULL DEFAULT '',
    UNIQUE (id, entity_id),
    UNIQUE (batch_id, row_n),
    CHECK (num_nonnulls(donation_id, donor_id) = 1),
    CHECK (donation_id IS NULL OR paid IS NOT NULL),
    CHECK ((in_return = '') = (in_return_value IS NULL))
);
ALTER TABLE offline_gift DROP CONSTRAINT IF EXISTS offline_gift_donation_id_entity_id_fkey,
    ADD CONSTRAINT offline_gift_donation_id_entity_id_fkey FOREIGN KEY (donation_id, entity_id) REFERENCES donation (id, entity_id);
ALTER TABLE offline_gift DROP CONSTRAINT IF EXISTS offline_gift_donor_id_entity_id_fkey,
    ADD CONSTRAINT offline_gift_donor_id_entity_id_fkey FOREIGN KEY (donor_id, entity_id) REFERENCES donor (id, entity_id);
ALTER TABLE offline_gift DROP CONSTRAINT IF EXISTS offline_gift_batch_id_entity_id_fkey,
    ADD CONSTRAINT offline_gift_batch_id_entity_id_fkey FOREIGN KEY (batch_id, entity_id) REFERENCES gift_batch (id, entity_id);
CREATE INDEX IF NOT EXISTS offline_gift_of_donor ON offline_gift (donor_id) WHERE donor_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS offline_gift_by_number ON offline_gift (entity_id, number, paid) WHERE number <> '';

-- A row of a batch: what was typed, and what it means.
CREATE TABLE IF NOT EXISTS gift_batch_row (
    batch_id        uuid NOT NULL,
    n               integer NOT NULL CHECK (n > 0), -- the database's to say
    entity_id       uuid NOT NULL,
    submission      uuid NOT NULL UNIQUE, -- of the form: sent again, it is the same row
    typed           jsonb NOT NULL CHECK (jsonb_typeof(typed) = 'object'), -- fields as people typed them
    donor_id        uuid, -- NULL: a new donor, whom the row names
    same_as         integer, -- the new donor of an earlier row
    method          text NOT NULL CHECK (method IN ('check', 'cash', 'transfer', 'stock', 'in_kind')),
    given_by        text NOT NULL CHECK (given_by IN ('person', 'organisation', 'daf', 'foundation', 'employer_match')),
    amount          bigint CHECK (amount > 0), -- as on paper, in minor units; NULL: a gift in kind without a value
    in_return_value bigint CHECK (in_return_value > 0 AND in_return_value < amount),
    number          text NOT NULL DEFAULT '',
    postmarked_on   date,
    soft_credit     uuid,
    gift_id         uuid, -- after posting
    removed_at      timestamptz,
    changed_by      uuid,
    changed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (batch_id, n),
    UNIQUE (batch_id, n, entity_id),
    CHECK (amount IS NOT NULL OR method = 'in_kind'),
    CHECK (gift_id IS NULL OR removed_at IS NULL),
    CHECK (same_as < n)
);
ALTER TABLE gift_batch_row DROP CONSTRAINT IF EXISTS gift_batch_row_batch_id_entity_id_fkey,
    ADD CONSTRAINT gift_batch_row_batch_id_entity_id_fkey FOREIGN KEY (batch_id, entity_id) REFERENCES gift_batch (id, entity_id);
ALTER TABLE gift_batch_row DROP CONSTRAINT IF EXISTS gift_batch_row_donor_id_entity_id_fkey,
    ADD CONSTRAINT gift_batch_row_donor_id_entity_id_fkey FOREIGN KEY (donor_id, entity_id) REFERENCES donor (id, entity_id);
ALTER TABLE gift_batch_row DROP CONSTRAINT IF EXISTS gift_batch_row_soft_credit_entity_id_fkey,
    ADD CONSTRAINT gift_batch_row_soft_credit_entity_id_fkey FOREIGN KEY (soft_credit, entity_id) REFERENCES donor (id, entity_id);
ALTER TABLE gift_batch_row DROP CONSTRAINT IF EXISTS gift_batch_row_gift_id_entity_id_fkey,
    ADD CONSTRAINT gift_batch_row_gift_id_entity_id_fkey FOREIGN KEY (gift_id, entity_id) REFERENCES offline_gift (id, entity_id);
ALTER TABLE gift_batch_row DROP CONSTRAINT IF EXISTS gift_batch_row_changed_by_fkey,
    ADD CONSTRAINT gift_batch_row_changed_by_fkey FOREIGN KEY (changed_by) REFERENCES staff (id);
CREATE INDEX IF NOT EXISTS gift_batch_row_of_donor ON gift_batch_row (donor_id) WHERE donor_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS gift_batch_row_of_soft_credit ON gift_batch_row (soft_credit) WHERE soft_credit IS NOT NULL;

-- The funds that a row is for: they come to its amount less what was given in return; 0 for a gift in kind without a value.
CREATE TABLE IF NOT EXISTS gift_batch_row_part (
    batch_id  uuid NOT NULL,
    row_n     integer NOT NULL,
    n         smallint NOT NULL CHECK (n BETWEEN 1 AND 50),
    entity_id uuid NOT NULL,
    fund_id   uuid NOT NULL,
    amount    bigint NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (batch_id, row_n, n),
    UNIQUE (batch_id, row_n, fund_id),
    FOREIGN KEY (batch_id, row_n, entity_id) REFERENCES gift_batch_row (batch_id, n, entity_id)
);
ALTER TABLE gift_batch_row_part DROP CONSTRAINT IF EXISTS gift_batch_row_part_fund_id_entity_id_fkey,
    ADD CONSTRAINT gift_batch_row_part_fund_id_entity_id_fkey FOREIGN KEY (fund_id, entity_id) REFERENCES fund (id, entity_id);

-- Whom a gift is credited to besides its donor: who advised the fund, whose gift the employer matched.
CREATE TABLE IF NOT EXISTS soft_credit (
    gift_id   uuid NOT NULL,
    entity_id uuid NOT NULL,
    donor_id  uuid NOT NULL,
    PRIMARY KEY (gift_id, donor_id),
    FOREIGN KEY (gift_id, entity_id) REFERENCES offline_gift (id, entity_id)
);
ALTER TABLE soft_credit DROP CONSTRAINT IF EXISTS soft_credit_donor_id_entity_id_fkey,
    ADD CONSTRAINT soft_credit_donor_id_entity_id_fkey FOREIGN KEY (donor_id, entity_id) REFERENCES donor (id, entity_id);
CREATE INDEX IF NOT EXISTS soft_credit_of_donor ON soft_credit (donor_id);

-- A letter of thanks for a gift that has no receipt, to its donor or to whom it is credited.
CREATE TABLE IF NOT EXISTS thank_you (
    id            uuid PRIMARY KEY,
    entity_id     uuid NOT NULL,
    gift_id       uuid NOT NULL,
    donor_id      uuid NOT NULL, -- to whom it is written
    words         text NOT NULL CHECK (words IN ('daf', 'foundation', 'employer_match', 'in_kind', 'daf_adviser', 'foundation_adviser', 'employer_match_adviser')),
    words_version smallint NOT NULL CHECK (words_version > 0),
    language      text NOT NULL,
    facts         jsonb NOT NULL, -- without people
    person        jsonb, -- who is written to, and whom the letter names; an erasure of one of them deletes it
    issued_at     timestamptz NOT NULL,
    UNIQUE (gift_id, donor_id),
    FOREIGN KEY (gift_id, entity_id) REFERENCES offline_gift (id, entity_id)
);
ALTER TABLE thank_you DROP CONSTRAINT IF EXISTS thank_you_donor_id_entity_id_fkey,
    ADD CONSTRAINT thank_you_donor_id_entity_id_fkey FOREIGN KEY (donor_id, entity_id) REFERENCES donor (id, entity_id);
CREATE INDEX IF NOT EXISTS thank_you_of_donor ON thank_you (donor_id);

-- +goose StatementBegin
-- may_type_batches reports whether the person of the staff session has one of the roles; without a session, whether an operator asks.
CREATE OR REPLACE FUNCTION may_type_batches(roles text[], of_entity uuid, of_organisation uuid) RETURNS boolean LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN staff_of_session() IS NULL THEN is_owner() ELSE staff_has_role(staff_of_session(), roles, of_entity, of_organisation) END
$$;

-- gift_batch_begins says who begins a batch, when, and its number. Staff hold the role entry or finance in its scope.
CREATE OR REPLACE FUNCTION gift_batch_begins() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    NEW.created_by := staff_of_session();
    NEW.created_at := clock_timestamp();
    NEW.posted_by  := NULL;
    NEW.posted_at  := NULL;
    IF NOT may_type_batches('{entry,finance}', NEW.entity_id, NEW.organisation_id) THEN
        RAISE EXCEPTION 'the person of the session has no role for this batch' USING ERRCODE = 'check_violation', CONSTRAINT = 'gift_batch_person';
    END IF;
    IF NEW.organisation_id IS NOT NULL AND NEW.fund_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM fund f WHERE f.id = NEW.fund_id AND f.organisation_id = NEW.organisation_id) THEN
        RAISE EXCEPTION 'fund % is of another organisation', NEW.fund_id USING ERRCODE = 'check_violation', CONSTRAINT = 'gift_batch_fund';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('gift_batch ' || NEW.entity_id, 0));
    NEW.n := coalesce((SELECT max(b.n) FROM gift_batch b WHERE b.entity_id = NEW.entity_id), 0) + 1;
    RETURN NEW;
END $$;

-- gift_batch_changes lets a batch change until it is posted: once, by the entity's finance, when count and total agree or with a reason.
CREATE OR REPLACE FUNCTION gift_batch_changes() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    has record;
BEGIN
    IF OLD.posted_at IS NOT NULL OR OLD.removed_at IS NOT NULL THEN
        RAISE EXCEPTION 'batch % is posted or put away', OLD.n USING ERRCODE = 'check_violation', CONSTRAINT = 'gift_batch_ended';
    END IF;
    SELECT count(*) AS rows, coalesce(sum(r.amount), 0) AS total INTO has FROM gift_batch_row r WHERE r.batch_id = OLD.id AND r.removed_at IS NULL;
    IF NEW.posted_at IS NULL THEN
        IF NOT may_type_batches('{entry,finance}', NEW.entity_id, NEW.organisation_id) THEN
            RAISE EXCEPTION 'the person of the session has no role for this batch' USING ERRCODE = 'check_violation', CONSTRAINT = 'gift_batch_person';
        END IF;
        IF NEW.removed_at IS NOT NULL THEN
            NEW.removed_at := clock_timestamp();
            IF has.rows > 0 THEN
                RAISE EXCEPTION 'batch % has rows', OLD.n USING ERRCODE = 'check_violation', CONSTRAINT = 'gift_batch_has_rows';
            END IF;
        END IF;
        RETURN NEW;
    END IF;
    IF NOT may_type_batches('{finance}', NEW.entity_id, NULL) THEN
        RAISE EXCEPTION 'a batch is posted by the finance of its legal entity' USING ERRCODE = 'check_violation', CONSTRAINT = 'gift_batch_poster';
    END IF;
    IF has.rows = 0 OR (has.rows, has.total) IS DISTINCT FROM (NEW.counted::bigint, NEW.total::numeric) AND NEW.reason IS NULL THEN
        RAISE EXCEPTION 'batch % has % rows of %, on paper are % of %', OLD.n, has.rows, has.total, NEW.counted, NEW.total
            USING ERRCODE = 'check_violation', CONSTRAINT = 'gift_batch_agrees';
    END IF;
    IF EXISTS (SELECT FROM gift_batch_row r WHERE r.batch_id = OLD.id AND r.removed_at IS NULL AND r.gift_id IS NULL) THEN
        RAISE EXCEPTION 'a row of batch % is no gift', OLD.n USING ERRCODE = 'check_violation', CONSTRAINT = 'gift_batch_is_whole';
    END IF;
    NEW.posted_by := staff_of_session();
    NEW.posted_at := clock_timestamp();
    RETURN NEW;
END $$;

-- gift_batch_row_changes says which number a row has, who typed it and when. Rows of an ended batch stay. It locks the batch: rows of one batch are stored
-- one after the other, and none while it is posted.
CREATE OR REPLACE FUNCTION gift_batch_row_changes() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    b gift_batch;
BEGIN
    SELECT * INTO b FROM gift_batch o WHERE o.id = NEW.batch_id FOR NO KEY UPDATE;
    IF current_setting('konbit.erasing', true) = 'yes' THEN
        RETURN NEW;
    END IF;
    IF b.posted_at IS NOT NULL OR b.removed_at IS NOT NULL THEN
        RAISE EXCEPTION 'batch % is posted or put away', b.n USING ERRCODE = 'check_violation', CONSTRAINT = 'gift_batch_ended';
    END IF;
    NEW.changed_by := staff_of_session();
    NEW.changed_at := clock_timestamp();
    IF NOT may_type_batches('{entry,finance}', b.entity_id, b.organisation_id) THEN
        RAISE EXCEPTION 'the person of the session has no role for this batch' USING ERRCODE = 'check_violation', CONSTRAINT = 'gift_batch_person';
    END IF;
    IF TG_OP = 'INSERT' THEN
        NEW.gift_id    := NULL;
        NEW.removed_at := NULL;
        NEW.n := coalesce((SELECT max(r.n) FROM gift_batch_row r WHERE r.batch_id = NEW.batch_id), 0) + 1;
    ELSIF (OLD.batch_id, OLD.n, OLD.submission) IS DISTINCT FROM (NEW.batch_id, NEW.n, NEW.submission) OR OLD.gift_id IS NOT NULL OR OLD.removed_at IS NOT NULL THEN
        RAISE EXCEPTION 'row % of batch % does not change so', OLD.n, b.n USING ERRCODE = 'check_violation', CONSTRAINT = 'gift_batch_row_keeps';
    ELSIF NEW.removed_at IS NOT NULL THEN
        NEW.removed_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;

-- gift_batch_row_part_changes keeps the parts of rows of an ended batch.
CREATE OR REPLACE FUNCTION gift_batch_row_part_changes() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    part CONSTANT jsonb := CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
BEGIN
    IF EXISTS (SELECT FROM gift_batch b WHERE b.id = (part ->> 'batch_id')::uuid AND (b.posted_at IS NOT NULL OR b.removed_at IS NOT NULL)) THEN
        RAISE EXCEPTION 'the batch is posted or put away' USING ERRCODE = 'check_violation', CONSTRAINT = 'gift_batch_ended';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

-- gift_batch_row_is_whole holds at the end of the transaction: the parts of a row come to what is given, to funds of the batch's scope, of one organisation;
-- and a row is a gift when its batch is posted, and not before.
CREATE OR REPLACE FUNCTION gift_batch_row_is_whole() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    of_change CONSTANT jsonb := CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
    the_batch CONSTANT uuid := of_change ->> 'batch_id';
    the_row   CONSTANT integer := of_change ->> CASE WHEN TG_TABLE_NAME = 'gift_batch_row' THEN 'n' ELSE 'row_n' END;
    r         gift_batch_row;
    b         gift_batch;
    has       record;
BEGIN
    SELECT * INTO r FROM gift_batch_row o WHERE o.batch_id = the_batch AND o.n = the_row;
    SELECT * INTO b FROM gift_batch o WHERE o.id = the_batch;
    IF r.removed_at IS NOT NULL THEN
        RETURN NULL;
    END IF;
    SELECT count(*) AS parts, sum(p.amount) AS total, count(DISTINCT f.organisation_id) AS organisations, min(p.amount) AS least,
           count(*) FILTER (WHERE f.organisation_id IS NULL OR f.organisation_id <> b.organisation_id) AS foreign_funds INTO has
      FROM gift_batch_row_part p JOIN fund f ON f.id = p.fund_id WHERE p.batch_id = the_batch AND p.row_n = the_row;
    IF has.parts = 0 OR has.total <> coalesce(r.amount, 0) - coalesce(r.in_return_value, 0) OR has.organisations <> 1 OR has.foreign_funds > 0
       OR r.amount IS NOT NULL AND has.least = 0 THEN
        RAISE EXCEPTION 'the funds of row % of batch % do not come to its amount, or are others''', the_row, b.n
            USING ERRCODE = 'check_violation', CONSTRAINT = 'gift_batch_row_is_whole';
    END IF;
    IF (r.gift_id IS NOT NULL) <> (b.posted_at IS NOT NULL) THEN
        RAISE EXCEPTION 'row % of batch % is a gift, and the batch is not posted, or the reverse', the_row, b.n
            USING ERRCODE = 'check_violation', CONSTRAINT = 'gift_batch_is_whole';
    END IF;
    RETURN NULL;
END $$;

-- offline_gift_keeps lets nothing change of a posted gift but what an erasure empties.
CREATE OR REPLACE FUNCTION offline_gift_keeps() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (to_jsonb(OLD) - '{note,described,in_return,counted_by}'::text[]) IS DISTINCT FROM (to_jsonb(NEW) - '{note,described,in_return,counted_by}'::text[])
       OR current_setting('konbit.erasing', true) IS DISTINCT FROM 'yes' THEN
        RAISE EXCEPTION 'gift % does not change', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'offline_gift_keeps';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION thank_you_keeps() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.person IS NOT NULL OR (to_jsonb(OLD) - 'person') IS DISTINCT FROM (to_jsonb(NEW) - 'person') THEN
        RAISE EXCEPTION 'letter % does not change', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'thank_you_keeps';
    END IF;
    RETURN NEW;
END $$;

-- What is typed about an erased donor is not stored again.
CREATE OR REPLACE FUNCTION gift_batch_row_stays_erased() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.typed <> '{}' AND are_erased(ARRAY(SELECT d FROM unnest(ARRAY[NEW.donor_id, NEW.soft_credit]) d WHERE d IS NOT NULL ORDER BY 1)) THEN
        NEW.typed := '{}';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION offline_gift_stays_erased() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF are_erased(ARRAY(SELECT NEW.donor_id WHERE NEW.donor_id IS NOT NULL UNION SELECT g.donor_id FROM donation g WHERE g.id = NEW.donation_id)) THEN
        NEW.note := '';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION thank_you_stays_erased() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF are_erased(ARRAY(SELECT d FROM (SELECT NEW.donor_id UNION SELECT c.donor_id FROM soft_credit c WHERE c.gift_id = NEW.gift_id
            UNION SELECT g.donor_id FROM offline_gift o JOIN donation g ON g.id = o.donation_id WHERE o.id = NEW.gift_id) p (d) ORDER BY 1)) THEN
        NEW.person := NULL;
    END IF;
    RETURN NEW;
END $$;

-- thank_you_has_person keeps those whom a letter names from being erased until the transaction ends, and reports whether they are there.
CREATE OR REPLACE FUNCTION thank_you_has_person(letter uuid) RETURNS boolean LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM are_erased(ARRAY(SELECT d FROM (SELECT t.donor_id FROM thank_you t WHERE t.id = letter
        UNION SELECT c.donor_id FROM thank_you t JOIN soft_credit c ON c.gift_id = t.gift_id WHERE t.id = letter
        UNION SELECT g.donor_id FROM thank_you t JOIN offline_gift o ON o.id = t.gift_id JOIN donation g ON g.id = o.donation_id WHERE t.id = letter) p (d) ORDER BY 1));
    RETURN EXISTS (SELECT FROM thank_you t WHERE t.id = letter AND t.person IS NOT NULL);
END $$;

-- gifts_of_person returns the offline gifts that a donor gave, or that are credited to the donor.
CREATE OR REPLACE FUNCTION gifts_of_person(of_donor uuid) RETURNS SETOF uuid STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT o.id FROM offline_gift o WHERE o.donor_id = of_donor
    UNION SELECT o.id FROM donation g JOIN offline_gift o ON o.donation_id = g.id WHERE g.donor_id = of_donor
    UNION SELECT c.gift_id FROM soft_credit c WHERE c.donor_id = of_donor
    UNION SELECT t.gift_id FROM thank_you t WHERE t.donor_id = of_donor
$$;

-- Only an erasure sets erased_at: what was typed about the donor, notes on gifts, and letters that name the donor are emptied.
CREATE OR REPLACE FUNCTION offline_gifts_are_erased() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    theirs uuid[] := ARRAY(SELECT gifts_of_person(NEW.donor_id));
    before text := coalesce(current_setting('konbit.erasing', true), '');
BEGIN
    PERFORM set_config('konbit.erasing', 'yes', true);
    UPDATE gift_batch_row r SET typed = '{}' FROM (
        SELECT o.batch_id, o.n FROM gift_batch_row o
         WHERE o.typed <> '{}' AND (o.donor_id = NEW.donor_id OR o.soft_credit = NEW.donor_id
            OR (o.batch_id, o.n) IN (SELECT g.batch_id, g.row_n FROM offline_gift g WHERE g.id = ANY(theirs)))
         ORDER BY o.batch_id, o.n FOR UPDATE) q WHERE r.batch_id = q.batch_id AND r.n = q.n;
    UPDATE offline_gift g SET note = '' FROM (SELECT o.id FROM offline_gift o WHERE o.id = ANY(theirs) AND o.note <> '' ORDER BY o.id FOR UPDATE) q WHERE g.id = q.id;
    UPDATE thank_you t SET person = NULL FROM (SELECT o.id FROM thank_you o WHERE o.gift_id = ANY(theirs) AND o.person IS NOT NULL ORDER BY o.id FOR UPDATE) q WHERE t.id = q.id;
    PERFORM set_config('konbit.erasing', before, true);
    RETURN NULL;
END $$;

-- personal_subjects as before, and the letters of thanks that name the people.
CREATE OR REPLACE FUNCTION personal_subjects(of_erasure uuid, people uuid[], emails text[], before timestamptz) RETURNS SETOF uuid
    STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT of_erasure
    UNION ALL SELECT id FROM donation WHERE donor_id = ANY(people)
    UNION ALL SELECT r.id FROM donation g JOIN receipt r ON r.donation_id = g.id WHERE g.donor_id = ANY(people)
    UNION ALL SELECT n.id FROM donation g JOIN donation_notice n ON n.donation_id = g.id WHERE g.donor_id = ANY(people)
    UNION ALL SELECT e.id FROM plan p JOIN plan_event e ON e.plan_id = p.id WHERE p.donor_id = ANY(people)
    UNION ALL SELECT id FROM statement WHERE donor_id = ANY(people)
    UNION ALL SELECT id FROM sign_in WHERE email = ANY(emails) AND asked_at < before
    UNION ALL SELECT t.id FROM unnest(people) d CROSS JOIN LATERAL gifts_of_person(d) g JOIN thank_you t ON t.gift_id = g
$$;

-- office_donor_names returns the names of donors in batches of an entity, or of one of its organisations, that the person of the staff session types.
CREATE OR REPLACE FUNCTION office_donor_names(of_entity uuid, of_organisation uuid, donors uuid[]) RETURNS TABLE (id uuid, name text)
STABLE SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    roles CONSTANT text[] := '{entry,finance,auditor}';
BEGIN
    IF of_entity = ANY(office_entities(roles)) OR of_organisation = ANY(office_organisations(roles)) THEN
        RETURN QUERY SELECT d.id, coalesce(nullif(d.organisation_name, ''), trim(concat_ws(' ', d.first_name, d.last_name))) FROM donor d
            WHERE d.id = ANY(donors) AND d.entity_id = of_entity AND EXISTS (SELECT FROM gift_batch_row r JOIN gift_batch b ON b.id = r.batch_id
                WHERE r.donor_id = d.id AND b.entity_id = of_entity AND b.organisation_id IS NOT DISTINCT FROM of_organisation);
    END IF;
END $$;

-- office_donors_to_choose returns donors of an entity for a row of a batch, at most so many: those that have, for each word of a text, a word in their
-- name or postal address that begins with it; by an email address the donor with it; by an id that donor. The person of the staff session types
-- batches in the scope: of a project those who gave to it.
CREATE OR REPLACE FUNCTION office_donors_to_choose(of_entity uuid, of_organisation uuid, words text, most integer)
RETURNS TABLE (id uuid, kind text, first_name text, last_name text, organisation_name text, email text, address_line1 text, city text, region text, postal_code text)
STABLE SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    last CONSTANT text := chr(1114111); -- sorts after every letter
    roles         text[] := '{entry,finance,auditor}';
    organisations uuid[];
    wanted        text[]; -- the words, that of the fewest donors first
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
    IF words ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
        found := ARRAY[words::uuid];
    ELSIF words LIKE '%@%' THEN
        found := ARRAY(SELECT d.id FROM donor d WHERE d.entity_id = of_entity AND d.email = lower(btrim(words)));
    ELSE
        SELECT array_agg(q.w ORDER BY c.n, length(q.w) DESC, q.w) INTO wanted
          FROM (SELECT DISTINCT unnest(words_of_name(words, NULL, NULL)) AS w) q
         CROSS JOIN LATERAL (SELECT count(*) AS n FROM (
               (SELECT FROM donor_word d WHERE d.entity_id = of_entity AND left(d.word, 3) >= left(q.w, 3) AND left(d.word, 3) < left(q.w, 3) || last
                   AND starts_with(d.word, q.w) LIMIT 2000)
               UNION ALL
               (SELECT FROM donor_address_word d WHERE d.entity_id = of_entity AND left(d.word, 3) >= left(q.w, 3) AND left(d.word, 3) < left(q.w, 3) || last
                   AND starts_with(d.word, q.w) LIMIT 2000)) l) c
         WHERE q.w <> '';
        IF wanted IS NULL THEN
            RETURN;
        END IF;
        the_word := wanted[1];
        found := ARRAY(
            SELECT DISTINCT w.donor_id FROM (
                (SELECT d.donor_id FROM donor_word d WHERE d.entity_id = of_entity AND left(d.word, 3) >= left(the_word, 3)
                    AND left(d.word, 3) < left(the_word, 3) || last AND starts_with(d.word, the_word) LIMIT 4000)
                UNION ALL
                (SELECT d.donor_id FROM donor_address_word d WHERE d.entity_id = of_entity AND left(d.word, 3) >= left(the_word, 3)
                    AND left(d.word, 3) < left(the_word, 3) || last AND starts_with(d.word, the_word) LIMIT 4000)) w
             WHERE NOT EXISTS (SELECT FROM unnest(wanted[2:]) q (w2)
                    WHERE NOT EXISTS (SELECT FROM donor_word o WHERE o.donor_id = w.donor_id AND starts_with(o.word, q.w2))
                      AND NOT EXISTS (SELECT FROM donor_address_word o WHERE o.donor_id = w.donor_id AND starts_with(o.word, q.w2))));
    END IF;
    RETURN QUERY
    SELECT d.id, d.kind, d.first_name, d.last_name, d.organisation_name, coalesce(nullif(d.email, 'forgotten-' || d.id || '@invalid'), ''),
           coalesce(nullif(d.address_line1, ''), c.address_line1, ''), coalesce(nullif(d.city, ''), c.city, ''), coalesce(nullif(d.region, ''), c.region, ''),
           coalesce(nullif(d.postal_code, ''), c.postal_code, '')
      FROM (SELECT u.id FROM unnest(found) u (id) JOIN donor o ON o.id = u.id AND o.entity_id = of_entity
             WHERE NOT is_erased(u.id) AND EXISTS (SELECT FROM donation g WHERE g.donor_id = u.id AND g.charged_at IS NOT NULL
                   AND (organisations IS NULL OR g.organisation_id = ANY(organisations))) LIMIT most) f
      JOIN donor d ON d.id = f.id
      LEFT JOIN LATERAL (SELECT t.address_line1, t.city, t.region, t.postal_code FROM donation g JOIN donation_contact t ON t.donation_id = g.id
             WHERE g.donor_id = d.id AND t.address_line1 <> '' ORDER BY g.charged_at DESC NULLS LAST LIMIT 1) c ON true
     ORDER BY d.last_name, d.organisation_name, d.first_name, d.id;
END $$;
-- +goose StatementEnd

CREATE OR REPLACE TRIGGER begins BEFORE INSERT ON gift_batch FOR EACH ROW EXECUTE FUNCTION gift_batch_begins();
CREATE OR REPLACE TRIGGER changes BEFORE UPDATE ON gift_batch FOR EACH ROW EXECUTE FUNCTION gift_batch_changes();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON gift_batch FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
DROP TRIGGER IF EXISTS requires_audit ON gift_batch;
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE ON gift_batch DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('gift_batch', 'id');
CREATE OR REPLACE TRIGGER changes BEFORE INSERT OR UPDATE ON gift_batch_row FOR EACH ROW EXECUTE FUNCTION gift_batch_row_changes();
CREATE OR REPLACE TRIGGER erased_stays_erased BEFORE INSERT OR UPDATE ON gift_batch_row FOR EACH ROW EXECUTE FUNCTION gift_batch_row_stays_erased();
CREATE OR REPLACE TRIGGER sees_every_commit BEFORE INSERT OR UPDATE ON gift_batch_row FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON gift_batch_row FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
DROP TRIGGER IF EXISTS gift_batch_row_is_whole ON gift_batch_row;
CREATE CONSTRAINT TRIGGER gift_batch_row_is_whole AFTER INSERT OR UPDATE ON gift_batch_row DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION gift_batch_row_is_whole();
CREATE OR REPLACE TRIGGER changes BEFORE INSERT OR UPDATE OR DELETE ON gift_batch_row_part FOR EACH ROW EXECUTE FUNCTION gift_batch_row_part_changes();
DROP TRIGGER IF EXISTS gift_batch_row_is_whole ON gift_batch_row_part;
CREATE CONSTRAINT TRIGGER gift_batch_row_is_whole AFTER INSERT OR DELETE ON gift_batch_row_part DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION gift_batch_row_is_whole();
CREATE OR REPLACE TRIGGER keeps BEFORE UPDATE ON offline_gift FOR EACH ROW EXECUTE FUNCTION offline_gift_keeps();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON offline_gift FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE OR REPLACE TRIGGER erased_stays_erased BEFORE INSERT ON offline_gift FOR EACH ROW EXECUTE FUNCTION offline_gift_stays_erased();
CREATE OR REPLACE TRIGGER sees_every_commit BEFORE INSERT ON offline_gift FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON soft_credit FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE OR REPLACE TRIGGER keeps BEFORE UPDATE ON thank_you FOR EACH ROW EXECUTE FUNCTION thank_you_keeps();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON thank_you FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE OR REPLACE TRIGGER erased_stays_erased BEFORE INSERT ON thank_you FOR EACH ROW EXECUTE FUNCTION thank_you_stays_erased();
CREATE OR REPLACE TRIGGER sees_every_commit BEFORE INSERT ON thank_you FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE OR REPLACE TRIGGER offline_gifts_are_erased AFTER UPDATE ON erasure_donor FOR EACH ROW
    WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION offline_gifts_are_erased();

-- check_gift_without_receipt as before; a gift that is answered by a letter of thanks has no receipt, and its letter.
CREATE OR REPLACE VIEW check_gift_without_receipt AS
WITH gone AS (
    SELECT h.payment_id, sum(h.amount) AS amount FROM payment_change h
     WHERE h.kind = 'refund' OR h.kind = 'dispute lost' AND NOT EXISTS (
           SELECT FROM payment_change w WHERE w.object_id = h.object_id AND w.entity_id = h.entity_id AND w.kind = 'dispute won')
     GROUP BY h.payment_id
), standing AS (
    SELECT r.donation_id, count(*) AS n FROM receipt r
     WHERE NOT EXISTS (SELECT FROM receipt_void v WHERE v.receipt_id = r.id) GROUP BY r.donation_id
)
SELECT 'A6' AS checker, d.entity_id, d.id::text AS subject,
       coalesce(s.n, 0) || ' receipts stand of a gift of which ' || d.amount - coalesce(g.amount, 0) || ' of ' || d.amount || ' is left' AS detail,
       d.settled_at AS since
  FROM donation d
  LEFT JOIN standing s ON s.donation_id = d.id
  LEFT JOIN payment p ON p.donation_id = d.id AND p.status = 'settled'
  LEFT JOIN gone g ON g.payment_id = p.id
 WHERE d.status = 'settled' AND coalesce(s.n, 0) <> CASE WHEN d.given_by IS NULL AND d.amount > coalesce(g.amount, 0) THEN 1 ELSE 0 END
UNION ALL
SELECT 'A6', d.entity_id, d.id::text, 'no letter thanks for a gift without a receipt', d.settled_at
  FROM donation d
 WHERE d.status = 'settled' AND d.given_by IS NOT NULL
   AND NOT EXISTS (SELECT FROM offline_gift o JOIN thank_you t ON t.gift_id = o.id WHERE o.donation_id = d.id);

-- +goose Down
CREATE OR REPLACE VIEW check_gift_without_receipt AS
WITH gone AS (
    SELECT h.payment_id, sum(h.amount) AS amount FROM payment_change h
     WHERE h.kind = 'refund' OR h.kind = 'dispute lost' AND NOT EXISTS (
           SELECT FROM payment_change w WHERE w.object_id = h.object_id AND w.entity_id = h.entity_id AND w.kind = 'dispute won')
     GROUP BY h.payment_id
), standing AS (
    SELECT r.donation_id, count(*) AS n FROM receipt r
     WHERE NOT EXISTS (SELECT FROM receipt_void v WHERE v.receipt_id = r.id) GROUP BY r.donation_id
)
SELECT 'A6' AS checker, d.entity_id, d.id::text AS subject,
       coalesce(s.n, 0) || ' receipts stand of a gift of which ' || d.amount - coalesce(g.amount, 0) || ' of ' || d.amount || ' is left' AS detail,
       d.settled_at AS since
  FROM donation d
  LEFT JOIN standing s ON s.donation_id = d.id
  LEFT JOIN payment p ON p.donation_id = d.id AND p.status = 'settled'
  LEFT JOIN gone g ON g.payment_id = p.id
 WHERE d.status = 'settled' AND coalesce(s.n, 0) <> CASE WHEN d.amount > coalesce(g.amount, 0) THEN 1 ELSE 0 END;
DROP TRIGGER IF EXISTS offline_gifts_are_erased ON erasure_donor;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION personal_subjects(of_erasure uuid, people uuid[], emails text[], before timestamptz) RETURNS SETOF uuid
    STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT of_erasure
    UNION ALL SELECT id FROM donation WHERE donor_id = ANY(people)
    UNION ALL SELECT r.id FROM donation g JOIN receipt r ON r.donation_id = g.id WHERE g.donor_id = ANY(people)
    UNION ALL SELECT n.id FROM donation g JOIN donation_notice n ON n.donation_id = g.id WHERE g.donor_id = ANY(people)
    UNION ALL SELECT e.id FROM plan p JOIN plan_event e ON e.plan_id = p.id WHERE p.donor_id = ANY(people)
    UNION ALL SELECT id FROM statement WHERE donor_id = ANY(people)
    UNION ALL SELECT id FROM sign_in WHERE email = ANY(emails) AND asked_at < before
$$;
-- +goose StatementEnd
DROP TABLE IF EXISTS thank_you, soft_credit, gift_batch_row_part, gift_batch_row, offline_gift, gift_batch;
DROP FUNCTION IF EXISTS office_donor_names, office_donors_to_choose, thank_you_has_person, offline_gifts_are_erased, gifts_of_person, thank_you_stays_erased, offline_gift_stays_erased,
    gift_batch_row_stays_erased, thank_you_keeps, offline_gift_keeps, gift_batch_row_is_whole, gift_batch_row_part_changes, gift_batch_row_changes, gift_batch_changes, gift_batch_begins, may_type_batches;
ALTER TABLE donation DROP COLUMN IF EXISTS given_by;
DELETE FROM account a WHERE a.code IN ('7200', '4300') AND NOT EXISTS (SELECT FROM posting p WHERE p.account_code = a.code);
