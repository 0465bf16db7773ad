package donoraccess

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/keyring"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/securitylog"
)

// A donor who has lost a mailbox cannot prove it, so an operator vouches for them: the operator orders an email to the
// new address, whose link proves that address. Then both addresses belong to one person, emails go to the new one, and
// nobody signs in by the lost one. Nothing is stored before the link is used.

// moveLife is how long the link is valid.
const moveLife = 7 * 24 * time.Hour

const movePurpose = "konbit access: move"

// Move is an order of an operator.
type Move struct {
	DonorID uuid.UUID // whose address is lost
	To      string    // the new address, normalised (email.Normalize)
	Ordered time.Time // when it was ordered; only of a link that was read
}

// MoveToken returns the secret of the link: a tag, the donor (16 bytes), the end of its validity (8) and the address.
func (s Service) MoveToken(m Move) (token string, until time.Time) {
	until = s.Now().Add(moveLife)
	signed := string(binary.BigEndian.AppendUint64(m.DonorID[:], uint64(until.Unix()))) + m.To
	return base64.RawURLEncoding.EncodeToString(append(s.Keys.Sign(movePurpose, signed), signed...)), until
}

// ReadMoveToken returns the order of a link; valid is false if it is not ours or has expired.
func (s Service) ReadMoveToken(token string) (m Move, valid bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	const head = keyring.TagSize + 16 + 8
	if err != nil || len(raw) <= head || !s.Keys.Verify(raw[:keyring.TagSize], movePurpose, string(raw[keyring.TagSize:])) {
		return m, false
	}
	until := time.Unix(int64(binary.BigEndian.Uint64(raw[head-8:head])), 0)
	m = Move{DonorID: uuid.UUID(raw[keyring.TagSize : head-8]), To: string(raw[head:]), Ordered: until.Add(-moveLife)}
	return m, s.Now().Before(until) && isStorable(m.To)
}

// MoveAddress makes the order of a link true, which its reader has proved: the addresses belong to one person, emails
// go to the new one, and the lost one is closed. They may have belonged to one person before. Sessions and sign-ins by the
// lost one end, and the links of emails to it. Both addresses, and all others of both persons, get an email. A repeat
// changes nothing, also if the person changed addresses since. A link changes nothing if its donor has the new address.
func (s Service) MoveAddress(ctx context.Context, lost string, m Move) error {
	const shut = `/* donoraccess.MoveAddress */ UPDATE mailbox SET closed = true WHERE email = $1`
	const moved = `/* donoraccess.MoveAddress */
		SELECT EXISTS (SELECT 1 FROM mailbox l JOIN mailbox t USING (person_id) WHERE l.email = $1 AND t.email = $2
		    AND (l.closed AND t.chosen OR EXISTS (SELECT 1 FROM mailbox_step s WHERE s.email = t.email AND s.kind = 'moved' AND s.at >= $3)))`
	// A sign-in whose email is not written yet gets no email: see IssueCredentials.
	const expire = `/* donoraccess.MoveAddress */
		WITH theirs AS MATERIALIZED (
		    SELECT id FROM sign_in WHERE email = $1 AND used_at IS NULL AND token_hash IS NOT NULL ORDER BY id FOR UPDATE)
		UPDATE sign_in s SET used_at = now() FROM theirs t WHERE s.id = t.id`
	// Locks are taken in the order of migration 00094: sign-ins, addresses, links, sessions.
	const lock = `/* donoraccess.MoveAddress */
		SELECT email FROM mailbox WHERE person_id IN (SELECT person_id FROM mailbox WHERE email = ANY($1)) ORDER BY email FOR UPDATE`
	to := m.To
	if lost == to {
		return nil
	}
	err := pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, expire, lost); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, lock, pq.Array([]string{lost, to})); err != nil {
			return err
		}
		var done bool
		if err := tx.GetContext(ctx, &done, moved, lost, to, m.Ordered); err != nil || done {
			return err
		}
		person, err := s.vouchTx(ctx, tx, lost)
		if err != nil {
			return err
		}
		before, err := s.recordProofTx(ctx, tx, to)
		if err != nil {
			return err
		}
		if err := s.EndLinksTx(ctx, tx, []string{lost}); err != nil {
			return err
		}
		if err := s.assignAddressTx(ctx, tx, to, changeMoved, before, person); err != nil {
			return err
		}
		if _, err := chooseTx(ctx, tx, person, to); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, shut, lost); err != nil {
			return err
		}
		_, err = s.Sessions().EndOfEmailTx(ctx, tx, lost)
		return err
	})
	if err == nil {
		securitylog.Record(ctx, securitylog.AddressMoved)
	}
	return err
}

// vouchTx returns the person who has an address. An address that was never proved gets a new person, because an
// operator vouches for it.
func (s Service) vouchTx(ctx context.Context, tx *sqlx.Tx, address string) (person uuid.UUID, err error) {
	const known = `/* donoraccess.vouchTx */ SELECT person_id FROM mailbox WHERE email = $1 FOR UPDATE`
	const insert = `/* donoraccess.vouchTx */ INSERT INTO mailbox (email, person_id, proved_at) VALUES ($1, $2, now())`
	err = tx.GetContext(ctx, &person, known, address)
	if !errors.Is(err, sql.ErrNoRows) {
		return person, err
	}
	person = s.NewID()
	if _, err = tx.ExecContext(ctx, insert, address, person); err != nil {
		return person, err
	}
	_, err = recordChangeTx(ctx, tx, address, changeVouched, uuid.NullUUID{}, person)
	return person, err
}
