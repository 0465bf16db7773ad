-- +goose Up
-- Room mail: a letter may be called off while a mail server is taking it. What the server said then is what became of it.
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
       OR num_nonnulls(OLD.accepted_at, OLD.refused_at) > 0
       OR OLD.declined_at IS NOT NULL AND (NEW.declined_at IS NOT NULL OR NEW.accepted_at IS NULL) THEN
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
