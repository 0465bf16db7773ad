package staff

import (
	"context"
	"crypto/sha256"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

// Actor returns how columns that say who ordered something name the session's person.
func (s Session) Actor() string { return "staff " + s.StaffID.String() }

// Form is a form by which a person of the staff acts.
type Form struct {
	ID      uuid.UUID // one-time, of the page that showed it
	Content string    // what it says: the same form sent again says the same
	Scope   Scope     // where the person acts
	Roles   []RoleName
}

// The reasons why a form does nothing.
var (
	ErrNoRole    error = fault.New(fault.NotFound, "problem.404.text", nil)
	ErrOtherForm error = fault.New(fault.Conflict, "office.rule.staff_form_content", nil)
)

// UseFormTx notes that the session's person sends a form, and reports whether they sent it before: then its act is done, and is
// not repeated. The transaction is one of InTx, and the act's. It returns ErrNoRole if the person holds none of the roles in the
// scope now, and ErrOtherForm if the form with this id said something else.
func UseFormTx(ctx context.Context, tx *sqlx.Tx, f Form) (repeated bool, err error) {
	const query = `/* staff.UseFormTx */ SELECT use_staff_form($1, $2, $3, $4, $5)`
	roles := make([]string, len(f.Roles))
	for i, role := range f.Roles {
		roles[i] = string(role)
	}
	says := sha256.Sum256([]byte(f.Content))
	err = tx.GetContext(ctx, &repeated, query, f.ID, says[:], stringArray(roles), f.Scope.EntityID, f.Scope.OrganisationID)
	switch {
	case pg.Violates(err, "staff_form_person"):
		err = ErrNoRole
	case pg.Violates(err, "staff_form_content"):
		err = ErrOtherForm
	}
	return repeated, err
}
