-- +goose Up
-- Room jobs: River's two GIN indexes, of what is in a job, are for pages that search jobs. None of its own queries asks by them, and
-- every change of a job's state writes them anew: without them a job's life costs the database half.
DROP INDEX IF EXISTS river_job_args_index;
DROP INDEX IF EXISTS river_job_metadata_index;

-- +goose Down
CREATE INDEX river_job_args_index ON river_job USING GIN (args);
CREATE INDEX river_job_metadata_index ON river_job USING GIN (metadata);
