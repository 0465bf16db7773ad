package donoraccess

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/people/session"
)

// PersonalData is everything about one person in the tables of sign-in, for a copy of their data. Secrets are omitted:
// only their hashes are stored, and a hash says nothing about a person.
type PersonalData struct {
	Mailboxes      []Mailbox
	AddressChanges []AddressChange
	SignIns        []SignIn
	Sessions       []session.Record
}

// AddressChange is one change of an address.
type AddressChange struct {
	Email string    `db:"email" json:"email"`
	Kind  string    `db:"kind" json:"what"` // one of the constants change…
	At    time.Time `db:"at" json:"at"`
}

// SignIn is a request for an email that proves an address. It is deleted after one day.
type SignIn struct {
	Email    string     `db:"email" json:"email"`
	Language string     `db:"language" json:"language"`
	Asked    time.Time  `db:"asked_at" json:"asked"`
	Expires  time.Time  `db:"expires_at" json:"good_until"`
	Used     *time.Time `db:"used_at" json:"used,omitempty"`
}

// ReadPersonalData returns the person's data, oldest first.
func ReadPersonalData(ctx context.Context, q sqlx.QueryerContext, person uuid.UUID) (d PersonalData, err error) {
	const mailboxes = `/* donoraccess.ReadPersonalData */ SELECT email, proved_at, chosen, closed FROM mailbox WHERE person_id = $1 ORDER BY email`
	const changes = `/* donoraccess.ReadPersonalData */ SELECT email, kind, at FROM mailbox_step WHERE email = ANY($1::text[]) ORDER BY n`
	const signIns = `/* donoraccess.ReadPersonalData */
		SELECT email, language, asked_at, expires_at, used_at FROM sign_in WHERE email = ANY($1::text[]) OR person_id = $2 ORDER BY n`
	if err := sqlx.SelectContext(ctx, q, &d.Mailboxes, mailboxes, person); err != nil {
		return d, err
	}
	emails := make(pq.StringArray, len(d.Mailboxes))
	for i, m := range d.Mailboxes {
		emails[i] = m.Email
	}
	if err := sqlx.SelectContext(ctx, q, &d.AddressChanges, changes, emails); err != nil {
		return d, err
	}
	if err := sqlx.SelectContext(ctx, q, &d.SignIns, signIns, emails, person); err != nil {
		return d, err
	}
	d.Sessions, err = Service{}.Sessions().List(ctx, q, person)
	return d, err
}
