-- +goose Up
-- Room org: legal entities and the organisations that ask for gifts in their name.
CREATE TABLE legal_entity (
    id                  uuid PRIMARY KEY,
    slug                text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 40),
    legal_name          text NOT NULL CHECK (legal_name <> ''),
    ein                 text NOT NULL CHECK (ein ~ '^[0-9]{2}-[0-9]{7}$'),
    address             jsonb NOT NULL,
    timezone            text NOT NULL,
    currency            text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    mail_from           text NOT NULL,
    fee_borne_by        text NOT NULL DEFAULT 'fund' CHECK (fee_borne_by IN ('fund', 'operations')),
    fee_basis_points    integer NOT NULL DEFAULT 0 CHECK (fee_basis_points BETWEEN 0 AND 10000),
    fee_fixed           bigint NOT NULL DEFAULT 0 CHECK (fee_fixed >= 0),
    sponsor_basis_points integer NOT NULL DEFAULT 0 CHECK (sponsor_basis_points BETWEEN 0 AND 10000),
    sponsor_of          text NOT NULL DEFAULT 'gross' CHECK (sponsor_of IN ('gross', 'net')),
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL
);

CREATE TABLE organisation (
    id          uuid PRIMARY KEY,
    entity_id   uuid NOT NULL REFERENCES legal_entity (id),
    slug        text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 40),
    name        jsonb NOT NULL,
    sponsored   boolean NOT NULL,
    languages   text[] NOT NULL CHECK (cardinality(languages) > 0),
    presets     bigint[] NOT NULL,
    minimum     bigint NOT NULL CHECK (minimum > 0),
    maximum     bigint NOT NULL CHECK (maximum >= minimum),
    frequencies text[] NOT NULL CHECK (cardinality(frequencies) > 0),
    accent      text NOT NULL CHECK (accent ~ '^#[0-9a-f]{6}$'),
    position    integer NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    UNIQUE (id, entity_id)
);

-- Room fund: what a gift may be for. The entity's operations fund has no organisation.
-- code names the fund in the books and is unique in its entity for ever.
CREATE TABLE fund (
    id              uuid PRIMARY KEY,
    entity_id       uuid NOT NULL REFERENCES legal_entity (id),
    organisation_id uuid,
    slug            text NOT NULL CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 60),
    code            text NOT NULL CHECK (code ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(code) <= 101),
    name            jsonb NOT NULL,
    restriction     text NOT NULL CHECK (restriction IN ('none', 'purpose', 'time')),
    purpose         jsonb NOT NULL,
    position        integer NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    closed_at       timestamptz,
    UNIQUE (id, entity_id),
    UNIQUE (entity_id, code),
    FOREIGN KEY (organisation_id, entity_id) REFERENCES organisation (id, entity_id),
    CHECK (organisation_id IS NOT NULL OR (slug = 'operations' AND code = 'operations' AND restriction = 'none'))
);
CREATE UNIQUE INDEX fund_slug_in_organisation ON fund (organisation_id, slug) WHERE organisation_id IS NOT NULL;

-- +goose Down
DROP TABLE fund, organisation, legal_entity;
