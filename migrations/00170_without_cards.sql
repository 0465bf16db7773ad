-- +goose Up
-- A legal entity may take no cards: its form says how to give by check or transfer. The program of the release before asks for cards.

ALTER TABLE legal_entity ADD COLUMN without_cards boolean NOT NULL DEFAULT false; -- entities[].stripe: off
ALTER TABLE legal_entity ADD COLUMN giving_by_mail jsonb NOT NULL DEFAULT '{}'; -- how to give without a card, by language; empty: by the postal address

-- +goose Down
ALTER TABLE legal_entity DROP COLUMN giving_by_mail, DROP COLUMN without_cards;
