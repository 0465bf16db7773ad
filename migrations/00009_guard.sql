-- +goose Up
-- Room guard: what keeps stolen cards from being tried on the form. Addresses and e-mails stand here only as
-- keyed hashes. The first three tables are a defence and no record: they are not in the write-ahead log, so
-- that counting costs a gift little, and a crash of the database empties them.
CREATE UNLOGGED TABLE guard_count (
    key   bytea NOT NULL CHECK (octet_length(key) = 16),
    slice bigint NOT NULL,
    shard smallint NOT NULL,
    n     integer NOT NULL CHECK (n > 0),
    until timestamptz NOT NULL,
    PRIMARY KEY (key, slice, shard)
) WITH (fillfactor = 70);
CREATE INDEX guard_count_old ON guard_count (until);

CREATE UNLOGGED TABLE guard_failure (
    id   text PRIMARY KEY,
    page text NOT NULL,
    at   timestamptz NOT NULL
);
CREATE INDEX guard_failure_recent ON guard_failure (at);

CREATE UNLOGGED TABLE guard_step_used (
    nonce bytea PRIMARY KEY CHECK (octet_length(nonce) = 16),
    until timestamptz NOT NULL
);
CREATE INDEX guard_step_used_old ON guard_step_used (until);

-- Event mode: which tablet may give without the limits of its address, until when, and every use of that.
CREATE TABLE event_pass (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL REFERENCES organisation (id),
    token_hash      bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    opened_at       timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    CHECK (expires_at > opened_at AND expires_at <= opened_at + interval '8 hours')
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_pass
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE event_pass_step (
    n       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pass_id uuid NOT NULL REFERENCES event_pass (id),
    kind    text NOT NULL CHECK (kind IN ('opened', 'device', 'gift', 'closed')),
    at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX event_pass_step_by_pass ON event_pass_step (pass_id, kind);
CREATE UNIQUE INDEX event_pass_closed_once ON event_pass_step (pass_id) WHERE kind = 'closed';
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_pass_step
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- +goose Down
DROP TABLE event_pass_step, event_pass, guard_step_used, guard_failure, guard_count;
