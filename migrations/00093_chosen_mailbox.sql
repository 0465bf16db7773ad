-- +goose Up
-- A donor chooses which of the addresses of a person gets the emails, and an operator moves the gifts of an address that nobody reads any
-- more to a new one. Owned by internal/people/donoraccess.
ALTER TABLE mailbox
    ADD chosen boolean NOT NULL DEFAULT false, -- emails to any address of the person go here
    ADD closed boolean NOT NULL DEFAULT false; -- its reader lost it: nobody signs in by it until it is proved again in a session
CREATE UNIQUE INDEX mailbox_chosen ON mailbox (person_id) WHERE chosen;

-- The choice belongs to a person: an address that gets another person is not chosen any more. The program of the previous release
-- assigns addresses without knowing the column.
-- +goose StatementBegin
CREATE FUNCTION choice_stays_with_person() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    NEW.chosen := false;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER choice_stays_with_person BEFORE UPDATE ON mailbox FOR EACH ROW WHEN (NEW.person_id <> OLD.person_id)
    EXECUTE FUNCTION choice_stays_with_person();

ALTER TABLE mailbox_step DROP CONSTRAINT mailbox_step_check, DROP CONSTRAINT mailbox_step_kind_check,
    ADD CONSTRAINT mailbox_step_kind_check CHECK (kind IN ('proved', 'vouched', 'joined', 'moved', 'parted', 'chosen', 'unchosen')),
    ADD CONSTRAINT mailbox_step_check CHECK ((kind IN ('proved', 'vouched')) = (before IS NULL));

-- +goose Down
ALTER TABLE mailbox_step DISABLE TRIGGER insert_only;
DELETE FROM mailbox_step WHERE kind IN ('chosen', 'unchosen');
UPDATE mailbox_step SET kind = CASE kind WHEN 'vouched' THEN 'proved' ELSE 'joined' END WHERE kind IN ('vouched', 'moved');
ALTER TABLE mailbox_step ENABLE TRIGGER insert_only;
ALTER TABLE mailbox_step DROP CONSTRAINT mailbox_step_check, DROP CONSTRAINT mailbox_step_kind_check,
    ADD CONSTRAINT mailbox_step_kind_check CHECK (kind IN ('proved', 'joined', 'parted')),
    ADD CONSTRAINT mailbox_step_check CHECK ((kind = 'proved') = (before IS NULL));
DROP TRIGGER choice_stays_with_person ON mailbox;
DROP FUNCTION choice_stays_with_person();
DROP INDEX mailbox_chosen;
ALTER TABLE mailbox DROP closed, DROP chosen;
