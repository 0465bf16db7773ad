-- +goose Up
-- In which network (a /24, a /48) a session was opened: a keyed hash of the mailbox and the network. When strangers have used up the sign-in emails
-- of a mailbox, this network still gets some. The row goes with its session: 30 days after the end, or by an erasure. Owned by
-- internal/people/donoraccess.
CREATE TABLE session_network (
    session_id   uuid PRIMARY KEY REFERENCES session (id) ON DELETE CASCADE,
    network_hash bytea NOT NULL CHECK (octet_length(network_hash) = 32)
);
CREATE INDEX session_network_by_hash ON session_network (network_hash);

-- +goose Down
DROP TABLE session_network;
