package donoraccess

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/people/session"
	"konbit/internal/platform/email"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/securitylog"
)

// Destination returns the address that gets the emails to an address: the one that its person chose, else the address
// itself. An address that nobody has proved belongs to no person.
func Destination(ctx context.Context, q sqlx.QueryerContext, address string) (chosen string, err error) {
	const query = `/* donoraccess.Destination */
		SELECT c.email FROM mailbox m JOIN mailbox c ON c.person_id = m.person_id AND c.chosen WHERE m.email = $1`
	err = sqlx.GetContext(ctx, q, &chosen, query, email.Normalize(address))
	if errors.Is(err, sql.ErrNoRows) {
		return address, nil
	}
	return chosen, err
}

// ChooseAddress decides to which of the addresses of the session's person emails go; "": to the address that each gift
// was made with. All addresses get an email about it. It returns fault.NotFound if the person does not have the
// address, or has lost it.
func (s Service) ChooseAddress(ctx context.Context, of session.Session, address string) error {
	if address != "" && !isStorable(address) {
		return errNotFound
	}
	err := pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		before, err := chooseTx(ctx, tx, of.PersonID, address)
		if err != nil || before == address {
			return err
		}
		kind, about := changeChosen, address
		if address == "" {
			kind, about = changeUnchosen, before
		}
		n, err := recordChangeTx(ctx, tx, about, kind, uuid.NullUUID{UUID: of.PersonID, Valid: true}, of.PersonID)
		if err != nil {
			return err
		}
		return s.Queue.EnqueueTx(ctx, tx, AddressEmailJob{n})
	})
	if err == nil {
		securitylog.Record(ctx, securitylog.AddressChosen)
	}
	return err
}

// chooseTx chooses an address of a person and returns the one chosen before; "": none.
func chooseTx(ctx context.Context, tx *sqlx.Tx, person uuid.UUID, address string) (before string, err error) {
	const lock = `/* donoraccess.chooseTx */ SELECT email, chosen, closed FROM mailbox WHERE person_id = $1 ORDER BY email FOR UPDATE`
	const choose = `/* donoraccess.chooseTx */ UPDATE mailbox SET chosen = $2 WHERE email = $1`
	var all []struct {
		Email          string
		Chosen, Closed bool
	}
	if err := tx.SelectContext(ctx, &all, lock, person); err != nil {
		return "", err
	}
	found := address == ""
	for _, m := range all {
		if m.Chosen {
			before = m.Email
		}
		found = found || m.Email == address && !m.Closed
	}
	if !found {
		return "", errNotFound
	}
	for _, m := range []struct {
		email  string
		chosen bool
	}{{before, false}, {address, true}} { // one is chosen at a time
		if _, err := tx.ExecContext(ctx, choose, m.email, m.chosen); err != nil {
			return "", err
		}
	}
	return before, nil
}
