-- +goose Up
-- Room stripepay: the inbox of webhooks, unique per legal entity and event.
CREATE TABLE stripe_event (
    entity_id   uuid NOT NULL REFERENCES legal_entity (id),
    id          text NOT NULL,
    type        text NOT NULL,
    api_version text NOT NULL,
    created_at  timestamptz NOT NULL,
    payload     bytea,
    payload_sha256 bytea NOT NULL CHECK (octet_length(payload_sha256) = 32),
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    state       text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'parked', 'done', 'set_aside')),
    tries       integer NOT NULL DEFAULT 0,
    failures    integer NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason      text,
    done_at     timestamptz,
    PRIMARY KEY (entity_id, id),
    CHECK ((state = 'done') = (done_at IS NOT NULL)),
    CHECK (state IN ('new', 'done') OR reason IS NOT NULL)
);
CREATE INDEX stripe_event_waiting ON stripe_event (due_at) WHERE state IN ('new', 'parked');

-- Room mail: one letter per kind and subject; the bytes first rendered are the bytes sent, and sent again.
CREATE TABLE letter (
    id          uuid PRIMARY KEY,
    entity_id   uuid NOT NULL REFERENCES legal_entity (id),
    kind        text NOT NULL,
    subject_id  uuid NOT NULL,
    sender      text NOT NULL,
    recipient   text NOT NULL,
    message_id  text NOT NULL UNIQUE,
    message     bytea NOT NULL,
    rendered_at timestamptz NOT NULL,
    tries       integer NOT NULL DEFAULT 0,
    accepted_at timestamptz,
    refused_at  timestamptz,
    smtp_reply  text,
    UNIQUE (kind, subject_id)
);

-- +goose Down
DROP TABLE letter, stripe_event;
