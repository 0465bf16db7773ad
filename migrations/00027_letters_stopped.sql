-- +goose Up
-- Room donor: two more kinds of letters that are for a donor to have or not. They come until a row here says otherwise; news come only
-- to who wished for them.
ALTER TABLE donor_consent DROP CONSTRAINT donor_consent_kind_check,
    ADD CONSTRAINT donor_consent_kind_check CHECK (kind IN ('news', 'reminders', 'statements'));
CREATE INDEX donor_consent_newest ON donor_consent (donor_id, kind, n DESC);
DROP INDEX donor_consent_of_donor;

-- Room mail: of which donor's choice a letter is; NULL: it always goes. A delivery that was not wished for any more is none.
ALTER TABLE letter ADD donor_id uuid, ADD choice text,
    ADD CONSTRAINT letter_choice CHECK ((donor_id IS NULL) = (choice IS NULL));
ALTER TABLE letter_delivery ADD declined_at timestamptz,
    ADD CONSTRAINT letter_delivery_declined CHECK (num_nonnulls(accepted_at, declined_at) < 2);

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION delivery_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('konbit.erasing', true) = 'yes' AND NEW.recipient = '' AND NEW.smtp_reply IS NULL
       AND (OLD.id, OLD.letter_id, OLD.cause, OLD.ordered_by, OLD.ordered_at, OLD.accepted_at, OLD.declined_at)
           IS NOT DISTINCT FROM (NEW.id, NEW.letter_id, NEW.cause, NEW.ordered_by, NEW.ordered_at, NEW.accepted_at, NEW.declined_at) THEN
        RETURN NEW;
    END IF;
    IF (OLD.id, OLD.letter_id, OLD.recipient, OLD.cause, OLD.ordered_by, OLD.ordered_at)
       IS DISTINCT FROM (NEW.id, NEW.letter_id, NEW.recipient, NEW.cause, NEW.ordered_by, NEW.ordered_at)
       OR num_nonnulls(OLD.accepted_at, OLD.refused_at, OLD.declined_at) > 0 THEN
        RAISE EXCEPTION 'delivery % does not change: order another', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'delivery_ends_once';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION delivery_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('konbit.erasing', true) = 'yes' AND NEW.recipient = '' AND NEW.smtp_reply IS NULL
       AND (OLD.id, OLD.letter_id, OLD.cause, OLD.ordered_by, OLD.ordered_at, OLD.accepted_at)
           IS NOT DISTINCT FROM (NEW.id, NEW.letter_id, NEW.cause, NEW.ordered_by, NEW.ordered_at, NEW.accepted_at) THEN
        RETURN NEW;
    END IF;
    IF (OLD.id, OLD.letter_id, OLD.recipient, OLD.cause, OLD.ordered_by, OLD.ordered_at)
       IS DISTINCT FROM (NEW.id, NEW.letter_id, NEW.recipient, NEW.cause, NEW.ordered_by, NEW.ordered_at)
       OR num_nonnulls(OLD.accepted_at, OLD.refused_at) > 0 THEN
        RAISE EXCEPTION 'delivery % does not change: order another', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'delivery_ends_once';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- What was not wished for is, to an earlier program, refused.
UPDATE letter_delivery SET refused_at = declined_at WHERE declined_at IS NOT NULL AND refused_at IS NULL;
ALTER TABLE letter_delivery DROP declined_at;
ALTER TABLE letter DROP donor_id, DROP choice;
CREATE INDEX donor_consent_of_donor ON donor_consent (donor_id, n);
DROP INDEX donor_consent_newest;
ALTER TABLE donor_consent DISABLE TRIGGER insert_only;
DELETE FROM donor_consent WHERE kind <> 'news';
ALTER TABLE donor_consent ENABLE TRIGGER insert_only;
ALTER TABLE donor_consent DROP CONSTRAINT donor_consent_kind_check, ADD CONSTRAINT donor_consent_kind_check CHECK (kind IN ('news'));
