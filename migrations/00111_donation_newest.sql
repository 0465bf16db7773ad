-- +goose NO TRANSACTION
-- +goose Up
-- The newest gifts of an entity, and those of a month, page by page.
DROP INDEX CONCURRENTLY IF EXISTS donation_newest;
CREATE INDEX CONCURRENTLY donation_newest ON donation (entity_id, charged_at DESC, id DESC) WHERE charged_at IS NOT NULL;

-- +goose Down
DROP INDEX IF EXISTS donation_newest;
