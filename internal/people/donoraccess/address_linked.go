package donoraccess

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
)

// MovedLetter is the job of telling everybody concerned that an address was joined to others or taken away from them: who did not do
// it themselves learns of it (OWASP ASVS 5.0.0 V6.3.7).
type AddressEmailJob struct {
	Step int64 `json:"step"`
}

// Kind names the job.
func (AddressEmailJob) Kind() string { return "address_letter" }

// Moved is an address that was joined to others, or taken away from them.
type AddressLinked struct {
	Email        string    `db:"email"`
	Unlinked     bool      `db:"parted"`
	At           time.Time `db:"at"`
	PersonBefore uuid.UUID `db:"before"`
	PersonAfter  uuid.UUID `db:"after"`
	Recipients   []string  `db:"-"` // it, and all others of both persons
}

// Moved reads what a step did and whom to tell; nil: its people were forgotten.
func (k Service) ReadAddressLinked(ctx context.Context, step int64) (*AddressLinked, error) {
	const query = `/* access.Moved */
		SELECT email, kind = 'parted' AS parted, at, before, after FROM mailbox_step WHERE n = $1 AND kind IN ('joined', 'parted')`
	const tell = `/* access.Moved */ SELECT email FROM mailbox WHERE person_id IN ($1, $2) OR email = $3 ORDER BY email`
	var m AddressLinked
	if err := k.DB.GetContext(ctx, &m, query, step); errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &m, k.DB.SelectContext(ctx, &m.Recipients, tell, m.PersonBefore, m.PersonAfter, m.Email)
}
