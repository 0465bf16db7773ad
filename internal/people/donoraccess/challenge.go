package donoraccess

import (
	"context"
	"database/sql"
	"errors"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/people/session"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/securitylog"
)

// EmailChallenge is a request for an email that proves an address.
type EmailChallenge struct {
	Email    string // normalised (email.Normalize)
	From     netip.Addr
	Browser  string // new secret of the browser that makes the request
	Known    string // cookie of a known browser (MarkBrowser); may be empty
	Language string
	Person   uuid.UUID // who links the address to theirs; zero for a sign-in
	ForPlan  bool      // it was requested on the page of a recurring gift; the email says so

	Step, Proof string // what the page of a guard's challenge sent back; may be empty
}

// SignInEmailJob is the job that writes the email.
type SignInEmailJob struct {
	SignInID uuid.UUID `json:"sign_in_id"`
	ForPlan  bool      `json:"for_plan,omitempty"` // see EmailChallenge
}

// Kind returns the job's name in the queue.
func (SignInEmailJob) Kind() string { return "sign_in_letter" }

// Queue returns the queue in which the job waits.
func (SignInEmailJob) Queue() jobs.QueueName { return jobs.SignIn }

// RequestChallenge records the request and enqueues its email. Beyond the limits it returns StepRequired, and beyond those
// of answered challenges TooMany; both are ErrTooMany. It does the same work for every address, known or not.
func (s Service) RequestChallenge(ctx context.Context, c EmailChallenge) error {
	const query = `/* donoraccess.RequestChallenge */
		INSERT INTO sign_in (id, email, person_id, language, browser_hash) VALUES ($1, $2, $3, $4, $5)`
	if err := s.judgeRequest(ctx, c); err != nil {
		return err
	}
	id := s.NewID()
	err := pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, query, id, c.Email, nullable(c.Person), c.Language, hashOf("browser", c.Browser)); err != nil {
			return err
		}
		return s.Queue.EnqueueTx(ctx, tx, SignInEmailJob{id, c.ForPlan})
	})
	if err == nil {
		securitylog.Record(ctx, securitylog.SignInRequested)
	}
	return err
}

func nullable(id uuid.UUID) uuid.NullUUID { return uuid.NullUUID{UUID: id, Valid: id != uuid.Nil} }

// PendingEmail returns the address of the newest sign-in that a browser requested and that is still valid; "" if
// there is none. browser is its cookie (AddBrowser).
func (s Service) PendingEmail(ctx context.Context, browser string) (email string, err error) {
	const query = `/* donoraccess.PendingEmail */
		SELECT email FROM sign_in WHERE browser_hash = ANY($1) AND person_id IS NULL AND used_at IS NULL AND expires_at > now() ORDER BY n DESC LIMIT 1`
	err = s.DB.GetContext(ctx, &email, query, pq.ByteaArray(browserHashes(browser)))
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return email, err
}

// Credentials are the secrets of an email that proves an address. They are stored nowhere.
type Credentials struct {
	Email     string    `db:"email"`
	Language  string    `db:"language"`
	Links     bool      `db:"links"`     // the address is to be linked to a person; then only the code works
	PersonID  uuid.UUID `db:"person_id"` // this person; zero for a sign-in
	ExpiresAt time.Time `db:"expires_at"`
	Token     string    // of the link
	Code      string
}

// isCurrent is true if no sign-in for the address and person of sign_in s was used since s was requested. A newer request,
// in the same browser or in another, which may be a stranger's, leaves s current. The first one that is used ends all that
// were requested before, and those are known by their numbers too: two that have the same time are one after the other.
const isCurrent = `NOT EXISTS (SELECT 1 FROM sign_in b WHERE b.email = s.email AND b.person_id IS NOT DISTINCT FROM s.person_id
	    AND b.used_at IS NOT NULL AND (b.n > s.n OR b.used_at > s.asked_at))`

// IsExpired reports whether a sign-in has expired without an email, and none was used since.
func (s Service) IsExpired(ctx context.Context, signIn uuid.UUID) (expired bool, err error) {
	const query = `/* donoraccess.IsExpired */
		SELECT EXISTS (SELECT 1 FROM sign_in s WHERE s.id = $1 AND s.used_at IS NULL AND s.expires_at <= now() AND ` + isCurrent + `)`
	err = s.DB.GetContext(ctx, &expired, query, signIn)
	return expired, err
}

// IssueCredentials makes the secrets of an email that is about to be sent; those of an earlier attempt become
// invalid. It returns nil if the request has expired, or one was used since, or if the address is closed to sign-ins.
func (s Service) IssueCredentials(ctx context.Context, signIn uuid.UUID) (*Credentials, error) {
	const query = `/* donoraccess.IssueCredentials */
		UPDATE sign_in s SET token_hash = $2, code_mac = $3
		 WHERE s.id = $1 AND s.used_at IS NULL AND s.expires_at > now() AND ` + isCurrent + `
		   AND (s.person_id IS NOT NULL OR NOT EXISTS (SELECT FROM mailbox m WHERE m.email = s.email AND m.closed))
		RETURNING email, language, person_id IS NOT NULL AS links, coalesce(person_id, '00000000-0000-0000-0000-000000000000') AS person_id, expires_at`
	c := Credentials{Token: session.NewSecret()}
	var err error
	if c.Code, err = newCode(); err != nil {
		return nil, err
	}
	err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &c, query, signIn, hashOf("link", c.Token), s.codeMAC(signIn, c.Code))
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &c, err
}

// DeleteExpired deletes requests after one day and sessions 30 days after their end.
func (s Service) DeleteExpired(ctx context.Context) error {
	const query = `/* donoraccess.DeleteExpired */
		WITH old AS MATERIALIZED (SELECT id FROM sign_in WHERE asked_at < now() - interval '1 day' ORDER BY id FOR UPDATE)
		DELETE FROM sign_in s USING old o WHERE s.id = o.id`
	return pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, query); err != nil {
			return err
		}
		return s.Sessions().DeleteExpiredTx(ctx, tx)
	})
}
