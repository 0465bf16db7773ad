// Package thanks owns the letters of thanks for gifts that have no receipt (table thank_you), and soft credits: whom a gift is
// credited to besides its donor.
//
// The gift of a donor-advised fund, a foundation or an employer that matches was deducted, or is free of tax, elsewhere: its
// letter has no receipt number and says nothing about taxes. The donor gets one, and so does who advised the fund or gave
// what the employer matched. A thing that nobody values gets a letter that describes it.
//
// A letter's facts never change. Its person, who is written to and whom the letter names, stands apart: an erasure of one of
// them deletes it. The package renders and sends nothing; it enqueues an EmailJob in the transaction that writes the letter,
// if there is an address.
package thanks

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/jobs"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// WordsVersion is the version of the words that new letters are issued with.
const WordsVersion = 1

// Words says which words a letter has. Its values stand in thank_you.words.
type Words string

// The words: by who gives; to who advised the gift, or gave what was matched; and for a thing without a value.
const (
	DonorAdvisedFund Words = "daf"
	Foundation       Words = "foundation"
	EmployerMatch    Words = "employer_match"
	InKind           Words = "in_kind"
)

// ToAdviser returns the words of the letter to whom a gift is credited besides its donor.
func (w Words) ToAdviser() Words { return w + "_adviser" }

// Letter is a letter of thanks.
type Letter struct {
	ID           uuid.UUID `db:"id"`
	EntityID     uuid.UUID `db:"entity_id"`
	GiftID       uuid.UUID `db:"gift_id"`
	DonorID      uuid.UUID `db:"donor_id"` // to whom it is written
	Words        Words     `db:"words"`
	WordsVersion int       `db:"words_version"`
	Language     string    `db:"language"`
	Facts        Facts     `db:"facts"`
	Person       *Person   `db:"person"` // nil after an erasure
	IssuedAt     time.Time `db:"issued_at"`
}

// Facts are what a letter says, without people.
type Facts struct {
	EntitySlug   string       `json:"entity_slug"`
	LegalName    string       `json:"legal_name"`
	EIN          string       `json:"ein"`
	Address      []string     `json:"address"` // lines
	MailFrom     string       `json:"mail_from"`
	Organisation string       `json:"organisation"` // in the letter's language
	Accent       string       `json:"accent"`
	Amount       money.Amount `json:"amount"` // zero: Described says what was given
	Described    string       `json:"described,omitempty"`
	ReceivedOn   string       `json:"received_on"` // YYYY-MM-DD
	Funds        []Fund       `json:"funds"`
}

// Fund is the part of a gift that is for one fund.
type Fund struct {
	Name    string       `json:"name"`
	Purpose string       `json:"purpose,omitempty"`
	Amount  money.Amount `json:"amount,omitzero"`
}

// Person is who is written to, and whom the letter names.
type Person struct {
	Name     string   `json:"name"`
	Greeting string   `json:"greeting,omitempty"` // empty: Name
	Email    string   `json:"email,omitempty"`
	Address  []string `json:"address,omitempty"` // lines
	Other    string   `json:"other,omitempty"`   // to the donor: who advised; to that person: the donor
}

// Scan reads the column person.
func (p *Person) Scan(value any) error { return scan(value, p) }

// Scan reads the column facts.
func (f *Facts) Scan(value any) error { return scan(value, f) }

// Value writes the column facts.
func (f Facts) Value() (driver.Value, error) { return text(f) }

// Value writes the column person.
func (p Person) Value() (driver.Value, error) { return text(p) }

func scan(value, into any) error {
	content, ok := value.([]byte)
	if !ok {
		return fmt.Errorf("thanks: %T is no JSON", value)
	}
	return json.Unmarshal(content, into)
}

func text(value any) (driver.Value, error) {
	content, err := json.Marshal(value)
	return string(content), err
}

// EmailJob sends a letter by email.
type EmailJob struct {
	LetterID uuid.UUID `json:"letter_id"`
}

// Kind returns the job's kind, as rows of river_job have it.
func (EmailJob) Kind() string { return "thank_you_letter" }

// Queue returns the queue in which the job waits.
func (EmailJob) Queue() jobs.QueueName { return jobs.Emails }

// Issuer issues letters.
type Issuer struct {
	Queue *jobs.Queue
	NewID func() uuid.UUID
}

// IssueTx writes letters and enqueues the emails of those that have an address. The gift's row is written before.
func (s Issuer) IssueTx(ctx context.Context, tx *sqlx.Tx, letters []Letter, now time.Time) error {
	const query = `/* thanks.IssueTx */
		INSERT INTO thank_you (id, entity_id, gift_id, donor_id, words, words_version, language, facts, person, issued_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	var emails []jobs.Job
	for _, l := range letters {
		id := s.NewID()
		_, err := tx.ExecContext(ctx, query, id, l.EntityID, l.GiftID, l.DonorID, l.Words, WordsVersion, l.Language, l.Facts, l.Person, now)
		if err != nil {
			return err
		}
		if l.Person != nil && l.Person.Email != "" {
			emails = append(emails, EmailJob{id})
		}
	}
	return s.Queue.EnqueueTx(ctx, tx, emails...)
}

// CreditTx credits a gift to a person besides its donor.
func CreditTx(ctx context.Context, tx *sqlx.Tx, entity, gift, donor uuid.UUID) error {
	const query = `/* thanks.CreditTx */ INSERT INTO soft_credit (gift_id, entity_id, donor_id) VALUES ($1, $2, $3)`
	_, err := tx.ExecContext(ctx, query, gift, entity, donor)
	return err
}

const columns = `id, entity_id, gift_id, donor_id, words, words_version, language, facts, person, issued_at`

// ErrNone is the error that there is no letter with an id.
var ErrNone = errors.New("thanks: there is no such letter")

// ByID returns a letter.
func ByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (Letter, error) {
	const query = `/* thanks.ByID */ SELECT ` + columns + ` FROM thank_you WHERE id = $1`
	var found []Letter
	if err := sqlx.SelectContext(ctx, q, &found, query, id); err != nil {
		return Letter{}, err
	}
	if len(found) == 0 {
		return Letter{}, ErrNone
	}
	return found[0], nil
}

// LockTx keeps those whom a letter names from being erased until the transaction ends, and reports whether they are there.
func LockTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID) (there bool, err error) {
	const query = `/* thanks.LockTx */ SELECT thank_you_has_person($1)`
	err = tx.GetContext(ctx, &there, query, id)
	return there, err
}

// OfGifts returns the letters about gifts, in the order of gifts and donors' ids.
func OfGifts(ctx context.Context, q sqlx.QueryerContext, gifts []uuid.UUID) (all []Letter, err error) {
	const query = `/* thanks.OfGifts */ SELECT ` + columns + ` FROM thank_you WHERE gift_id = ANY($1::uuid[]) ORDER BY gift_id, words, donor_id`
	err = sqlx.SelectContext(ctx, q, &all, query, pg.UUIDs(gifts))
	return all, err
}

// OfDonor returns the letters to a donor, the oldest first.
func OfDonor(ctx context.Context, q sqlx.QueryerContext, donor uuid.UUID) (all []Letter, err error) {
	const query = `/* thanks.OfDonor */ SELECT ` + columns + ` FROM thank_you WHERE donor_id = $1 ORDER BY issued_at, id`
	err = sqlx.SelectContext(ctx, q, &all, query, donor)
	return all, err
}
