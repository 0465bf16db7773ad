-- +goose NO TRANSACTION
-- +goose Up
-- The newest gifts to an organisation, page by page: what a project's staff read.
DROP INDEX CONCURRENTLY IF EXISTS donation_of_organisation;
CREATE INDEX CONCURRENTLY donation_of_organisation ON donation (organisation_id, charged_at DESC, id DESC) WHERE charged_at IS NOT NULL;

-- +goose Down
DROP INDEX IF EXISTS donation_of_organisation;
