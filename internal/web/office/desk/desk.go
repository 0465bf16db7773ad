package desk

import (
	"net/http"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/securitylog"
	"konbit/internal/web"
)

// Desk is what the handlers of the office share.
type Desk struct {
	*web.Kernel
	Catalog *fund.CatalogCache // read with the connections of pages of staff
	// AskToSignIn answers a request without a session by the page for signing in.
	AskToSignIn web.Handler
}

// In returns the permission of staff who hold one of the roles in the scope that the address names.
// An emergency access gets pages and no file there (STAFF 14), and sends forms where an admin does.
func (d *Desk) In(roles ...staff.RoleName) web.Permission[web.StaffVisit] {
	reads := func(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }
	return notInEmergency(d.StaffIn(d.AskToSignIn, roles...), func(r *http.Request) bool {
		return WantsFile(r) != "" || !reads(r) && !slices.Contains(roles, staff.Admin)
	})
}

// Files narrows a permission for a route that answers with a file, or leads to one: an emergency access gets none.
func Files(p web.Permission[web.StaffVisit]) web.Permission[web.StaffVisit] {
	p = notInEmergency(p, func(*http.Request) bool { return true })
	p.Name += ", no emergency access"
	return p
}

// notInEmergency refuses requests of an emergency access.
func notInEmergency(p web.Permission[web.StaffVisit], refused func(r *http.Request) bool) web.Permission[web.StaffVisit] {
	find := p.Find
	p.Find = func(r *http.Request, v web.StaffVisit) (web.StaffVisit, error) {
		v, err := find(r, v)
		if err == nil && v.BreakGlass && refused(r) {
			securitylog.Record(r.Context(), securitylog.RoleRefused)
			err = fault.New(fault.Forbidden, "problem.403.text", nil)
		}
		return v, err
	}
	return p
}

// Pages limits the pages that a person reads (STAFF 28).
var Pages = web.Limit{Name: "staff pages", Words: "office.limit.pages", Limit: guard.Limit{Max: 900, Window: 10 * time.Minute}}

// Readers are the roles that read gifts, donors and money. The policies of the database say the same (ofMoney in package
// migrations). Admins look after people and their roles; a person with the role entry types batches.
var Readers = []staff.RoleName{staff.Finance, staff.Auditor}

// Deciders are the roles that see requests for a second person: those of people's roles are for admins, all others for Readers.
var Deciders = []staff.RoleName{staff.Finance, staff.Admin, staff.Auditor}

// IsReader reports whether the visit's person reads gifts, donors and money in its scope.
func IsReader(v web.StaffVisit) bool { return v.Has(v.Scope, Readers...) }

// Read runs fn in a transaction that sees what the visit's person may see. It reads one moment.
func (d *Desk) Read(r *http.Request, v web.StaffVisit, fn func(tx *sqlx.Tx) error) error {
	return staff.ReadTx(r.Context(), d.StaffDB, v.Session, fn)
}

// Redirect leads to another page of the office.
func Redirect(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
