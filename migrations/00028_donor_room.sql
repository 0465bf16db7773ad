-- +goose Up
-- Each gift updates its donor's row and none of its indexed columns: with room on the page the new version needs no index entries (HOT).
ALTER TABLE donor SET (fillfactor = 70);

-- +goose Down
ALTER TABLE donor RESET (fillfactor);
