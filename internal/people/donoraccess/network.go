package donoraccess

import (
	"context"
	"net/netip"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/email"
	"konbit/internal/platform/guard"
)

// A network (a /24, a /48) in which a mailbox was proved is stored beside the session that this opened, as a keyed hash of
// both, and is deleted with it: 30 days after its end, or when its person is erased. So it says nothing about where a
// person was without the mailbox, the network and the key.

// recordNetworkTx records in which network a session was opened.
func (s Service) recordNetworkTx(ctx context.Context, tx *sqlx.Tx, session uuid.UUID, address string, from netip.Addr) error {
	const query = `/* donoraccess.recordNetworkTx */ INSERT INTO session_network (session_id, network_hash) VALUES ($1, $2)`
	if !from.IsValid() {
		return nil
	}
	_, err := tx.ExecContext(ctx, query, session, s.Keys.Hash(purpose, "network", email.MailboxKey(address), guard.NetworkKey(from)))
	return err
}

// isProvedNetwork reports whether a session was opened by a mailbox in this network, and is still stored.
func (s Service) isProvedNetwork(ctx context.Context, address string, from netip.Addr) (proved bool, err error) {
	const query = `/* donoraccess.isProvedNetwork */ SELECT EXISTS (SELECT 1 FROM session_network WHERE network_hash = ANY($1))`
	hashes := s.Keys.Hashes(purpose, "network", email.MailboxKey(address), guard.NetworkKey(from))
	err = s.DB.GetContext(ctx, &proved, query, pq.ByteaArray(hashes))
	return proved && from.IsValid(), err
}
