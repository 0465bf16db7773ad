-- +goose Up
-- Room receipt: receipts that no longer stand, why, and what became of the money. Their own rows stay.
-- A receipt can replace only one of the same gift that is void, and each is replaced at most once. With one
-- first receipt per gift this makes the receipts of a gift a chain of which only the last can stand.
ALTER TABLE receipt ADD CONSTRAINT receipt_of_gift UNIQUE (id, donation_id);
CREATE TABLE receipt_void (
    receipt_id  uuid PRIMARY KEY,
    donation_id uuid NOT NULL,
    reason      text NOT NULL CHECK (reason IN ('correction', 'refund', 'dispute')),
    changed_on  date NOT NULL,
    ordered_by  text NOT NULL,
    voided_at   timestamptz NOT NULL,
    UNIQUE (receipt_id, donation_id),
    FOREIGN KEY (receipt_id, donation_id) REFERENCES receipt (id, donation_id)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON receipt_void
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
ALTER TABLE receipt ADD CONSTRAINT receipt_replaces_void FOREIGN KEY (replaces, donation_id) REFERENCES receipt_void (receipt_id, donation_id);

-- Room mail: who a letter's bytes go to. Another address, or the same once more, is another row; in a row
-- only what became of it changes, once for good.
CREATE TABLE letter_delivery (
    id          uuid PRIMARY KEY,
    letter_id   uuid NOT NULL REFERENCES letter (id),
    recipient   text NOT NULL,
    cause       text NOT NULL CHECK (cause IN ('first', 'resend', 'address')),
    ordered_by  text NOT NULL,
    ordered_at  timestamptz NOT NULL,
    tries       integer NOT NULL DEFAULT 0,
    smtp_reply  text,
    accepted_at timestamptz,
    refused_at  timestamptz,
    CHECK (num_nonnulls(accepted_at, refused_at) < 2)
);
CREATE UNIQUE INDEX letter_delivery_first ON letter_delivery (letter_id) WHERE cause = 'first';
CREATE INDEX letter_delivery_of_letter ON letter_delivery (letter_id, ordered_at);
CREATE INDEX letter_delivery_open ON letter_delivery (ordered_at) WHERE accepted_at IS NULL; -- waiting or refused
INSERT INTO letter_delivery (id, letter_id, recipient, cause, ordered_by, ordered_at, tries, smtp_reply, accepted_at, refused_at)
SELECT id, id, recipient, 'first', 'konbit', rendered_at, tries, smtp_reply, accepted_at, CASE WHEN accepted_at IS NULL THEN refused_at END FROM letter;
ALTER TABLE letter DROP recipient, DROP tries, DROP smtp_reply, DROP accepted_at, DROP refused_at;
CREATE INDEX letter_of_subject ON letter (subject_id);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON letter
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- +goose StatementBegin
CREATE FUNCTION delivery_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.letter_id, OLD.recipient, OLD.cause, OLD.ordered_by, OLD.ordered_at)
       IS DISTINCT FROM (NEW.id, NEW.letter_id, NEW.recipient, NEW.cause, NEW.ordered_by, NEW.ordered_at)
       OR num_nonnulls(OLD.accepted_at, OLD.refused_at) > 0 THEN
        RAISE EXCEPTION 'delivery % does not change: order another', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'delivery_ends_once';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER delivery_ends_once BEFORE UPDATE ON letter_delivery FOR EACH ROW EXECUTE FUNCTION delivery_ends_once();

-- +goose Down
ALTER TABLE letter ADD recipient text, ADD tries integer NOT NULL DEFAULT 0, ADD smtp_reply text, ADD accepted_at timestamptz, ADD refused_at timestamptz;
DROP TRIGGER insert_only ON letter;
UPDATE letter l SET recipient = d.recipient, tries = d.tries, smtp_reply = d.smtp_reply, accepted_at = d.accepted_at, refused_at = d.refused_at
  FROM letter_delivery d WHERE d.letter_id = l.id AND d.cause = 'first';
ALTER TABLE letter ALTER recipient SET NOT NULL;
DROP INDEX letter_of_subject;
DROP TABLE letter_delivery;
DROP FUNCTION delivery_ends_once;
ALTER TABLE receipt DROP CONSTRAINT receipt_replaces_void;
DROP TABLE receipt_void;
ALTER TABLE receipt DROP CONSTRAINT receipt_of_gift;
