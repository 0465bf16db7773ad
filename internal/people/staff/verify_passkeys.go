package staff

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// PasskeyReport is the result of VerifyPasskeys.
type PasskeyReport struct {
	Passkeys   int      `json:"passkeys"`
	ByOperator int      `json:"by_operator"` // the first one of a link that an operator made
	ByPasskey  int      `json:"by_passkey"`  // an older passkey allowed it, which rests on an operator's link in the end
	ByEmail    int      `json:"by_email"`    // of a link in an email: it proves nothing against who holds the database
	ByCode     int      `json:"by_code"`     // by a code, or no more than the session of a link: likewise
	Findings   []string `json:"findings"`
}

// OK reports whether nothing was found.
func (r PasskeyReport) OK() bool { return len(r.Findings) == 0 }

// grounds are what a passkey rests on in the end.
type grounds string

const (
	onOperator grounds = "operator"
	onEmail    grounds = "email"
	onCode     grounds = "code"
)

// addedPasskey is a passkey with what allowed to add it.
type addedPasskey struct {
	ID         uuid.UUID     `db:"id"`
	StaffID    uuid.UUID     `db:"staff_id"`
	MadeAt     time.Time     `db:"made_at"`
	Kind       string        `db:"kind"`
	Invitation uuid.NullUUID `db:"invitation_id"`
	MadeBy     uuid.NullUUID `db:"made_by"` // of the invitation
	UsedAt     *time.Time    `db:"used_at"` // of the invitation; nil: never, or it is another person's
	Act        []byte        `db:"act"`
	Assertion  string        `db:"assertion"`
}

// VerifyPasskeys follows every passkey to what allowed to add it: a link, or an older passkey of the same person, whose answer it
// checks again. One that has neither is a finding: whoever holds the server's role can make up an answer inside the database, and
// add a passkey of their own by it. Those that rest on a code or on an emailed link are counted apart. It only reads.
//
// It does not find a passkey that was added with a true answer of the person which the server used a second time.
func (s Service) VerifyPasskeys(ctx context.Context, q sqlx.QueryerContext) (PasskeyReport, error) {
	const query = `/* staff.VerifyPasskeys */
		SELECT p.id, p.staff_id, p.made_at, coalesce((p.authority).kind, '') AS kind, (p.authority).invitation_id, i.made_by, i.used_at,
		       (p.authority).act, coalesce((p.authority).assertion::text, '') AS assertion
		  FROM staff_passkey p LEFT JOIN staff_invitation i ON i.id = (p.authority).invitation_id AND i.staff_id = p.staff_id
		 ORDER BY p.made_at, p.id`
	r := PasskeyReport{Findings: []string{}}
	var all []addedPasskey
	if err := sqlx.SelectContext(ctx, q, &all, query); err != nil {
		return r, err
	}
	rest := map[uuid.UUID]grounds{} // of the passkeys so far that are no finding
	used := map[uuid.UUID]bool{}    // invitations
	for _, p := range all {
		r.Passkeys++
		on, err := s.groundsOf(ctx, q, p, rest, used)
		if err != nil {
			r.Findings = append(r.Findings, fmt.Sprintf("passkey %s of %s: %v", p.ID, p.StaffID, err))
			continue
		}
		rest[p.ID] = on
		switch {
		case on == onEmail:
			r.ByEmail++
		case on == onCode:
			r.ByCode++
		case p.Kind == "passkey":
			r.ByPasskey++
		default:
			r.ByOperator++
		}
	}
	return r, nil
}

// groundsOf returns what a passkey rests on, or why it rests on nothing.
func (s Service) groundsOf(
	ctx context.Context, q sqlx.QueryerContext, p addedPasskey, rest map[uuid.UUID]grounds, used map[uuid.UUID]bool,
) (grounds, error) {
	switch p.Kind {
	case "invitation":
		if p.UsedAt == nil || p.UsedAt.After(p.MadeAt) {
			return "", fmt.Errorf("its link was not used before it was added")
		}
		first := !used[p.Invitation.UUID]
		used[p.Invitation.UUID] = true
		switch {
		case p.MadeBy.Valid:
			return onEmail, nil
		case first:
			return onOperator, nil
		}
		return onCode, nil
	case "passkey":
		if len(p.Act) != 32 {
			return "", fmt.Errorf("what an older passkey signed is not stored")
		}
		key, err := s.verifyAnswer(ctx, q, p.StaffID, p.Assertion, [32]byte(p.Act))
		if err != nil {
			return "", fmt.Errorf("no older passkey of the person allowed it: %w", err)
		}
		on, known := rest[key.ID]
		if !known {
			return "", fmt.Errorf("passkey %s allowed it, which is not older or rests on nothing itself", key.ID)
		}
		return on, nil
	case "totp", "recovery":
		return onCode, nil
	}
	return "", fmt.Errorf("nothing says what allowed it")
}
