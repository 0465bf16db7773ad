package staff

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/keyring"
)

// Service does what staff do about their accounts. It is safe for concurrent use.
type Service struct {
	DB    *sqlx.DB
	Queue *jobs.Queue
	Guard *guard.Guard // limits of tries
	Keys  keyring.Ring // sign form tokens
	Site  *url.URL     // the office's address: passkeys are bound to its host
	NewID func() uuid.UUID
	// Record writes an event to the audit log, in the transaction of its effect; nil: nothing is recorded.
	Record func(ctx context.Context, tx *sqlx.Tx, e Event) error
}

// Event is a change for the audit log. It has ids and no names.
type Event struct {
	Act            string    // such as "staff.invited"
	By             uuid.UUID // staff; Nil: the operator
	About          uuid.UUID // staff
	EntityID       uuid.NullUUID
	OrganisationID uuid.NullUUID
	Detail         string // a role, a kind of factor; may be empty
	Reason         string // the operator's
}

func (s Service) recordTx(ctx context.Context, tx *sqlx.Tx, e Event) error {
	if s.Record == nil {
		return nil
	}
	return s.Record(ctx, tx, e)
}

// Member is a person of the staff.
type Member struct {
	ID         uuid.UUID     `db:"id"`
	Email      string        `db:"email"`
	Name       string        `db:"name"`
	Language   string        `db:"language"`
	BreakGlass bool          `db:"break_glass"`
	CreatedAt  time.Time     `db:"created_at"`
	CreatedBy  uuid.NullUUID `db:"created_by"`
	DisabledAt *time.Time    `db:"disabled_at"`
	// CanSignIn: the person has set up a factor.
	CanSignIn bool `db:"can_sign_in"`
}

const selectMember = `SELECT m.id, m.email, m.name, m.language, m.break_glass, m.created_at, m.created_by, m.disabled_at,
	EXISTS (SELECT FROM staff_passkey p WHERE p.staff_id = m.id AND p.ended_at IS NULL) OR EXISTS (SELECT FROM staff_password w WHERE w.staff_id = m.id)
	    AND EXISTS (SELECT FROM staff_totp t WHERE t.staff_id = m.id AND t.confirmed_at IS NOT NULL AND t.ended_at IS NULL) AS can_sign_in
	  FROM staff m `

// ByID returns a person; fault.NotFound if there is none.
func ByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (m Member, err error) {
	const query = `/* staff.ByID */ ` + selectMember + `WHERE m.id = $1`
	err = sqlx.GetContext(ctx, q, &m, query, id)
	return m, notFoundIfNone(err)
}

// ByEmail returns the person with an address; fault.NotFound if there is none.
func ByEmail(ctx context.Context, q sqlx.QueryerContext, address string) (m Member, err error) {
	const query = `/* staff.ByEmail */ ` + selectMember + `WHERE m.email = lower($1)`
	err = sqlx.GetContext(ctx, q, &m, query, address)
	return m, notFoundIfNone(err)
}

// All returns all persons by name, without emergency accesses.
func All(ctx context.Context, q sqlx.QueryerContext) (all []Member, err error) {
	const query = `/* staff.All */ ` + selectMember + `WHERE NOT m.break_glass ORDER BY lower(m.name), m.id`
	err = sqlx.SelectContext(ctx, q, &all, query)
	return all, err
}

func notFoundIfNone(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errNotFound
	}
	return err
}

// errNotFound is the same for everything that is not there, or has ended.
var errNotFound error = fault.New(fault.NotFound, "problem.404.text", nil)

// rules are the rules of the database that a person can break on a page, by the names that PostgreSQL reports. The phrase of
// a rule is office.rule.NAME.
var rules = []string{
	"staff_is_admin", "role_is_of_another", "role_has_second_admin", "staff_is_enabled", "role_is_held", "staff_role_once", "last_admin_stays",
	"last_factor_stays", "invitation_is_first", "staff_factor_is_fresh", "totp_has_password", "staff_codes_an_hour", "recovery_codes_are_ten",
	"emergency_grants_admin",
}

// Rule returns the name of the rule that an error of the database reports, if a person can break it on a page; else "".
func Rule(err error) string {
	var refused *pq.Error
	if errors.As(err, &refused) && slices.Contains(rules, refused.Constraint) {
		return refused.Constraint
	}
	return ""
}

// ErrFactorNeeded means that the act needs a factor that was used in the last five minutes.
var ErrFactorNeeded error = fault.New(fault.Forbidden, "office.rule.staff_factor_is_fresh", nil)

// explained returns a rule's error as a fault with its phrase. Other errors stay.
func explained(err error) error {
	switch rule := Rule(err); rule {
	case "":
		return err
	case "staff_factor_is_fresh":
		return ErrFactorNeeded
	default:
		return fault.Wrap(fault.Conflict, "office.rule."+rule, err)
	}
}
