-- +goose Up
-- A donation is not a web form. What a donation begun on our form has beside the donation is the table checkout; 00053 fills it with what
-- was begun before. An instalment, and a donation that staff enter or import, has no checkout.
--
-- For one release, the program of the release before runs on this schema too. It knows no checkout: it reads and writes the columns
-- form_id, form_hash and checkout_* of donation. The triggers of this file write each side's changes to the other:
--
--   previous_release_donation   the previous program inserts a donation: its checkout is inserted first
--   previous_release_columns    the new program inserts a donation, after its checkout: the old columns are filled
--   checkout_of_donation        the previous program updates the old columns, or either program changes the status: checkout follows
--   previous_release_page       the new program stores a payment page or the next try: the old columns follow
--
-- Lock order, in both programs: checkout before donation at inserting (unique indexes on the form), donation before checkout at updating.
-- Updates are guarded by IS DISTINCT FROM on both sides, so that they do not call each other again.
-- The next release drops the columns, donation_one_live_per_form, previous_release_*, and what checkout_of_donation does beside `ended`.

-- The strongest lock first: with a weaker one (of the foreign key), a donation of a running server that waits for it and the index below
-- wait for each other.
LOCK TABLE donation IN ACCESS EXCLUSIVE MODE;

-- Package checkout. ended: the donation is expired or failed, so that its form may begin another. Settling does not touch the row.
CREATE TABLE checkout (
    donation_id uuid PRIMARY KEY REFERENCES donation (id) DEFERRABLE INITIALLY DEFERRED, -- inserted before its donation
    form_id     uuid NOT NULL,
    form_hash   bytea NOT NULL CHECK (octet_length(form_hash) = 32),
    try         smallint NOT NULL DEFAULT 1 CHECK (try BETWEEN 1 AND 9),
    session_id  text,
    session_url text,
    expires_at  timestamptz NOT NULL,
    ended       boolean NOT NULL DEFAULT false,
    CHECK (num_nulls(session_id, session_url) IN (0, 2))
);
-- One form shown is one donation: a second submit finds this row, whichever came first.
CREATE UNIQUE INDEX checkout_one_live_per_form ON checkout (form_id) WHERE NOT ended;
CREATE UNIQUE INDEX checkout_by_session ON checkout (session_id) WHERE session_id IS NOT NULL;
DROP INDEX donation_by_session;

-- True if the form of a donation has another donation that is neither expired nor failed.
-- +goose StatementBegin
CREATE FUNCTION checkout_superseded(donation uuid) RETURNS boolean STABLE LANGUAGE sql AS $$
    SELECT EXISTS (SELECT FROM public.checkout c JOIN public.checkout o ON o.form_id = c.form_id AND NOT o.ended AND o.donation_id <> c.donation_id
                    WHERE c.donation_id = $1)
$$;

CREATE OR REPLACE FUNCTION previous_release_donation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.source := CASE WHEN NEW.form_id = NEW.id THEN 'plan' ELSE 'form' END;
    IF NEW.source = 'form' THEN
        INSERT INTO public.checkout (donation_id, form_id, form_hash, try, session_id, session_url, expires_at, ended)
        VALUES (NEW.id, NEW.form_id, NEW.form_hash, NEW.checkout_try, NEW.checkout_session_id, NEW.checkout_url, NEW.checkout_expires_at,
                NEW.status IN ('expired', 'failed'))
        ON CONFLICT (form_id) WHERE NOT ended DO NOTHING; -- the donation's own INSERT says the same
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION previous_release_columns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT c.form_id, c.form_hash, c.try, c.session_id, c.session_url, c.expires_at
      INTO NEW.form_id, NEW.form_hash, NEW.checkout_try, NEW.checkout_session_id, NEW.checkout_url, NEW.checkout_expires_at
      FROM public.checkout c WHERE c.donation_id = NEW.id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'donation % has no checkout', NEW.id USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'donation_has_checkout';
    END IF;
    RETURN NEW;
END $$;

-- Inserts what 00053 has not filled yet.
CREATE FUNCTION checkout_of_donation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO checkout AS c (donation_id, form_id, form_hash, try, session_id, session_url, expires_at, ended)
    VALUES (NEW.id, NEW.form_id, NEW.form_hash, NEW.checkout_try, NEW.checkout_session_id, NEW.checkout_url, NEW.checkout_expires_at,
            NEW.status IN ('expired', 'failed'))
    ON CONFLICT (donation_id) DO UPDATE
       SET try = EXCLUDED.try, session_id = EXCLUDED.session_id, session_url = EXCLUDED.session_url, expires_at = EXCLUDED.expires_at, ended = EXCLUDED.ended
     WHERE (c.try, c.session_id, c.session_url, c.expires_at, c.ended)
           IS DISTINCT FROM (EXCLUDED.try, EXCLUDED.session_id, EXCLUDED.session_url, EXCLUDED.expires_at, EXCLUDED.ended);
    RETURN NULL;
END $$;

CREATE FUNCTION previous_release_page() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE donation d SET checkout_try = NEW.try, checkout_session_id = NEW.session_id, checkout_url = NEW.session_url, checkout_expires_at = NEW.expires_at
     WHERE d.id = NEW.donation_id AND (d.checkout_try, d.checkout_session_id, d.checkout_url, d.checkout_expires_at)
           IS DISTINCT FROM (NEW.try, NEW.session_id, NEW.session_url, NEW.expires_at);
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER previous_release_columns BEFORE INSERT ON donation
    FOR EACH ROW WHEN (NEW.source = 'form' AND NEW.form_id IS NULL) EXECUTE FUNCTION previous_release_columns();
-- Each column is compared by itself: PostgreSQL writes a comparison of rows differently once it is restored from a dump.
CREATE TRIGGER checkout_of_donation AFTER UPDATE ON donation
    FOR EACH ROW WHEN (NEW.source = 'form' AND NEW.form_id IS NOT NULL AND (
        (NEW.status IN ('expired', 'failed')) <> (OLD.status IN ('expired', 'failed'))
        OR NEW.checkout_try IS DISTINCT FROM OLD.checkout_try OR NEW.checkout_session_id IS DISTINCT FROM OLD.checkout_session_id
        OR NEW.checkout_url IS DISTINCT FROM OLD.checkout_url OR NEW.checkout_expires_at IS DISTINCT FROM OLD.checkout_expires_at))
    EXECUTE FUNCTION checkout_of_donation();
CREATE TRIGGER previous_release_page AFTER UPDATE ON checkout
    FOR EACH ROW WHEN (NEW.try IS DISTINCT FROM OLD.try OR NEW.session_id IS DISTINCT FROM OLD.session_id
        OR NEW.session_url IS DISTINCT FROM OLD.session_url OR NEW.expires_at IS DISTINCT FROM OLD.expires_at)
    EXECUTE FUNCTION previous_release_page();

-- The server's role needs the right before grants.sql gives it: the program of the release before writes through these triggers at once.
-- +goose StatementBegin
DO $$
DECLARE
    role name;
BEGIN
    FOR role IN SELECT DISTINCT g.grantee FROM information_schema.role_table_grants g
        WHERE g.table_schema = 'public' AND g.table_name = 'donation' AND g.privilege_type = 'INSERT' AND g.grantee <> current_user LOOP
        EXECUTE format('GRANT SELECT, INSERT ON checkout TO %I', role);
    END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
LOCK TABLE donation IN ACCESS EXCLUSIVE MODE;
DROP TRIGGER previous_release_page ON checkout;
DROP TRIGGER checkout_of_donation ON donation;
DROP TRIGGER previous_release_columns ON donation;
-- The triggers keep the old columns filled; rows that were written without triggers are filled here.
UPDATE donation d SET form_id = c.form_id, form_hash = c.form_hash, checkout_try = c.try, checkout_session_id = c.session_id,
       checkout_url = c.session_url, checkout_expires_at = c.expires_at
  FROM checkout c
 WHERE c.donation_id = d.id AND (d.form_id, d.form_hash, d.checkout_try, d.checkout_session_id, d.checkout_url, d.checkout_expires_at)
       IS DISTINCT FROM (c.form_id, c.form_hash, c.try, c.session_id, c.session_url, c.expires_at);
SET CONSTRAINTS ALL IMMEDIATE;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION previous_release_donation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.source := CASE WHEN NEW.form_id = NEW.id THEN 'plan' ELSE 'form' END;
    RETURN NEW;
END $$;
-- +goose StatementEnd
DROP FUNCTION previous_release_page, checkout_of_donation, previous_release_columns, checkout_superseded;
DROP TABLE checkout;
CREATE UNIQUE INDEX donation_by_session ON donation (entity_id, checkout_session_id) WHERE checkout_session_id IS NOT NULL;
