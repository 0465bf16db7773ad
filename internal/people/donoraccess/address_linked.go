package donoraccess

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"

	"konbit/internal/platform/jobs"
)

// AddressEmailJob is the job that tells all addresses concerned that an address was linked, unlinked or chosen. So a
// person who did not do it learns of it (OWASP ASVS 5.0.0 V6.3.7).
type AddressEmailJob struct {
	ChangeID int64 `json:"step"`
}

// Kind returns the job's name in the queue.
func (AddressEmailJob) Kind() string { return "address_letter" }

// Queue returns the queue in which the job waits.
func (AddressEmailJob) Queue() jobs.QueueName { return jobs.Emails }

// AddressLinked is an address that was linked to a person, unlinked, or chosen for emails.
type AddressLinked struct {
	Email        string    `db:"email"`
	Kind         string    `db:"kind"` // joined, moved, parted, chosen or unchosen
	At           time.Time `db:"at"`
	PersonBefore uuid.UUID `db:"before"`
	PersonAfter  uuid.UUID `db:"after"`
	Recipients   []string  `db:"-"` // the address, and all other addresses of both persons
}

// ReadAddressLinked returns a change and its recipients; nil if its people were erased.
func (s Service) ReadAddressLinked(ctx context.Context, change int64) (*AddressLinked, error) {
	const query = `/* donoraccess.ReadAddressLinked */
		SELECT email, kind, at, before, after FROM mailbox_step WHERE n = $1 AND before IS NOT NULL`
	const recipients = `/* donoraccess.ReadAddressLinked */
		SELECT email FROM mailbox WHERE person_id IN ($1, $2) OR email = $3 ORDER BY email`
	var a AddressLinked
	if err := s.DB.GetContext(ctx, &a, query, change); errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &a, s.DB.SelectContext(ctx, &a.Recipients, recipients, a.PersonBefore, a.PersonAfter, a.Email)
}
