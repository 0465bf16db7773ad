package refund

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// VerifyReport is the result of Verify.
type VerifyReport struct {
	Orders    int      `json:"orders"`
	ByRequest int      `json:"by_request"` // two people answer for them: package approval verifies these
	ByPasskey int      `json:"by_passkey"` // whose signature was checked again
	ByCode    int      `json:"by_code"`    // that prove nothing against who holds the database
	Findings  []string `json:"findings"`
}

// OK reports whether nothing was found.
func (r VerifyReport) OK() bool { return len(r.Findings) == 0 }

// Verify checks the orders of one person again from the stored rows: that a passkey of who ordered signed what the order is. check
// reports an error unless it signed the hash. Of an erased donor's order the note is gone, and so is the text that was signed: there
// the signature alone is checked. It only reads.
func Verify(ctx context.Context, q sqlx.QueryerContext,
	check func(ctx context.Context, q sqlx.QueryerContext, person uuid.UUID, assertion string, about [32]byte) error) (VerifyReport, error) {
	const query = `/* refund.Verify */
		SELECT o.id, o.requested_by, o.request_id IS NOT NULL AS by_request, coalesce(o.factor, '') AS factor, o.signed,
		       coalesce(o.assertion::text, '') AS assertion, refund_order_body(o.id) AS body,
		       refund_of_erased(o) AS erased
		  FROM refund_order o ORDER BY o.ordered_at, o.id`
	var all []struct {
		ID          uuid.UUID `db:"id"`
		RequestedBy uuid.UUID `db:"requested_by"`
		ByRequest   bool      `db:"by_request"`
		Factor      string    `db:"factor"`
		Signed      []byte    `db:"signed"`
		Assertion   string    `db:"assertion"`
		Body        string    `db:"body"`
		Erased      bool      `db:"erased"`
	}
	r := VerifyReport{Findings: []string{}}
	if err := sqlx.SelectContext(ctx, q, &all, query); err != nil {
		return r, err
	}
	for _, o := range all {
		found := func(format string, args ...any) {
			r.Findings = append(r.Findings, fmt.Sprintf("refund order %s: ", o.ID)+fmt.Sprintf(format, args...))
		}
		r.Orders++
		body := sha256.Sum256([]byte(o.Body))
		switch {
		case o.ByRequest:
			r.ByRequest++
		case o.Factor == "totp":
			r.ByCode++
		case len(o.Signed) != len(body):
			found("nothing says by which factor it was ordered")
		case [32]byte(o.Signed) != body && !o.Erased:
			found("it is not what was signed")
		default:
			if err := check(ctx, q, o.RequestedBy, o.Assertion, [32]byte(o.Signed)); err != nil {
				found("no passkey of who ordered it signed it: %v", err)
				continue
			}
			r.ByPasskey++
		}
	}
	return r, nil
}
