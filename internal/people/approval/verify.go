package approval

import (
	"bytes"
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
)

// Report is the result of Verify.
type Report struct {
	Requests   int      `json:"requests"`
	Executed   int      `json:"executed"`
	ByPasskey  int      `json:"by_passkey"`  // approvals whose signature was checked again
	ByCode     int      `json:"by_code"`     // approvals that prove nothing against who holds the database
	ByOperator int      `json:"by_operator"` // of roles, on the command line
	Findings   []string `json:"findings"`
}

// OK reports whether nothing was found.
func (r Report) OK() bool { return len(r.Findings) == 0 }

// Verify checks all requests and approvals again from the stored rows: hashes, the answers of passkeys, and that enough other
// people approved what was executed. check reports an error unless a passkey of the person signed the text. It only reads. It
// reports an error if it could not read; what is wrong is a finding.
func Verify(
	ctx context.Context, db *sqlx.DB, check func(ctx context.Context, q sqlx.QueryerContext, person uuid.UUID, assertion, text string) error,
) (Report, error) {
	r := Report{Findings: []string{}}
	err := ledger.ReadConsistent(ctx, db, func(tx *sqlx.Tx) error {
		const query = `/* approval.Verify */ SELECT ` + columns + ` FROM approval_request r ORDER BY r.requested_at, r.id`
		var all []Stored
		if err := tx.SelectContext(ctx, &all, query); err != nil {
			return err
		}
		for _, s := range all {
			decisions, err := Decisions(ctx, tx, s.ID)
			if err != nil {
				return err
			}
			requester, err := personOf(ctx, tx, s.RequestedBy)
			if err != nil {
				return err
			}
			r.verify(s, requester, decisions, func(person uuid.UUID, assertion string) error { return check(ctx, tx, person, assertion, s.Text()) })
		}
		return nil
	})
	return r, err
}

func (r *Report) verify(s Stored, requester uuid.UUID, decisions []Decision, check func(person uuid.UUID, assertion string) error) {
	found := func(format string, args ...any) {
		r.Findings = append(r.Findings, fmt.Sprintf("request %s: ", s.ID)+fmt.Sprintf(format, args...))
	}
	r.Requests++
	if hash := s.Hash(); !bytes.Equal(hash[:], s.StoredHash) {
		found("its text is not what was hashed")
	}
	if s.Kind != Roles && s.Factor == "passkey" {
		if err := check(s.RequestedBy, deref(s.Assertion)); err != nil {
			found("no passkey of the requester signed it: %v", err)
		}
	}
	others := map[uuid.UUID]bool{}
	for _, d := range decisions {
		switch {
		case d.Decision != "approve":
			continue
		case !d.StaffID.Valid:
			r.ByOperator++
			if s.Kind != Roles {
				found("an operator approved an act on money")
				continue
			}
		case d.PersonID.UUID == requester || d.StaffID.UUID == s.RequestedBy:
			found("the requester approved it")
			continue
		case deref(d.Factor) == "passkey":
			if err := check(d.StaffID.UUID, deref(d.Assertion)); err != nil {
				found("no passkey of %s signed the approval: %v", d.StaffID.UUID, err)
				continue
			}
			r.ByPasskey++
		default:
			r.ByCode++
		}
		others[d.PersonID.UUID] = true
	}
	if s.State == Executed {
		r.Executed++
		if len(others) < s.Needs {
			found("it was executed, and %d of %d people approved it", len(others), s.Needs)
		}
	}
}

// personOf returns the human behind a staff account.
func personOf(ctx context.Context, q sqlx.QueryerContext, account uuid.UUID) (person uuid.UUID, err error) {
	const query = `/* approval.personOf */ SELECT staff_person_of($1)`
	err = sqlx.GetContext(ctx, q, &person, query, account)
	return person, err
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
