-- +goose Up
-- What the database knows of the servers' settings, so that a server with others notices it before a donor does: the fingerprint of
-- SECRET_KEY and the address of the pages (BASE_URL). `konbit migrate` records both; the server's role records what is missing, once, and
-- changes nothing. The program of the previous release does not know the table.
CREATE TABLE installation (
    fact        text PRIMARY KEY CHECK (fact IN ('secret key', 'base url')),
    value       text NOT NULL CHECK (value <> ''),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (fact <> 'secret key' OR value ~ '^[0-9a-f]{16}$')
);

-- How many sealed values name which key as their maker; '' if they are of a release before keys had ids. The server's role may read neither the
-- tables nor the values.
CREATE VIEW sealed_by_key AS
SELECT what, CASE WHEN substr(sealed, 1, 4) = 'key1'::bytea THEN encode(substr(sealed, 5, 4), 'hex') ELSE '' END AS key_id, count(*) AS n
  FROM (SELECT 'one-time keys' AS what, sealed FROM receipt_pad
        UNION ALL SELECT 'copies of receipts'::text AS text, unnest(pads) FROM receipt_kept
        UNION ALL SELECT 'copies of receipts by an earlier release'::text AS text, sealed FROM receipt_hold
        UNION ALL SELECT 'addresses for the emails of erasures'::text AS text, tell FROM erasure WHERE tell IS NOT NULL) s
 GROUP BY 1, 2;

-- +goose Down
DROP VIEW sealed_by_key;
DROP TABLE installation;
