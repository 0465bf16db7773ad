package donoraccess

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// Kept is all that is kept of a person here, for their copy. Of secrets there are only hashes, which tell nobody anything.
type PersonalData struct {
	Mailboxes      []Mailbox
	AddressChanges []AddressChange
	SignIns        []SignIn
	Sessions       []SessionRecord
}

// Step is what happened to an address.
type AddressChange struct {
	Email string    `db:"email" json:"email"`
	Kind  string    `db:"kind" json:"what"` // proved, joined, parted
	At    time.Time `db:"at" json:"at"`
}

// SignIn is somebody's wish for a letter that proves an address; it is kept for a day.
type SignIn struct {
	Email    string     `db:"email" json:"email"`
	Language string     `db:"language" json:"language"`
	Asked    time.Time  `db:"asked_at" json:"asked"`
	Expires  time.Time  `db:"expires_at" json:"good_until"`
	Used     *time.Time `db:"used_at" json:"used,omitempty"`
}

// Visit is a session as its person may know it; it is kept for a month after its end.
type SessionRecord struct {
	Email  string     `db:"email" json:"email"`
	Opened time.Time  `db:"opened_at" json:"opened"`
	Seen   time.Time  `db:"seen_at" json:"seen"`
	Ended  *time.Time `db:"ended_at" json:"ended,omitempty"`
}

// KeptOf reads it all, oldest first.
func ReadPersonalData(ctx context.Context, q sqlx.QueryerContext, person uuid.UUID) (k PersonalData, err error) {
	const mailboxes = `/* access.KeptOf */ SELECT email, proved_at FROM mailbox WHERE person_id = $1 ORDER BY email`
	const steps = `/* access.KeptOf */ SELECT email, kind, at FROM mailbox_step WHERE email = ANY($1::text[]) ORDER BY n`
	const signIns = `/* access.KeptOf */
		SELECT email, language, asked_at, expires_at, used_at FROM sign_in WHERE email = ANY($1::text[]) OR person_id = $2 ORDER BY n`
	const sessions = `/* access.KeptOf */ SELECT email, opened_at, seen_at, ended_at FROM session WHERE person_id = $1 ORDER BY opened_at, id`
	if err := sqlx.SelectContext(ctx, q, &k.Mailboxes, mailboxes, person); err != nil {
		return k, err
	}
	emails := make(pq.StringArray, len(k.Mailboxes))
	for i, m := range k.Mailboxes {
		emails[i] = m.Email
	}
	if err := sqlx.SelectContext(ctx, q, &k.AddressChanges, steps, emails); err != nil {
		return k, err
	}
	if err := sqlx.SelectContext(ctx, q, &k.SignIns, signIns, emails, person); err != nil {
		return k, err
	}
	return k, sqlx.SelectContext(ctx, q, &k.Sessions, sessions, person)
}
