-- +goose Up
-- Room statement: what a donor gave to a legal entity in a year, as it was told them. The figures are written once; who they were
-- told to stands apart, so that it can be erased while the figures stay.
CREATE TABLE statement (
    id            uuid PRIMARY KEY,
    entity_id     uuid NOT NULL,
    donor_id      uuid NOT NULL,
    year          integer NOT NULL CHECK (year BETWEEN 2000 AND 2200),
    n             smallint NOT NULL CHECK (n > 0), -- 1 is the first; each later one takes the place of the one before
    language      text NOT NULL,
    words_version smallint NOT NULL CHECK (words_version > 0),
    facts         jsonb NOT NULL,
    issued_at     timestamptz NOT NULL,
    UNIQUE (donor_id, year, n),
    FOREIGN KEY (donor_id, entity_id) REFERENCES donor (id, entity_id)
);
CREATE INDEX statement_by_year ON statement (entity_id, year, donor_id);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON statement
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE statement_person (
    statement_id uuid PRIMARY KEY REFERENCES statement (id),
    person       jsonb NOT NULL
);

-- Room receipt: which receipts were issued or voided since a moment.
CREATE INDEX receipt_by_issue ON receipt (issued_at);
CREATE INDEX receipt_void_by_time ON receipt_void (voided_at);

-- +goose Down
DROP INDEX receipt_void_by_time, receipt_by_issue;
DROP TABLE statement_person, statement;
