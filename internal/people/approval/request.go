package approval

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// Lifetime is how long after a request it may be approved and executed.
const Lifetime = 14 * 24 * time.Hour

// Kind is a kind of act.
type Kind string

// Kinds of acts. People with the role finance in the legal entity request and approve acts on money; admins of the scope
// request and approve Roles.
const (
	Refund    Kind = "refund"
	Void      Kind = "void"      // of a posted gift
	Suspense  Kind = "suspense"  // resolved
	Opening   Kind = "opening"   // balances
	Transfer  Kind = "transfer"  // between funds
	Reopening Kind = "reopening" // of a month
	WriteOff  Kind = "write_off" // of a pledge
	Roles     Kind = "roles"     // of staff
)

// Request is an act that waits for others.
type Request struct {
	ID             uuid.UUID     `db:"id"`
	EntityID       uuid.UUID     `db:"entity_id"`
	OrganisationID uuid.NullUUID `db:"organisation_id"`
	Kind           Kind          `db:"kind"`
	Subject        string        `db:"subject"` // the row that the act is about, as its table names it; for Roles, whose role it is
	Body           string        `db:"body"`    // the canonical text of what will be done
	Needs          int           `db:"needs"`   // approvals of others; 0 counts as 1
	RequestedBy    uuid.UUID     `db:"requested_by"`
}

// Text returns what others approve and what a passkey signs (the act of staff.Prompt): these fields, each as
// "length:bytes".
//
//	konbit approval 1, id, entity, organisation, kind, subject, body, needs, requested by
func (r Request) Text() string {
	organisation := ""
	if r.OrganisationID.Valid {
		organisation = r.OrganisationID.UUID.String()
	}
	var b strings.Builder
	for _, field := range []string{"konbit approval 1", r.ID.String(), r.EntityID.String(), organisation, string(r.Kind), r.Subject, r.Body,
		strconv.Itoa(max(r.Needs, 1)), r.RequestedBy.String()} {
		fmt.Fprintf(&b, "%d:%s", len(field), field)
	}
	return b.String()
}

// Hash returns the SHA-256 hash of Text. The form of a page sends it back, so that what was shown is what is approved.
func (r Request) Hash() [sha256.Size]byte { return sha256.Sum256([]byte(r.Text())) }

// RequestTx requests an act for the person of the transaction's staff session, which must be r.RequestedBy. For an act on
// money, a passkey must have signed r.Hash, or the entity allows codes; in any case a factor was used in the last five
// minutes. replaces is an open request of the same person that r is an edited version of; nil if there is none.
func RequestTx(ctx context.Context, tx *sqlx.Tx, r Request, replaces *uuid.UUID) error {
	const request = `/* approval.RequestTx */ SELECT request_approval($1, $2, $3, $4, $5, $6, $7, $8)`
	var stored []byte
	if err := tx.GetContext(ctx, &stored, request, r.ID, r.EntityID, r.OrganisationID, string(r.Kind), r.Subject, r.Body, r.Needs, replaces); err != nil {
		return err
	}
	if hash := r.Hash(); string(stored) != string(hash[:]) {
		return fmt.Errorf("approval: request %s is of another person than %s", r.ID, r.RequestedBy)
	}
	return nil
}

// ErrCode is returned if a code is wrong or was used. The caller commits the transaction, so that the try is counted.
var ErrCode = errors.New("approval: the code is wrong, or was used")

// ApproveTx approves a request for the person of the transaction's staff session. code is that of an authenticator app;
// "" if a passkey signed the request's hash in the last five minutes. hash is the one that the page showed.
func ApproveTx(ctx context.Context, tx *sqlx.Tx, request uuid.UUID, hash [sha256.Size]byte, code, reason string) error {
	return decideTx(ctx, tx, request, hash, "approve", code, reason)
}

// DeclineTx declines a request: it can no longer be approved.
func DeclineTx(ctx context.Context, tx *sqlx.Tx, request uuid.UUID, hash [sha256.Size]byte, reason string) error {
	return decideTx(ctx, tx, request, hash, "decline", "", reason)
}

func decideTx(ctx context.Context, tx *sqlx.Tx, request uuid.UUID, hash [sha256.Size]byte, decision, code, reason string) error {
	const decide = `/* approval.decideTx */ SELECT decide_approval($1, $2, $3, NULLIF($4, ''), $5)`
	var done bool
	if err := tx.GetContext(ctx, &done, decide, request, hash[:], decision, code, reason); err != nil {
		return err
	}
	if !done {
		return ErrCode
	}
	return nil
}

// WithdrawTx withdraws an open request of the person of the transaction's staff session.
func WithdrawTx(ctx context.Context, tx *sqlx.Tx, request uuid.UUID) error {
	const withdraw = `/* approval.WithdrawTx */ SELECT withdraw_approval($1)`
	_, err := tx.ExecContext(ctx, withdraw, request)
	return err
}

// ApproveAsOperatorTx approves a request of kind Roles on the connection of the owner's role.
func ApproveAsOperatorTx(ctx context.Context, tx *sqlx.Tx, request uuid.UUID, reason string) error {
	const approve = `/* approval.ApproveAsOperatorTx */ SELECT approve_as_operator($1, $2)`
	_, err := tx.ExecContext(ctx, approve, request, reason)
	return err
}

// IsApprovedTx reports whether a request may be executed now. The act's own table decides when it is.
func IsApprovedTx(ctx context.Context, tx *sqlx.Tx, request uuid.UUID) (approved bool, err error) {
	const query = `/* approval.IsApprovedTx */ SELECT is_approved($1)`
	err = tx.GetContext(ctx, &approved, query, request)
	return approved, err
}

// Refused returns the rule by which the database refused an act, "approval_by_another" for one; "" if err is another
// error.
func Refused(err error) string {
	var refused *pq.Error
	if errors.As(err, &refused) && refused.Code.Class() == "23" {
		return refused.Constraint
	}
	return ""
}
